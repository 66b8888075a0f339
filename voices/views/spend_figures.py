"""The figures above the usage of all accounts: what is used this month, and where the least is left."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.urls import reverse
from django.utils.formats import date_format

from voicehub.text import format_count
from voices.services.usage import SECONDS
from voices.views.account_usage import format_amount, format_plain
from voices.views.spend_rows import AccountSpend, MonthRow

MAX_FIGURES = 4


@dataclass(frozen=True, slots=True)
class SpendFigure:
    label: str
    value: str
    note: str
    url: str = ""


def list_spend_figures(rows: Sequence[AccountSpend]) -> list[SpendFigure]:
    figures = [*_list_used(rows), *_find_lowest(rows), *_count_builds(rows)]
    return figures[:MAX_FIGURES]


def _list_used(rows: Sequence[AccountSpend]) -> Iterator[SpendFigure]:
    """This month, one figure for each unit."""
    for unit in sorted({row.unit for row in rows if row.unit}):
        months = [row.months[0] for row in rows if row.unit == unit and row.months[0].usage.used is not None]
        if not months:
            continue
        used = format_plain(sum(month.usage.used or 0 for month in months), unit)
        sign = "≥ " if any(month.usage.is_at_least for month in months) else ""
        name = "Speech" if unit == SECONDS else unit.capitalize()
        label = f"{name} used in {date_format(months[0].month, 'F')}"
        before = [row.months[1] for row in rows if row.unit == unit and row.months[1].usage.used is not None]
        accounts = format_count(len(months), "account", "accounts")
        yield SpendFigure(label, f"{sign}{used}", ", ".join(filter(None, [accounts, _describe_before(before, unit)])))


def _describe_before(months: Sequence[MonthRow], unit: str) -> str:
    """“62,735 in October”, empty if a month before has no number, or is not counted in full."""
    if not months or any(month.usage.is_at_least for month in months):
        return ""
    return (
        f"{format_plain(sum(month.usage.used or 0 for month in months), unit)} in {date_format(months[0].month, 'F')}"
    )


def _find_lowest(rows: Iterable[AccountSpend]) -> Iterator[SpendFigure]:
    """The account with the least left, in the months that it would last at its highest use."""
    known = [row for row in rows if row.account.usage.get("remaining") is not None]
    if known:
        row = min(known, key=_estimate_order)
        usage = row.account.usage
        left = format_amount(usage["remaining"], usage.get("unit"))
        yield SpendFigure("Lowest remainder", left, row.account.name, reverse("voices:account", args=[row.account.pk]))


def _estimate_order(row: AccountSpend) -> float:
    """What is left as a multiple of the most that a month used. Without a known use, after all others."""
    most = max((month.usage.used or 0 for month in row.months), default=0)
    left = float(row.account.usage["remaining"])
    return left / most if most else float("inf")


def _count_builds(rows: Sequence[AccountSpend]) -> Iterator[SpendFigure]:
    started = sum(row.months[0].ledger.started for row in rows if row.months[0].ledger)
    if started:
        month = date_format(rows[0].months[0].month, "F")
        yield SpendFigure(f"Builds started in {month}", f"{started:,}", "by VoiceHub")
