"""The page of one provider: its tiers, what they can do, and their limits with the sources."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent.access import require_permission
from providers import registry
from providers.base import Provider
from providers.types import Capabilities
from voicehub.text import format_duration
from voices.models import LimitOverride

# Labels of the limits. A limit without a label is shown by its key.
LIMIT_LABELS = {
    "shortest_clip": "Shortest recording",
    "longest_clip": "Longest recording",
    "trained_clip": "Longest recording used for training",
    "longest_transcript": "Longest transcript",
    "least_recordings": "Minimum recordings",
    "most_recordings": "Maximum recordings",
    "least_seconds": "Minimum speech",
    "advised_seconds": "Recommended speech",
    "advised_seconds_other_languages": "Recommended speech, languages other than English",
    "most_seconds": "Maximum speech",
    "most_bytes": "Largest file",
    "lowest_rate": "Lowest sample rate",
    "highest_rate": "Highest sample rate",
    "calls_per_second": "Calls per second",
    "longest_preview": "Longest preview text",
}
SITE = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}(?:/[a-z-]+)*")
Overrides = Mapping[tuple[str, str, str], LimitOverride]


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit in effect, with its source."""

    name: str
    amount: str
    source: str
    checked_on: date | None
    is_hard: bool
    note: str
    is_override: bool

    @property
    def source_url(self) -> str:
        """The site that the source begins with. Empty if the studio has set the limit."""
        site = SITE.match(self.source)
        return f"https://{site[0]}" if site and not self.is_override else ""

    @property
    def source_site(self) -> str:
        return self.source_url.removeprefix("https://")

    @property
    def source_rest(self) -> str:
        return self.source.removeprefix(self.source_site)


@dataclass(frozen=True, slots=True)
class TierLimits:
    """One tier on the page of its provider: its capabilities, and a row for each of its limits."""

    capabilities: Capabilities
    rows: list[LimitRow]

    @property
    def supported_actions(self) -> list[tuple[str, bool]]:
        """Actions on a finished voice, each with whether the provider supports it."""
        capabilities = self.capabilities
        return [
            ("Generate a preview", capabilities.can_preview),
            ("Retrain", capabilities.can_retrain),
            ("Rename", capabilities.can_rename),
            ("Make private", capabilities.can_set_visibility),
            ("Delete", capabilities.can_delete),
        ]


@dataclass(frozen=True, slots=True)
class SharedLimit:
    """One limit of the tiers that share its source: the label of each tier with the value there."""

    row: LimitRow
    amounts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TierFact:
    """What is true of some tiers. `tiers` names them, unless they are all."""

    text: str
    tiers: str
    is_true: bool = True


@require_permission("voices.view_account")
@require_safe
def provider_limits(request: HttpRequest, slug: str) -> HttpResponse:
    """The limits of one provider, each with its source, and the actions on voices that the provider supports."""
    if slug not in registry.PROVIDERS:
        raise Http404
    provider = registry.get_provider_class(slug)
    overrides = {(row.provider, row.tier, row.limit): row for row in LimitOverride.objects.filter(provider=slug)}
    tiers = list(make_tier_limits(provider, overrides))
    context = {
        "slug": slug,
        "label": provider.label,
        "tiers": [tier.capabilities for tier in tiers],
        "limits": join_limits(tiers),
        "features": join_features(tiers),
        "notes": join_notes(tiers),
    }
    return render(request, "voices/account_provider.html", context)


def join_limits(tiers: Sequence[TierLimits]) -> list[SharedLimit]:
    """Each limit once, with its value in each tier. Values of different sources stand in rows of their own."""
    amounts: dict[LimitRow, list[str]] = {}
    for place, tier in enumerate(tiers):
        for row in tier.rows:
            amounts.setdefault(replace(row, amount=""), [""] * len(tiers))[place] = row.amount
    names = list(dict.fromkeys(row.name for row in amounts))
    labels = [tier.capabilities.label for tier in tiers]
    shared = [SharedLimit(row, list(zip(labels, values, strict=True))) for row, values in amounts.items()]
    return sorted(shared, key=lambda limit: names.index(limit.row.name))


def join_features(tiers: Sequence[TierLimits]) -> list[TierFact]:
    """Each action on a finished voice, with the tiers that support it."""
    supported: dict[str, list[str]] = {}
    for tier in tiers:
        for action, is_supported in tier.supported_actions:
            supported.setdefault(action, []).extend([tier.capabilities.label] * is_supported)
    return [TierFact(action, _name_tiers(labels, tiers), bool(labels)) for action, labels in supported.items()]


def join_notes(tiers: Sequence[TierLimits]) -> list[TierFact]:
    """Each note once, with the tiers that it is about."""
    labels: dict[str, list[str]] = {}
    for tier in tiers:
        for caution in tier.capabilities.cautions:
            labels.setdefault(caution, []).append(tier.capabilities.label)
    return [TierFact(caution, _name_tiers(names, tiers)) for caution, names in labels.items()]


def _name_tiers(labels: Sequence[str], tiers: Sequence[TierLimits]) -> str:
    """Empty if it is true of all tiers, or of none."""
    return ", ".join(labels) if 0 < len(labels) < len(tiers) else ""


def make_tier_limits(provider: type[Provider], overrides: Overrides) -> Iterator[TierLimits]:
    for tier, capabilities in provider.tiers.items():
        rows = [
            _make_limit_row(name, capabilities, overrides.get((provider.slug, str(tier), name)))
            for name in capabilities.limits
        ]
        yield TierLimits(capabilities, rows)


def _make_limit_row(name: str, capabilities: Capabilities, override: LimitOverride | None) -> LimitRow:
    limit = capabilities.limits[name]
    value, source = (override.value, override.source) if override else (limit.value, limit.source)
    label = LIMIT_LABELS.get(name, name.replace("_", " ").capitalize())
    checked_on = None if override else date.fromisoformat(limit.checked)
    return LimitRow(
        label, format_limit(value, limit.unit), source, checked_on, limit.hard, limit.note, override is not None
    )


def format_limit(value: float, unit: str) -> str:
    """Format a limit with its unit: 0.5 s → "0.5 s", 600 s → "10 min", 7,500,000 bytes → "7.5 MB"."""
    if unit == "s":
        return format_duration(value) if value == round(value) else f"{value:,g} s"
    if unit == "bytes" and value >= 1_000_000:
        return f"{value / 1_000_000:,g} MB"
    noun = {"calls/s": "calls"}.get(unit, unit)
    return f"{value:,g} {noun.removesuffix('s') if value == 1 else noun}"
