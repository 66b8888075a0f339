"""The deletions of a consent that has ended, as the table that the talent and staff see."""

from collections.abc import Iterator, Sequence

from django.utils import timezone

from consent.extension_points import Deletion
from consent.models import Consent, ConsentStatus
from providers import registry
from voices.models import RemoteFile, RemoteVoice
from voices.services.deletion_log import describe_files, describe_voice
from voices.services.withdrawal import query_remote_voices

ENDED_STATUSES = (ConsentStatus.WITHDRAWN, ConsentStatus.EXPIRED, ConsentStatus.REPLACED)


def list_deletions(consent: Consent) -> list[Deletion]:
    """The deletions of voices and files, oldest voice first. Empty for a consent that has not ended."""
    if consent.status not in ENDED_STATUSES:
        return []
    rows = query_remote_voices(consent).select_related("account", "voice", "deletion_assigned_to")
    remotes = rows.prefetch_related("files").order_by("created_at")
    return [deletion for remote in remotes for deletion in _list_rows(remote)]


def _list_rows(remote: RemoteVoice) -> Iterator[Deletion]:
    label = registry.get_provider_label(remote.account.provider)
    if remote.deletion_requested_at or remote.deleted_at:
        requested_at = remote.deletion_requested_at or remote.retired_at or remote.created_at
        how = _describe_voice_confirmation(remote, label)
        yield Deletion(label, describe_voice(remote), requested_at, remote.deleted_at, how)
    if deletion := find_file_deletion(remote):
        yield deletion


def find_file_deletion(remote: RemoteVoice) -> Deletion | None:
    """The deletion of the files that were sent for a voice. None if it was not requested."""
    files = [file for file in remote.files.all() if file.deletion_requested_at]
    return _describe_file_deletion(files, registry.get_provider_label(remote.account.provider)) if files else None


def _describe_voice_confirmation(remote: RemoteVoice, label: str) -> str:
    if remote.deleted_at and "by_hand" in remote.deletion_proof:
        return f"Confirmed by {remote.deletion_proof['by_hand']}"
    if remote.deleted_at:
        return f"{label} no longer has it"
    if remote.needs_manual_deletion:
        person = remote.deletion_assigned_to or "The studio"
        return f"{person} deletes it on the provider's website"
    return "VoiceHub repeats the deletion until the provider confirms it"


def _describe_file_deletion(files: Sequence[RemoteFile], label: str) -> Deletion:
    requested_at = min(file.deletion_requested_at or timezone.now() for file in files)
    times = [file.deleted_at for file in files if file.deleted_at]
    missing = len(files) - len(times)
    person = next((file.deletion_proof["by_hand"] for file in files if "by_hand" in file.deletion_proof), "")
    if missing:
        how = "VoiceHub repeats the deletion until the provider confirms it"
        how = f"{len(times)} of {len(files)} are deleted. {how}" if times else how
    else:
        how = f"Confirmed by {person}" if person else f"{label} no longer has them"
    return Deletion(label, describe_files(files), requested_at, None if missing else max(times), how)
