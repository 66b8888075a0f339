"""The limits of a provider's tiers, with admin overrides."""

from collections.abc import Mapping

from django.db import models

from providers import registry
from providers.types import Capabilities, Limit, Tier

CALLS_PER_SECOND = "calls_per_second"
TierKey = tuple[str, Tier]  # slug of a provider, and one of its tiers


class LimitOverride(models.Model):
    """A limit that an admin corrected because the provider's documentation is wrong or contradicts itself."""

    provider = models.SlugField(max_length=30)
    tier = models.SlugField(max_length=20)
    limit = models.SlugField(max_length=40)
    value = models.FloatField()
    source = models.CharField(max_length=300, help_text="Source and date.")

    class Meta:
        ordering = ["provider", "tier", "limit"]
        constraints = [models.UniqueConstraint(fields=["provider", "tier", "limit"], name="limit_override_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.tier} {self.limit}"


def get_limits(capabilities: Capabilities, provider: str) -> dict[str, Limit]:
    """The limits of one tier, with the overrides of admins."""
    overrides = LimitOverride.objects.filter(provider=provider, tier=capabilities.tier)
    return _apply_overrides(capabilities, {override.limit: override for override in overrides})


def get_calls_per_second(provider: str) -> float | None:
    """The lowest rate limit of the provider's tiers, with the overrides of admins; None if there is none."""
    overrides = LimitOverride.objects.filter(provider=provider, limit=CALLS_PER_SECOND)
    rates = {override.tier: override.value for override in overrides}
    tiers = registry.PROVIDERS[provider].tiers if provider in registry.PROVIDERS else {}
    limits = {tier: capabilities.limits.get(CALLS_PER_SECOND) for tier, capabilities in tiers.items()}
    return min((rates.get(tier, limit.value) for tier, limit in limits.items() if limit), default=None)


def get_all_limits() -> dict[TierKey, dict[str, Limit]]:
    """The limits of every tier of every provider, with the overrides of admins, in one query."""
    overrides: dict[tuple[str, str], dict[str, LimitOverride]] = {}
    for override in LimitOverride.objects.all():
        overrides.setdefault((override.provider, override.tier), {})[override.limit] = override
    return {
        (provider.slug, tier): _apply_overrides(capabilities, overrides.get((provider.slug, str(tier)), {}))
        for provider in registry.list_providers()
        for tier, capabilities in provider.tiers.items()
    }


def _apply_overrides(capabilities: Capabilities, overrides: Mapping[str, LimitOverride]) -> dict[str, Limit]:
    return {name: _apply_override(limit, overrides.get(name)) for name, limit in capabilities.limits.items()}


def _apply_override(limit: Limit, override: LimitOverride | None) -> Limit:
    if override is None:
        return limit
    return Limit(override.value, limit.unit, override.source, limit.checked, limit.hard, limit.note)
