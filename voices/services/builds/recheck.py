"""The gate, asked again: before anything of a build is sent, and before a voice at a provider is used or changed."""

from django.db.models import Q
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract
from consent.services.gate import Permission, check_permission
from providers import registry
from voices.models import Account, Build, RemoteVoice, Voice


def check_gate_again(build: Build) -> tuple[str, ...]:
    """The gate once more, now: a consent or a contract may have ended since the build was started."""
    allowed = _get_permission(build.voice, build.remote_voice.account)
    if allowed.is_given and not _is_basis_in_force(build):
        return ("The consent or the contract that the build was started with is not in force any more.",)
    return allowed.reasons


def find_reasons_against_use(remote: RemoteVoice) -> tuple[str, ...]:
    """Why a voice at a provider may not be used, renamed, shown to others or adopted now; empty when it may be."""
    if remote.voice is None:
        return ("Nobody knows whose voice this is.",)
    return _get_permission(remote.voice, remote.account).reasons


def _get_permission(voice: Voice, account: Account) -> Permission:
    label = registry.get_provider_label(account.provider)
    return check_permission(voice.talent, account.provider, voice.purpose, provider_label=label)


def _is_basis_in_force(build: Build) -> bool:
    """Whether the very consent and contract of the build still hold; newer ones beside them change nothing."""
    unexpired = Q(valid_until__isnull=True) | Q(valid_until__gte=timezone.localdate())
    consent = Consent.objects.filter(unexpired, pk=build.consent_id, status=ConsentStatus.APPROVED)
    return consent.exists() and Contract.objects.in_force().filter(pk=build.contract_id).exists()
