"""Reads a table of transcripts: lines of a file name and a text, as metadata lists, spreadsheets and our exports have.

The file is UTF-8 or UTF-16 text. Its columns are separated by `|`, tab, semicolon or comma. With titles in the first
line, the columns are found by them. Otherwise the name comes first and the text second.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Protocol

from voicehub.refusals import ActionRefused
from voicehub.upload_limits import EXPORTED_TABLE_BYTES

NAME_TITLES = frozenset({"name", "file", "filename", "file name", "path", "id", "recording"})
TEXT_TITLES = frozenset({"text", "transcript", "transcription", "sentence"})
AUDIO_SUFFIX_PATTERN = re.compile(r"\.(wav|flac|aiff?|caf|og[ga]|opus|mp3|m4a|mp4|webm)$", re.IGNORECASE)
# What `escape_formula` of an export puts an apostrophe before.
ESCAPED_PATTERN = re.compile(r"'(?=[=+\-@\t\r\n＝＋－＠])")
DELIMITERS = ("|", "\t", ";", ",")
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# So many lines decide which character separates the columns.
SAMPLE_LINES = 200

# A studio has at most some thousand recordings. Each line takes memory, however short it is.
MAX_ROWS = 50_000
MAX_LINE_LENGTH = 200_000
NO_TEXT = "The table is not UTF-8 or UTF-16 text. Save it as “CSV UTF-8” and choose it again."

Row = tuple[int, list[str]]


class Parser(Protocol):
    """Reads rows, each with the number of its first line. Raises csv.Error. Only a strict one checks quotes."""

    def __call__(self, lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]: ...


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
    sample = list(islice(_read_lines(data), SAMPLE_LINES))
    delimiter = max(DELIMITERS, key=lambda one: _count_known(sample, one, is_known))
    lines = list(_make_lines(_parse_table(data, delimiter)))
    if not lines:
        raise ActionRefused("The table has no lines with a file name and a text. Correct it and choose it again.")
    return lines


def _read_lines(data: bytes) -> Iterator[str]:
    """The lines of the text with their line breaks, decoded as they are needed."""
    bom, encoding = next(((bom, name) for bom, name in BOMS if data.startswith(bom)), (b"", ""))
    stream = io.BytesIO(data)
    stream.seek(len(bom))
    text = io.TextIOWrapper(stream, encoding or _guess_encoding(data), newline="")
    try:
        while line := text.readline(MAX_LINE_LENGTH + 1):
            if len(line) > MAX_LINE_LENGTH:
                raise ActionRefused(f"A line of the table is longer than {MAX_LINE_LENGTH:,} characters. Shorten it.")
            if "\0" in line:
                raise ActionRefused(NO_TEXT)
            yield line
    except UnicodeDecodeError:
        raise ActionRefused(NO_TEXT) from None


def _guess_encoding(data: bytes) -> str:
    """UTF-16 without a mark has a zero beside each Latin character."""
    head = data[:2000]
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if max(zeros) < len(head) / 8:
        return "utf-8"
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _count_known(sample: Sequence[str], delimiter: str, is_known: Callable[[str], bool]) -> int:
    """How many of these lines have a known name, or titles, when this character separates the columns."""
    try:
        rows = [row for _number, row in _find_parser(delimiter)(sample, delimiter, strict=False)]
    except csv.Error:
        return -1
    columns = _find_columns(rows[0]) if rows else None
    name_at = columns[0] if columns else 0
    names = [row[name_at].strip() for row in rows if len(row) > max(1, name_at)]
    # A line with a separator counts a little, so that a table of unknown names is read too.
    return sum(1000 * is_known(_unescape(name)) for name in names) + len(names) + 1000 * bool(columns)


def _parse_table(data: bytes, delimiter: str) -> Iterator[Row]:
    """The rows with their line numbers. Quotes count, except between `|`, and where tabs separate unquoted texts."""
    parse = _find_parser(delimiter)
    try:
        if delimiter == "\t":
            deque(parse(_read_lines(data), delimiter, strict=True), maxlen=0)
    except csv.Error:
        parse = _parse_plain
    try:
        yield from parse(_read_lines(data), delimiter, strict=True)
    except csv.Error as error:
        raise ActionRefused(f"The table cannot be read: {error}. Check its quotation marks.") from None


def _find_parser(delimiter: str) -> Parser:
    return _parse_plain if delimiter == "|" else _parse_quoted


def _parse_plain(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        _check_number(number)
        if line.strip():
            yield number, line.rstrip("\r\n").split(delimiter)


def _parse_quoted(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    number = 1
    for count, row in enumerate(reader, start=1):
        _check_number(count)
        if any(cell.strip() for cell in row):
            yield number, row
        number = reader.line_num + 1


def _check_number(number: int) -> None:
    if number > MAX_ROWS:
        raise ActionRefused(f"The table has more than {MAX_ROWS:,} lines. Split it into smaller files.")


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
            text = " ".join(_unescape(row[text_at]).split())
            yield TableLine(number, _unescape(row[name_at].strip()), text)


def _unescape(text: str) -> str:
    return text[1:] if ESCAPED_PATTERN.match(text) else text
