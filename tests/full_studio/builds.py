"""The builds of the full studio: at all providers, in every state, with scores, reports and previews."""

import random
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from consent.models import Consent
from providers.types import Handover
from tests.full_studio.people import SENTENCES
from voicehub.models import User
from voices.models import (
    Account,
    Build,
    BuildRecording,
    BuildStatus,
    Preview,
    PreviewStatus,
    Recording,
    RemoteVoice,
    Voice,
    WorkKind,
)
from voices.services.work_samples import make_sending_key, make_training_key, record_work

MINUTES = {"rapid": 2, "professional": 42}
HANDOVERS = {
    "audiostack": Handover.FILE_IDS,
    "resemble_v1": Handover.SIGNED_PUT_TEXTS,
    "resemble_v2": Handover.RECORDINGS,
    "speechgen": Handover.ONE_FILE,
    "voiceai": Handover.ONE_FILE,
}
ISSUES = {
    BuildStatus.DATASET_ISSUE: "3 recordings are outliers and 1 is silent. Exclude them, and train again.",
    BuildStatus.CONSENT_REJECTED: "The consent recording does not match the voice of the recordings (score 0.41).",
    BuildStatus.FAILED: "The provider could not align 4 transcripts with their recordings, and ended the training.",
    BuildStatus.WITHDRAWN: "The consent was withdrawn.",
}
STATUSES = (
    *[BuildStatus.READY] * 5, BuildStatus.DATASET_ISSUE, BuildStatus.READY, BuildStatus.FAILED, BuildStatus.READY,
    BuildStatus.CANCELED, BuildStatus.READY, BuildStatus.CONSENT_REJECTED,
)  # fmt: skip
# A text of a provider with a word that no line has room for.
LONG_ISSUE = (
    "The provider gave this reason: alignment_error_in_recording_0f4c2a7e-52b1-4a8e-9f0d-3c1d6a7b8e90_at_0012.480"
)
SEEN_AFTER = 30
"""Days after which failed builds are marked as seen."""
RUNNING = (
    BuildStatus.TRAINING, BuildStatus.QUEUED, BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED, BuildStatus.TRAINING,
)  # fmt: skip
COMPONENTS = {"text_to_speech": "ready", "speech_to_speech": "ready", "fill": "not requested"}


