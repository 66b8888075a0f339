"""Thousands of rows for the benchmarks. They are written without the services, which would wait for talents."""

import random
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from consent.models import (
    WORLDWIDE,
    Capture,
    Consent,
    ConsentStatus,
    Contract,
    ContractConfirmation,
    Purpose,
    Statement,
    Take,
    Talent,
)
from providers import registry
from voicehub.models import User
from voices.models import (
    Account,
    AccountMode,
    Build,
    BuildRecording,
    BuildStatus,
    Recording,
    RecordingStatus,
    RemoteVoice,
    Voice,
)
from voices.services.builds.scores import SCORES
from voices.services.recordings.days import summarize_sound
from voices.services.recordings.figures import set_figures

PROVIDER = "resemble_v2"
BUILDS = 40
DAYS = 30
# Half of so many recordings have a finding and a flag of the provider, and the other half are excluded. They fill a
# page of 25 rows of each filter, however many recordings the voice has.
FULL_PAGE = 50
WORDS = ("the", "lighthouse", "keeper", "wound", "clock", "every", "evening", "boats", "came", "home", "lantern")
NOISE_FINDING = {
    "severity": "look",
    "code": "noisy",
    "text": "There is a lot of noise.",
    "advice": "Find a quiet room.",
    "at": 1.0,
}
COPY_FINDING = NOISE_FINDING | {"code": "same_sound", "text": "Another recording has the same sound."}
MARKUP_FINDING = NOISE_FINDING | {"code": "transcript_markup", "text": "The transcript has tags.", "at": None}
# The consent status of five talents in a row; None is a talent without a consent.
CONSENT_STATUSES = (
    None,
    ConsentStatus.REQUESTED,
    ConsentStatus.SUBMITTED,
    ConsentStatus.APPROVED,
    ConsentStatus.APPROVED,
)


def is_first_half(number: int) -> bool:
    return number < FULL_PAGE and number % 2 == 0


def make_pair(number: int) -> float:
    """A length in seconds that two copies of one sound share: of the first ones two in a row, then two in 200."""
    return 2.0 + number // 2 / 10 if number < 20 else 4.0 + number // 200 / 1000


