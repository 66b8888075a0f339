"""Counts, numbers, durations, dates, languages, lists and positions in a recording, formatted for people."""

import re
from collections.abc import Sequence
from datetime import date, datetime

from babel import Locale, UnknownLocaleError
from django.conf.locale import LANG_INFO
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import get_language, gettext, to_locale

HOUR = 3600
# The period of a short name, as in “Sally L.”, ends no sentence.
SENTENCE_END = re.compile(r"(?<=\.)(?<!\b[^\W\d]\.)\s+(?=[A-Z])")


def format_count(count: int, one: str, many: str) -> str:
    """“1 recording is”, “3 recordings are”."""
    return f"{count} {one if count == 1 else many}"


def format_minus(text: str) -> str:
    """Replace hyphens in a formatted number with a true minus sign."""
    return text.replace("-", "−")


def format_decimals(value: float | None, places: int = 2) -> str:
    """0.8712 → "0.87", -3.5 → "−3.50" with a true minus sign, None → "–"."""
    return "–" if value is None else format_minus(f"{value:z.{places}f}")


def format_duration(seconds: float | None) -> str:
    """14 → "14 s", 134 → "2 min 14 s", 3725 → "1 h 2 min", None → "–".

    Rounds to seconds, and from one hour on to minutes. A smaller unit of zero is omitted: 600 → "10 min".
    """
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < HOUR:
        return _join_units(whole // 60, "min", whole % 60, "s")
    minutes = round(whole / 60)
    return _join_units(minutes // 60, "h", minutes % 60, "min")


def format_date(value: date) -> str:
    """“November 3, 2025”, or as in the active language. A datetime is converted to the current time zone."""
    return date_format(timezone.localtime(value) if isinstance(value, datetime) else value, _get_date_pattern())


def _get_date_pattern() -> str:
    """Django's own pattern for English has short names of months."""
    return "F j, Y" if (get_language() or "en").startswith("en") else get_format("DATE_FORMAT")


def format_time(moment: datetime) -> str:
    """“November 3, 2025, 14:02”, in the current time zone and the active language."""
    return join_date_and_time(format_date(moment), format_clock(moment))


def describe_time(moment: datetime) -> str:
    """“July 4, 2026 at 3:32 AM”. In other languages than English, as `format_time`."""
    if (get_language() or "en").startswith("en"):
        return date_format(timezone.localtime(moment), r"F j, Y \a\t g:i A")
    return format_time(moment)


def join_date_and_time(day: str, clock: str) -> str:
    # Translators: a date and a time of day, such as “November 3, 2025, 14:02”.
    return gettext("{day}, {clock}").format(day=day, clock=clock)


def format_clock(moment: datetime) -> str:
    """“14:02”, in the current time zone."""
    return date_format(timezone.localtime(moment), "H:i")


def get_language_name(tag: str) -> str:
    """The language of a BCP 47 tag: "en-US" → "English (US)". An unknown language gives the tag itself.

    In another active language than English, it is named in that language.
    """
    active = get_language() or "en"
    if not active.startswith("en"):
        return _name_in_language(tag, active)
    code, _, region = tag.partition("-")
    name = LANG_INFO.get(code.lower(), {}).get("name", "")
    if not name:
        return tag
    return f"{name} ({region})" if region else name


def _name_in_language(tag: str, active: str) -> str:
    try:
        named = Locale.parse(tag, sep="-").get_display_name(to_locale(active))
    except (UnknownLocaleError, ValueError):
        return tag
    return named or tag


def format_position(seconds: float) -> str:
    """A position in a recording to the second, as players show it: 65 → "1:05", 3725 → "1:02:05"."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def split_sentences(text: str) -> list[str]:
    """“It is short. It is silent.” → “It is short.”, “It is silent.”"""
    return SENTENCE_END.split(text)


def join_with_and(parts: Sequence[str]) -> str:
    """Join parts as in “a, b and c”, in the active language."""
    return _join_with(gettext("{first} and {last}"), parts)


def join_with_or(parts: Sequence[str]) -> str:
    """Join parts as in “a, b or c”, in the active language."""
    return _join_with(gettext("{first} or {last}"), parts)


def _join_with(pattern: str, parts: Sequence[str]) -> str:
    if len(parts) < 2:
        return "".join(parts)
    first = parts[0]
    for part in parts[1:-1]:
        # Translators: parts of a list before its last one, such as “Austria, Germany”.
        first = gettext("{first}, {next}").format(first=first, next=part)
    return pattern.format(first=first, last=parts[-1])


def _join_units(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