class BuildMaker:
    """Makes builds at these accounts, keyed by provider. Each build of a voice is younger than the one before."""

    def __init__(self, accounts: dict[str, Account], by: User, sounds: list[Recording]) -> None:
        self.accounts, self.by = accounts, by
        self.sounds = [one for one in sounds if not one.findings]
        self.rng = random.Random(17)  # noqa: S311 - the same in each run
        self.made = 0

    def make(self, voice: Voice, provider: str, tier: str, status: BuildStatus, days: float) -> Build:
        self.made += 1
        started = timezone.now() - timedelta(days=days, minutes=self.rng.randint(0, 300) if days > 1 else 0)
        consent = Consent.objects.filter(talent=voice.talent, provider=provider, purpose="narration").first()
        build = Build(
            voice=voice,
            remote_voice=self._make_remote(voice, self.accounts[provider], tier, status),
            consent=consent or Consent.objects.filter(talent=voice.talent)[0],
            contract=voice.talent.contracts.all()[0],
            status=status,
            handover=HANDOVERS[provider],
            started_by=self.by,
            issue=LONG_ISSUE if status == BuildStatus.FAILED and days < SEEN_AFTER else ISSUES.get(status, ""),
            seen_at=started + timedelta(days=1) if days > SEEN_AFTER else None,
            seen_by=self.by if days > SEEN_AFTER else None,
            raw_status=status.value,
            raw_response={"status": status.value, "uuid": f"{self.made:08x}", "progress": 100},
            **self._make_times(status, tier, started),
            **self._make_scores(provider, status),
        )
        build.save(force_insert=True)
        Build.objects.filter(pk=build.pk).update(created_at=started)
        RemoteVoice.objects.filter(pk=build.remote_voice_id, created_at__gt=started).update(created_at=started)
        self._make_recordings(build, provider)
        self._record_work(build)
        if status == BuildStatus.READY:
            self._make_previews(build)
        return Build.objects.get(pk=build.pk)

    def _make_remote(self, voice: Voice, account: Account, tier: str, status: BuildStatus) -> RemoteVoice:
        now = timezone.now()
        earlier = RemoteVoice.objects.filter(voice=voice, account=account, tier=tier, retired_at=None).first()
        if earlier and account.provider == "resemble_v2":
            return earlier
        if earlier:
            RemoteVoice.objects.filter(pk=earlier.pk).update(retired_at=now)
        is_there = status not in (BuildStatus.QUEUED, BuildStatus.CANCELED, BuildStatus.SUBMITTING)
        reference = f"vh-{self.made:04}-{voice.pk.hex[:12]}"
        return RemoteVoice.objects.create(
            voice=voice, account=account, tier=tier, reference=reference, name=reference,
            remote_id=f"{voice.pk.hex[:8]}{self.made:04}" if is_there else "",
            raw_status=status.value, checked_at=now - timedelta(minutes=7),
            observed_status="ready" if status == BuildStatus.READY else "",
            visibility="private" if account.provider == "voiceai" else "",
            usage_count=self.rng.randint(0, 48_000) if status == BuildStatus.READY else None,
            components=COMPONENTS if account.provider == "resemble_v2" else {},
        )  # fmt: skip

    def _make_times(self, status: BuildStatus, tier: str, started: Any) -> dict[str, Any]:
        sent = started + timedelta(seconds=self.rng.randint(20, 260))
        trained = sent + timedelta(seconds=self.rng.randint(4, 40))
        finished = trained + timedelta(minutes=MINUTES[tier] * self.rng.uniform(0.7, 1.6))
        if status == BuildStatus.QUEUED:
            return {}
        if status in (BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED):
            progress = {"progress_done": 46, "progress_total": 75, "progress_message": "Sending recordings"}
            return {"submitted_at": sent, "pending_call": "create_voice", **progress}
        if status == BuildStatus.TRAINING:
            return {"submitted_at": sent, "training_at": trained, "expected_at": timezone.now() + timedelta(minutes=14)}
        if status == BuildStatus.CANCELED:
            return {"finished_at": started + timedelta(seconds=8)}
        return {"submitted_at": sent, "training_at": trained, "finished_at": finished}

    def _make_scores(self, provider: str, status: BuildStatus) -> dict[str, Any]:
        if status != BuildStatus.READY or not provider.startswith("resemble"):
            return {}
        spread = {"resemble_score": 0.88, "voice_similarity": 0.91, "fluency": 0.84}
        scores = {name: round(min(0.99, self.rng.gauss(middle, 0.07)), 3) for name, middle in spread.items()}
        return {"scores": scores | {"pauses": round(abs(self.rng.gauss(0.1, 0.09)), 3)}}

    def _make_recordings(self, build: Build, provider: str) -> None:
        rows = [
            BuildRecording(
                build=build, recording=row, sha256=row.sound_sha256, transcript=row.transcript,
                finding_codes=[finding["code"] for finding in (*row.findings, *row.set_findings)],
            )
            for row in build.voice.recordings.filter(active=True, status="accepted").defer("peaks", "fine_peaks")
        ]  # fmt: skip
        is_reported = build.status in (BuildStatus.READY, BuildStatus.DATASET_ISSUE)
        if is_reported and provider in ("resemble_v2", "audiostack"):
            for number, row in enumerate(rows):
                is_flagged = build.status == BuildStatus.DATASET_ISSUE and number % 41 == 4
                self._report(row, provider, number, is_flagged=is_flagged)
        BuildRecording.objects.bulk_create(rows)

    def _report(self, row: BuildRecording, provider: str, number: int, *, is_flagged: bool) -> None:
        row.has_report = True
        if provider == "audiostack":
            row.discard_reason = "Discarded: speech of more than one speaker was found." if number % 23 == 5 else ""
            return
        quality = self.rng.uniform(0.3, 0.6) if is_flagged else min(0.99, self.rng.gauss(0.86, 0.08))
        row.stoi, row.pesq = round(0.6 + 0.39 * quality, 3), round(1 + 3.2 * quality, 2)
        row.si_sdr, row.sample_score = round(30 * quality - 4, 1), round(quality, 3)
        row.signal_to_noise_ratio = round(60 * quality, 1)
        row.loudness_grade = "ABCDE"[min(4, max(0, int((1 - quality) * 8)))]
        row.is_outlier, row.is_silent = is_flagged and number % 2 == 1, is_flagged and number % 3 == 1
        row.is_active = not is_flagged

    def _record_work(self, build: Build) -> None:
        if build.training_at and build.finished_at:
            seconds = (build.finished_at - build.training_at).total_seconds()
            record_work(WorkKind.TRAINING, make_training_key(build.remote_voice), seconds)
        if build.submitted_at:
            record_work(WorkKind.SENDING, make_sending_key(build), 95.0, 60)

    def _make_previews(self, build: Build) -> None:
        for place, text in enumerate(SENTENCES[:3]):
            sound = self.sounds[(self.made + 7 * place) % len(self.sounds)]
            preview = Preview(
                remote_voice=build.remote_voice, build=build, text=text, status=PreviewStatus.READY,
                content_type="audio/wav", seconds=sound.seconds, peaks=sound.peaks, requested_by=self.by,
                finished_at=timezone.now(),
            )  # fmt: skip
            with sound.file.open("rb") as file:
                preview.file.save("preview", ContentFile(file.read()))
            Preview.objects.filter(pk=preview.pk).update(created_at=build.finished_at)
        if self.made % 6 == 0:
            issue = "The provider answered: too many requests. Try again in a minute."
            Preview.objects.create(
                remote_voice=build.remote_voice, build=build, text=SENTENCES[8], status=PreviewStatus.FAILED,
                issue=issue, finished_at=timezone.now(), requested_by=self.by,
            )  # fmt: skip


def make_builds(maker: BuildMaker, voices: list[Voice], count: int) -> list[Build]:
    """So many builds of these voices, at the providers that their talents consented to. The last ones run."""
    targets = [
        (voice, provider, tier)
        for voice in voices
        for provider in maker.accounts
        if voice.talent.consents.filter(provider=provider, purpose="narration").exists()
        for tier in _list_tiers(provider, voice)
    ]
    builds = []
    ended = count - len(RUNNING)
    for number in range(ended):
        voice, provider, tier = targets[(number * 7) % len(targets)]
        status = STATUSES[number % len(STATUSES)]
        builds.append(maker.make(voice, provider, tier, status, (ended - number) * 2.6))
    busy = {build.remote_voice_id for build in builds if build.is_active}
    for number, status in enumerate(RUNNING):
        voice, provider, tier = targets[(number * 5) % len(targets)]
        build = maker.make(voice, provider, tier, status, 0.01 + number * 0.02)
        assert build.remote_voice_id not in busy
        busy.add(build.remote_voice_id)
        builds.append(build)
    return builds


def _list_tiers(provider: str, voice: Voice) -> list[str]:
    if provider == "resemble_v1":
        return ["professional"]
    is_large = voice.recordings.count() > 60
    return ["rapid", "professional"] if is_large and provider == "resemble_v2" else ["rapid"]
