"""Reads the rows of a table of text, whatever its encoding, separator and quotation marks.

Encodings: UTF-8 and UTF-16 with or without a byte order mark, and Windows-1252. Line breaks: CRLF, LF, CR. Separators:
`|`, tab, semicolon, comma (RFC 4180), or the first space of a line as in Kaldi's `text` files. JSON Lines are read too.
"""

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Protocol

from audio.findings.findings import FileRefused, make_finding

DELIMITERS = ("|", "\t", ";", ",")
SPACE = " "
JSON_LINES = "{"
SAMPLE_LINES = 200
"""So many lines decide which character separates the columns."""
MAX_ROWS = 50_000
MAX_LINE_LENGTH = 200_000
MAX_COLUMNS = 64
"""A studio has at most some thousand recordings. Each row takes memory, however short it is."""

BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
FALLBACK_ENCODING = "cp1252"
CHUNK = 1 << 16
BINARY_PATTERN = re.compile("[\0-\x08\x0e-\x1f\x7f]")
# An escape in JSON can also stand for half a character. No database stores one.
NO_TEXT_PATTERN = re.compile(f"{BINARY_PATTERN.pattern}|[\ud800-\udfff]")
# Cells with one of these need quotation marks, of Excel or of Python's csv module.
NEEDS_QUOTES_PATTERN = re.compile('[",|\t\r\n;]')

Row = tuple[int, list[str]]


class Parser(Protocol):
    """Reads rows, each with the number of its first line. Raises csv.Error. Only a strict one checks quotes."""

    def __call__(self, lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]: ...


def detect_encoding(data: bytes) -> tuple[str, int]:
    """The encoding of the text, and the length of its byte order mark."""
    for mark, name in BOMS:
        if data.startswith(mark):
            return name, len(mark)
    head = data[:2000]
    zeros = [head[start::2].count(0) for start in (0, 1)]  # UTF-16 has a zero beside each Latin character
    if max(zeros) >= max(1, len(head) / 8):
        return ("utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"), 0
    return ("utf-8" if _is_utf_8(data) else FALLBACK_ENCODING), 0


def _is_utf_8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), CHUNK):
            decoder.decode(data[start : start + CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def read_lines(data: bytes) -> Iterator[str]:
    """The lines of the text with their line breaks, decoded as they are needed. FileRefused if it is no text."""
    encoding, start = detect_encoding(data)
    stream = io.BytesIO(data)
    stream.seek(start)
    text = io.TextIOWrapper(stream, encoding, newline="")
    try:
        while line := text.readline(MAX_LINE_LENGTH + 1):
            if len(line) > MAX_LINE_LENGTH:
                raise FileRefused(make_finding("table_line_long", limit=MAX_LINE_LENGTH))
            if BINARY_PATTERN.search(line):
                raise FileRefused(make_finding("table_not_text"))
            yield line
    except UnicodeDecodeError:
        raise FileRefused(make_finding("table_not_text")) from None


def read_sample(data: bytes) -> list[str]:
    """The first lines. FileRefused if they are no text."""
    return list(islice(read_lines(data), SAMPLE_LINES))


def parse_sample(sample: Sequence[str], delimiter: str) -> list[list[str]] | None:
    """The rows of these lines, None if this character does not separate their columns."""
    try:
        return [row for _number, row in _find_parser(sample, delimiter)(sample, delimiter, strict=False)]
    except (csv.Error, ValueError):
        return None


def parse_table(data: bytes, delimiter: str) -> Iterator[Row]:
    """The rows with their line numbers. FileRefused if the quotation marks of a comma-separated table do not match.

    Between `|` or tabs, quotation marks are part of the text unless the whole table is quoted as by a spreadsheet.
    """
    parse = _find_parser(read_sample(data), delimiter)
    if parse is _parse_quoted and delimiter not in ",;" and not _is_well_quoted(data, delimiter):
        parse = _parse_plain
    try:
        yield from parse(read_lines(data), delimiter, strict=True)
    except csv.Error as error:
        raise FileRefused(make_finding("table_quotes", problem=error)) from None


def _is_well_quoted(data: bytes, delimiter: str) -> bool:
    try:
        for _row in _parse_quoted(read_lines(data), delimiter, strict=True):
            pass
    except csv.Error:
        return False
    return True


def _find_parser(sample: Sequence[str], delimiter: str) -> Parser:
    if delimiter == JSON_LINES:
        return _parse_json
    if delimiter == SPACE:
        return _parse_words
    return _parse_quoted if delimiter in ",;" or _is_quoted(sample, delimiter) else _parse_plain


def _is_quoted(sample: Sequence[str], delimiter: str) -> bool:
    """Whether quotation marks enclose cells, as csv modules and spreadsheets write them, and are not spoken words.

    They enclose all cells, or just those that need it.
    """
    try:
        list(_parse_quoted(sample, delimiter, strict=True))
    except csv.Error:
        return False
    cells = [cell for line in sample for cell in line.rstrip("\r\n").split(delimiter) if cell]
    opened = [cell for cell in cells if cell.startswith('"')]
    needless = [cell for cell in opened if len(cell) > 1 and not NEEDS_QUOTES_PATTERN.search(cell[1:-1])]
    return bool(opened) and (len(opened) == len(cells) or not needless)


def _parse_plain(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]:
    yield from _split_lines(lines, lambda line: line.split(delimiter))


def _parse_words(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]:
    yield from _split_lines(lines, lambda line: line.split(maxsplit=1))


def _split_lines(lines: Iterable[str], split: Callable[[str], list[str]]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        _check_number(number)
        if line.strip():
            yield number, split(line.rstrip("\r\n"))[:MAX_COLUMNS]


def _parse_quoted(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=strict)
    number = 1
    for count, row in enumerate(reader, start=1):
        _check_number(count)
        if any(cell.strip() for cell in row):
            yield number, row[:MAX_COLUMNS]
        number = reader.line_num + 1


def _parse_json(lines: Iterable[str], delimiter: str, *, strict: bool) -> Iterator[Row]:
    """The titles as the first row, then the values of each object. FileRefused if a line is no object."""
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if line.strip())
    head = next(numbered, None)
    if head is None:
        return
    titles = list(_load_object(*head))[:MAX_COLUMNS]
    yield head[0], titles
    for number, line in chain([head], numbered):
        _check_number(number)
        values = _load_object(number, line)
        yield number, [value if isinstance(value := values.get(title, ""), str) else "" for title in titles]


def _load_object(number: int, line: str) -> dict[str, object]:
    """The values of a line. FileRefused if it is no object, or if an escape in it stands for what is no text."""
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise FileRefused(make_finding("table_json", line=number))
    if any(isinstance(text, str) and NO_TEXT_PATTERN.search(text) for text in chain(values, values.values())):
        raise FileRefused(make_finding("table_json_text", line=number))
    return values


def _check_number(number: int) -> None:
    if number > MAX_ROWS:
        raise FileRefused(make_finding("table_rows", limit=MAX_ROWS))
