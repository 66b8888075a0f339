"""Factories for one studio: a talent with contract and consent, a voice with recordings, an account, builds."""

import hashlib
from dataclasses import dataclass, field
from datetime import date
from functools import cache, lru_cache
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, Contract, Purpose, Take, Talent
from consent.models.consent import APPROVED_STATUSES
from consent.services.invitations import request_consent
from tests.support.checked import mark_checked
from tests.support.contracts import confirm_purposes, make_confirmed_terms
from tests.support.offline_proofs import make_required_proof
from tests.support.pdfs import make_pdf
from tests.support.wav import make_speech_like, make_wav_bytes
from voicehub.models import User
from voices.models import Account, Build, BuildRecording, BuildStatus, Recording, RemoteVoice, Voice
from voices.services.recordings.figures import update_figures
from voices.services.recordings.store import add_recording, create_voice

PROVIDER = "resemble_v2"


@cache
@lru_cache(maxsize=64)  # each takes as long as all else that a recording needs
def make_clip(number: int = 0, seconds: float = 4.0) -> bytes:
    """Return a WAV that passes every check. Each number gives a sound of another pitch."""
    return make_wav_bytes(make_speech_like(seconds, pitch=100.0 + number))


def make_upload(name: str = "line-01.wav", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make_clip() if data is None else data, content_type="audio/wav")


def make_main_account() -> Account:
    """The account at the sandbox that most tests need."""
    account = Account(name="Main", provider=PROVIDER, mode="sandbox")
    account.set_key("a-key-of-the-sandbox")
    account.save(force_insert=True)
    return account


@dataclass
class Studio:
    """Creates the rows of one studio. Fields that a test does not give get valid values."""

    producer: User
    account: Account
    recording_count: int = field(default=0)
    provider: str = PROVIDER
    are_recordings_checked: bool = True
    """Whether new recordings count as analyzed and compared. Tests of these checks make it False."""

    def make_talent(self, name: str = "Tilda Strand") -> Talent:
        return Talent.objects.create(name=name, email="talent@people.test", created_by=self.producer)

    def make_contract(self, talent: Talent, *, is_confirmed: bool = True, **fields: Any) -> Contract:
        contract = Contract(
            **{
                "talent": talent,
                "file_name": "contract.pdf",
                "sha256": hashlib.sha256(make_pdf()).hexdigest(),
                "signed_on": date(2025, 1, 1),
                "starts_on": date(2025, 1, 1),
                "intended_uses": "Audiobooks",
                "compensation": "EUR 900",
                "representation": "Agent",
                "purposes": [Purpose.NARRATION],
                "providers": [self.provider],
                "filed_by": self.producer,
                **make_confirmed_terms(),
                **fields,
            }
        )
        contract.file.save("contract.pdf", ContentFile(make_pdf()), save=False)
        contract.save(force_insert=True)
        if is_confirmed:
            confirm_purposes(contract, self.producer)
        return contract

    def make_consent(self, talent: Talent, status: str = ConsentStatus.APPROVED) -> Consent:
        consent = request_consent(talent, self.provider, "en-US", Purpose.NARRATION, self.producer)
        if status != ConsentStatus.REQUESTED:
            sha256 = hashlib.sha256(make_clip()).hexdigest()
            take = Take(consent=consent, sha256=sha256, size=1, capture=Capture.LINK, acceptable=True)
            take.file.save("take.wav", ContentFile(make_clip()), save=False)
            take.save()
            now = timezone.now()
            if status in APPROVED_STATUSES:
                earlier = Consent.objects.filter(talent=talent, provider=self.provider, status__in=APPROVED_STATUSES)
                earlier.filter(purpose=consent.purpose).update(status=ConsentStatus.REPLACED, replaced_by=consent)
            Consent.objects.filter(pk=consent.pk).update(
                status=status, take=take, approved_by=self.producer, approved_at=now
            )
            consent.refresh_from_db()
            if status in APPROVED_STATUSES:
                make_required_proof(consent, self.account, self.producer)
        return consent

    def make_voice(self, name: str = "Warm narrator", talent: Talent | None = None) -> Voice:
        """Make a voice. Without `talent`, its talent is a new one with a contract and a consent in force."""
        if talent is None:
            talent = self.make_talent()
            self.make_contract(talent)
            self.make_consent(talent)
        return create_voice(talent, name, "en-US", Purpose.NARRATION, self.producer)

    def make_recordings(self, voice: Voice, count: int = 3, transcript: str = "The north wind.") -> list[Recording]:
        recordings = []
        for _ in range(count):
            self.recording_count += 1
            file = make_upload(f"line-{self.recording_count:03}.wav", make_clip(self.recording_count % 40))
            recordings.append(add_recording(voice, file, self.producer, transcript=transcript)[0])
        if self.are_recordings_checked:
            mark_checked(voice)
        return recordings

    def make_fileless_recordings(self, voice: Voice, count: int) -> None:
        """Make recordings whose files do not exist, for pages that do not open the files."""
        Recording.objects.bulk_create(
            Recording(
                voice=voice, file=f"none/{n}.wav", file_name=f"copy-{n:05}.wav", sha256=f"{n:064}", size=1,
                status="accepted", seconds=3.0, sample_rate=16000, uploaded_by=self.producer, transcript="Words.",
                findings=[{"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Look.", "at": None}],
                analyzed_at=timezone.now() if self.are_recordings_checked else None,
            )
            for n in range(count)
        )  # fmt: skip
        update_figures(voice.recordings.all())
        if self.are_recordings_checked:
            mark_checked(voice)

    def make_build(self, voice: Voice | None = None, status: str = BuildStatus.TRAINING, **fields: Any) -> Build:
        if voice is None:
            voice = self.make_voice()
            self.make_recordings(voice)
        remote = RemoteVoice.objects.create(
            voice=voice, account=self.account, tier="rapid", reference=f"vh-{Build.objects.count():06}",
            remote_id=f"remote{Build.objects.count()}",
            retired_at=timezone.now() if voice.remote_voices.exists() else None,
        )  # fmt: skip
        is_final = status not in {"queued", "submitting", "unconfirmed", "training"}
        build = Build.objects.create(
            **{
                "voice": voice, "remote_voice": remote, "status": status, "started_by": self.producer,
                "consent": Consent.objects.filter(talent=voice.talent).first(),
                "contract": voice.talent.contracts.first(),
                "finished_at": timezone.now() if is_final else None,
                **fields,
            }
        )  # fmt: skip
        BuildRecording.objects.bulk_create(
            BuildRecording(build=build, recording=row, sha256=row.sound_sha256, transcript=row.transcript)
            for row in voice.recordings.all()
        )
        return build
