"""Reads tables of text with titles: CSV and its relatives, as spreadsheets and our exports have them."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice

from audio.findings.findings import FileRefused
from audio.transcripts.cleaning import unescape_cell
from audio.transcripts.rows import DELIMITERS, parse_sample, parse_table, read_lines, read_sample
from voicehub.refusals import ActionRefused


@contextmanager
def explain_table_errors() -> Iterator[None]:
    """Raise ActionRefused in place of FileRefused, with what is wrong and what to do."""
    try:
        yield
    except FileRefused as refused:
        raise ActionRefused(f"{refused.finding.text} {refused.finding.advice}") from None


def read_titled_rows(
    data: bytes, required: Collection[str], optional: Collection[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows by title, each with the number of its first line. The first line must have the required titles.

    Columns with unknown titles are left out. Raises ActionRefused if the table cannot be read or a title is missing.
    """
    with explain_table_errors():
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


def read_text(data: bytes) -> str:
    """The text of the table. Raises ActionRefused if it is none."""
    with explain_table_errors():
        return "".join(read_lines(data))
