"""The usage of an account as its page shows it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format

from voicehub.text import format_duration
from voices.models import Account
from voices.services.usage import SECONDS


@dataclass(frozen=True, slots=True)
class UsageRow:
    label: str
    value: str
    is_full: bool = False
    share: float | None = None  # of the plan, 0 to 1


def list_usage_rows(account: Account) -> list[UsageRow]:
    """What the provider reported, one row for each value."""
    usage = account.usage
    rows = [
        UsageRow("Plan", usage.get("plan") or ""),
        _make_used_row(usage),
        UsageRow("Left", format_amount(usage.get("remaining"), usage.get("unit"))),
        make_voice_row(usage.get("voices"), usage.get("voice_limit")),
    ]
    return [row for row in rows if row.value]


def _make_used_row(usage: Mapping[str, Any]) -> UsageRow:
    """What is used, with its share of the plan if the provider also states what is left."""
    used, left = usage.get("used"), usage.get("remaining")
    share = used / (used + left) if used is not None and left is not None and used + left > 0 else None
    label = f"Used{_describe_start(usage.get('since'))}"
    label += f", {share:.0%}" if share is not None else ""
    return UsageRow(label, format_amount(used, usage.get("unit")), share=share)


def _describe_start(since: str | None) -> str:
    with suppress(ValueError):
        return f" since {date_format(date.fromisoformat(since), 'F j')}" if since else ""
    return ""


def format_amount(amount: float | None, unit: str | None) -> str:
    """Format 1200 credits → “1,200 credits”; seconds are seconds of speech."""
    if amount is None:
        return ""
    return f"{format_duration(amount)} of speech" if unit == SECONDS else f"{amount:,g} {unit or ''}".strip()


def format_plain(amount: float | None, unit: str | None) -> str:
    """The same below a heading that names the unit: 1200 credits → “1,200”."""
    if amount is None:
        return ""
    return format_duration(amount) if unit == SECONDS else f"{amount:,g}"


def make_voice_row(voices: int | None, limit: int | None) -> UsageRow:
    if voices is None or limit is None:
        return UsageRow("Voices", f"{voices:,}" if voices is not None else f"at most {limit:,}" if limit else "")
    return UsageRow("Voices", f"{voices:,} of {limit:,}", is_full=voices >= limit)
