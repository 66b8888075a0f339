"""The layouts of a dataset: names that every system accepts, and tables that our own reader and others read."""

import csv
import io

import pytest

from audio.archives.limits import ARCHIVE_LIMITS, Entry
from audio.archives.names import arrange_files
from audio.archives.sorting import sort_files
from audio.datasets.layouts import Layout, LayoutRow, format_table, make_paths
from audio.transcripts.names import NameIndex
from audio.transcripts.table import match_lines, read_table

ODD_NAMES = (
    "take.wav", "Take.WAV", "TAKE.flac", "con.wav", "a/b:c*?.wav", "-1.wav", "..\\.hidden.mp3", "notes.txt", "take.zip",
    "日本語 ①.wav", "  .wav", "._mac.wav", "~$x.wav", "a\u202eb.wav", "end. .wav", "é.wav", "e\u0301.wav",
    "x" * 190 + ".wav", "語" * 90 + ".wav", "Thumbs.db", "x.bak", "take-2.WAV",
)  # fmt: skip
TEXTS = ("He said “no”.", '"Yes," she said; \'tis "so".', "=1+1 | two\nlines", "日本語です。", "", "-a, b")


@pytest.mark.parametrize("layout", list(Layout))
def test_names_are_valid_unique_and_those_of_recordings_on_every_system(layout: Layout) -> None:
    paths = make_paths(layout, ODD_NAMES)
    arranged = arrange_files([Entry(path, 1, 1, False, lambda: iter([b"."])) for path in paths], ARCHIVE_LIMITS)
    folder = "" if layout == Layout.RESEMBLE else paths[0].rpartition("/")[0] + "/"
    assert list(sort_files(arranged.by_path).recordings) == [path.removeprefix(folder) for path in paths]
    assert len({path.casefold() for path in paths}) == len(ODD_NAMES)
    names = [path.rpartition("/")[2] for path in paths]
    assert not [name for name in names if set(name) & set('<>:"/\\|?*') or name.lower() == "con.wav"]
    assert max(len(name.encode()) for name in names) <= 200


def test_original_names_stay_readable() -> None:
    assert make_paths(Layout.VOICEHUB, ["Line 01.wav", "line 01.WAV", "Grüße.flac", "take.zip"]) == [
        "recordings/Line 01.wav", "recordings/line 01-2.WAV", "recordings/Grüße.flac", "recordings/take.zip.wav",
    ]  # fmt: skip
    assert make_paths(Layout.LJSPEECH, ["a.wav", "a.flac"]) == ["wavs/a.wav", "wavs/a-2.wav"]
    assert make_paths(Layout.HUGGING_FACE, ["a.mp3"]) == ["data/a.wav"]
    assert make_paths(Layout.RESEMBLE, ["line 01.mp3"]) == ["line01.wav"]


def make_rows(layout: Layout, texts: tuple[str, ...] = TEXTS) -> list[LayoutRow]:
    paths = make_paths(layout, [f"clip-{number}.wav" for number in range(len(texts))])
    return [
        LayoutRow(path, text, number % 2 == 0) for number, (path, text) in enumerate(zip(paths, texts, strict=True))
    ]


@pytest.mark.parametrize("layout", list(Layout))
def test_our_reader_reads_the_texts_of_each_layout(layout: Layout) -> None:
    rows = make_rows(layout)
    index = NameIndex(row.path for row in rows)
    match = match_lines(read_table(format_table(layout, rows), lambda name: bool(index.find(name))).lines, index)
    has_bars = layout in (Layout.VOICEHUB, Layout.HUGGING_FACE)
    expected = {row.path: row.text.replace("|", "|" if has_bars else " ") for row in rows if row.text}
    assert {name: line.text for name, line in match.lines.items()} == {
        path: " ".join(text.split()) for path, text in expected.items()
    }
    choices = {row.path: row.in_builds for row in rows} if layout == Layout.VOICEHUB else {}
    assert match.choices == choices and not match.unknown and len(match.empty) == 1


def test_no_spreadsheet_takes_a_text_for_a_formula_and_apostrophes_stay() -> None:
    rows = make_rows(Layout.VOICEHUB, ("=1+1", "'=1+1", "''-a", "'Tis"))
    table = format_table(Layout.VOICEHUB, rows)
    assert ",'=1+1," in table.decode()
    assert [line.text for line in read_table(table, lambda _name: True).lines] == [row.text for row in rows]


def test_tables_are_those_that_other_tools_read() -> None:
    text = ('One | two, "three".',)
    assert format_table(Layout.LJSPEECH, make_rows(Layout.LJSPEECH, text)) == (
        b'clip-0|One two, "three".|One two, "three".\n'
    )
    assert format_table(Layout.RESEMBLE, make_rows(Layout.RESEMBLE, text)) == b'clip0|One two, "three".\n'
    table = format_table(Layout.HUGGING_FACE, make_rows(Layout.HUGGING_FACE, text)).decode()
    assert list(csv.reader(io.StringIO(table))) == [["file_name", "transcription"], ["data/clip-0.wav", text[0]]]


def test_normalized_texts_are_the_third_column_and_come_back() -> None:
    rows = [
        LayoutRow("wavs/a.wav", "In 1843.", True, "In eighteen forty-three."),
        LayoutRow("wavs/b.wav", "So.", False),
    ]
    assert format_table(Layout.LJSPEECH, rows).decode() == "a|In 1843.|In eighteen forty-three.\nb|So.|So.\n"
    own = read_table(format_table(Layout.VOICEHUB, rows), lambda name: name in {"wavs/a.wav", "wavs/b.wav"})
    assert [(line.text, line.normalized) for line in own.lines] == [
        ("In 1843.", "In eighteen forty-three."),
        ("So.", ""),
    ]
