"""Which tiers take a long recording whole, for its details."""

from dataclasses import dataclass

from providers import registry
from voices.models import Recording
from voices.models.limits import get_all_limits
from voices.presenters import make_target_name
from voices.services.builds.lengths import takes_whole


@dataclass(frozen=True, slots=True)
class LengthNote:
    """The names of the tiers that take a recording only in clips, and of those with a handover that takes it whole."""

    too_long: str
    whole: str


def make_length_note(recording: Recording) -> LengthNote | None:
    """None if every tier takes the recording whole. One query."""
    limits = get_all_limits()
    too_long: list[str] = []
    whole: list[str] = []
    for provider in registry.list_providers():
        for tier in provider.tiers.values():
            name, tier_limits = make_target_name(provider.slug, tier.label), limits[provider.slug, tier.tier]
            is_taken = takes_whole(tier, tier_limits, recording.seconds, recording.sample_rate)
            (whole if is_taken else too_long).append(name)
    return LengthNote("; ".join(too_long), "; ".join(whole)) if too_long else None
