"""Whether a build that was started is still allowed, asked before anything of it leaves the house."""

from django.db.models import Q
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract
from consent.services.gate import permission
from providers import registry
from voices.models import Build


def not_allowed(build: Build) -> tuple[str, ...]:
    """The gate once more, now: a consent or a contract may have ended since the build was started."""
    account = build.remote_voice.account
    label = registry.label(account.provider)
    allowed = permission(build.voice.talent, account.provider, build.voice.purpose, provider_label=label)
    if allowed.given and not _rests_on_what_is_in_force(build):
        return ("The consent or the contract that the build was started with is not in force any more.",)
    return allowed.reasons


def _rests_on_what_is_in_force(build: Build) -> bool:
    """Whether the very consent and contract of the build still hold; newer ones beside them change nothing."""
    unexpired = Q(valid_until__isnull=True) | Q(valid_until__gte=timezone.localdate())
    consent = Consent.objects.filter(unexpired, pk=build.consent_id, status=ConsentStatus.APPROVED)
    return consent.exists() and Contract.objects.in_force().filter(pk=build.contract_id).exists()
