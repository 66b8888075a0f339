"""What a withdrawal stops: the builds that run on the consent, and the voices at the provider, which are deleted."""

from django.db.models import Q
from django.utils import timezone

from consent.models import Consent, ConsentStatus
from voices.models import Build, RemoteVoice
from voices.services.builds.lifecycle import withdraw_build
from voices.services.remote_voices import request_withdrawal_deletion


def stop_use(consent: Consent) -> None:
    """Stop the builds, and enqueue the deletion of the remote voices, that no other consent in force covers.

    Runs in the transaction that withdraws the consent, so either all of it is stored or nothing.
    """
    if _is_covered_by_another(consent):
        return
    remotes = RemoteVoice.objects.select_for_update(of=("self",)).filter(
        voice__talent=consent.talent_id,
        voice__purpose=consent.purpose,
        account__provider=consent.provider,
        deleted_at=None,
    )
    for remote in remotes:
        for build in Build.objects.active().filter(remote_voice=remote):
            withdraw_build(build)
        request_withdrawal_deletion(remote)


def _is_covered_by_another(consent: Consent) -> bool:
    unexpired = Q(valid_until__isnull=True) | Q(valid_until__gte=timezone.localdate())
    same = Consent.objects.filter(talent=consent.talent_id, provider=consent.provider, purpose=consent.purpose)
    return same.filter(unexpired, status=ConsentStatus.APPROVED).exclude(pk=consent.pk).exists()
