"""Tells the files of an archive apart: recordings, transcripts, side files of editors and systems, and others."""

import re
from dataclasses import dataclass, field

from audio.archives.kinds import NESTED_EXTENSIONS
from audio.archives.limits import Entry, MemberRefused
from audio.transcripts.names import (
    AUDIO_SUFFIX_PATTERN,
    CLIP_TEXT_SUFFIX,
    TABLE_SUFFIXES,
    NameIndex,
    get_file_name,
)

SIDE_SUFFIXES = (
    ".pkf", ".pk", ".sfk", ".sfap0", ".reapeaks", ".reapindex", ".asd", ".ovw", ".wfm", ".gpk", ".peak", ".peaks",
    ".aup", ".aup3", ".aup3-wal", ".aup3-shm", ".rpp", ".rpp-bak", ".sesx", ".ses", ".cpr", ".als", ".ptx", ".mpr",
    ".bak", ".tmp", ".part", ".crdownload", ".lnk", ".url", ".ini", ".db", ".md5", ".sha256", ".sfv",
)  # fmt: skip
"""Peaks, projects and leftovers of Audition, Audacity, Reaper, Live, Cubase, Pro Tools, Sound Forge and systems."""
SIDE_NAMES = ("receipt.json",)
"""What VoiceHub puts beside the recordings of a voice that is downloaded as a dataset."""
SIDE_NAME_PATTERN = re.compile(r"(\.~lock\..*#|\.directory|icon\r?|~\$.*|\.nfs.*|.*~)$", re.IGNORECASE | re.DOTALL)
AUDIO_STARTS = (
    b"RIFF",
    b"RIFX",
    b"RF64",
    b"BW64",
    b"riff",
    b"fLaC",
    b"OggS",
    b"ID3",
    b"FORM",
    b"caff",
    b"\x1aE\xdf\xa3",
)
MP4_MARK = slice(4, 8)
START_BYTES = 16


@dataclass(slots=True)
class SortedFiles:
    """The files of an archive by path. `clip_texts` has the recording whose transcript each text file is."""

    recordings: dict[str, Entry] = field(default_factory=dict)
    tables: dict[str, Entry] = field(default_factory=dict)
    clip_texts: dict[str, str] = field(default_factory=dict)
    side_files: list[str] = field(default_factory=list)
    archives: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def sort_files(files: dict[str, Entry]) -> SortedFiles:
    """Sort by name. Files with an unknown extension, or none, are recordings if they begin like audio."""
    found = SortedFiles()
    for path, entry in files.items():
        if is_side_file(path):
            found.side_files.append(path)
        elif path.lower().endswith(NESTED_EXTENSIONS):
            found.archives.append(path)
        elif path.lower().endswith(TABLE_SUFFIXES):
            found.tables[path] = entry
        elif AUDIO_SUFFIX_PATTERN.search(path) or _has_audio_start(entry):
            found.recordings[path] = entry
        else:
            found.others.append(path)
    _find_clip_texts(found)
    return found


def is_side_file(path: str) -> bool:
    name = get_file_name(path)
    lower = name.lower()
    return lower.endswith(SIDE_SUFFIXES) or lower in SIDE_NAMES or bool(SIDE_NAME_PATTERN.fullmatch(name))


def _has_audio_start(entry: Entry) -> bool:
    try:
        start = next(iter(entry.read()), b"")[:START_BYTES]
    except MemberRefused:
        return False
    return is_audio_start(start)


def is_audio_start(start: bytes) -> bool:
    """Whether these are the first bytes of a format of audio."""
    return start.startswith(AUDIO_STARTS) or start[MP4_MARK] == b"ftyp"


def _find_clip_texts(found: SortedFiles) -> None:
    """A text file beside a recording, with its name, is the recording's transcript."""
    texts = {path: path[: -len(CLIP_TEXT_SUFFIX)] for path in found.tables if path.lower().endswith(CLIP_TEXT_SUFFIX)}
    index = NameIndex(found.recordings)
    for path, name in texts.items():
        matches = index.find(name)
        if len(matches) == 1 and matches[0] not in found.clip_texts.values():
            found.clip_texts[path] = matches[0]
