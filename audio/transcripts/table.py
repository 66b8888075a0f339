"""Reads a table of transcripts of any tool: each line has the name of a recording and a text.

It looks at the table instead of assuming its form: encoding, separator, quotation marks, titles and columns.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from audio.findings.findings import FileRefused, Finding, make_finding
from audio.transcripts.cleaning import clean_text, has_unusual_characters, unescape_cell
from audio.transcripts.columns import MAX_SAMPLES, Columns, find_titled_columns, guess_columns
from audio.transcripts.names import NameIndex
from audio.transcripts.rows import (
    DELIMITERS,
    JSON_LINES,
    SPACE,
    Row,
    detect_encoding,
    parse_sample,
    parse_table,
    read_sample,
)

KNOWN_WEIGHT = 1000
CHOICES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of a table, with its number for people, who count the titles too. `normalized` is a second text.

    `in_builds` is None if the line does not say whether the recording is used in builds.
    """

    number: int
    name: str
    text: str
    normalized: str = ""
    in_builds: bool | None = None


@dataclass(frozen=True, slots=True)
class TranscriptTable:
    """A table as it was read. `samples` has, for each column, its title and its first cells, to choose from."""

    lines: list[TableLine]
    columns: Columns
    samples: list[list[str]]
    encoding: str
    delimiter: str
    cleaned: int
    """How many texts had unusual spaces or invisible marks. `lines` has them without these."""


@dataclass(slots=True)
class TableMatch:
    """The lines of a table by the recording that they mean, and the lines that fit none, or no single one."""

    lines: dict[str, TableLine] = field(default_factory=dict)
    unknown: list[TableLine] = field(default_factory=list)
    ambiguous: list[TableLine] = field(default_factory=list)
    repeated: list[TableLine] = field(default_factory=list)
    """Lines of recordings for which the table has different texts."""
    empty: list[TableLine] = field(default_factory=list)
    choices: dict[str, bool] = field(default_factory=dict)
    """Whether a recording is used in builds, where the table says so, also of lines without a text."""
    proposals: dict[int, str] = field(default_factory=dict)
    """By the number of an unknown line, the recording that it means if its name has lost its leading zeros."""


def read_table(
    data: bytes,
    is_known: Callable[[str], bool],
    *,
    name_at: int | None = None,
    text_at: int | None = None,
    normalized_at: int | None = None,
) -> TranscriptTable:
    """The lines of the table. FileRefused if it is none.

    `is_known` says whether a recording has a name, which tells the columns apart. `name_at` and `text_at` are the
    columns that a person has chosen, with `normalized_at` if there is a second text.
    """
    sample = read_sample(data)
    delimiter = find_delimiter(sample, is_known)
    rows = list(parse_table(data, delimiter))
    columns = _find_columns(rows, is_known)
    if name_at is not None and text_at is not None:
        columns = Columns(name_at, text_at, normalized_at, has_titles=bool(columns and columns.has_titles))
    if columns is None:
        raise FileRefused(_explain_missing_columns(rows))
    body = rows[1:] if columns.has_titles else rows
    lines = list(_make_lines(body, columns))
    if not lines:
        raise FileRefused(make_finding("table_no_lines"))
    return TranscriptTable(
        lines,
        columns,
        _collect_samples(rows),
        detect_encoding(data)[0],
        delimiter,
        sum(len(row) > columns.text_at and has_unusual_characters(row[columns.text_at]) for _number, row in body),
    )


def find_delimiter(sample: Sequence[str], is_known: Callable[[str], bool]) -> str:
    """The separator with which most lines begin with, or contain, the name of a recording."""
    if sample and sample[0].lstrip("\ufeff \t").startswith("{") and parse_sample(sample[:1], JSON_LINES):
        return JSON_LINES
    scores = {delimiter: _count_known(sample, delimiter, is_known) for delimiter in (*DELIMITERS, SPACE)}
    scores[SPACE] -= len(sample)  # words of a text are no columns unless names of recordings stand before them
    return max(scores, key=lambda one: scores[one])


def _count_known(sample: Sequence[str], delimiter: str, is_known: Callable[[str], bool]) -> int:
    rows = parse_sample(sample, delimiter)
    if rows is None:
        return -1
    wide = [row for row in rows if len(row) > 1]
    known = sum(any(is_known(unescape_cell(cell.strip())) for cell in row) for row in wide)
    has_titles = bool(rows) and find_titled_columns(rows[0]) is not None
    # A line with a separator counts a little, so that a table of unknown names is read too.
    return KNOWN_WEIGHT * (known + has_titles) + len(wide)


def _find_columns(rows: Sequence[Row], is_known: Callable[[str], bool]) -> Columns | None:
    wide = [row for _number, row in rows if len(row) > 1]
    if not wide:
        return None
    return find_titled_columns(rows[0][1]) or guess_columns(wide, lambda name: is_known(unescape_cell(name)))


def _explain_missing_columns(rows: Sequence[Row]) -> Finding:
    values = {row[1].strip() for _number, row in rows if len(row) == 2}
    if len(rows) > 1 and len(values) == 1 and (value := values.pop()):
        return make_finding("table_one_value", value=value[:80])
    return make_finding("table_no_lines")


def _make_lines(rows: Iterable[Row], columns: Columns) -> Iterator[TableLine]:
    for number, row in rows:
        name = unescape_cell(row[columns.name_at].strip()) if len(row) > columns.name_at else ""
        normalized = "" if columns.normalized_at is None else _read_cell(row, columns.normalized_at)
        choice = "" if columns.in_builds_at is None else _read_cell(row, columns.in_builds_at)
        yield TableLine(number, name, _read_cell(row, columns.text_at), normalized, CHOICES.get(choice.casefold()))


def _read_cell(row: Sequence[str], place: int) -> str:
    return clean_text(unescape_cell(row[place].strip())) if len(row) > place else ""


def _collect_samples(rows: Sequence[Row]) -> list[list[str]]:
    head = [row for _number, row in rows[: MAX_SAMPLES + 1]]
    width = max((len(row) for row in head), default=0)
    return [[row[place].strip()[:200] if len(row) > place else "" for row in head] for place in range(width)]


def match_table(data: bytes, names: Iterable[str]) -> TableMatch:
    """Read a table and find the recordings, of these names, that its lines mean. FileRefused if it is none."""
    index = NameIndex(names)
    return match_lines(read_table(data, index.is_known).lines, index)


def match_lines(lines: Iterable[TableLine], index: NameIndex) -> TableMatch:
    """Find the recording of each line. No line is left out: each stands in one of the lists."""
    match, by_name, choices = TableMatch(), dict[str, list[TableLine]](), dict[str, set[bool]]()
    for line in lines:
        found = index.find(line.name)
        if not found:
            match.unknown.append(line)
            if proposal := index.propose(line.name):
                match.proposals[line.number] = proposal
        elif len(found) > 1:
            match.ambiguous.append(line)
        else:
            if line.in_builds is not None:
                choices.setdefault(found[0], set()).add(line.in_builds)
            if line.text:
                by_name.setdefault(found[0], []).append(line)
            else:
                match.empty.append(line)
    for name, same in by_name.items():
        if any(line.text != same[0].text for line in same):
            match.repeated += same
        else:
            match.lines[name] = same[0]
    match.choices = {name: values.pop() for name, values in choices.items() if len(values) == 1}
    return match
