"""What the deletions of voices and of files have in common: when they wait, and how they call the provider."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from consent.services.legal_hold import find_last_release, is_deletion_on_hold
from providers.base import Provider
from providers.errors import ProviderAuthError, ProviderRejected
from voicehub.models import Task, TaskStatus, User
from voicehub.retry_policy import DELETION_ALERT_AFTER, deletion_delay
from voices.models import Build, RemoteVoice, WorkKind
from voices.services.work_samples import make_account_key, record_work

FORBIDDEN = 403


def is_on_hold(remote: RemoteVoice) -> bool:
    """Whether a legal hold on the talent stops the deletion now."""
    return remote.voice is not None and is_deletion_on_hold(remote.voice.talent)


def must_wait(remote: RemoteVoice) -> bool:
    """Whether nothing of this remote voice may be deleted yet: a build is active, or a worker may still send files.

    After a withdrawal, the worker stops at its next entry in the journal.
    """
    builds = Build.objects.filter(remote_voice=remote)
    if builds.active().exists():
        return True
    ids = [str(pk) for pk in builds.values_list("pk", flat=True)]
    sending = Task.objects.filter(kind="submit_build", object_id__in=ids, status=TaskStatus.WAITING)
    return sending.filter(lease_until__gt=timezone.now()).exists()


def delete_at_provider(delete: Callable[[str], Mapping[str, Any]], remote_id: str) -> Mapping[str, Any]:
    """Call `delete`. A refusal with 403 concerns this object only, so it must not pause a working account."""
    try:
        return delete(remote_id)
    except ProviderAuthError as error:
        if error.status != FORBIDDEN:
            raise
        raise ProviderRejected(error.operation, error.detail, status=error.status) from None


def find_answer_code(provider: Provider) -> int | None:
    """The HTTP status of the provider's answer to the last deletion."""
    codes = [entry.status for entry in provider.api_log if entry.operation.startswith("delete")]
    return codes[-1] if codes else None


def make_manual_proof(by: User, reason: str) -> dict[str, str]:
    """The stored proof of a deletion that a user confirmed."""
    return {"by_hand": str(by), "reason": reason[:300], "at": timezone.now().isoformat()}


def is_overdue(remote: RemoteVoice, requested_at: datetime) -> bool:
    """Whether VoiceHub has tried the deletion for so long that staff are asked."""
    return _measure_attempts(remote, requested_at) > DELETION_ALERT_AFTER


def compute_retry(remote: RemoteVoice, requested_at: datetime) -> timedelta:
    """Time until the next attempt. It grows with the time that VoiceHub has tried."""
    return deletion_delay(_measure_attempts(remote, requested_at))


def record_deletion_time(kind: WorkKind, remote: RemoteVoice, requested_at: datetime, units: int = 0) -> None:
    """Learn how long a deletion took. One that staff had to look after says nothing about the others."""
    seconds = _measure_attempts(remote, requested_at)
    if seconds <= DELETION_ALERT_AFTER:
        record_work(kind, make_account_key(remote.account), seconds.total_seconds(), units)


def _measure_attempts(remote: RemoteVoice, requested_at: datetime) -> timedelta:
    """For how long VoiceHub has tried. During a legal hold it tried nothing, so the release starts the time again."""
    released_at = find_last_release(remote.voice.talent) if remote.voice else None
    return timezone.now() - max(requested_at, released_at or requested_at)
