import uuid
from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from providers.types import CONSENT_KEY
from voicehub.encryption import encrypt
from voicehub.outbox import Lease, LeaseLost
from voices.models import Build, BuildStatus, FileKind, RemoteFile, RemoteRecording, RemoteVoice
from voices.services.deletion_log import lock_consents
from voices.services.file_deletion import request_file_deletion


class GateClosed(Exception):
    """The build is no longer allowed. `reasons` says why."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reasons))


class BuildJournal:
    """Records each step of a submit before and after its call. Each method commits before it returns.

    Each method first renews the lease. A worker that lost the lease, or whose build is no longer SUBMITTING, stops.
    `find_objections` is called before each call, because a consent may be withdrawn while recordings are being sent.
    """

    def __init__(self, build: Build, lease: Lease, find_objections: Callable[[Build], tuple[str, ...]]) -> None:
        self.build = build
        self._lease = lease
        self._find_objections = find_objections
        self._transcripts = dict(build.recordings.values_list("recording_id", "transcript"))

    def before_call(self, step: str, version: str = "") -> None:
        self._check_gate()
        self._update_build(pending_call=step, previous_version=version[:120])

    def record_voice(self, remote_id: str, resume_state: str = "") -> None:
        """Store the id of the created voice, also if the consent was withdrawn meanwhile: the voice must be deleted."""
        fields = {"pending_call": ""} | ({"resume_state": self._encrypt(resume_state)} if resume_state else {})
        with transaction.atomic():
            self._update_build(BuildStatus.SUBMITTING, BuildStatus.WITHDRAWN, **fields)
            RemoteVoice.objects.filter(pk=self.build.remote_voice_id).update(remote_id=remote_id)
        self.build.remote_voice.remote_id = remote_id

    def record_recording(self, key: str, remote_id: str) -> None:
        self._lease.extend()
        recording_id = uuid.UUID(key)
        RemoteRecording.objects.update_or_create(
            remote_voice=self.build.remote_voice,
            recording_id=recording_id,
            defaults={"remote_id": remote_id, "transcript": self._transcripts[recording_id]},
        )

    def record_file(self, key: str, remote_id: str) -> None:
        """Store the id of an announced file, also if the consent was withdrawn meanwhile: the file must be deleted."""
        is_consent = key == CONSENT_KEY
        with transaction.atomic():
            lock_consents(self.build.remote_voice)
            remote = RemoteVoice.objects.select_for_update().get(pk=self.build.remote_voice_id)
            RemoteFile.objects.get_or_create(
                account_id=remote.account_id,
                remote_id=remote_id,
                defaults={
                    "remote_voice": remote,
                    "recording_id": None if is_consent else uuid.UUID(key),
                    "kind": FileKind.CONSENT if is_consent else FileKind.RECORDING,
                    "announced_at": timezone.now(),
                },
            )
            if Build.objects.filter(pk=self.build.pk, status=BuildStatus.WITHDRAWN).exists():
                request_file_deletion(remote)
        self._lease.extend()

    def save_resume_state(self, text: str) -> None:
        self._update_build(resume_state=self._encrypt(text) if text else "")

    def _encrypt(self, text: str) -> str:
        return encrypt(text, f"build:{self.build.pk}")

    def record_progress(self, activity: str, done: int, total: int) -> None:
        self._check_gate()
        self._update_build(progress_message=activity, progress_done=done, progress_total=total)

    def _check_gate(self) -> None:
        if reasons := self._find_objections(self.build):
            raise GateClosed(reasons)

    def _update_build(self, *statuses: BuildStatus, **fields: object) -> None:
        self._lease.extend()
        sent_build = Build.objects.filter(pk=self.build.pk, status__in=statuses or (BuildStatus.SUBMITTING,))
        if not sent_build.update(**fields):
            raise LeaseLost(str(self.build.pk))
        for name, value in fields.items():
            setattr(self.build, name, value)
