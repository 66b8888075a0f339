"""Reads a table of transcripts: lines of a file name and a text, as metadata lists, spreadsheets and our exports have.

With titles in the first line, the columns are found by them. Otherwise the name comes first and the text second.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import PurePosixPath

from voicehub.csv_tables import DELIMITERS, Row, parse_sample, parse_table, read_sample, unescape_cell
from voicehub.refusals import ActionRefused
from voicehub.upload_limits import EXPORTED_TABLE_BYTES

NAME_TITLES = frozenset({"name", "file", "filename", "file name", "path", "id", "recording"})
TEXT_TITLES = frozenset({"text", "transcript", "transcription", "sentence"})
AUDIO_SUFFIX_PATTERN = re.compile(r"\.(wav|flac|aiff?|caf|og[ga]|opus|mp3|m4a|mp4|webm)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of a table, with its number for people, who count the titles too."""

    number: int
    name: str
    text: str


def make_name_key(name: str) -> str:
    """The file name without folders, for comparisons."""
    return PurePosixPath(name.replace("\\", "/")).name.casefold()


def make_title_key(name: str) -> str:
    """The file name without folders and without its extension, if that is one of audio files."""
    return AUDIO_SUFFIX_PATTERN.sub("", make_name_key(name))


def read_table(data: bytes, is_known: Callable[[str], bool]) -> list[TableLine]:
    """The lines of the table. Raises ActionRefused if it is none, or too large.

    `is_known` says whether a recording has a name, which helps to tell the columns apart.
    """
    if len(data) > EXPORTED_TABLE_BYTES:
        raise ActionRefused(f"The table is larger than {EXPORTED_TABLE_BYTES >> 20} MB. Split it into smaller files.")
    sample = read_sample(data)
    delimiter = max(DELIMITERS, key=lambda one: _count_known(sample, one, is_known))
    lines = list(_make_lines(parse_table(data, delimiter)))
    if not lines:
        raise ActionRefused("The table has no lines with a file name and a text. Correct it and choose it again.")
    return lines


def _count_known(sample: Sequence[str], delimiter: str, is_known: Callable[[str], bool]) -> int:
    """How many of these lines have a known name, or titles, when this character separates the columns."""
    rows = parse_sample(sample, delimiter)
    if rows is None:
        return -1
    columns = _find_columns(rows[0]) if rows else None
    name_at = columns[0] if columns else 0
    names = [row[name_at].strip() for row in rows if len(row) > max(1, name_at)]
    # A line with a separator counts a little, so that a table of unknown names is read too.
    return sum(1000 * is_known(unescape_cell(name)) for name in names) + len(names) + 1000 * bool(columns)


def _find_columns(titles: Sequence[str]) -> tuple[int, int] | None:
    """The places of the name and of the text, if these are titles."""
    words = [title.strip().casefold().replace("_", " ") for title in titles]
    name_at = next((place for place, word in enumerate(words) if word in NAME_TITLES), None)
    text_at = next((place for place, word in enumerate(words) if word in TEXT_TITLES), None)
    return None if name_at is None or text_at is None else (name_at, text_at)


def _make_lines(rows: Iterator[Row]) -> Iterator[TableLine]:
    """The lines of the rows, whose first one may have the titles."""
    first = next(rows, None)
    if first is None:
        return
    columns = _find_columns(first[1])
    name_at, text_at = columns or (0, 1)
    for number, row in rows if columns else chain([first], rows):
        if len(row) > max(name_at, text_at) and row[name_at].strip():
            text = " ".join(unescape_cell(row[text_at]).split())
            yield TableLine(number, unescape_cell(row[name_at].strip()), text)
