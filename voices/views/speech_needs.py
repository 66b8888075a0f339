"""How much speech each tier needs, which the page of a voice says while it has no recordings."""

from typing import NamedTuple

from providers import registry
from voicehub.text import format_duration
from voices.models import Account
from voices.models.limits import get_all_limits
from voices.presenters import make_target_name


class SpeechNeed(NamedTuple):
    """A tier of a provider, and the least speech that it takes."""

    name: str
    length: str


def list_speech_needs() -> list[SpeechNeed]:
    """The tiers of the providers at which the studio has an account, the least first. Without accounts, all tiers."""
    slugs = set(Account.objects.values_list("provider", flat=True)) & registry.PROVIDERS.keys() or set(
        registry.PROVIDERS
    )
    needs = []
    for (slug, tier), limits in get_all_limits().items():
        least = limits.get("least_seconds")
        if slug in slugs and least and least.value:
            label = registry.get_provider_class(slug).tiers[tier].label
            needs.append((least.value, SpeechNeed(make_target_name(slug, label), format_duration(least.value))))
    return [need for _seconds, need in sorted(needs)]
