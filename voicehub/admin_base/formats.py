"""How the admin shows a value: dates, durations, sizes and numbers for people, and JSON as a list of labels and values.

Values are escaped. A long list or object shows its first entries and says how many more there are.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import models
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from providers import registry
from voicehub.task_labels import TASK_LABELS
from voicehub.text import format_decimals, format_duration, format_minus, get_language_name

EMPTY = "–"
MAX_ENTRIES = 50  # of one list or object
MAX_DEPTH = 8
MAX_TEXT = 20_000  # characters of one text
SPELLED = {
    "stoi": "STOI", "pesq": "PESQ", "si_sdr": "SI-SDR", "url": "URL", "id": "Id", "at": "Time", "dnsmos": "DNSMOS",
}  # fmt: skip
HASH = re.compile(r"[0-9a-f]{32,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


def make_label(name: str) -> str:
    """The name of a JSON member or of a code, in words: "sample_rate" → "Sample rate"."""
    return SPELLED.get(name) or (name.replace("_", " ").strip().capitalize() or EMPTY)


def format_moment(moment: datetime) -> str:
    """“Nov 28, 2026, 14:05”, in the current time zone."""
    return date_format(timezone.localtime(moment) if timezone.is_aware(moment) else moment, "M j, Y, H:i")


def format_day(day: date) -> str:
    """“Nov 28, 2026”."""
    return date_format(day, "M j, Y")


def format_number(number: float) -> str:
    """Three digits are enough to compare, and thousands are separated: 5.8350113 → "5.84", 44100 → "44,100"."""
    if isinstance(number, int) or abs(number) >= 1000:
        return format_minus(f"{number:,.0f}")
    return format_minus(f"{number:.3g}")


def format_seconds(seconds: float) -> str:
    """5.835 → "5.8 s", 149 → "2 min 29 s"."""
    return f"{seconds:.1f} s" if abs(seconds) < 59.5 else format_duration(seconds)


def format_decibels(value: float) -> str:
    return f"{format_decimals(value, 1)} dB"


def format_code(code: object) -> SafeString:
    """A hash or an id, in a font of equal widths that may wrap anywhere."""
    return format_html('<code class="code">{}</code>', code)


def format_flag(flag: bool) -> str:
    return "Yes" if flag else "No"


def format_json(value: Any, depth: int = 0) -> SafeString | str:
    """A JSON value as a nested list of labels and values. It shows no braces, quotes or code names."""
    if isinstance(value, Mapping):
        return _format_object(value, depth)
    if isinstance(value, list | tuple):
        return _format_list(value, depth)
    return format_scalar(value)


def format_scalar(value: Any) -> SafeString | str:
    """One value without parts, of any type."""
    if value is None or value == "":
        return EMPTY
    if isinstance(value, bool):
        return format_flag(value)
    if isinstance(value, int | float):
        return format_number(value)
    if isinstance(value, datetime):
        return format_moment(value)
    return format_day(value) if isinstance(value, date) else _format_text(str(value))


def _format_text(text: str) -> SafeString | str:
    if HASH.fullmatch(text):
        return format_code(text)
    if MOMENT.match(text):
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        return format_moment(moment) if moment else text
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text):,} characters)"


def _format_object(value: Mapping[str, Any], depth: int) -> SafeString | str:
    if not value:
        return EMPTY
    if "text" in value and "severity" in value:  # a finding
        return " ".join(str(value[name]) for name in ("text", "advice") if value.get(name))
    if depth >= MAX_DEPTH:
        return f"{len(value)} values"
    entries = [
        (make_label(str(name)), format_json(part, depth + 1)) for name, part in list(value.items())[:MAX_ENTRIES]
    ]
    rest = _count_rest(value)
    if rest:
        entries.append(("Not shown", rest))
    return format_html('<dl class="facts">{}</dl>', format_html_join("", "<dt>{}</dt><dd>{}</dd>", entries))


def _format_list(values: "list[Any] | tuple[Any, ...]", depth: int) -> SafeString | str:
    if not values:
        return EMPTY
    if depth >= MAX_DEPTH:
        return f"{len(values)} values"
    shown = [format_json(part, depth + 1) for part in values[:MAX_ENTRIES]]
    if rest := _count_rest(values):
        shown.append(rest)
    if not any(isinstance(part, Mapping | list | tuple) for part in values):
        return format_html_join(", ", "{}", ((part,) for part in shown))
    return format_html('<ul class="entries">{}</ul>', format_html_join("", "<li>{}</li>", ((part,) for part in shown)))


def _count_rest(values: "Mapping[str, Any] | list[Any] | tuple[Any, ...]") -> str:
    return f"and {len(values) - MAX_ENTRIES:,} more" if len(values) > MAX_ENTRIES else ""


def format_json_text(text: str) -> SafeString | str:
    """A response body: as a list of labels and values if it is JSON, or else as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return format_scalar(text)
    return format_json(value)


def format_names(labels: Callable[[str], str]) -> Callable[[Iterable[str]], str]:
    """A format for a list of codes, which have these labels."""
    return lambda codes: ", ".join(labels(code) for code in codes) or EMPTY


Format = Callable[[Any], SafeString | str]

# By the name of the field, for fields whose type does not say what their value means.
FORMATS_BY_NAME: dict[str, Format] = {
    "provider": registry.get_provider_label,
    "providers": format_names(registry.get_provider_label),
    "tier": make_label,
    "limit": make_label,
    "operation": make_label,
    "kind": lambda kind: TASK_LABELS.get(kind) or make_label(kind),
    "key": make_label,
    "pending_call": make_label,
    "visibility": make_label,
    "exclusion_code": make_label,
    "finding_codes": format_names(make_label),
    "language": get_language_name,
    "seconds": format_seconds,
    "size": filesizeformat,
    "sample_rate": lambda rate: f"{rate:,} Hz",
    "value": lambda value: format_minus(f"{value:g}"),
    "stoi": format_decimals,
    "pesq": format_decimals,
    "sample_score": format_decimals,
    "si_sdr": format_decibels,
    "signal_to_noise_ratio": format_decibels,
    "signal_to_noise": format_decibels,
    "response_text": format_json_text,
    "body": format_json_text,
    "hash": format_code,
    "remote_id": format_code,
    "object_id": format_code,
}


def find_format(field: "models.Field[Any, Any]") -> Format:
    """How the admin shows the values of a field. An empty value is shown as EMPTY."""
    if field.name in FORMATS_BY_NAME:
        return FORMATS_BY_NAME[field.name]
    if isinstance(field, models.JSONField):
        return format_json
    return format_code if is_hash(field) or isinstance(field, models.UUIDField) else format_scalar


def is_hash(field: "models.Field[Any, Any]") -> bool:
    return field.name.endswith(("sha256", "hash", "digest"))
