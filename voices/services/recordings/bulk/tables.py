"""Reads a table of transcripts: lines of a file name and a text, as metadata lists, spreadsheets and our exports have.

The file is UTF-8 or UTF-16 text. Its columns are separated by `|`, tab, semicolon or comma. With titles in the first
line, the columns are found by them. Otherwise the name comes first and the text second.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath

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
# More than any voice has recordings. Each line takes far more memory than its bytes.
MAX_ROWS = 50_000

Row = tuple[int, list[str]]


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
    """The lines of the table. Raises ActionRefused if it is none.

    `is_known` says whether a recording has a name, which helps to tell the columns apart.
    """
    check_table_size(len(data))
    text = _decode(data)
    sample = "".join(islice(io.StringIO(text, newline=""), SAMPLE_LINES))
    delimiter = max(DELIMITERS, key=lambda one: _count_known(sample, one, is_known))
    rows = _limit_rows(_parse(text, delimiter, strict=True))
    first = next(rows, None)
    columns = _find_columns(first[1]) if first else None
    texts = rows if columns or first is None else chain([first], rows)
    lines = list(_make_lines(texts, *(columns or (0, 1))))
    if not lines:
        raise ActionRefused("The table has no lines with a file name and a text. Correct it and choose it again.")
    return lines


def check_table_size(size: int) -> None:
    """Raise ActionRefused if a table has more bytes than can be read."""
    if size > EXPORTED_TABLE_BYTES:
        raise ActionRefused(f"The table is larger than {EXPORTED_TABLE_BYTES >> 20} MB. Split it into smaller files.")


def _limit_rows(rows: Iterator[Row]) -> Iterator[Row]:
    for count, row in enumerate(rows, start=1):
        if count > MAX_ROWS:
            raise ActionRefused(f"The table has more than {MAX_ROWS:,} lines. Split it into smaller files.")
        yield row


def _decode(data: bytes) -> str:
    encoding = next((name for bom, name in BOMS if data.startswith(bom)), "") or _guess_encoding(data)
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ActionRefused("The table is not UTF-8 or UTF-16 text. Save it as “CSV UTF-8” and choose it again.")
    return text


def _guess_encoding(data: bytes) -> str:
    """UTF-16 without a mark has a zero beside each Latin character."""
    head = data[:2000]
    zeros = [head[start::2].count(0) for start in (0, 1)]
    if max(zeros) < len(head) / 8:
        return "utf-8"
    return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"


def _count_known(sample: str, delimiter: str, is_known: Callable[[str], bool]) -> int:
    """How many of the first lines have a known name, or titles, when this character separates the columns."""
    rows = [row for _number, row in _parse(sample, delimiter, strict=False)]
    columns = _find_columns(rows[0]) if rows else None
    name_at = columns[0] if columns else 0
    names = [row[name_at].strip() for row in rows if len(row) > max(1, name_at)]
    # A line with a separator counts a little, so that a table of unknown names is read too.
    return sum(1000 * is_known(_unescape(name)) for name in names) + len(names) + 1000 * bool(columns)


def _parse(text: str, delimiter: str, *, strict: bool) -> Iterator[Row]:
    """The rows with their line numbers. Quotes count, except between `|`, and where tabs separate unquoted texts."""
    is_plain = delimiter == "|" or delimiter == "\t" and not _is_quoted(text, strict=strict)
    return _parse_plain(text, delimiter) if is_plain else _parse_quoted(text, delimiter, strict=strict)


def _is_quoted(text: str, *, strict: bool) -> bool:
    """Whether the quotes of this table, whose columns are separated by tabs, can be read as such."""
    try:
        for _row in csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=strict):
            pass
    except csv.Error:
        return False
    return True


def _parse_plain(text: str, delimiter: str) -> Iterator[Row]:
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if line.strip():
            yield number, line.rstrip("\r\n").split(delimiter)


def _parse_quoted(text: str, delimiter: str, *, strict: bool) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    number = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield number, row
            number = reader.line_num + 1
    except csv.Error as error:
        raise ActionRefused(f"The table cannot be read: {error}. Check its quotation marks.") from None


def _find_columns(titles: Sequence[str]) -> tuple[int, int] | None:
    """The places of the name and of the text, if these are titles."""
    words = [title.strip().casefold().replace("_", " ") for title in titles]
    name_at = next((place for place, word in enumerate(words) if word in NAME_TITLES), None)
    text_at = next((place for place, word in enumerate(words) if word in TEXT_TITLES), None)
    return None if name_at is None or text_at is None else (name_at, text_at)


def _make_lines(rows: Iterable[Row], name_at: int, text_at: int) -> Iterator[TableLine]:
    for number, row in rows:
        if len(row) > max(name_at, text_at) and row[name_at].strip():
            text = " ".join(_unescape(row[text_at]).split())
            yield TableLine(number, _unescape(row[name_at].strip()), text)


def _unescape(text: str) -> str:
    return text[1:] if ESCAPED_PATTERN.match(text) else text
