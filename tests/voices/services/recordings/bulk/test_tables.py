"""Tables of transcripts are read as metadata lists, spreadsheets and our own export write them."""

import tracemalloc

import pytest

from voicehub import csv_tables
from voicehub.refusals import ActionRefused
from voices.services.recordings.bulk import tables
from voices.services.recordings.bulk.tables import make_title_key, read_table

KNOWN = {"a", "b", "c"}


def read(data: bytes | str) -> list[tuple[int, str, str]]:
    raw = data.encode() if isinstance(data, str) else data
    return [(one.number, one.name, one.text) for one in read_table(raw, lambda name: make_title_key(name) in KNOWN)]


EXPECTED = [(1, "a.wav", "One, two."), (2, "b.wav", "Three; four.")]


@pytest.mark.parametrize(
    "text",
    [
        "a.wav|One, two.\nb.wav|Three; four.\n",
        "a.wav|One, two.|one two\nb.wav|Three; four.|three four",
        "a.wav\tOne, two.\r\nb.wav\tThree; four.\r\n",
        'a.wav,"One, two."\nb.wav,Three; four.\n',
        'a.wav;One, two.\nb.wav;"Three; four."\n',
        '"a.wav","One, two.","4.0"\n"b.wav","Three; four.","3.1"\n',
    ],
)
def test_columns_are_found_without_titles(text: str) -> None:
    assert read(text) == EXPECTED


def test_columns_are_found_by_their_titles() -> None:
    assert read("seconds,Transcript,File name\n4.0,Hello.,a.wav\n") == [(2, "a.wav", "Hello.")]
    assert read("id|text\na|Hello.") == [(2, "a", "Hello.")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_are_recognized(encoding: str) -> None:
    text = "a.wav,Grüße – “so”.\nb.wav,Ça va?\n"
    assert read(text.encode(encoding)) == [(1, "a.wav", "Grüße – “so”."), (2, "b.wav", "Ça va?")]


def test_quoted_texts_may_have_line_breaks_and_numbers_are_those_of_the_lines() -> None:
    assert read('file,text\na,"One\ntwo ""three"""\n\nb,Four\n') == [(2, "a", 'One two "three"'), (5, "b", "Four")]


def test_quotation_marks_in_plain_tables_are_part_of_the_text() -> None:
    expected = [(1, "a", '"Hello" he said.'), (2, "b", '"Unfinished')]
    assert read('a\t"Hello" he said.\nb\t"Unfinished\n') == expected
    assert read('a|"Hello" he said.\nb|"Unfinished\n') == expected


def test_apostrophes_of_an_export_are_removed() -> None:
    assert read("file,transcript\n'-a.wav,'=1+1\nb.wav,'Tis\n") == [(2, "-a.wav", "=1+1"), (3, "b.wav", "'Tis")]


def test_lines_without_a_name_or_a_second_column_are_no_lines() -> None:
    assert read("a|One\n|Two\nb\nc|\n") == [(1, "a", "One"), (4, "c", "")]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no lines"),
        (b"only words\n", "no lines"),
        (b"\xff\xd8\xff\xe0 a picture", "not UTF-8 or UTF-16"),
        (b"PK\x03\x04\0\0\0\0\0\0", "not UTF-8 or UTF-16"),
        (b'a,"One\nb,Two\n', "quotation marks"),
        (b'a,"One" two\nb,Two\n', "quotation marks"),
    ],
)
def test_other_files_are_refused_with_a_reason(data: bytes, problem: str) -> None:
    with pytest.raises(ActionRefused, match=problem):
        read(data)


def test_table_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "EXPORTED_TABLE_BYTES", 10)
    with pytest.raises(ActionRefused, match="larger than"):
        read("a,0123456789")


@pytest.mark.parametrize("delimiter", ["|", ",", "\t"])
@pytest.mark.parametrize("line", ["a{}x\n", "\n"])
def test_table_with_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch, delimiter: str, line: str) -> None:
    monkeypatch.setattr(csv_tables, "MAX_ROWS", 1000)
    table = f"a{delimiter}One\n" + line.format(delimiter) * 999
    assert read(table)[0] == (1, "a", "One")
    with pytest.raises(ActionRefused, match="more than 1,000 lines. Split it"):
        read(table + "\n")


@pytest.mark.parametrize(("unit", "problem"), [(b"a\n", "more than 50,000 lines"), (b"a,", "A line of the table is")])
def test_only_so_much_is_read_as_the_limits_allow(unit: bytes, problem: str) -> None:
    """Fifteen million short lines, or one line of 30 MB, would take more than a gigabyte as rows."""
    table = unit * (15 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(ActionRefused, match=problem):
            read(table)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_error_after_the_sample_is_found() -> None:
    lines = "a,One\n" * (csv_tables.SAMPLE_LINES + 1)
    with pytest.raises(ActionRefused, match="quotation marks"):
        read(lines + 'b,"Two')
    with pytest.raises(ActionRefused, match="not UTF-8"):
        read(lines.encode() + b"b,\xff")
    tabs = lines.replace(",", "\t")
    assert read(tabs + 'b\t"Two')[-1] == (csv_tables.SAMPLE_LINES + 2, "b", '"Two')


def test_quotation_mark_in_a_long_table_of_another_kind_is_part_of_the_text() -> None:
    """Read as CSV, everything after the mark is one cell, which is larger than Python's csv module takes."""
    assert len(read('a|"Unfinished\n' + f"b|{'Two ' * 400}\n" * 150)) == 151
