"""Accounts at the providers: do their keys work, and what do the providers allow, according to whom."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent.access import may
from consent.services import NotPossible
from voices import services
from voices.models import Account, LimitOverride
from voices.providers import registry
from voices.providers.base import Provider
from voices.providers.types import Capabilities
from voices.services.readiness import clock

# The limits in words; one that is not named here is shown by its key.
NAMES = {
    "shortest_clip": "Shortest recording",
    "longest_clip": "Longest recording",
    "trained_clip": "Longest recording that is trained on",
    "longest_transcript": "Longest transcript",
    "least_recordings": "Fewest recordings",
    "least_seconds": "Least speech",
}
Overrides = Mapping[tuple[str, str, str], LimitOverride]


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit as it holds here, with who says so."""

    name: str
    amount: str
    source: str
    checked: date | None
    hard: bool
    note: str
    ours: bool


@dataclass(frozen=True, slots=True)
class TierLimits:
    capabilities: Capabilities
    rows: list[LimitRow]


@may("voices.view_account")
@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    overrides = {(row.provider, row.tier, row.limit): row for row in LimitOverride.objects.all()}
    providers = [
        {"label": provider.label, "tiers": list(tier_limits(provider, overrides))}
        for provider in registry.all_providers()
    ]
    return render(request, "voices/account_list.html", {"accounts": Account.objects.all(), "providers": providers})


def tier_limits(provider: type[Provider], overrides: Overrides) -> Iterator[TierLimits]:
    for tier, capabilities in provider.tiers.items():
        rows = [
            _row(name, capabilities, overrides.get((provider.slug, str(tier), name))) for name in capabilities.limits
        ]
        yield TierLimits(capabilities, rows)


def _row(name: str, capabilities: Capabilities, override: LimitOverride | None) -> LimitRow:
    limit = capabilities.limits[name]
    value, source = (override.value, override.source) if override else (limit.value, limit.source)
    words = NAMES.get(name, name.replace("_", " ").capitalize())
    checked = None if override else date.fromisoformat(limit.checked)
    return LimitRow(words, amount(value, limit.unit), source, checked, limit.hard, limit.note, override is not None)


def amount(value: float, unit: str) -> str:
    """A limit with its unit: 12 s → "12 seconds", 600 s → "10:00 minutes", 1 recordings → "1 recording"."""
    if unit == "s" and value >= 60:
        return f"{clock(value)} minutes"
    words = "seconds" if unit == "s" else unit
    return f"{value:,g} {words.removesuffix('s') if value == 1 else words}"


@may("voices.test_account")
@require_POST
def account_test(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask the provider whether the key works; the answer stands in the account's row afterwards."""
    account = get_object_or_404(Account, pk=pk)
    try:
        services.test_account(account)
    except NotPossible as reason:
        messages.error(request, f"{account.name}: {reason}")
        return redirect("voices:account_list")
    account.refresh_from_db(fields=["last_error"])
    if account.last_error:
        messages.error(request, f"{account.name}: {account.last_error}")
    else:
        messages.success(request, f"The key of {account.name} works.")
    return redirect("voices:account_list")