class StudioRows:
    """A studio with a producer, an account, and any number of rows. `client` is signed in as the producer."""

    def __init__(self) -> None:
        self.random = random.Random(5)  # noqa: S311 - the same rows each time
        self.producer = User.objects.create_user("paula", "paula@studio.test", "secret")
        self.producer.groups.add(Group.objects.get(name="producer"))
        self.client = Client()
        self.client.force_login(self.producer)
        self.account = Account(name="Sandbox", provider=PROVIDER, mode=AccountMode.SANDBOX)
        self.account.set_key("only-a-benchmark")
        self.account.save()
        self._statement = Statement.objects.filter(provider=PROVIDER)[0]
        self._talent_count = 0

    def make_voice(self, count: int) -> Voice:
        """Make a voice with `count` recordings."""
        talent = Talent.objects.create(name=f"Talent of {count}", created_by=self.producer)
        voice = Voice.objects.create(
            talent=talent, name=f"With {count}", purpose=Purpose.NARRATION, created_by=self.producer
        )
        rows = [self._make_recording(voice, number) for number in range(count)]
        Recording.objects.bulk_create(rows, batch_size=500)
        for day in range(DAYS):
            ids = [row.pk for row in rows[day::DAYS]]
            for start in range(0, len(ids), 500):
                added = Recording.objects.filter(pk__in=ids[start : start + 500])
                added.update(created_at=timezone.now() - timedelta(days=day))
        voice.comparison = {"sound": summarize_sound(voice)}
        voice.save(update_fields=["comparison"])
        return voice

    def add_builds(self, voice: Voice) -> Build:
        """Add ended builds to a voice. The two newest have a report on each recording. Returns the newest."""
        contract = self._add_contract(voice.talent, 0)
        consent = self._add_consent(voice.talent, ConsentStatus.APPROVED)
        for number in range(BUILDS):
            self._add_build(voice, consent, contract, number)
        newest, previous = voice.builds.order_by("-created_at")[:2]
        self._add_reports(previous)
        self._add_reports(newest)
        return newest

    def _add_reports(self, build: Build) -> None:
        rows = build.voice.recordings.only("sha256", "transcript").order_by("file_name")
        BuildRecording.objects.bulk_create(
            (self._make_report(build, row, number) for number, row in enumerate(rows)), batch_size=500
        )

    def _make_report(self, build: Build, recording: Recording, number: int) -> BuildRecording:
        """Make a row with every score. A hundredth of the recordings are silent."""
        uniform = self.random.uniform
        return BuildRecording(
            build=build,
            recording=recording,
            sha256=recording.sha256,
            transcript=recording.transcript,
            has_report=True,
            is_active=True,
            is_outlier=False,
            is_silent=number % 100 == 0 or is_first_half(number),
            stoi=uniform(0.6, 1.0),
            pesq=uniform(1.0, 4.5),
            si_sdr=uniform(5.0, 30.0),
            sample_score=uniform(0.2, 1.0),
            signal_to_noise_ratio=uniform(10.0, 60.0),
        )

    def _make_recording(self, voice: Voice, number: int) -> Recording:
        """Make a usable recording without saving it. Some have a finding, a copy or a transcript to repair."""
        uniform = self.random.uniform
        has_copy, has_markup = number < 20 or number % 200 in (4, 6), 20 <= number < 40 or number % 100 == 2
        findings = [NOISE_FINDING] if number % 10 == 0 or is_first_half(number) else []
        recording = Recording(
            voice=voice,
            file=f"recordings/{number}.wav",
            file_name=f"session-{number:05}.wav",
            sha256=sha256(f"{voice.pk} {number}".encode()).hexdigest(),
            size=200_000,
            transcript=" ".join(self.random.choices(WORDS, k=14)) + " <b>now</b>" * has_markup,
            status=RecordingStatus.ACCEPTED,
            seconds=make_pair(number) if has_copy else uniform(2, 12),
            sample_rate=44100,
            active=number % 50 != 7 and not (number < FULL_PAGE and number % 2),
            findings=findings + [MARKUP_FINDING] * has_markup,
            set_findings=[COPY_FINDING] * has_copy,
            levels={"peak_dbfs": -3.0, "rms_dbfs": -20.0},
            measures=self._make_measures(),
            peaks=[self.random.randrange(-127, 127) for _ in range(800)],
            uploaded_by=self.producer,
            analyzed_at=timezone.now(),
            checked_at=timezone.now(),
        )
        set_figures(recording)
        return recording

    def _make_measures(self) -> dict[str, Any]:
        """Such measures as the analysis stores of a recording."""
        uniform = self.random.uniform
        return {
            "seconds": 5.0,
            "leading_silence_seconds": 0.2,
            "trailing_silence_seconds": 0.3,
            "speech_seconds": 4.0,
            "snr_db": uniform(10, 60),
            "lufs": uniform(-30, -14),
            "words_per_minute": 150.0,
            "syllables_per_second": 4.0,
            "speech_spans": [[0.2, 2.0], [2.5, 4.7]],
            "estimates": {"dnsmos_overall": uniform(1.5, 4.5), "stoi": uniform(0.6, 1), "si_sdr": uniform(5, 30)},
        }

    def add_talents(self, total: int) -> None:
        """Add talents up to this total, a fifth of each kind: new, requested, to review, with a voice, with a build."""
        for number in range(self._talent_count, total):
            self._add_talent(number)
        self._talent_count = total

    def allow_every_provider(self) -> None:
        """Add an account at each other provider, and let every contract allow them all."""
        Contract.objects.update(providers=list(registry.PROVIDERS))
        for provider in registry.PROVIDERS.keys() - {PROVIDER}:
            Account.objects.create(name=provider, provider=provider)

    def _add_talent(self, number: int) -> None:
        status = CONSENT_STATUSES[number % len(CONSENT_STATUSES)]
        talent = Talent.objects.create(
            name=f"Talent {number:05}", email=f"{number}@talent.test", created_by=self.producer
        )
        if status is None:
            return
        contract = self._add_contract(talent, number)
        consent = self._add_consent(talent, status)
        if status != ConsentStatus.APPROVED:
            return
        voice = Voice.objects.create(
            talent=talent, name=f"Voice {number:05}", purpose=Purpose.NARRATION, created_by=self.producer
        )
        Recording.objects.bulk_create(self._make_recording(voice, clip) for clip in range(3))
        if number % len(CONSENT_STATUSES) == len(CONSENT_STATUSES) - 1:
            self._add_build(voice, consent, contract, number)

    def _add_contract(self, talent: Talent, number: int) -> Contract:
        today = timezone.localdate()
        contract = Contract.objects.create(
            talent=talent,
            company="Northlight Voices",
            countries=[WORLDWIDE],
            file="contract.pdf",
            file_name="contract.pdf",
            sha256="0" * 64,
            signed_on=today - timedelta(days=30),
            starts_on=today - timedelta(days=30),
            ends_on=today + timedelta(days=number % 400),
            purposes=[Purpose.NARRATION],
            providers=[PROVIDER],
            intended_uses="Audio guides.",
            filed_by=self.producer,
        )
        ContractConfirmation.objects.create(contract=contract, purpose=Purpose.NARRATION, confirmed_by=self.producer)
        return contract

    def _add_consent(self, talent: Talent, status: ConsentStatus) -> Consent:
        consent = Consent.objects.create(
            talent=talent,
            provider=PROVIDER,
            purpose=Purpose.NARRATION,
            statement=self._statement,
            company="Northlight Voices",
            talent_name=talent.name,
            language="en-US",
            text=self._statement.text,
            text_sha256="0" * 64,
            requested_by=self.producer,
        )
        if status == ConsentStatus.REQUESTED:
            return consent
        consent.take = Take.objects.create(
            consent=consent, file="take.wav", sha256="0" * 64, size=1, capture=Capture.LINK, acceptable=True
        )
        consent.status = status
        consent.approved_by, consent.approved_at = self.producer, timezone.now()
        consent.save(update_fields=["take", "status", "approved_by", "approved_at"])
        return consent

    def _add_build(self, voice: Voice, consent: Consent, contract: Contract, number: int) -> None:
        remote_voice = RemoteVoice.objects.create(
            voice=voice,
            account=self.account,
            tier="rapid",
            reference=f"{voice.name} {uuid4()}",
            retired_at=timezone.now() if voice.remote_voices.exists() else None,
        )
        Build.objects.create(
            voice=voice,
            remote_voice=remote_voice,
            consent=consent,
            contract=contract,
            status=BuildStatus.READY if number % 2 else BuildStatus.DATASET_ISSUE,
            issue="" if number % 2 else "There is no speech in: one.wav.",
            scores={score.key: self.random.uniform(0.1, 1.0) for score in SCORES},
            started_by=self.producer,
            finished_at=timezone.now() - timedelta(hours=1),
        )
