"""Tables of transcripts are read as metadata lists, spreadsheets and our own export write them."""

import csv
import io
import json
import tracemalloc
import unicodedata
from collections.abc import Iterable
from typing import Any

import pytest

from audio.findings.findings import FileRefused
from audio.transcripts import rows
from audio.transcripts.columns import Columns
from audio.transcripts.names import NameIndex
from audio.transcripts.table import TableMatch, TranscriptTable, match_lines, read_table

KNOWN = ("a.wav", "b.wav", "c.wav")
LJ = ("LJ001-0001.wav", "LJ001-0002.wav", "LJ001-0003.wav")
ONE, TWO, THREE = TEXTS = ("Printing, in the only sense.", "He said “no”, and left.", "It was a bright cold day.")


def load(data: bytes | str, names: Iterable[str] = KNOWN, **columns: int) -> TranscriptTable:
    raw, index = data.encode() if isinstance(data, str) else data, NameIndex(names)
    return read_table(raw, lambda name: bool(index.find(name)), **columns)


def read(data: bytes | str) -> list[tuple[int, str, str]]:
    return [(one.number, one.name, one.text) for one in load(data).lines]


def match(data: bytes | str, names: Iterable[str]) -> TableMatch:
    return match_lines(load(data, names).lines, NameIndex(names))


def read_texts(data: bytes | str, names: Iterable[str] = LJ) -> tuple[str, ...]:
    found = match(data, names)
    assert not found.unknown and not found.ambiguous and not found.repeated and not found.empty
    return tuple(found.lines[name].text for name in names)


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


def test_lines_without_a_name_or_a_text_are_named() -> None:
    table = "a|One\n|Two\nb\nc|\n"
    assert read(table) == [(1, "a", "One"), (2, "", "Two"), (3, "b", ""), (4, "c", "")]
    found = match(table, [*KNOWN, ".wav"])
    assert [line.number for line in found.unknown] == [2] and [line.number for line in found.empty] == [3, 4]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "no lines"),
        (b"only words\n", "no lines"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF a picture", "is not text"),
        (b"a|\x81\x8d", "is not text"),
        (b"PK\x03\x04\0\0\0\0\0\0", "is not text"),
        (b'a,"One\nb,Two\n', "cannot be read"),
        (b'a,"One" two\nb,Two\n', "cannot be read"),
    ],
)
def test_other_files_are_refused_with_a_reason(data: bytes, problem: str) -> None:
    with pytest.raises(FileRefused, match=problem):
        read(data)


@pytest.mark.parametrize("delimiter", ["|", ",", "\t"])
@pytest.mark.parametrize("line", ["a{}x\n", "\n"])
def test_table_with_too_many_lines_is_refused(monkeypatch: pytest.MonkeyPatch, delimiter: str, line: str) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 1000)
    table = f"a{delimiter}One\n" + line.format(delimiter) * 999
    assert read(table)[0] == (1, "a", "One")
    with pytest.raises(FileRefused, match="more than 1,000 lines"):
        read(table + "\n")


