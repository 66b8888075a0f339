"""Set the transcripts of many recordings from a table: a preview first, then all at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from audio.findings.thresholds import Thresholds
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
    split_ids,
)
from voices.services.recordings.bulk.parts import enqueue_rest, record_parts
from voices.services.recordings.bulk.row_updates import update_rows
from voices.services.recordings.bulk.tables import TableLine, make_name_key, make_title_key, read_table
from voices.services.recordings.figures import FIGURES, SOURCES, set_figures
from voices.services.recordings.text_checks import check_transcript

# As in the form of one transcript.
MAX_TRANSCRIPT_LENGTH = 2000
TEXT_FIELDS = ("status", "transcript", "transcript_set_at", *SOURCES, *FIGURES)
CHECKED_FIELDS = ("findings", "measures", *FIGURES)


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
    preview.change = record_parts(voice, by, changes)
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
    """Set the transcripts of a preview, where they are still as the preview showed them.

    Of a large table, the first part is set at once. A task sets the others.
    """
    with transaction.atomic():
        change = lock_change(change_id, voice, by)
        if change.kind != BulkKind.TRANSCRIPTS or change.applied_at:
            raise ActionRefused("These transcripts were set already. Nothing was changed.")
        planned = len(change.changes)
        set_part(change)
        changed = len(change.changes)
        following = enqueue_rest(change, is_changed=bool(changed))
    result = BulkResult(changed=changed, change=change if changed or following else None, following=following)
    result.skip("changed meanwhile", planned - changed)
    return result


def set_part(change: BulkChange) -> None:
    """Set the transcripts of this part. Afterwards its changes are those that were made."""
    written = _write_texts(change.voice, read_changes(change))
    change.changes = [one for one in change.changes if UUID(one["id"]) in written]
    change.applied_at = timezone.now()
    change.save(update_fields=["changes", "applied_at"])


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
        groups: defaultdict[tuple[str, ...], list[Recording]] = defaultdict(list)
        for row in query_locked(voice, chunk, *TEXT_FIELDS):
            if row.transcript != texts[row.pk][0] or _is_set_since(row, unset_since):
                continue
            row.transcript, row.checked_at = texts[row.pk][1], now
            groups[_check_row(row, voice.language, thresholds) if row.is_usable else ()].append(row)
        # Each row with only what changed of it: to write a column takes time in each of its indexes.
        for names, rows in sorted(groups.items(), key=lambda group: group[0]):
            update_rows(rows, ["transcript", "checked_at", *names])
            written.update(row.pk for row in rows)
    return written


def _is_set_since(row: Recording, time: datetime | None) -> bool:
    return bool(time and row.transcript_set_at and row.transcript_set_at > time)


def _check_row(row: Recording, language: str, thresholds: Thresholds) -> tuple[str, ...]:
    """Set the findings, measures and figures of the row's text. Returns the names of those that changed."""
    before = [getattr(row, name) for name in CHECKED_FIELDS]
    results = check_transcript(row, language, row.findings, row.measures, thresholds)
    row.findings, row.measures = results["findings"], results["measures"]
    set_figures(row)
    values = zip(CHECKED_FIELDS, before, strict=True)
    return tuple(name for name, value in values if getattr(row, name) != value)
