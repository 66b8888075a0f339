"""The rows of usage: one month of an account, and one account of the overview, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.utils import timezone
from django.utils.formats import date_format

from voicehub.charts import MonthColumn
from voicehub.text import format_count, join_with_and
from voices.models import Account
from voices.services.spend import BuildLedger, MonthUsage, Reading
from voices.services.usage import SECONDS, reports_usage
from voices.views.account_usage import format_amount, format_plain

NO_READING = "No reading"


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
        return ", ".join(short for short, sentence in list_notes(self.usage) if not sentence.startswith(NO_READING))

    @property
    def has_gap(self) -> bool:
        return bool(self.usage.days_without_reading)


@dataclass(frozen=True, slots=True)
class AccountSpend:
    """One account of the overview. `left` and `voices` are empty if the provider does not state them."""

    account: Account
    left: str
    voices: str
    unit: str
    months: Sequence[MonthRow]
    columns: Sequence[MonthColumn] = ()

    @property
    def columns_name(self) -> str:
        """What its columns count."""
        return ("speech" if self.unit == SECONDS else self.unit or "used") if self.has_amounts else "builds"

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
    def says_something(self) -> bool:
        return self.has_numbers or any(month.says_something for month in self.months)

    @property
    def details(self) -> str:
        """What is left, and the voices: “315,750 left, 46 of 50 voices”."""
        return ", ".join(f"{value} {word}" for value, word in ((self.left, "left"), (self.voices, "voices")) if value)

    @property
    def has_prices(self) -> bool:
        return any(month.ledger and month.ledger.credits is not None for month in self.months)

    @property
    def has_numbers(self) -> bool:
        return bool(self.left or self.voices or self.has_amounts)


def add_columns(rows: Sequence[AccountSpend], shown: int) -> list[AccountSpend]:
    """Each row with a column for each shown month, oldest first.

    Rows that count the same share a scale from zero. A row without amounts counts builds.
    """
    most: dict[str, float] = {}
    for row in rows:
        numbers = [_count_month(row, month) or 0 for month in row.months[:shown]]
        most[row.columns_name] = max(most.get(row.columns_name, 0), *numbers)
    return [replace(row, columns=_make_columns(row, row.months[:shown], most[row.columns_name])) for row in rows]


def _make_columns(row: AccountSpend, months: Sequence[MonthRow], most: float) -> list[MonthColumn]:
    if not most:
        return []
    columns = []
    for month in reversed(months):
        number = _count_month(row, month)
        text = month.plain_amount or month.missing_text if row.has_amounts else f"{number or 0:.0f}"
        columns.append(MonthColumn(month.month, text, None if number is None else number / most))
    return columns


def _count_month(row: AccountSpend, month: MonthRow) -> float | None:
    if row.has_amounts:
        return month.usage.used
    return month.ledger.started if month.ledger else 0


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
        yield f"{days} not read", f"{NO_READING} on {days}."
    if usage.added_on:
        days = join_with_and([_format_day(day) for day in usage.added_on])
        yield "credits added", f"Credits were added by {days}, so what was used just before is not counted."
    if usage.has_new_key:
        yield "key changed", "The key was changed. What was used between the keys is not counted."


def join_month_notes(rows: Sequence[MonthRow]) -> list[str]:
    """Each note once, with its months: “May and June 2026: No reading on 1 day.”"""
    months_by_note: dict[str, list[date]] = {}
    for row in sorted(rows, key=lambda one: one.month):
        for note in row.notes:
            months_by_note.setdefault(note, []).append(row.month)
    return [f"{_name_months(months)}: {note}" for note, months in months_by_note.items()]


def _name_months(months: Sequence[date]) -> str:
    """“May and June 2026”: the year stands after its last month."""
    pairs = zip(months, [*months[1:], None], strict=True)
    return join_with_and([date_format(one, "F" if later and later.year == one.year else "F Y") for one, later in pairs])


def _format_day(day: date) -> str:
    return date_format(day, "F j")


def _shorten_day(day: date) -> str:
    return date_format(day, "M j")


def find_unit(readings: Sequence[Reading]) -> str:
    return readings[-1].unit if readings else ""
