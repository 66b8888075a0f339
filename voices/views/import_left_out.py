"""What an import leaves out, and why: the lists of its page, and all of it as lines of CSV."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePath
from typing import Any

from django.db.models import Q, QuerySet
from django.template.defaultfilters import filesizeformat

from audio.findings.templates import Severity
from voices.models import (
    Import,
    ImportClip,
    ImportClipState,
    ImportFile,
    ImportFileKind,
    ImportLine,
    ImportLineReason,
    ImportText,
)
from voices.views.build_csv import EchoWriter, escape_formula
from voices.views.import_counts import IS_INCOMPLETE, IS_OTHER_TEXT, IS_REFUSED_FILE, Show

CSV_COLUMNS = ("name", "in", "line", "kind", "reason", "text")
CLIP_FIELDS = (
    "import_set", "name", "status", "position", "findings", "source__name", "recording__file_name", "twin__name"
)  # fmt: skip
LINE_FIELDS = ("import_set", "number", "name", "text", "reason", "proposal", "text_file__name")
CHUNK = 500


@dataclass(frozen=True, slots=True)
class LeftOut:
    """`place` is the archive or the table that it is in, and `number` its line there."""

    name: str
    place: str
    kind: str
    reason: str
    number: int | None = None
    text: str = ""
    advice: str = ""

    @property
    def file_name(self) -> str:
        return PurePath(self.name).name

    @property
    def folder(self) -> str:
        """Where it is: the archive, and the folder in it."""
        folder = str(PurePath(self.name).parent)
        return "/".join(part for part in (self.place, "" if folder == "." else folder) if part)


Part = tuple[QuerySet[Any], Callable[[Any], LeftOut]]


class LeftOutRows:
    """The rows of several tables after each other, as a paginator needs them."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._counts = [rows.count() for rows, _make in parts]

    def count(self) -> int:
        return sum(self._counts)

    def __getitem__(self, place: slice) -> list[LeftOut]:
        start, stop, found = place.start, place.stop, list[LeftOut]()
        for (rows, make), count in zip(self._parts, self._counts, strict=True):
            if start < count and stop > 0:
                found += [make(row) for row in rows[max(start, 0) : min(stop, count)]]
            start, stop = start - count, stop - count
        return found


def list_parts(import_set: Import, show: Show) -> list[Part]:
    """The tables with the rows of one list."""
    files = import_set.files.order_by("name", "pk")
    if show is Show.INCOMPLETE:
        return [(files.filter(IS_INCOMPLETE), describe_file)]
    if show is Show.OTHER:
        sides = files.filter(kind=ImportFileKind.SIDE)
        return [(sides, describe_file), (_query_texts(import_set, IS_OTHER_TEXT), _describe_text)]
    refused = import_set.clips.filter(status=ImportClipState.REFUSED)
    return [
        (files.filter(IS_REFUSED_FILE), describe_file),
        (_query_texts(import_set, ~Q(problem="")), _describe_text),
        (_order_clips(refused), describe_clip),
    ]


def _query_texts(import_set: Import, condition: Q) -> QuerySet[ImportText]:
    texts = ImportText.objects.filter(condition, file__import_set=import_set).select_related("file").defer("data")
    return texts.order_by("name", "pk")


def _order_clips(clips: QuerySet[ImportClip]) -> QuerySet[ImportClip]:
    return clips.select_related("source", "recording", "twin").only(*CLIP_FIELDS).order_by("name", "pk")


def describe_file(file: ImportFile) -> LeftOut:
    if file.kind == ImportFileKind.SIDE:
        return LeftOut(file.name, "", "File", "A file of an editor or a system")
    if file.findings:
        reason, advice = (" ".join(str(one[part]) for one in file.findings) for part in ("text", "advice"))
        return LeftOut(file.name, "", "File", reason, advice=advice)
    if file.kind:
        return LeftOut(file.name, "", "File", "It is neither a recording nor a text.")
    arrived = f"{filesizeformat(file.received)} of {filesizeformat(file.size)} arrived."
    return LeftOut(file.name, "", "File", "Not uploaded completely", advice=arrived)


def _describe_text(text: ImportText) -> LeftOut:
    place = "" if text.file.name == text.name else text.file.name
    return LeftOut(text.name, place, "Text", text.problem or "No line of it names a recording")


def describe_clip(clip: ImportClip) -> LeftOut:
    place = clip.source.name if clip.position else ""
    return LeftOut(clip.name, place, "Recording", explain_clip(clip), advice=_advise_on_clip(clip))


def explain_clip(clip: ImportClip) -> str:
    """Why a clip is not added."""
    if clip.status == ImportClipState.REFUSED:
        return " ".join(str(one["text"]) for one in _list_errors(clip)[:1])
    if clip.recording:
        return f"The voice has the same audio as {clip.recording.file_name}"
    return f"The same audio as {clip.twin.name}" if clip.twin else "The same audio as another file"


def _list_errors(clip: ImportClip) -> list[dict[str, Any]]:
    return [one for one in clip.findings if one["severity"] == Severity.ERROR]


def _advise_on_clip(clip: ImportClip) -> str:
    if clip.status != ImportClipState.REFUSED:
        return ""
    return " ".join(str(one["advice"]) for one in _list_errors(clip)[:1])


def explain_line(line: ImportLine) -> str:
    reason = str(line.get_reason_display())
    return f"{reason}: {line.proposal}" if line.proposal else reason


def _describe_line(line: ImportLine) -> LeftOut:
    return LeftOut(line.name, line.text_file.name, "Line of a table", explain_line(line), line.number, line.text)


def generate_csv_lines(import_set: Import) -> Iterator[str]:
    """All that is left out, however much it is, in a constant number of queries."""
    lists = (list_parts(import_set, show) for show in (Show.REFUSED, Show.INCOMPLETE, Show.OTHER))
    duplicates = _order_clips(import_set.clips.filter(status=ImportClipState.DUPLICATE))
    lines = import_set.lines.exclude(reason=ImportLineReason.EARLIER).select_related("text_file").only(*LINE_FIELDS)
    more: list[Part] = [
        (duplicates, describe_clip),
        (lines.order_by("text_file__name", "number", "pk"), _describe_line),
    ]
    writer = csv.writer(EchoWriter(), quoting=csv.QUOTE_ALL)
    yield str(writer.writerow(CSV_COLUMNS))
    for rows, make in chain(*lists, more):
        for row in rows.iterator(chunk_size=CHUNK):
            one = make(row)
            cells = (one.name, one.place, one.number, one.kind, f"{one.reason} {one.advice}".strip(), one.text)
            yield str(writer.writerow([escape_formula(cell) for cell in cells]))
