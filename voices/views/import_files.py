"""What the page of an import shows of its tables, of its archives, and of files that are left out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q

from audio.archives.name_encoding import OTHER_PAGES, PAGES, describe_code_page
from voicehub.text import format_count
from voices.models import Import, ImportFile, ImportFileKind, ImportLineReason, ImportText, ImportTextKind
from voices.services.imports.choices import query_added_archives
from voices.views.import_counts import ImportCounts

# Tables, and archives, on one page of theirs.
PAGE_SIZE = 10
MAX_SAMPLE = 60
MAX_EXAMPLES = 100
MAX_NAMES = 2000


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """One column of a table: its number for people, and its first cells."""

    place: int
    cells: Sequence[str]

    role: str = ""

    @property
    def number(self) -> int:
        return self.place + 1

    @property
    def label(self) -> str:
        sample = next((cell for cell in self.cells if cell), "empty")
        return f"{self.number}: {sample[:MAX_SAMPLE]}"


@dataclass(frozen=True, slots=True)
class TableView:
    """A table of transcripts, with its columns to choose from. `zeros` of its names lost their leading zeros."""

    text: ImportText
    columns: Sequence[ColumnChoice]
    zeros: int
    proposal: str

    @property
    def is_in_doubt(self) -> bool:
        return not self.text.is_certain and not self.text.is_chosen and bool(self.columns)

    @property
    def selects(self) -> list[tuple[str, str, int | None]]:
        """The fields of the form that chooses the columns: name, label, and the column now."""
        text = self.text
        return [
            ("names", "Names", text.name_at),
            ("texts", "Transcript", text.text_at),
            ("normalized", "Normalized text", text.normalized_at),
        ]

    @property
    def summary(self) -> str:
        text = self.text
        return f"{text.matched_count} of {format_count(text.line_count, 'line', 'lines')} are transcripts of files here"

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The first rows, to be read across."""
        return list(zip(*(column.cells for column in self.columns), strict=False))


def load_tables(import_set: Import, number: str) -> "Page[Any]":
    zeros = Count("lines", filter=Q(lines__reason=ImportLineReason.ZEROS_LOST))
    tables = ImportText.objects.filter(file__import_set=import_set, kind=ImportTextKind.TABLE).defer("data")
    page = Paginator(tables.annotate(zeros=zeros).order_by("is_certain", "name", "pk"), PAGE_SIZE).get_page(number)
    lost = import_set.lines.filter(text_file__in=list(page), reason=ImportLineReason.ZEROS_LOST).order_by("number")
    examples = {line.text_file_id: f"“{line.name}” for {line.proposal}" for line in reversed(lost[:MAX_EXAMPLES])}
    shown: Page[Any] = page  # what is shown of the tables instead of their rows
    shown.object_list = [_make_table(row, examples.get(row.pk, "")) for row in page]
    return shown


def _make_table(text: ImportText, proposal: str) -> TableView:
    roles = {text.normalized_at: "Normalized", text.text_at: "Transcript", text.name_at: "Names"}
    columns = [ColumnChoice(place, cells, roles.get(place, "")) for place, cells in enumerate(text.samples)]
    return TableView(text, columns, getattr(text, "zeros", 0), proposal)


@dataclass(frozen=True, slots=True)
class ArchiveView:
    """An archive with something to say or to choose: its findings, or the code page of its names.

    With `is_added`, recordings of it are in the voice under their present names.
    """

    file: ImportFile
    example: str
    is_added: bool

    @property
    def summary(self) -> str:
        if self.file.code_page:
            return f"Names read as {describe_code_page(self.file.code_page)}"
        return format_count(len(self.file.findings), "note", "notes")


def load_archives(import_set: Import, number: str) -> "Page[Any]":
    archives = import_set.files.filter(kind=ImportFileKind.ARCHIVE).exclude(code_page="", findings=[])
    readable = archives.exclude(findings__0__severity="refused").order_by("name", "pk")
    page = Paginator(readable, PAGE_SIZE).get_page(number)
    rows = list(page)
    clips = import_set.clips.filter(source__in=[row for row in rows if row.code_page]).order_by("source", "position")
    names: dict[object, str] = {}
    for source, name in clips.values_list("source", "name")[:MAX_NAMES]:
        if source not in names or (names[source].isascii() and not name.isascii()):
            names[source] = name
    added = set(query_added_archives(import_set).filter(source__in=rows)) if rows else set()
    shown: Page[Any] = page
    shown.object_list = [ArchiveView(row, names.get(row.pk, ""), row.pk in added) for row in rows]
    return shown


def list_code_pages() -> Iterator[tuple[str, str]]:
    yield from sorted((PAGES | OTHER_PAGES).items(), key=lambda pair: pair[1].lower())


def describe_other_files(counts: ImportCounts) -> list[str]:
    """One sentence on each kind of file that asks for nothing and is in no list."""
    count = counts.texts["clip_texts"]
    return [f"{format_count(count, 'text has', 'texts have')} the name of a recording."] if count else []
