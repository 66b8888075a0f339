"""Remote voices: their status, name, visibility and deletion at the provider."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import registry
from providers.base import Provider
from providers.errors import CallFailure, NotFound, ProviderAuthError, ProviderRejected
from providers.parsing import trim_response
from providers.types import BuildReport, Visibility
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import (
    DELETION_ALERT_AFTER,
    DELETION_RETRY_SHARE_OF_AGE,
    FIRST_DELETION_RETRY,
    INCONCLUSIVE_LOOKUP_INTERVAL,
    LAST_DELETION_RETRY,
    LEASE,
    LOOKUPS_BEFORE_ABSENT,
    PAUSED_ACCOUNT_RETRY,
    UNREACHABLE_RETRY,
)
from voices.models import Build, BuildStatus, RemoteVoice, Voice
from voices.services.accounts import AccountPaused, open_session
from voices.services.builds.lifecycle import STILL_VISIBLE, record_observation, retire_remote_voice
from voices.services.builds.recheck import find_reasons_against_use
from voices.services.builds.reconcile import look_up_call, was_key_changed

DELETED_STATUSES = ("deleted", "removed")
FORBIDDEN = 403
NOT_FOUND = "404"  # stored as the result of a check that finds no voice
CONSENT_WITHDRAWN = "The consent was withdrawn."
CREATION_IN_DOUBT = (
    "The consent was withdrawn while this voice was being created, and the provider does not show whether it exists. "
    "Look for its name on the provider's website, delete it there, and confirm the deletion here."
)
KEY_CHANGED = (
    "The account's key has changed since this voice was last checked, and the new key does not show the voice. The key "
    "may be for another account. Check the provider's website, and record the deletion here if the voice is gone."
)


class ProviderCallFailed(ActionRefused):
    """A call to the provider failed. The text says why."""


def refresh_remote_voice(remote: RemoteVoice) -> None:
    """Fetch the voice's state from the provider and store it. Raises ActionRefused."""
    _ = remote.capabilities  # raises ActionRefused if VoiceHub does not support the provider
    _require_remote_voice(remote)
    _apply_change(remote, lambda _provider: None)


def _handle_missing_voice(remote: RemoteVoice) -> None:
    if _was_key_changed(remote):
        raise ProviderCallFailed(KEY_CHANGED)
    _mark_deleted(remote)


def _was_key_changed(remote: RemoteVoice) -> bool:
    """Whether the key changed since the last check. If so, a missing voice proves nothing."""
    changed = remote.account.key_changed_at
    return changed is not None and changed > (remote.checked_at or remote.created_at)


def _record_report(remote: RemoteVoice, report: BuildReport) -> None:
    if report.raw_status.lower() in DELETED_STATUSES:
        _mark_deleted(remote, report.raw_status)
    else:
        record_observation(remote, report)


def _mark_deleted(remote: RemoteVoice, verification: str = NOT_FOUND) -> None:
    """Record that the provider no longer has the voice, whether VoiceHub or someone else deleted it."""
    now = timezone.now()
    remote.raw_status, remote.checked_at, remote.alert = "", now, ""
    remote.deletion_proof = remote.deletion_proof | {"look": verification, "at": now.isoformat()}
    remote.deleted_at = now
    remote.retired_at = remote.retired_at or now
    remote.save(update_fields=["raw_status", "checked_at", "alert", "deleted_at", "deletion_proof", "retired_at"])


def _require_remote_voice(remote: RemoteVoice) -> None:
    if not remote.remote_id or remote.deleted_at:
        raise ActionRefused("The provider does not have this voice.")


def rename_remote_voice(remote: RemoteVoice, name: str) -> None:
    """Rename the voice at the provider. Raises ActionRefused."""
    _require_capability(remote, remote.capabilities.can_rename, "rename a voice")
    require_permission(remote)
    _require_no_active_build(remote)  # a rename changes the version, by which VoiceHub detects that a build began
    _apply_change(remote, lambda provider: provider.rename_voice(remote.remote_id, name))


def set_visibility(remote: RemoteVoice, visibility: Visibility, by: User) -> None:
    """Set who may use the voice. A voice that a user made public raises no alert. Raises ActionRefused.

    Making a voice private needs no consent in force, because this only restricts its use.
    """
    _require_capability(remote, remote.capabilities.can_set_visibility, "change who may use a voice")
    if visibility is not Visibility.PRIVATE:
        require_permission(remote)

    def change(provider: Provider) -> None:
        provider.set_visibility(remote.remote_id, visibility)
        remote.made_public_by = by if visibility is Visibility.PUBLIC else None
        remote.save(update_fields=["made_public_by"])

    _apply_change(remote, change)


