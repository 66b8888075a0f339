"""Requests from a table: CSV files of staff, one request in each row."""

from collections.abc import Iterable, Mapping
from datetime import date
from uuid import UUID

from django.utils import timezone

from consent.models import Purpose, Talent
from consent.services.consent_requests import ENDED, PlannedRequest
from consent.services.request_rules import Use
from providers.registry import PROVIDERS, get_provider_label
from voicehub.csv_tables import read_titled_rows
from voicehub.folding import fold
from voicehub.languages import normalize_language
from voicehub.refusals import ActionRefused

COLUMNS = ("provider", "language", "purpose")
TALENT_COLUMNS = ("talent", "email", "name")
"""A talent is named in one of them, by the name or by the email address."""
OPTIONAL_COLUMNS = (*TALENT_COLUMNS, "valid_until")
MAX_BYTES = 1 << 20


class RowProblem(Exception):
    """Why a row cannot be read, and what to correct."""


def read_plans(data: bytes) -> list[PlannedRequest]:
    """The rows of the table. A row that cannot be read has a problem. Raises ActionRefused if it is no such table."""
    if len(data) > MAX_BYTES:
        raise ActionRefused(f"The table is larger than {MAX_BYTES >> 20} MB. Split it into smaller files.")
    rows = list(read_titled_rows(data, COLUMNS, OPTIONAL_COLUMNS))
    if not rows:
        raise ActionRefused("The table has no rows below its titles. Nothing was requested.")
    talents = _load_talents(_read_name(row) for _number, row in rows)
    return [_read_row(number, row, talents) for number, row in rows]


def _load_talents(names: Iterable[str]) -> dict[str, list[Talent]]:
    """The talents by their name and by their email address, both folded, that the table may name."""
    wanted, ids = {fold(name) for name in names} - {""}, dict[str, list[UUID]]()
    for pk, name, email in Talent.objects.order_by("pk").values_list("pk", "name", "email").iterator():
        for key in {fold(name), fold(email)} & wanted:
            ids.setdefault(key, []).append(pk)
    rows = Talent.objects.in_bulk([pk for found in ids.values() for pk in found])
    return {key: [rows[pk] for pk in found] for key, found in ids.items()}


def _read_name(row: Mapping[str, str]) -> str:
    return next((row[column] for column in TALENT_COLUMNS if row[column]), "")


def _read_row(number: int, row: Mapping[str, str], talents: Mapping[str, list[Talent]]) -> PlannedRequest:
    try:
        talent = _find_talent(_read_name(row), talents)
        use = Use(_find_provider(row["provider"]), _read_language(row["language"]), _find_purpose(row["purpose"]))
        return PlannedRequest(number, talent.name, talent, use, _read_day(row["valid_until"]))
    except RowProblem as problem:
        return PlannedRequest(number, _read_name(row), problem=str(problem))


def _find_talent(name: str, talents: Mapping[str, list[Talent]]) -> Talent:
    if not name:
        raise RowProblem("The talent is missing. Write the name or the email address into a column “talent”.")
    found = talents.get(fold(name), [])
    if len(found) > 1:
        raise RowProblem(f"{len(found)} talents are called “{name}”. Write the email address instead.")
    if not found:
        raise RowProblem(f"No talent has the name or the email address “{name}”. Correct it, or add the talent.")
    return found[0]


def _find_provider(text: str) -> str:
    names = {key: slug for slug in PROVIDERS for key in (fold(slug), fold(get_provider_label(slug)))}
    if fold(text) not in names:
        raise RowProblem(
            f"“{text}” is not a known provider. Use one of these: {', '.join(map(get_provider_label, PROVIDERS))}."
        )
    return names[fold(text)]


def _find_purpose(text: str) -> str:
    names = {key: value for value, label in Purpose.choices for key in (fold(value), fold(str(label)))}
    if fold(text) not in names:
        raise RowProblem(f"“{text}” is not a known purpose. Use one of these: {', '.join(Purpose.values)}.")
    return names[fold(text)]


def _read_language(text: str) -> str:
    try:
        return normalize_language(text)
    except ValueError as error:
        raise RowProblem(str(error)) from None


def _read_day(text: str) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise RowProblem(f"“{text}” in valid_until is not a date. Write it as 2026-11-30.") from None
    if day < timezone.localdate():
        raise RowProblem(ENDED)
    return day
