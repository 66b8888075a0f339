"""The layouts in which a voice leaves VoiceHub as a dataset: names of the files, and the table of the texts."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from audio.datasets.archive_writer import clean_text, make_clip_names
from audio.transcripts.cleaning import escape_cell
from audio.transcripts.names import AUDIO_SUFFIX_PATTERN, fold_name, get_file_name, get_stem

WAV_SUFFIX = ".wav"
MAX_STEM_BYTES = 150
# What Windows, a shell or a spreadsheet takes for something else, or no system shows.
UNSAFE_PATTERN = re.compile(r'[<>:"/\\|?*]+')
STRIPPED_START = " .~$-+=@'＝＋－＠"
STRIPPED_END = " .~"
WINDOWS_DEVICE_PATTERN = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


class Layout(StrEnum):
    VOICEHUB = "voicehub"
    LJSPEECH = "ljspeech"
    HUGGING_FACE = "hugging_face"
    RESEMBLE = "resemble"


FOLDERS = {Layout.VOICEHUB: "recordings/", Layout.LJSPEECH: "wavs/", Layout.HUGGING_FACE: "data/", Layout.RESEMBLE: ""}


@dataclass(frozen=True, slots=True)
class LayoutRow:
    """A recording as a table describes it. `path` is that of its file in the archive, `normalized` a second text."""

    path: str
    text: str
    in_builds: bool
    normalized: str = ""


def has_originals(layout: Layout) -> bool:
    """Whether the archive has the uploaded files. All other layouts have 16-bit mono WAV files."""
    return layout == Layout.VOICEHUB


def make_paths(layout: Layout, file_names: Sequence[str]) -> list[str]:
    """The path of each file: readable, valid on every system, and unique on those that ignore case."""
    if layout == Layout.RESEMBLE:
        stems = make_clip_names([_make_safe(_split_name(name)[0]) for name in file_names])
        return [f"{stem}{WAV_SUFFIX}" for stem in stems]
    used: set[str] = set()
    return [FOLDERS[layout] + _make_unique_name(name, layout, used) for name in file_names]


def _make_unique_name(file_name: str, layout: Layout, used: set[str]) -> str:
    stem, suffix = _split_name(file_name)
    stem, suffix = _make_safe(stem), suffix if has_originals(layout) else WAV_SUFFIX
    name, number = f"{stem}{suffix}", 1
    while fold_name(name) in used:
        number += 1
        name = f"{stem}-{number}{suffix}"
    used.add(fold_name(name))
    return name


def _split_name(file_name: str) -> tuple[str, str]:
    """The stem and the suffix. A name without a suffix of audio files gets one, so that it is read as audio again."""
    name = get_file_name(file_name)
    match = AUDIO_SUFFIX_PATTERN.search(name)
    return (name[: match.start()], match[0]) if match else (name, WAV_SUFFIX)


def _make_safe(stem: str) -> str:
    visible = "".join(one if one.isprintable() else " " for one in unicodedata.normalize("NFC", stem))
    words = " ".join(UNSAFE_PATTERN.sub("-", visible).split())
    short = words.lstrip(STRIPPED_START).encode()[:MAX_STEM_BYTES].decode(errors="ignore")
    safe = short.rstrip(STRIPPED_END) or "recording"
    return f"clip {safe}" if WINDOWS_DEVICE_PATTERN.match(safe) else safe


def format_table(layout: Layout, rows: Sequence[LayoutRow]) -> bytes:
    """The metadata.csv of the layout, in UTF-8. That of VoiceHub has the mark by which spreadsheets recognize it."""
    if layout == Layout.VOICEHUB:
        return _format_own_table(rows).encode("utf-8-sig")
    if layout == Layout.HUGGING_FACE:
        return _format_csv(("file_name", "transcription"), [(row.path, row.text) for row in rows]).encode()
    lines = ([get_stem(row.path), row.text, row.normalized or row.text] for row in rows)
    columns = 3 if layout == Layout.LJSPEECH else 2
    return "".join("|".join([line[0], *map(clean_text, line[1:columns])]) + "\n" for line in lines).encode()


def _format_own_table(rows: Sequence[LayoutRow]) -> str:
    """The table with all that an upload reads again."""
    titles, cells = ["file_name", "text", "in_builds"], []
    has_normalized = any(row.normalized for row in rows)
    for row in rows:
        line = [row.path, escape_cell(row.text), "yes" if row.in_builds else "no"]
        cells.append([*line, escape_cell(row.normalized)] if has_normalized else line)
    return _format_csv([*titles, "normalized_text"] if has_normalized else titles, cells)


def _format_csv(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows(rows)
    return text.getvalue()
