"""What a withdrawal stops: the builds that run on the consent, and the voices at the provider, which are deleted."""

from django.db.models import QuerySet

from consent.extension_points import Deletion
from consent.models import Consent, ConsentStatus
from providers import registry
from voices.models import Build, RemoteVoice
from voices.services.builds.lifecycle import withdraw_build
from voices.services.deletion import request_withdrawal_deletion


def stop_use(consent: Consent) -> None:
    """Stop the builds, and enqueue the deletion of the remote voices, that no other consent in force covers.

    Runs in the transaction that withdraws the consent, so either all of it is stored or nothing.
    """
    if _is_covered_by_another(consent):
        return
    for remote in _query_remote_voices(consent).filter(deleted_at=None).select_for_update(of=("self",)):
        for build in Build.objects.active().filter(remote_voice=remote):
            withdraw_build(build)
        request_withdrawal_deletion(remote)


def _is_covered_by_another(consent: Consent) -> bool:
    others = Consent.objects.in_force().exclude(pk=consent.pk)
    return others.filter(talent=consent.talent_id, provider=consent.provider, purpose=consent.purpose).exists()


def _query_remote_voices(consent: Consent) -> QuerySet[RemoteVoice]:
    """The remote voices of this talent, provider and purpose."""
    return RemoteVoice.objects.filter(
        voice__talent=consent.talent_id, voice__purpose=consent.purpose, account__provider=consent.provider
    )


def list_deletions(consent: Consent) -> list[Deletion]:
    """The deletions of a withdrawn consent, for the talent and for staff."""
    if consent.status != ConsentStatus.WITHDRAWN:
        return []
    remotes = _query_remote_voices(consent).filter(deletion_requested_at__isnull=False)
    return [_describe_deletion(remote) for remote in remotes.select_related("account", "voice").order_by("created_at")]


def _describe_deletion(remote: RemoteVoice) -> Deletion:
    label = registry.get_provider_label(remote.account.provider)
    requested = remote.deletion_requested_at or remote.created_at
    return Deletion(f"Voice at {label}", requested, remote.deleted_at, _describe_confirmation(remote, label))


def _describe_confirmation(remote: RemoteVoice, label: str) -> str:
    if remote.deleted_at and "by_hand" in remote.deletion_proof:
        return f"Confirmed by {remote.deletion_proof['by_hand']}"
    if remote.deleted_at:
        return f"{label} no longer has it"
    if remote.needs_manual_deletion:
        return "The studio deletes it on the provider's website"
    return "VoiceHub repeats the deletion until the provider confirms it"
