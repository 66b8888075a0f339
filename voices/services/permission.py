"""The gate for a voice at a provider."""

from consent.models import WORLDWIDE
from consent.services.gate import BuildPermission, BuildPurpose, check_permission
from providers import registry
from voices.models import Voice


def make_build_purpose(voice: Voice, provider: str) -> BuildPurpose:
    """What the gate judges for this voice at this provider. A voice without countries is used worldwide."""
    countries = tuple(voice.countries) or (WORLDWIDE,)
    return BuildPurpose(voice.talent, provider, voice.purpose, voice.language, countries)


def check_voice_permission(voice: Voice, provider: str, *, lock: bool = False) -> BuildPermission:
    """Whether this voice may be built at this provider today. `lock` is explained at `check_permission`."""
    label = registry.get_provider_label(provider)
    return check_permission(make_build_purpose(voice, provider), provider_label=label, lock=lock)
