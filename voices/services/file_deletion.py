"""Deletion of the files that were sent for a remote voice, repeated until the provider no longer has any of them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from consent.models import Consent
from providers.base import Provider
from providers.errors import CallFailure, ProviderRejected
from providers.parsing import trim_response
from voicehub import outbox
from voicehub.models import User
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEGAL_HOLD_RETRY, PAUSED_ACCOUNT_RETRY
from voices.models import RemoteFile, RemoteVoice, WorkKind
from voices.services.accounts import AccountPaused, open_session
from voices.services.deletion_calls import (
    compute_retry,
    delete_at_provider,
    find_answer_code,
    is_on_hold,
    is_overdue,
    make_manual_proof,
    must_wait,
    record_deletion_time,
)
from voices.services.deletion_log import lock_consents, record_file_deletion, record_file_request
from voices.services.deletion_reports import report_deletion

ABSENT = "404"  # stored as the result of a check that finds no file
KEY_CHANGED = (
    "The account's key has changed since the files were sent, and the new key does not show them. The key may be for "
    "another account. Check the provider's website, and record the deletion here if the files are gone."
)
UNSUPPORTED = "VoiceHub no longer supports this provider. Delete the files on its website, and confirm it here."
STILL_THERE = "The provider says that it deleted a file, but still shows it."


def request_file_deletion(remote: RemoteVoice, cause: Consent | None = None) -> None:
    """Enqueue the deletion of every file that was sent for this remote voice, in the caller's transaction.

    Files that are found while others are being deleted join their request.
    """
    lock_consents(remote)
    RemoteVoice.objects.select_for_update().get(pk=remote.pk)
    if not remote.files.open().exists():
        return
    requested_at = _find_request_time(remote) or timezone.now()
    remote.files.open().filter(deletion_requested_at=None).update(deletion_requested_at=requested_at)
    record_file_request(remote, requested_at, cause)
    outbox.enqueue_task("delete_remote_files", remote.pk)


def _find_request_time(remote: RemoteVoice) -> datetime | None:
    first: datetime | None = remote.files.requested().aggregate(first=Min("deletion_requested_at"))["first"]
    return first


def delete_remote_files(remote_voice_id: str, lease: Lease) -> timedelta | None:
    """Delete the files of a remote voice that are to be deleted, and verify each deletion. Retried until all are gone.

    A file that the provider refuses to delete does not keep the others.
    """
    remote = RemoteVoice.objects.select_related("account", "voice__talent").filter(pk=remote_voice_id).first()
    requested_at = _find_request_time(remote) if remote else None
    if remote is None or requested_at is None:
        return None
    delay = compute_retry(remote, requested_at)
    if is_on_hold(remote):
        return LEGAL_HOLD_RETRY
    if must_wait(remote):
        return delay
    if remote.find_capabilities() is None:
        RemoteVoice.objects.filter(pk=remote.pk).update(file_alert=UNSUPPORTED)
        return delay
    problem = ""
    try:
        with open_session(remote.account) as provider:
            for file in remote.files.requested().select_related("account"):
                problem = _delete_file(provider, remote, file, lease) or problem
    except AccountPaused as paused:
        problem, delay = _describe_failure(remote, requested_at, str(paused)), PAUSED_ACCOUNT_RETRY
    except CallFailure as failure:
        problem = _describe_failure(remote, requested_at, failure.staff_message)
    RemoteVoice.objects.filter(pk=remote.pk).update(file_alert=problem[:300])
    return delay if remote.files.requested().exists() else None


def _describe_failure(remote: RemoteVoice, requested_at: datetime, problem: str) -> str:
    """The alert for staff, if the deletion has failed for a day."""
    if not is_overdue(remote, requested_at):
        return ""
    return f"VoiceHub has tried to delete these files for more than a day. The last problem: {problem}"


def _delete_file(provider: Provider, remote: RemoteVoice, file: RemoteFile, lease: Lease) -> str:
    """Delete a file, and mark it as deleted if a look-up no longer finds it. Returns the alert for staff, if any."""
    assert file.deletion_requested_at  # noqa: S101 - only requested files are deleted
    try:
        lease.extend()
        if _was_key_changed(file) and not _find_file_again(provider, file):
            return KEY_CHANGED
        response = delete_at_provider(provider.delete_file, file.remote_id)
        code = find_answer_code(provider)
        lease.extend()
        if provider.has_file(file.remote_id):
            return STILL_THERE
    except ProviderRejected as refusal:
        return _describe_failure(remote, file.deletion_requested_at, refusal.staff_message)
    proof = {"answer": trim_response(response), "code": code, "look": ABSENT, "at": timezone.now().isoformat()}
    confirm_file_deletion(file, proof)
    return ""


def _was_key_changed(file: RemoteFile) -> bool:
    """Whether the key changed since the provider last showed the file. If so, a missing file proves nothing."""
    changed = file.account.key_changed_at
    return changed is not None and changed > (file.checked_at or file.announced_at)


def _find_file_again(provider: Provider, file: RemoteFile) -> bool:
    """Whether the new key shows the file. Stored, because the file is deleted next."""
    is_shown = provider.has_file(file.remote_id)
    if is_shown:
        RemoteFile.objects.filter(pk=file.pk).update(checked_at=timezone.now())
    return is_shown


def confirm_file_deletion(file: RemoteFile, proof: Mapping[str, Any], by: User | None = None) -> None:
    """Mark a file and its recording as deleted. The last file of a request writes the entry of the audit log."""
    now = timezone.now()
    with transaction.atomic():
        lock_consents(file.remote_voice)
        remote = (
            RemoteVoice.objects.select_for_update(of=("self",))
            .select_related("account", "voice")
            .get(pk=file.remote_voice_id)
        )
        if not RemoteFile.objects.open().filter(pk=file.pk).update(deleted_at=now, deletion_proof=dict(proof)):
            return
        remote.recordings.filter(remote_id=file.remote_id).update(deleted_at=now)
        if file.deletion_requested_at and not remote.files.requested().exists():
            RemoteVoice.objects.filter(pk=remote.pk).update(file_alert="")
            record_file_deletion(remote, file.deletion_requested_at, by)
            report_deletion(remote)
            if by is None:
                count = remote.files.filter(deletion_requested_at=file.deletion_requested_at).count()
                record_deletion_time(WorkKind.FILES, remote, file.deletion_requested_at, count)


def record_manual_file_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """Record that a user saw that the files are gone. Raises ActionRefused."""
    with transaction.atomic():
        lock_consents(remote)
        RemoteVoice.objects.select_for_update().get(pk=remote.pk)
        files = list(remote.files.requested())
        if not files:
            raise ActionRefused("No file of this voice is waiting for its deletion.")
        for file in files:
            confirm_file_deletion(file, make_manual_proof(by, reason), by)