@pytest.mark.parametrize(("unit", "problem"), [(b"a\n", "more than 50,000 lines"), (b"a,", "A line of the table is")])
def test_only_so_much_is_read_as_the_limits_allow(unit: bytes, problem: str) -> None:
    """Fifteen million short lines, or one line of 30 MB, would take more than a gigabyte as rows."""
    table = unit * (15 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(FileRefused, match=problem):
            read(table)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_error_after_the_sample_is_found() -> None:
    lines = "a,One\n" * (rows.SAMPLE_LINES + 1)
    with pytest.raises(FileRefused, match="cannot be read"):
        read(lines + 'b,"Two')
    with pytest.raises(FileRefused, match="is not text"):
        read(lines.encode() + b"b,\x81")
    tabs = lines.replace(",", "\t")
    assert read(tabs + 'b\t"Two')[-1] == (rows.SAMPLE_LINES + 2, "b", '"Two')


def test_quotation_mark_in_a_long_table_of_another_kind_is_part_of_the_text() -> None:
    """Read as CSV, everything after the mark is one cell, which is larger than Python's csv module takes."""
    assert len(read('a|"Unfinished\n' + f"b|{'Two ' * 400}\n" * 150)) == 151


# --- Tables of other tools --------------------------------------------------------------


def write_csv(rows: Iterable[Iterable[str]], **options: Any) -> str:
    file = io.StringIO()
    csv.writer(file, **options).writerows(rows)
    return file.getvalue()


STEMS = [name.removesuffix(".wav") for name in LJ]
PAIRS = list(zip(STEMS, TEXTS, strict=True))
TABLES = {
    "LJSpeech": "".join(f"{stem}|{text}|{text.lower()} normalized\n" for stem, text in PAIRS),
    "LJSpeech, empty second": "".join(f"{stem}||{text}\n" for stem, text in PAIRS),
    "Piper": "".join(f"{stem}|{text}\n" for stem, text in PAIRS),
    "Piper, one speaker": "".join(f"{stem}|male1|{text}\n" for stem, text in PAIRS),
    "Piper, several speakers": "".join(
        f"{s}|{who}|{t}\n" for (s, t), who in zip(PAIRS, ("m1", "f1", "m1"), strict=True)
    ),
    "VITS, numbers as speakers": "".join(f"wavs/{stem}.wav|{n}|{text}\n" for n, (stem, text) in enumerate(PAIRS)),
    "Coqui": "audio_file|text|speaker_name\n" + "".join(f"wavs/{stem}.wav|{text}|talent\n" for stem, text in PAIRS),
    "Coqui, other order": "text|emotion|audio_file\n" + "".join(f"{text}|neutral|{stem}.wav\n" for stem, text in PAIRS),
    "Hugging Face": write_csv([("file_name", "transcription"), *((f"{stem}.wav", text) for stem, text in PAIRS)]),
    "Hugging Face, JSON Lines": "".join(
        json.dumps({"file_name": f"data/{stem}.wav", "text": text, "duration": 2.5}) + "\n" for stem, text in PAIRS
    ),
    "Common Voice": "client_id\tpath\tsentence\tup_votes\tage\n"
    + "".join(f"9f8\t{stem}.mp3\t{text}\t2\t\n" for stem, text in PAIRS),
    "Azure": "".join(f"{stem}\t{text}\r\n" for stem, text in PAIRS),
    "Kaldi": "".join(f"{stem} {text}\n" for stem, text in PAIRS),
    "all quoted": write_csv(PAIRS, delimiter="|", quoting=csv.QUOTE_ALL),
    "semicolons of a German Excel": write_csv(PAIRS, delimiter=";"),
    "durations last": write_csv([(*pair, "2.51") for pair in PAIRS]),
    "durations before the text": write_csv([(stem, "2,51", text) for stem, text in PAIRS], delimiter=";"),
    "other titles": "no;WAV file;Text normalized\n" + "".join(f"1;{stem}.wav;{text}\n" for stem, text in PAIRS),
    "old Mac line breaks": "".join(f"{stem}\t{text}\r" for stem, text in PAIRS),
    "Windows paths": "".join(f"D:\\session\\wav\\{stem}.WAV|{text}\n" for stem, text in PAIRS),
    "other case": "".join(f"{stem.lower()}.wav|{text}\n" for stem, text in PAIRS),
    "invisible characters": "".join(f"{stem}|{text.replace(' ', chr(0xA0))}\u200b\n" for stem, text in PAIRS),
}


@pytest.mark.parametrize("tool", TABLES)
def test_texts_are_found_in_tables_of_each_tool(tool: str) -> None:
    assert read_texts(TABLES[tool]) == TEXTS
    assert load(TABLES[tool], LJ).columns.is_certain


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("tool", ["LJSpeech", "Hugging Face", "Azure"])
def test_each_encoding_gives_the_same_texts(tool: str, encoding: str) -> None:
    assert read_texts(TABLES[tool].encode(encoding)) == TEXTS


def test_second_text_is_kept_as_normalized() -> None:
    lines = load(TABLES["LJSpeech"], LJ).lines
    assert [line.normalized for line in lines] == [f"{text.lower()} normalized" for text in TEXTS]
    titled = load("id|text|normalized_text\na|10 cats|ten cats\n").lines
    assert [(line.text, line.normalized) for line in titled] == [("10 cats", "ten cats")]


def test_quoted_cells_of_excel_lose_their_quotes_and_spoken_ones_stay() -> None:
    assert read('a\t"One, ""two""."\r\nb\tThree\r\n') == [(1, "a", 'One, "two".'), (2, "b", "Three")]
    assert read('a\t"Hello."\nb\tThree\n') == [(1, "a", '"Hello."'), (2, "b", "Three")]


def test_names_in_another_unicode_form_are_found() -> None:
    names = [unicodedata.normalize("NFD", f"Füße-Ocaña-{number}.wav") for number in range(3)]
    table = "".join(f"Füße-Ocaña-{number}|{text}\n" for number, text in enumerate(TEXTS))
    assert read_texts(table, names) == TEXTS


def test_texts_are_plain_and_it_is_counted() -> None:
    table = load("a|Cold\u00a0day.\nb|The on\u200bly\u00ad one.\nc|Cafe\u0301 می\u200cشود.\n")
    assert [line.text for line in table.lines] == ["Cold day.", "The only one.", "Café می\u200cشود."]
    assert table.cleaned == 2


def test_column_with_one_value_is_no_transcript() -> None:
    with pytest.raises(FileRefused, match="the same text, “male1”"):
        load("a|male1\nb|male1\nc|male1\n")
    for text in ("Same words", "Stop!"):
        assert read(f"a|{text}\nb|{text}\n") == [(1, "a", text), (2, "b", text)]
    assert [line.text for line in load("a|alexa\nb|alexa\n", name_at=0, text_at=1).lines] == ["alexa", "alexa"]


@pytest.mark.parametrize(
    "table",
    [
        "a|m1|Yes\nb|f1|No\nc|m1|Stop\n",
        "a|The wind was loud.|Sing it softly now.\nb|No one spoke.|With much more force.\n",
    ],
)
def test_choice_in_doubt_is_said(table: str) -> None:
    assert not load(table).columns.is_certain


def test_columns_that_a_person_chose_are_used() -> None:
    table = load("a|Loud wind blew.|Sing it softly.\nb|No one spoke.|With more force.\n", name_at=0, text_at=2)
    assert [line.text for line in table.lines] == ["Sing it softly.", "With more force."]
    assert table.columns == Columns(0, 2)
    assert table.samples == [["a", "b"], ["Loud wind blew.", "No one spoke."], ["Sing it softly.", "With more force."]]


# --- Lines and recordings ---------------------------------------------------------------


def test_each_line_that_fits_no_single_recording_is_named() -> None:
    names = ["x/one.wav", "y/one.wav", "two.wav", "three.wav", "four.flac"]
    found = match("one|A b\nx/one.wav|C d\ntwo|E f\ntwo.wav|G h\nthree|\nfour.mp3|I j\nfive|K l\n", names)
    assert {name: line.text for name, line in found.lines.items()} == {"x/one.wav": "C d", "four.flac": "I j"}
    numbers = [
        [line.number for line in lines] for lines in (found.ambiguous, found.repeated, found.empty, found.unknown)
    ]
    assert numbers == [[1], [3, 4], [5], [7]]


def test_names_that_lost_their_zeros_are_proposed_and_not_used() -> None:
    names = [f"{number:010}.wav" for number in (1, 2, 3)]
    found = match("".join(f"{number}\t{text}\n" for number, text in enumerate(TEXTS, start=1)), names)
    assert not found.lines and [line.number for line in found.unknown] == [1, 2, 3]
    assert found.proposals == dict(enumerate(names, start=1))
    assert match("1\tOne two\n2\tThree four\n", ["01.wav", "001.wav", "2.wav"]).proposals == {}


@pytest.mark.parametrize("title", ["in_builds", "In builds", "included", "Use"])
@pytest.mark.parametrize(("yes", "no"), [("yes", "no"), ("True", "FALSE"), ("1", "0")])
def test_table_says_which_recordings_are_in_builds(title: str, yes: str, no: str) -> None:
    found = match(f"file,{title},text\na,{yes},One\nb,{no},\nc,maybe,Three\n", KNOWN)
    assert found.choices == {"a.wav": True, "b.wav": False}
    assert [(line.name, line.in_builds) for line in found.lines.values()] == [("a", True), ("c", None)]
    assert [line.name for line in found.empty] == ["b"]


def test_lines_that_differ_about_builds_choose_nothing() -> None:
    assert match("file,text,use\na,One,yes\na,One,no\nb,Two,no\nb,Two,\n", KNOWN).choices == {"b.wav": False}


def test_table_without_titles_says_nothing_about_builds() -> None:
    found = match("a|One two three\nb|Four five six\n", KNOWN)
    assert found.lines and not found.choices