def require_permission(remote: RemoteVoice) -> None:
    if reasons := find_reasons_against_use(remote):
        raise ActionRefused(" ".join(reasons))


def _require_capability(remote: RemoteVoice, is_capable: bool, action: str) -> None:
    _require_remote_voice(remote)
    if not is_capable:
        label = registry.get_provider_label(remote.account.provider)
        raise ActionRefused(f"{label} has no way to {action} by API. Use the provider's website.")


def _apply_change(remote: RemoteVoice, change: Callable[[Provider], None]) -> None:
    """Make a change at the provider, and store the state that the provider reports afterwards."""
    try:
        with open_session(remote.account) as provider:
            change(provider)
            report = provider.fetch_build(remote.remote_id)
    except NotFound:
        _handle_missing_voice(remote)
    except CallFailure as failure:
        raise ProviderCallFailed(failure.staff_message) from None
    else:
        _record_report(remote, report)


def request_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """Enqueue the deletion at the provider, with retries until it succeeds. Raises ActionRefused."""
    _require_capability(remote, remote.capabilities.can_delete, "delete a voice")
    with transaction.atomic():
        _record_deletion_request(remote, by, reason)
        outbox.enqueue_task("delete_remote_voice", remote.pk)


def request_withdrawal_deletion(remote: RemoteVoice) -> None:
    """Enqueue the deletion after a withdrawal, in the caller's transaction. Its builds must have ended.

    A provider without deletion by API is left to staff (see `views.next_steps`). A voice that may still be created is
    looked up first.
    """
    if not (remote.remote_id or is_creation_in_doubt(remote)):
        retire_remote_voice(remote)
        return
    if remote.deletion_requested_at is None:
        _store_deletion_request(remote, None, CONSENT_WITHDRAWN)
    outbox.enqueue_task("delete_remote_voice", remote.pk)


def is_creation_in_doubt(remote: RemoteVoice) -> bool:
    """Whether a withdrawn build has sent the call that creates this voice and never got the response."""
    return not remote.remote_id and _query_doubtful_builds(remote).exists()


def _query_doubtful_builds(remote: RemoteVoice) -> QuerySet[Build]:
    return Build.objects.filter(remote_voice=remote, status=BuildStatus.WITHDRAWN, pending_call="create")


def record_manual_deletion(remote: RemoteVoice, by: User, reason: str) -> None:
    """Record that a user deleted the voice on the provider's website or saw that it is gone. Raises ActionRefused."""
    if not is_creation_in_doubt(remote):
        _require_remote_voice(remote)
    now = timezone.now()
    with transaction.atomic():
        _record_deletion_request(remote, by, reason)
        remote.deleted_at, remote.deletion_proof, remote.alert = now, {"by_hand": str(by), "at": now.isoformat()}, ""
        remote.save(update_fields=["deleted_at", "deletion_proof", "alert"])


def _require_no_active_build(remote: RemoteVoice) -> None:
    if Build.objects.active().filter(remote_voice=remote).exists():
        raise ActionRefused("A build of this voice is still in progress. Wait until it ends.")


def _record_deletion_request(remote: RemoteVoice, by: User, reason: str) -> None:
    if remote.voice_id:
        Voice.objects.select_for_update().get(pk=remote.voice_id)  # the same lock as in start_build
    _require_no_active_build(remote)
    _store_deletion_request(remote, by, reason)


def _store_deletion_request(remote: RemoteVoice, by: User | None, reason: str) -> None:
    remote.deletion_requested_at, remote.deletion_requested_by = timezone.now(), by
    remote.deletion_reason = reason[:300]
    remote.retired_at = remote.retired_at or timezone.now()
    remote.save(update_fields=["deletion_requested_at", "deletion_requested_by", "deletion_reason", "retired_at"])


