"""Reads tables of text: CSV and its relatives, as spreadsheets, metadata lists and our exports have them.

The file is UTF-8 or UTF-16 text. Its columns are separated by `|`, tab, semicolon or comma.
"""

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Protocol

from voicehub.refusals import ActionRefused

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


def read_titled_rows(
    data: bytes, required: Collection[str], optional: Collection[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows by title, each with the number of its first line. The first line must have the required titles.

    Columns with unknown titles are left out. Raises ActionRefused if the table cannot be read or a title is missing.
    """
    head, known = read_sample(data)[:1], {*required, *optional}
    titles = {delimiter: _read_titles(head, delimiter) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda one: len(known & set(titles[one])))
    if missing := [title for title in required if title not in titles[delimiter]]:
        raise ActionRefused(
            f"The first line of the table must have the titles of its columns. Missing: {', '.join(missing)}."
        )
    for number, row in islice(parse_table(data, delimiter), 1, None):
        cells = dict.fromkeys(known, "") | dict(zip(titles[delimiter], row, strict=False))
        yield number, {title: unescape_cell(cell.strip()) for title, cell in cells.items() if title in known}


def _read_titles(head: list[str], delimiter: str) -> list[str]:
    rows = parse_sample(head, delimiter)
    return [title.strip().casefold().replace(" ", "_") for title in rows[0]] if rows else []


def read_sample(data: bytes) -> list[str]:
    """The first lines. Raises ActionRefused if they are no text."""
    return list(islice(_read_lines(data), SAMPLE_LINES))


def read_text(data: bytes) -> str:
    """The text of the table. Raises ActionRefused if it is none."""
    return "".join(_read_lines(data))


def parse_sample(sample: Iterable[str], delimiter: str) -> list[list[str]] | None:
    """The rows of these lines, None if this character does not separate their columns."""
    try:
        return [row for _number, row in _find_parser(delimiter)(sample, delimiter, strict=False)]
    except csv.Error:
        return None


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


def parse_table(data: bytes, delimiter: str) -> Iterator[Row]:
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


def unescape_cell(text: str) -> str:
    return text[1:] if ESCAPED_PATTERN.match(text) else text
