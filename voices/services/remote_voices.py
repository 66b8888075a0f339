"""Remote voices: their status, name and visibility at the provider."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from providers import registry
from providers.base import Provider
from providers.errors import CallFailure, NotFound
from providers.types import BuildReport, Visibility
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Build, RemoteVoice
from voices.services.accounts import open_session
from voices.services.builds.lifecycle import VOICE_WAS_PUBLIC, record_observation
from voices.services.builds.recheck import find_reasons_against_use
from voices.services.deletion_confirmation import confirm_voice_deletion

DELETED_STATUSES = ("deleted", "removed")
NOT_FOUND = "404"  # stored as the result of a check that finds no voice
KEY_CHANGED = (
    "The account's key has changed since this voice was last checked, and the new key does not show the voice. The key "
    "may be for another account. Check the provider's website, and record the deletion here if the voice is gone."
)

NOT_SHOWN_YET = (
    "The provider does not show this voice. A build of it is still in progress, and VoiceHub asks again by itself. "
    "Refresh the voice when the build has ended."
)


class ProviderCallFailed(ActionRefused):
    """A call to the provider failed. The text says why."""


def refresh_remote_voice(remote: RemoteVoice) -> None:
    """Fetch the voice's state from the provider and store it. Raises ActionRefused."""
    _ = remote.capabilities  # raises ActionRefused if VoiceHub does not support the provider
    require_remote_voice(remote)
    _apply_change(remote, lambda _provider: None)


def _handle_missing_voice(remote: RemoteVoice) -> None:
    """Mark the voice as deleted. While a build is active, the provider may only show a new voice late."""
    if was_key_changed(remote):
        raise ProviderCallFailed(KEY_CHANGED)
    if _has_active_build(remote):
        raise ProviderCallFailed(NOT_SHOWN_YET)
    mark_deleted(remote)


def was_key_changed(remote: RemoteVoice) -> bool:
    """Whether the key changed since the last check. If so, a missing voice proves nothing."""
    changed = remote.account.key_changed_at
    return changed is not None and changed > (remote.checked_at or remote.created_at)


def record_report(remote: RemoteVoice, report: BuildReport) -> None:
    if report.raw_status.lower() in DELETED_STATUSES:
        mark_deleted(remote, report.raw_status)
    else:
        record_observation(remote, report)


def mark_deleted(remote: RemoteVoice, verification: str = NOT_FOUND) -> None:
    """Record that the provider no longer has the voice, whether VoiceHub or someone else deleted it."""
    now = timezone.now()
    with transaction.atomic():
        if confirm_voice_deletion(remote, remote.deletion_proof | {"look": verification, "at": now.isoformat()}):
            remote.raw_status, remote.observed_status, remote.checked_at = "", "", now
            remote.save(update_fields=["raw_status", "observed_status", "checked_at"])


def require_remote_voice(remote: RemoteVoice) -> None:
    if not remote.remote_id or remote.deleted_at:
        raise ActionRefused("The provider does not have this voice.")


def rename_remote_voice(remote: RemoteVoice, name: str) -> None:
    """Rename the voice at the provider. Raises ActionRefused."""
    require_capability(remote, remote.capabilities.can_rename, "rename a voice")
    require_permission(remote)
    require_no_active_build(remote)  # a rename changes the version, by which VoiceHub detects that a build began
    _apply_change(remote, lambda provider: provider.rename_voice(remote.remote_id, name))


def set_visibility(remote: RemoteVoice, visibility: Visibility, by: User) -> None:
    """Set who may use the voice. A voice that a user made public raises no alert. Raises ActionRefused.

    Making a voice private needs no consent in force, because this only restricts its use.
    """
    require_capability(remote, remote.capabilities.can_set_visibility, "change who may use a voice")
    if visibility is not Visibility.PRIVATE:
        require_permission(remote)

    def change(provider: Provider) -> None:
        provider.set_visibility(remote.remote_id, visibility)
        remote.made_public_by = by if visibility is Visibility.PUBLIC else None
        remote.save(update_fields=["made_public_by"])

    _apply_change(remote, change)
    if visibility is Visibility.PRIVATE and not remote.deleted_at:
        mark_alert_seen(remote, by)


def mark_alert_seen(remote: RemoteVoice, by: User) -> bool:
    """End the alert that the voice was public, because this person has seen it. False if there is no such alert."""
    fields: dict[str, Any] = {"alert": "", "alert_seen_at": timezone.now(), "alert_seen_by": by}
    if not RemoteVoice.objects.filter(pk=remote.pk, alert=VOICE_WAS_PUBLIC).update(**fields):
        return False
    for name, value in fields.items():
        setattr(remote, name, value)
    return True


def require_permission(remote: RemoteVoice) -> None:
    if reasons := find_reasons_against_use(remote):
        raise ActionRefused(" ".join(reasons))


def require_capability(remote: RemoteVoice, is_capable: bool, action: str) -> None:
    require_remote_voice(remote)
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
        record_report(remote, report)


def _has_active_build(remote: RemoteVoice) -> bool:
    return Build.objects.active().filter(remote_voice=remote).exists()


def require_no_active_build(remote: RemoteVoice) -> None:
    if _has_active_build(remote):
        raise ActionRefused("A build of this voice is still in progress. Wait until it ends.")
