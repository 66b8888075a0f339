"""What accounts used per month, in the words and charts of a page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from consent.access import require_permission
from providers import registry
from voicehub.charts import Chart, ChartKind, Series
from voicehub.text import format_count, join_with_and
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
from voices.services.usage import SECONDS, reports_usage
from voices.views.account_usage import format_amount, format_plain, make_voice_row
from voices.views.spend_figures import list_spend_figures

ACCOUNT_MONTHS, OVERVIEW_MONTHS = 12, 6
CHART_NUMBERS = 5  # a chart of fewer numbers says less than its table
MAX_DAYS = 90
MAX_SERIES = 4


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month of one account. `amount` is empty if it is not known."""

    month: date
    unit: str
    amount: str
    notes: Sequence[str]
    usage: MonthUsage
    ledger: BuildLedger | None = None

    @property
    def missing_text(self) -> str:
        """Why the amount is missing. One reading alone does not say what was used."""
        if not self.usage.has_reading:
            return "not asked"
        return "not known yet" if self.usage.has_number else "not stated"

    @property
    def plain_amount(self) -> str:
        """Without the unit, and “≥” if it is more."""
        plain = format_plain(self.usage.used, self.unit)
        return f"≥ {plain}" if plain and self.usage.is_at_least else plain

    @property
    def says_something(self) -> bool:
        return bool(self.amount or self.notes or self.ledger)

    @property
    def short_notes(self) -> str:
        return ", ".join(short for short, _sentence in list_notes(self.usage))


@dataclass(frozen=True, slots=True)
class AccountSpend:
    """One account of the overview. `left` and `voices` are empty if the provider does not state them."""

    account: Account
    left: str
    voices: str
    unit: str
    months: Sequence[MonthRow]

    @property
    def unit_text(self) -> str:
        """What the numbers of its row count, or why there are none."""
        if not self.has_numbers:
            return f"use {self.missing_text}"
        return "in speech" if self.unit == SECONDS else f"in {self.unit}" if self.unit else ""

    @property
    def missing_text(self) -> str:
        """Why a number is missing: the provider was not asked yet, or states none."""
        return "not stated" if self.account.usage_at or not reports_usage(self.account) else "not asked yet"

    @property
    def has_amounts(self) -> bool:
        return any(month.amount for month in self.months)

    @property
    def has_prices(self) -> bool:
        return any(month.ledger and month.ledger.credits is not None for month in self.months)

    @property
    def has_numbers(self) -> bool:
        return bool(self.left or self.voices or self.has_amounts)


def make_month_row(usage: MonthUsage, unit: str, ledger: BuildLedger | None = None) -> MonthRow:
    amount = format_amount(usage.used, unit)
    if amount and usage.is_at_least:
        amount = f"at least {amount}"
    return MonthRow(usage.month, unit, amount, [sentence for _short, sentence in list_notes(usage)], usage, ledger)


def list_notes(usage: MonthUsage) -> Iterator[tuple[str, str]]:
    """What the number of a month does not count: in the few words that a cell has room for, and as a sentence."""
    today = timezone.localdate()
    if usage.used is not None and usage.starts_late and usage.first_day:
        yield f"from {_shorten_day(usage.first_day)}", f"Counted from {_format_day(usage.first_day)}."
    if usage.used is not None and usage.ends_early(today) and usage.last_day:
        yield f"until {_shorten_day(usage.last_day)}", f"Counted until {_format_day(usage.last_day)}."
    if usage.days_without_reading:
        days = format_count(usage.days_without_reading, "day", "days")
        yield f"{days} not read", f"No reading on {days}."
    if usage.added_on:
        days = join_with_and([_format_day(day) for day in usage.added_on])
        yield "credits added", f"Credits were added by {days}, so what was used just before is not counted."
    if usage.has_new_key:
        yield "key changed", "The key was changed. What was used between the keys is not counted."


def _format_day(day: date) -> str:
    return date_format(day, "F j")


def _shorten_day(day: date) -> str:
    return date_format(day, "M j")


def find_unit(readings: Sequence[Reading]) -> str:
    return readings[-1].unit if readings else ""


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
        yield Chart("Left on each day", ChartKind.LINE, "Day", label_unit(unit), tuple(values), series)


def _label_month(month: date) -> str:
    return date_format(month, "M Y")


def label_unit(unit: str) -> str:
    return "Minutes of speech" if unit == SECONDS else unit.capitalize() or "Amount"


def _scale(amount: float, unit: str) -> float:
    """Charts show speech in minutes."""
    return amount / 60 if unit == SECONDS else amount


# --- all accounts -----------------------------------------------------------------------


@require_permission("voices.view_account")
@require_safe
def spend_overview(request: HttpRequest) -> HttpResponse:
    """Credits, limits and use per month of every account, and per provider where it states them."""
    months, accounts = list_months(OVERVIEW_MONTHS), list(Account.objects.all())
    readings, ledger = load_readings(accounts, months), load_ledger(accounts, months)
    rows = [make_account_spend(account, readings.get(account.pk, []), months, ledger) for account in accounts]
    shown = months[::-1][: count_shown_months(rows)]
    context = {
        "rows": sorted(rows, key=lambda row: not row.has_numbers),
        "months": shown,
        "figures": list_spend_figures(rows),
        "shown_months": f":{len(shown)}",
        "charts": list(make_provider_charts(rows, months)),
        "has_left": any(row.left for row in rows),
        "has_voices": any(row.voices for row in rows),
        "footnote": describe_signs(rows),
    }
    return render(request, "voices/spend.html", context)


def count_shown_months(rows: Sequence[AccountSpend]) -> int:
    """From the newest month back to the first that says something of an account, at least one."""
    by_month = list(zip(*(row.months for row in rows), strict=True))
    said = [place for place, months in enumerate(by_month, 1) if any(month.says_something for month in months)]
    return max(said, default=1)


def describe_signs(rows: Sequence[AccountSpend]) -> str:
    """One sentence about the signs in the cells. Empty if there are none."""
    signs = []
    if any(month.usage.is_at_least for row in rows for month in row.months):
        signs.append("“≥” is a month that is not counted in full")
    if any(row.has_prices for row in rows):
        signs.append("“for” is the price that the provider states for the builds that are ready")
    return f"{', and '.join(signs)}." if signs else ""


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
    """One chart for each unit, with a series for each provider. Sandbox accounts are series of their own."""
    for unit in sorted({row.unit for row in rows if row.unit}):
        totals: dict[str, dict[str | float, float]] = {}
        for row in (row for row in rows if row.unit == unit):
            values = totals.setdefault(_name_series(row.account), {})
            for month in row.months:
                if month.usage.used is not None:
                    label = _label_month(month.month)
                    values[label] = values.get(label, 0) + _scale(month.usage.used, unit)
        series = tuple(Series(name, values) for name, values in totals.items() if values)[:MAX_SERIES]
        if sum(len(one.values) for one in series) >= CHART_NUMBERS:
            title = f"{label_unit(unit)} used per month"
            if len(series) == 1:
                title = f"{series[0].name}: {title.lower()}"
            labels = tuple(_label_month(month) for month in months)
            yield Chart(title, ChartKind.BAR, "Month", label_unit(unit), labels, series)


def _name_series(account: Account) -> str:
    label = registry.get_provider_label(account.provider)
    return f"{label}, sandbox" if account.mode == AccountMode.SANDBOX else label
