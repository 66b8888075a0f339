"""A studio that grows: any number of rows of each kind that a page or a poll lists."""

from dataclasses import dataclass, field
from hashlib import sha256

from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, EventKind, Invitation, Take, Talent
from consent.services.audit_log import record_event
from tests.support.checked import mark_checked
from tests.voices.rows import Studio
from voicehub.outbox import enqueue_task
from voices.models import (
    Account,
    AccountCall,
    Build,
    BuildRecording,
    Callback,
    FileKind,
    Preview,
    PreviewStatus,
    Recording,
    RemoteFile,
    RemoteVoice,
    Voice,
)
from voices.services.recordings.figures import update_figures
from voices.services.recordings.store import ANALYZE_TASK

NOISE = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Listen.", "at": None}


@dataclass
class GrowingStudio:
    """One voice with one active build, beside which `grow` adds rows. Its pages list them all."""

    studio: Studio
    size: int = field(default=0)

    def __post_init__(self) -> None:
        self.voice: Voice = self.studio.make_voice("Growing")
        self.talent: Talent = self.voice.talent
        self.consent: Consent = Consent.objects.get(talent=self.talent)
        self.grow(1)
        self.active: Build = self.studio.make_build(
            self.voice,
            status="submitting",
            progress_message="Sending recordings",
            progress_done=1,
            progress_total=9,
            submitted_at=timezone.now(),
        )
        self.remote: RemoteVoice = RemoteVoice.objects.create(
            voice=self.voice, account=self.studio.account, tier="professional", reference="vh-more", remote_id="more"
        )
        self._add_build(1)
        self.finished: Build = self.remote.builds.get()

    @property
    def account(self) -> Account:
        return self.studio.account

    def grow(self, size: int) -> None:
        """Add rows of each kind, up to this number."""
        numbers = range(self.size, size)
        self._add_recordings(numbers)
        for number in numbers:
            self._add_consent_rows(number)
            self.studio.make_contract(self.talent, purposes=["internal"])
        if self.size:
            for number in numbers:
                self._add_build(number)
                self._add_remote_rows(number)
        self.size = size
        mark_checked(self.voice)

    def enqueue_analysis(self) -> None:
        enqueue_task(ANALYZE_TASK, self.voice.pk)

    def _add_recordings(self, numbers: range) -> None:
        Recording.objects.bulk_create(
            Recording(
                voice=self.voice,
                file=f"none/{number}.wav",
                file_name=f"line-{number:05}.wav",
                sha256=sha256(str(number).encode()).hexdigest(),
                size=1,
                status="refused" if number % 5 == 4 else "accepted",
                active=number % 7 != 6,
                seconds=2.0 + number % 9,
                sample_rate=44100,
                transcript="" if number % 6 == 5 else "The north wind.",
                findings=[NOISE] if number % 3 == 0 else [],
                set_findings=[NOISE] if number % 4 == 0 else [],
                uploaded_by=self.studio.producer,
            )
            for number in numbers
        )
        update_figures(self.voice.recordings.all())

    def _add_consent_rows(self, number: int) -> None:
        copy = Consent.objects.get(pk=self.consent.pk)
        copy.pk, copy.status, copy.take, copy.purpose = None, ConsentStatus.DECLINED, None, "internal"
        copy.id = Consent._meta.get_field("id").get_default()
        copy.save(force_insert=True)
        Take.objects.create(
            consent=self.consent, file="none/take.wav", sha256="0" * 64, size=1, capture=Capture.LINK, acceptable=True
        )
        record_event(self.consent, EventKind.LINK_COPIED, self.studio.producer)
        invitation = Invitation.objects.create(
            talent=self.talent,
            channel=Invitation.Channel.MAIL,
            token_digest=f"{number:064}",
            created_by=self.studio.producer,
        )
        invitation.consents.add(self.consent)

    def _add_build(self, number: int) -> None:
        """Add a failed build of `remote` that a provider has reported on."""
        build = Build.objects.create(
            voice=self.voice,
            remote_voice=self.remote,
            status="dataset_issue",
            started_by=self.studio.producer,
            consent=self.consent,
            contract=self.talent.contracts.earliest("filed_at"),
            finished_at=timezone.now(),
        )
        BuildRecording.objects.bulk_create(
            BuildRecording(
                build=build,
                recording=row,
                sha256=row.sha256,
                has_report=True,
                is_silent=place % 3 == 0,
                sample_score=place / 60,
            )
            for place, row in enumerate(self.voice.recordings.order_by("file_name")[:60])
        )
        Callback.objects.create(build=build, body="{}", body_sha256=f"{number:064}")

    def _add_remote_rows(self, number: int) -> None:
        Preview.objects.create(remote_voice=self.remote, text=f"Sentence {number}.", status=PreviewStatus.QUEUED)
        now = timezone.now()
        RemoteFile.objects.create(
            account=self.account,
            remote_voice=self.remote,
            kind=FileKind.RECORDING,
            remote_id=f"file-{number}",
            announced_at=now,
            deletion_requested_at=now,
        )
        AccountCall.objects.create(account=self.account, at=timezone.now(), operation="list_voices", status=200)
        RemoteVoice.objects.create(
            voice=self.voice,
            account=self.account,
            tier="rapid",
            reference=f"vh-deleted-{number}",
            remote_id=f"deleted-{number}",
            deletion_requested_at=now,
            retired_at=now,
        )
        self._add_active_build(number)

    def _add_active_build(self, number: int) -> None:
        remote = RemoteVoice.objects.create(
            voice=self.voice,
            account=self.account,
            tier="rapid",
            reference=f"vh-active-{number}",
            remote_id=f"active-{number}",
            retired_at=timezone.now(),
        )
        Build.objects.create(
            voice=self.voice,
            remote_voice=remote,
            status="training",
            training_at=timezone.now(),
            started_by=self.studio.producer,
            consent=self.consent,
            contract=self.talent.contracts.earliest("filed_at"),
        )
