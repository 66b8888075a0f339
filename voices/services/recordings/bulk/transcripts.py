"""Set the transcripts of many recordings from a table: a preview first, then all at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audio.findings.thresholds import Thresholds
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.threshold_overrides import load_thresholds
from voices.models import BulkChange, BulkKind, Recording, Voice
from voices.services.recordings.bulk.changes import (
    BulkResult,
    find_changed_again,
    lock_change,
    query_locked,
    read_changes,
    record_change,
    split_ids,
)
from voices.services.recordings.bulk.row_updates import update_rows
from voices.services.recordings.bulk.tables import TableLine, make_name_key, make_title_key, read_table
from voices.services.recordings.figures import FIGURES, SOURCES, set_figures
from voices.services.recordings.store import COMPARE_TASK
from voices.services.recordings.text_checks import check_transcript

# As in the form of one transcript.
MAX_TRANSCRIPT_LENGTH = 2000
TEXT_FIELDS = ("status", "transcript", "transcript_set_at", *SOURCES, *FIGURES)


@dataclass(frozen=True, slots=True)
class TextChange:
    """One transcript as it is and as it will be."""

    pk: UUID
    file_name: str
    before: str
    after: str


@dataclass(slots=True)
class TablePreview:
    """What a table would change, and which of its lines change nothing. `change` is applied by `apply_transcripts`."""

    changes: list[TextChange] = field(default_factory=list)
    unchanged: int = 0
    unknown: list[TableLine] = field(default_factory=list)
    not_selected: list[TableLine] = field(default_factory=list)
    ambiguous: list[TableLine] = field(default_factory=list)
    """Lines whose name several recordings have."""
    repeated: list[TableLine] = field(default_factory=list)
    """Lines of recordings for which the table has different texts."""
    empty: list[TableLine] = field(default_factory=list)
    too_long: list[TableLine] = field(default_factory=list)
    change: BulkChange | None = None


class NameIndex:
    """Finds recordings by the names in a table: with or without extension, in upper or lower case."""

    def __init__(self, rows: Sequence[Recording]) -> None:
        self._by_name: defaultdict[str, list[Recording]] = defaultdict(list)
        self._by_title: defaultdict[str, list[Recording]] = defaultdict(list)
        for row in rows:
            self._by_name[make_name_key(row.file_name)].append(row)
            self._by_title[row.title.casefold()].append(row)

    def find(self, name: str) -> list[Recording]:
        key = make_name_key(name)
        return self._by_name.get(key) or self._by_title.get(key) or self._by_title.get(make_title_key(name)) or []


def preview_table(voice: Voice, ids: Collection[UUID], data: bytes, by: User) -> TablePreview:
    """What this table would change in these recordings. Raises ActionRefused if it cannot be read."""
    rows = list(voice.recordings.only("voice", "file_name", "transcript").order_by("file_name", "pk"))
    index, selected = NameIndex(rows), set(ids)
    preview = TablePreview()
    lines_by_row: defaultdict[Recording, list[TableLine]] = defaultdict(list)
    for line in read_table(data, lambda name: bool(index.find(name))):
        if row := _match_line(line, index.find(line.name), selected, preview):
            lines_by_row[row].append(line)
    for row, lines in lines_by_row.items():
        _plan_change(row, lines, preview)
    changes = [{"id": one.pk.hex, "before": one.before, "after": one.after} for one in preview.changes]
    with transaction.atomic():
        preview.change = record_change(voice, by, BulkKind.TRANSCRIPTS, changes, is_applied=False)
    return preview


def _match_line(
    line: TableLine, rows: Sequence[Recording], selected: Collection[UUID], preview: TablePreview
) -> Recording | None:
    """The recording of the line. If there is none to change, the line is noted in the preview."""
    if not rows:
        preview.unknown.append(line)
    elif not any(row.pk in selected for row in rows):
        preview.not_selected.append(line)
    elif len(rows) > 1:
        preview.ambiguous.append(line)
    elif not line.text:
        preview.empty.append(line)
    elif len(line.text) > MAX_TRANSCRIPT_LENGTH:
        preview.too_long.append(line)
    else:
        return rows[0]
    return None


def _plan_change(row: Recording, lines: Sequence[TableLine], preview: TablePreview) -> None:
    text = lines[0].text
    if any(line.text != text for line in lines):
        preview.repeated += lines
    elif text == row.transcript:
        preview.unchanged += 1
    else:
        preview.changes.append(TextChange(row.pk, row.file_name, row.transcript, text))


def apply_transcripts(change_id: UUID, voice: Voice, by: User) -> BulkResult:
    """Set the transcripts of a preview, where they are still as the preview showed them."""
    with transaction.atomic():
        change = lock_change(change_id, voice, by)
        if change.kind != BulkKind.TRANSCRIPTS or change.applied_at:
            raise ActionRefused("These transcripts were set already. Nothing was changed.")
        written = _write_texts(voice, read_changes(change))
        result = BulkResult(changed=len(written), change=change if written else None)
        result.skip("changed meanwhile", len(change.changes) - len(written))
        change.changes = [one for one in change.changes if UUID(one["id"]) in written]
        change.applied_at = timezone.now()
        change.save(update_fields=["changes", "applied_at"])
    return result


def undo_transcripts(change: BulkChange) -> int:
    """Restore the transcripts that have not been changed since. Returns how many."""
    changed = find_changed_again(change)
    texts = {pk: (after, before) for pk, (before, after) in read_changes(change).items() if pk not in changed}
    return len(_write_texts(change.voice, texts, unset_since=change.applied_at))


def _write_texts(voice: Voice, texts: Mapping[UUID, tuple[str, str]], unset_since: datetime | None = None) -> set[UUID]:
    """Replace the first text of each recording by the second, and check it. Returns what changed.

    Other texts stay, and those that a person set after `unset_since`.
    """
    written, thresholds, now = set[UUID](), load_thresholds(), timezone.now()
    for chunk in split_ids(list(texts)):
        rows = [row for row in query_locked(voice, chunk, *TEXT_FIELDS) if row.transcript == texts[row.pk][0]]
        rows = [row for row in rows if not _is_set_since(row, unset_since)]
        changed = []
        for row in rows:
            row.transcript, row.checked_at = texts[row.pk][1], now
            if row.is_usable and _check_row(row, voice.language, thresholds):
                changed.append(row)
        for row in changed:
            set_figures(row)
        update_rows(changed, ["findings", "measures", *FIGURES])
        update_rows(rows, ["transcript", "checked_at"])
        written.update(row.pk for row in rows)
    if written:
        outbox.enqueue_task(COMPARE_TASK, voice.pk)
    return written


def _is_set_since(row: Recording, time: datetime | None) -> bool:
    return bool(time and row.transcript_set_at and row.transcript_set_at > time)


def _check_row(row: Recording, language: str, thresholds: Thresholds) -> bool:
    """Set the findings and measures of the row's text. Returns whether they changed, as each write takes its time."""
    before = row.findings, row.measures
    results = check_transcript(row, language, row.findings, row.measures, thresholds)
    row.findings, row.measures = results["findings"], results["measures"]
    return (row.findings, row.measures) != before
