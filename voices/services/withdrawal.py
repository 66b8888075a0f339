"""What a withdrawal stops: the builds that run on the consent, and the voices at the provider, which are deleted."""

from django.db.models import QuerySet

from consent.models import Consent
from voices.models import Build, RemoteVoice
from voices.services.builds.lifecycle import withdraw_build
from voices.services.deletion import request_withdrawal_deletion
from voices.services.file_deletion import request_file_deletion


def stop_use(consent: Consent) -> None:
    """Stop the builds, and enqueue the deletion of the remote voices, that no other consent in force covers.

    Runs in the transaction that withdraws the consent, so either all of it is stored or nothing.
    """
    if _is_covered_by_another(consent):
        return
    remotes = query_remote_voices(consent).order_by("pk")
    # Builds are locked before voices, as a worker does that stores a result.
    for build in Build.objects.active().filter(remote_voice__in=remotes.values("pk")).order_by("pk"):
        withdraw_build(build)
    for remote in remotes.filter(deleted_at=None).select_for_update(of=("self",)):
        request_withdrawal_deletion(remote, consent)
    # The files of a voice that was deleted before may still be at the provider.
    for remote in remotes.filter(deleted_at__isnull=False):
        request_file_deletion(remote, consent)


def has_voices(consent: Consent) -> bool:
    """Whether a voice that only this consent allowed is still at its provider, and its deletion is not requested."""
    remotes = query_remote_voices(consent).filter(deleted_at=None, deletion_requested_at=None).exclude(remote_id="")
    return remotes.exists() and not _is_covered_by_another(consent)


def _is_covered_by_another(consent: Consent) -> bool:
    others = Consent.objects.in_force().exclude(pk=consent.pk)
    return others.filter(talent=consent.talent_id, provider=consent.provider, purpose=consent.purpose).exists()


def query_remote_voices(consent: Consent) -> QuerySet[RemoteVoice]:
    """The remote voices of this talent, provider and purpose."""
    return RemoteVoice.objects.filter(
        voice__talent=consent.talent_id, voice__purpose=consent.purpose, account__provider=consent.provider
    )