def delete_remote_voice(remote_voice_id: str) -> timedelta | None:
    """Delete a retired remote voice at its provider and verify the deletion. Retried until the voice is gone."""
    remote = RemoteVoice.objects.select_related("account").filter(pk=remote_voice_id, deleted_at=None).first()
    if remote is None:
        return None
    if Build.objects.active().filter(remote_voice=remote).exists():
        return compute_deletion_retry(remote)
    if is_creation_in_doubt(remote):
        return _look_up_doubtful_voice(remote)
    if not remote.remote_id or not remote.capabilities.can_delete:
        return None
    try:
        with open_session(remote.account) as provider:
            if _was_key_changed(remote):
                _record_report(remote, provider.fetch_build(remote.remote_id))
            response = _call_delete(provider, remote.remote_id)
            final_status = _verify_deletion(provider, remote.remote_id)
    except AccountPaused as paused:
        return _report_problem(remote, str(paused), PAUSED_ACCOUNT_RETRY)
    except NotFound:
        RemoteVoice.objects.filter(pk=remote.pk).update(alert=KEY_CHANGED)
        return compute_deletion_retry(remote)
    except CallFailure as failure:
        return _report_problem(remote, failure.staff_message, compute_deletion_retry(remote))
    now = timezone.now().isoformat()
    return _record_deletion(remote, {"answer": trim_response(response), "look": final_status, "at": now})


def compute_deletion_retry(remote: RemoteVoice) -> timedelta:
    """Time until the next attempt. It grows with the age of the request."""
    age = timezone.now() - (remote.deletion_requested_at or remote.retired_at or remote.created_at)
    return min(max(FIRST_DELETION_RETRY, age * DELETION_RETRY_SHARE_OF_AGE), LAST_DELETION_RETRY)


def _report_problem(remote: RemoteVoice, problem: str, retry: timedelta) -> timedelta:
    """Ask staff for help when a deletion has failed for a day. Returns the time until the next attempt."""
    requested = remote.deletion_requested_at
    if requested is not None and timezone.now() - requested > DELETION_ALERT_AFTER:
        alert = f"VoiceHub has tried to delete this voice for more than a day. The last problem: {problem}"
        RemoteVoice.objects.filter(pk=remote.pk).update(alert=alert[:300])
    return retry


def _look_up_doubtful_voice(remote: RemoteVoice) -> timedelta | None:
    """Look up by its name whether the provider created the voice. If so, it is deleted next."""
    build = _query_doubtful_builds(remote).select_related("remote_voice__account").latest("created_at")
    try:
        with open_session(remote.account) as provider:
            report, is_proven = look_up_call(build, provider, remote.capabilities)
    except AccountPaused:
        return PAUSED_ACCOUNT_RETRY
    except CallFailure:
        return UNREACHABLE_RETRY
    if report is not None:
        with transaction.atomic():
            RemoteVoice.objects.filter(pk=remote.pk).update(remote_id=report.remote_id)
            _query_doubtful_builds(remote).update(pending_call="")
        return timedelta()
    if build.lookup_attempts + 1 < LOOKUPS_BEFORE_ABSENT:
        Build.objects.filter(pk=build.pk).update(lookup_attempts=build.lookup_attempts + 1)
        return LEASE
    if is_proven and not was_key_changed(build):
        _mark_deleted(remote)
        return None
    RemoteVoice.objects.filter(pk=remote.pk).update(alert=CREATION_IN_DOUBT)
    return INCONCLUSIVE_LOOKUP_INTERVAL


def _call_delete(provider: Provider, remote_id: str) -> Mapping[str, Any]:
    try:
        return provider.delete_voice(remote_id)
    except ProviderAuthError as error:
        if error.status != FORBIDDEN:
            raise
        # The refusal concerns this voice only and repeats on each retry. It must not pause a working account.
        raise ProviderRejected(error.operation, error.detail, status=error.status) from None


def _verify_deletion(provider: Provider, remote_id: str) -> str:
    """The state after a deletion: NOT_FOUND, or the provider's status."""
    try:
        return provider.fetch_build(remote_id).raw_status
    except NotFound:
        return NOT_FOUND


def _record_deletion(remote: RemoteVoice, deletion: dict[str, object]) -> timedelta | None:
    """Mark the voice as deleted only if the provider no longer shows it. Otherwise set an alert and retry."""
    is_gone = deletion["look"] == NOT_FOUND or str(deletion["look"]).lower() in DELETED_STATUSES
    remote.deletion_proof, remote.alert = deletion, "" if is_gone else STILL_VISIBLE
    remote.deleted_at = timezone.now() if is_gone else None
    remote.save(update_fields=["deletion_proof", "alert", "deleted_at"])
    return None if is_gone else compute_deletion_retry(remote)
