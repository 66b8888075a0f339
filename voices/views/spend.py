"""What accounts used per month, in the words and charts of a page."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from consent.access import require_permission
from providers import registry
from voicehub.charts import Chart, ChartKind, Series
from voicehub.text import join_with_and
from voices.access import VIEW_SPEND
from voices.models import Account, AccountMode
from voices.services.spend import (
    BuildLedger,
    MonthUsage,
    Reading,
    compute_months,
    list_months,
    load_ledger,
    load_readings,
)
from voices.services.usage import SECONDS
from voices.views.account_usage import format_plain, make_voice_row
from voices.views.spend_figures import list_spend_figures
from voices.views.spend_rows import AccountSpend, add_columns, find_unit, join_month_notes, make_month_row

ACCOUNT_MONTHS, OVERVIEW_MONTHS = 12, 6
CHART_NUMBERS = 5  # a chart of fewer numbers says less than its table
MAX_DAYS = 90
MAX_SERIES = 4


# --- one account ------------------------------------------------------------------------


def make_account_months(account: Account) -> dict[str, object]:
    """What the page of an account shows of its months: rows, newest first, and charts."""
    months = list_months(ACCOUNT_MONTHS)
    readings = load_readings([account], months)[account.pk]
    ledger = {entry.month: entry for entry in load_ledger([account], months)[account.pk]}
    unit, usages = find_unit(readings), compute_months(readings, months)
    rows = [make_month_row(usage, unit, ledger.get(usage.month)) for usage in usages]
    shown = [row for row in reversed(rows) if row.amount or row.notes]
    used_chart = list(make_used_chart(usages, unit))
    charts = [*used_chart, *make_left_chart(readings, unit)]
    return {
        "months": shown,
        "month_notes": join_month_notes(shown),
        "has_prices": any(entry.credits is not None for entry in ledger.values()),
        "ledger": sorted(ledger.values(), key=lambda entry: entry.month, reverse=True),
        "charts": charts,
        "shows_months": not used_chart,  # a chart has its table in a fold
    }


def make_used_chart(usages: Sequence[MonthUsage], unit: str) -> Iterator[Chart]:
    known = [(usage.month, usage.used) for usage in usages if usage.used is not None]
    values: dict[str | float, float] = {_label_month(month): _scale(used, unit) for month, used in known}
    if len(values) >= CHART_NUMBERS:
        series = (Series("Used", values),)
        yield Chart("Used per month", ChartKind.BAR, "Month", label_unit(unit), tuple(values), series)


def make_left_chart(readings: Sequence[Reading], unit: str) -> Iterator[Chart]:
    """What was left on each day."""
    left = [(one.day, one.remaining) for one in readings if one.remaining is not None][-MAX_DAYS:]
    values: dict[str | float, float] = {date_format(day, "M j"): remaining for day, remaining in left}
    if len(values) >= CHART_NUMBERS:
        series = (Series("Left", values),)
        span = (0.0, _round_up(max(values.values())))
        yield Chart("Left on each day", ChartKind.LINE, "Day", label_unit(unit), tuple(values), series, y_range=span)


def _round_up(number: float) -> float:
    """The end of an axis, a half of its power of ten: 2,212,732 → 2,500,000."""
    step = 10 ** math.floor(math.log10(number)) / 2 if number > 0 else 1
    return math.ceil(number / step) * step


def _label_month(month: date) -> str:
    return date_format(month, "M Y")


def label_unit(unit: str) -> str:
    return "Minutes of speech" if unit == SECONDS else unit.capitalize() or "Amount"


def _scale(amount: float, unit: str) -> float:
    """Charts show speech in minutes."""
    return amount / 60 if unit == SECONDS else amount


# --- all accounts -----------------------------------------------------------------------


@require_permission("voices.view_account", VIEW_SPEND)
@require_safe
def spend_overview(request: HttpRequest) -> HttpResponse:
    """Credits, limits and use per month of every account, and per provider where it states them."""
    months, accounts = list_months(OVERVIEW_MONTHS), list(Account.objects.all())
    readings, ledger = load_readings(accounts, months), load_ledger(accounts, months)
    rows = [make_account_spend(account, readings.get(account.pk, []), months, ledger) for account in accounts]
    shown = months[::-1][: count_shown_months(rows)]
    said = sorted((row for row in rows if row.says_something), key=lambda row: not row.has_numbers)
    context = {
        "rows": add_columns(said, len(shown)),
        "has_accounts": bool(rows),
        "silent": [row for row in rows if not row.says_something],
        "months": shown,
        "oldest_month": shown[-1] if len(shown) > 1 else None,
        "figures": list_spend_figures(rows),
        "shown_months": f":{len(shown)}",
        "charts": list(make_provider_charts(rows, months)),
        "footnotes": list(describe_signs(rows)),
    }
    return render(request, "voices/spend.html", context)


def count_shown_months(rows: Sequence[AccountSpend]) -> int:
    """From the newest month back to the first that says something of an account, at least one."""
    by_month = list(zip(*(row.months for row in rows), strict=True))
    said = [place for place, months in enumerate(by_month, 1) if any(month.says_something for month in months)]
    return max(said, default=1)


def describe_signs(rows: Sequence[AccountSpend]) -> Iterator[str]:
    """Sentences about the numbers of several cells, each once."""
    signs = []
    if any(month.usage.is_at_least for row in rows for month in row.months):
        signs.append("“≥” is a month that is not counted in full")
    if any(row.has_prices for row in rows):
        signs.append("“for” is the price that the provider states for the builds that are ready")
    if signs:
        yield f"{join_with_and(signs)}."
    if names := [row.account.name for row in rows if any(month.has_gap for month in row.months)]:
        yield f"On some days there was no reading: {join_with_and(names)}."


def make_account_spend(
    account: Account,
    readings: Sequence[Reading],
    months: Sequence[date],
    ledger: Mapping[UUID, Sequence[BuildLedger]],
) -> AccountSpend:
    usage = account.usage
    unit = find_unit(readings) or usage.get("unit") or ""
    entries = {entry.month: entry for entry in ledger.get(account.pk, ())}
    rows = [make_month_row(one, unit, entries.get(one.month)) for one in compute_months(readings, months)]
    left = format_plain(usage.get("remaining"), usage.get("unit"))
    voices = make_voice_row(usage.get("voices"), usage.get("voice_limit")).value
    return AccountSpend(account, left, voices, unit, rows[::-1])


def make_provider_charts(rows: Sequence[AccountSpend], months: Sequence[date]) -> Iterator[Chart]:
    """One chart for each unit that several providers state. Sandbox accounts are series of their own.

    The bars of a single one stand in the row of its account.
    """
    for unit in sorted({row.unit for row in rows if row.unit}):
        totals: dict[str, dict[str | float, float]] = {}
        for row in (row for row in rows if row.unit == unit):
            values = totals.setdefault(_name_series(row.account), {})
            for month in row.months:
                if month.usage.used is not None:
                    label = _label_month(month.month)
                    values[label] = values.get(label, 0) + _scale(month.usage.used, unit)
        series = tuple(Series(name, values) for name, values in totals.items() if values)[:MAX_SERIES]
        if len(series) > 1 and sum(len(one.values) for one in series) >= CHART_NUMBERS:
            labels = tuple(_label_month(month) for month in months)
            yield Chart(f"{label_unit(unit)} used per month", ChartKind.BAR, "Month", label_unit(unit), labels, series)


def _name_series(account: Account) -> str:
    label = registry.get_provider_label(account.provider)
    return f"{label}, sandbox" if account.mode == AccountMode.SANDBOX else label
