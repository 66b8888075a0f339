"""The thresholds of the audio checks, with this studio's overrides. Separate, because models do not import audio."""

from collections.abc import Iterable
from dataclasses import replace

from audio.findings.thresholds import THRESHOLD_INFO, THRESHOLDS, Thresholds
from voicehub.models import ThresholdOverride


def load_thresholds(provider: str = "", tier: str = "") -> Thresholds:
    """The thresholds for this provider and tier, or for the whole studio. The most specific override wins."""
    rows = ThresholdOverride.objects.filter(provider__in={"", provider}, tier__in={"", tier}, name__in=THRESHOLD_INFO)
    return THRESHOLDS.with_overrides({row.name: row.value for row in sorted(rows, key=_get_specificity)})


def load_tier_thresholds(tiers: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Thresholds]:
    """The thresholds of each of these providers' tiers, in one query. The key ("", "") has those of the studio."""
    rows = sorted(ThresholdOverride.objects.filter(name__in=THRESHOLD_INFO), key=_get_specificity)
    return {
        (provider, tier): THRESHOLDS.with_overrides(
            {row.name: row.value for row in rows if row.provider in ("", provider) and row.tier in ("", tier)}
        )
        for provider, tier in (*tiers, ("", ""))
    }


def load_take_thresholds(provider: str) -> Thresholds:
    """As `load_thresholds`, but for takes, which may have longer silence at both ends than recordings."""
    thresholds = load_thresholds(provider)
    return replace(thresholds, edge_silence_seconds=thresholds.take_edge_silence_seconds)


def _get_specificity(row: ThresholdOverride) -> tuple[bool, bool]:
    return bool(row.tier), bool(row.provider)
