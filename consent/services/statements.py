"""Statements from a table: CSV files of admins, and the translations that come with VoiceHub."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from consent.extension_points import list_provider_choices
from consent.models import Statement, Wording
from providers import registry
from voicehub.csv_tables import read_titled_rows
from voicehub.refusals import ActionRefused
from voicehub.text import get_language_name

COLUMNS = ("provider", "language", "text", "wording", "source", "source_date", "check_on")
OPTIONAL_COLUMNS = frozenset({"check_on"})
TRANSLATIONS = Path(__file__).resolve().parent.parent / "statement_translations.csv"
MAX_BYTES = 1 << 20
WORDINGS = {"vendor": Wording.VENDOR, "provider": Wording.VENDOR, "studio": Wording.STUDIO}


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of one row of the table. Its reason is empty if the row was added."""

    number: int
    name: str
    is_added: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ImportReport:
    rows: Sequence[ImportedRow]

    @property
    def added_count(self) -> int:
        return sum(row.is_added for row in self.rows)


def import_statements(data: bytes) -> ImportReport:
    """Add each row as the newest version of its provider and language. A row that is in use already changes nothing.

    A faulty row is left out, and the report says why. Raises ActionRefused if the table cannot be read.
    """
    if len(data) > MAX_BYTES:
        raise ActionRefused(f"The table is larger than {MAX_BYTES >> 20} MB. Split it into smaller files.")
    required = [name for name in COLUMNS if name not in OPTIONAL_COLUMNS]
    rows = list(read_titled_rows(data, required, OPTIONAL_COLUMNS))
    if not rows:
        raise ActionRefused("The table has no rows below its titles. Nothing was added.")
    return ImportReport([_import_row(number, row) for number, row in rows])


def import_translations() -> ImportReport:
    """Add the translations that come with VoiceHub."""
    return import_statements(TRANSLATIONS.read_bytes())


def _import_row(number: int, row: Mapping[str, str]) -> ImportedRow:
    name = f"{registry.get_provider_label(row['provider'])}, {get_language_name(row['language'])}"
    try:
        statement = _make_statement(row)
        with transaction.atomic():
            is_added = _add_version(statement)
    except ValidationError as error:
        return ImportedRow(number, name, False, " ".join(error.messages))
    name = f"{registry.get_provider_label(statement.provider)}, {get_language_name(statement.language)}"
    return ImportedRow(number, name, is_added, "" if is_added else "This text is in use already.")


def _make_statement(row: Mapping[str, str]) -> Statement:
    """Raises ValidationError with what to correct."""
    wording = WORDINGS.get(row["wording"].casefold())
    if wording is None:
        raise ValidationError("The wording must be “vendor” for the provider's own words, or “studio”.")
    text = " ".join(row["text"].split())
    statement = Statement(
        provider=row["provider"], language=row["language"], text=text, wording=wording, source=row["source"]
    )
    statement.source_date = _read_date(row["source_date"], "source_date")
    statement.check_on = _read_date(row["check_on"], "check_on") if row.get("check_on") else None
    statement.clean_fields()
    return statement


def _read_date(text: str, column: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError(f"“{text}” in {column} is not a date. Write it as 2026-11-30.") from None


def _add_version(statement: Statement) -> bool:
    """Save the statement as the next version. False if the newest one in use has the same text."""
    versions = Statement.objects.select_for_update().filter(provider=statement.provider, language=statement.language)
    newest = versions.in_use().order_by("-version").first()
    if newest is not None and newest.text == statement.text:
        return False
    statement.version = (versions.aggregate(Max("version"))["version__max"] or 0) + 1
    statement.save(force_insert=True)
    return True


def load_newest_statements() -> dict[str, Statement]:
    """The newest version in use of each statement, by "provider:language", sorted in the order of the provider list."""
    order = {slug: place for place, (slug, _label) in enumerate(list_provider_choices())}
    rows = Statement.objects.in_use().order_by("provider", "language", "version")
    ordered = sorted(rows, key=lambda row: order.get(row.provider, len(order)))
    return {f"{row.provider}:{row.language}": row for row in ordered}


@cache
def list_translated_languages() -> tuple[str, ...]:
    """The languages of the translations that come with VoiceHub, as tags."""
    rows = read_titled_rows(TRANSLATIONS.read_bytes(), ("language",))
    return tuple(dict.fromkeys(row["language"] for _number, row in rows))


def describe_language_risk(statement: Statement) -> str:
    """What to know before a talent reads this text, if the provider documents a statement in other languages only."""
    if statement.provider not in registry.PROVIDERS:
        return ""
    documented = registry.get_provider_class(statement.provider).statement_languages
    if not documented or statement.language.partition("-")[0].lower() in documented:
        return ""
    label, names = registry.get_provider_label(statement.provider), [get_language_name(tag) for tag in documented]
    return f"{label} documents its statement in {' and '.join(names)} only. It may refuse another language."
