"""What a table of transcripts would change in the recordings of a voice, before anything is changed."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from audio.transcripts.names import NameIndex
from audio.transcripts.table import TableLine, TranscriptTable, read_table
from voicehub.csv_tables import explain_table_errors
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.upload_limits import TRANSCRIPT_TABLE_BYTES
from voices.models import BulkChange, Recording, Voice
from voices.services.recordings.bulk.parts import record_parts
from voices.services.recordings.bulk.transcripts import MAX_TRANSCRIPT_LENGTH

TEXT_TOO_LONG = f"The text is longer than {MAX_TRANSCRIPT_LENGTH:,} characters"


@dataclass(frozen=True, slots=True)
class TextChange:
    """One transcript as it is and as it will be."""

    pk: UUID
    file_name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ChosenColumns:
    """The columns of the names and of the texts that a person chose, counted from 0. None: they are found."""

    name_at: int | None = None
    text_at: int | None = None


AUTOMATIC = ChosenColumns()


@dataclass(slots=True)
class TablePreview:
    """What a table would change, and which of its lines change nothing. `change` is applied by `apply_transcripts`."""

    table: TranscriptTable
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
    proposed: list[TextChange] = field(default_factory=list)
    """Changes by lines whose names have lost their leading zeros. `proposed_change` is `change` with these."""
    proposed_change: BulkChange | None = None

    @property
    def unused(self) -> list[tuple[str, list[TableLine]]]:
        """The lines that change nothing although they should, by reason."""
        return [
            ("No recording has this name", self.unknown),
            ("Not among the selected recordings", self.not_selected),
            ("Several recordings have this name", self.ambiguous),
            ("Another line has a different text for the same recording", self.repeated),
            ("The text is empty", self.empty),
            (TEXT_TOO_LONG, self.too_long),
        ]


class RowIndex:
    """Finds recordings by the names in a table, as `NameIndex` does."""

    def __init__(self, rows: Iterable[Recording]) -> None:
        self._rows: defaultdict[str, list[Recording]] = defaultdict(list)
        for row in rows:
            self._rows[row.file_name].append(row)
        self._names = NameIndex(self._rows)

    def is_known(self, name: str) -> bool:
        return self._names.is_known(name)

    def find(self, name: str) -> list[Recording]:
        return [row for found in self._names.find(name) for row in self._rows[found]]

    def propose(self, name: str) -> list[Recording]:
        """The recording that a name means if it lost its leading zeros in a spreadsheet."""
        return self._rows.get(self._names.propose(name), [])


def preview_table(
    voice: Voice, ids: Collection[UUID], data: bytes, by: User, columns: ChosenColumns = AUTOMATIC
) -> TablePreview:
    """What this table would change in these recordings. Raises ActionRefused if it cannot be read."""
    rows = list(voice.recordings.only("voice", "file_name", "transcript").order_by("file_name", "pk"))
    index, selected = RowIndex(rows), set(ids)
    preview = TablePreview(table=_read_table(data, index, columns))
    lines_by_row: defaultdict[Recording, list[TableLine]] = defaultdict(list)
    for line in preview.table.lines:
        if row := _match_line(line, index.find(line.name), selected, preview):
            lines_by_row[row].append(line)
    for row, lines in lines_by_row.items():
        _plan_change(row, lines, preview)
    preview.change = record_parts(voice, by, _describe_changes(preview.changes))
    _plan_proposals(preview, index, selected, lines_by_row)
    if preview.proposed:
        preview.proposed_change = record_parts(voice, by, _describe_changes([*preview.changes, *preview.proposed]))
    return preview


def _read_table(data: bytes, index: RowIndex, columns: ChosenColumns) -> TranscriptTable:
    if len(data) > TRANSCRIPT_TABLE_BYTES:
        raise ActionRefused(f"The table is larger than {TRANSCRIPT_TABLE_BYTES >> 20} MB. Split it into smaller files.")
    with explain_table_errors():
        return read_table(data, index.is_known, name_at=columns.name_at, text_at=columns.text_at)


def _describe_changes(changes: Sequence[TextChange]) -> list[dict[str, str]]:
    return [{"id": one.pk.hex, "before": one.before, "after": one.after} for one in changes]


def _plan_proposals(
    preview: TablePreview, index: RowIndex, selected: Collection[UUID], taken: Collection[Recording]
) -> None:
    """The texts of lines whose names fit once their leading zeros are back, where no other line has that name."""
    planned: defaultdict[Recording, list[TableLine]] = defaultdict(list)
    for line in preview.unknown:
        rows = index.propose(line.name)
        if (
            len(rows) == 1
            and rows[0].pk in selected
            and rows[0] not in taken
            and 0 < len(line.text) <= MAX_TRANSCRIPT_LENGTH
        ):
            planned[rows[0]].append(line)
    for row, lines in planned.items():
        if len(lines) == 1 and lines[0].text != row.transcript:
            preview.proposed.append(TextChange(row.pk, row.file_name, row.transcript, lines[0].text))


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
