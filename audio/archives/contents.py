"""Checks all headers of an archive and reads its metadata.csv. Run only in the limited child process."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from audio.archives.inflate import GzipReader
from audio.archives.limits import ArchiveLimits, Entry, read_bytes, refuse
from audio.archives.names import arrange_files
from audio.archives.tar_reader import RECORD, is_tar_header, read_tar_entries
from audio.archives.zip_reader import CENTRAL, END, END_SIZE, LOCAL, read_zip_entries

GZIP = b"\x1f\x8b"
ARCHIVE_SIGNATURES = (
    GZIP, LOCAL, CENTRAL, END, b"PK00PK", b"BZh", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd", b"LZIP", b"\x04\x22\x4d\x18", b"MSCF", b"xar!", b"!<arch>", b"070701", b"070707",
)  # fmt: skip
"""The first bytes of archives and compressed files of all kinds. No file in an archive may be one of them."""
ARCHIVE_EXTENSIONS = (
    ".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz", ".xz", ".txz", ".7z", ".rar", ".zst", ".lz", ".cab", ".jar"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contents:
    """The recordings by path, in order, with transcripts. All files but metadata.csv are recordings."""

    recordings: dict[str, Entry]
    transcripts: dict[str, str]
    has_metadata: bool


def read_contents(file: BinaryIO, limits: ArchiveLimits) -> Contents:
    """Read the headers of all files, and metadata.csv; Refused if anything in the archive is invalid."""
    size = file.seek(0, os.SEEK_END)
    entries = _read_entries(file, _detect_format(file, size), limits)
    files = arrange_files(entries, limits)
    _check_claimed_sizes(files, size, limits)
    metadata_paths = [path for path in files if path.lower() == METADATA_NAME]
    recordings = {path: entry for path, entry in files.items() if path not in metadata_paths}
    for path in recordings:
        if path.lower().endswith(ARCHIVE_EXTENSIONS):
            refuse("member_nested", name=path)
    transcripts = read_transcripts(files[metadata_paths[0]], recordings, limits) if metadata_paths else {}
    return Contents(recordings, transcripts, bool(metadata_paths))


def _read_entries(file: BinaryIO, kind: str, limits: ArchiveLimits) -> list[Entry]:
    if kind == "zip":
        return read_zip_entries(file, limits)
    if kind == "tar":
        return read_tar_entries(file, limits)
    inflated = GzipReader(file, limits)
    head = inflated.read(RECORD)
    if not is_tar_header(head) and head != bytes(RECORD):
        refuse("archive_nested" if is_archive_header(head) else "archive_not_tar")
    return read_tar_entries(inflated, limits)


def _detect_format(file: BinaryIO, size: int) -> str:
    """Detect the format by the first and last bytes. Refuse a file of several formats: readers would disagree on it."""
    head = read_bytes(file, 0, min(size, RECORD))
    ends_as_zip = size >= END_SIZE and read_bytes(file, size - END_SIZE, 4) == END
    kinds = {
        "zip": head.startswith((LOCAL, END)),
        "gzip": head.startswith(GZIP),
        "tar": is_tar_header(head) or (head == bytes(RECORD) and size > RECORD),
    }
    found = [kind for kind, matches in kinds.items() if matches]
    if len(found) > 1 or (found and ends_as_zip and found != ["zip"]):
        refuse("archive_polyglot")
    if not found:
        refuse("archive_prefix" if ends_as_zip else "not_an_archive")
    return found[0]


def is_archive_header(head: bytes) -> bool:
    """Whether a file with these first bytes is an archive."""
    return head.startswith(ARCHIVE_SIGNATURES) or is_tar_header(head[:RECORD])


def _check_claimed_sizes(files: dict[str, Entry], size: int, limits: ArchiveLimits) -> None:
    """Check the number of files and the sizes that the headers claim; the readers refuse more bytes than claimed."""
    if not files:
        refuse("archive_empty")
    if len(files) > limits.files:
        refuse("archive_too_many", limit=limits.files)
    for path, entry in files.items():
        if entry.size > limits.member_bytes:
            refuse("member_too_big", name=path, limit=limits.member_bytes >> 20)
        ratio = limits.list_ratio if path.lower() == METADATA_NAME else limits.ratio
        if entry.size > entry.packed_size * ratio + limits.member_allowance:
            refuse("archive_bomb")
    total = sum(entry.size for entry in files.values())
    if total > limits.total_bytes:
        refuse("archive_too_big", limit=limits.total_bytes >> 20)
    if total > size * limits.ratio + limits.total_allowance:
        refuse("archive_bomb")


METADATA_NAME = "metadata.csv"
COLUMN_TITLES = ({"name", "file", "filename", "file_name", "path", "id"}, {"text", "transcript", "transcription"})


def read_transcripts(entry: Entry, paths: Iterable[str], limits: ArchiveLimits) -> dict[str, str]:
    """Return by path the text of each recording that has a line in metadata.csv; Refused for an invalid line.

    A line names a recording by its path or its file name, with or without the extension.
    """
    known = _index_names(paths)
    transcripts: dict[str, str] = {}
    for line, name, text in _parse_lines(_read_text(entry, limits), limits):
        found = known.get(name, ())
        if not found and line == 1 and name.lower() in COLUMN_TITLES[0] and text.lower() in COLUMN_TITLES[1]:
            continue
        if len(found) != 1:
            refuse("metadata_ambiguous" if found else "metadata_unknown", line=line, name=name)
        (path,) = found
        if path in transcripts:
            refuse("metadata_twice", line=line, name=name)
        transcripts[path] = text
    return transcripts


def _index_names(paths: Iterable[str]) -> dict[str, set[str]]:
    """Map each possible name of a recording to the paths that it matches; a full path matches only itself."""
    known: dict[str, set[str]] = {}
    for path in paths:
        name = PurePosixPath(path).name
        for alias in {path, name, _strip_extension(path), _strip_extension(name)}:
            known.setdefault(alias, set()).add(path)
    return {name: {name} if name in matching_paths else matching_paths for name, matching_paths in known.items()}


def _strip_extension(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(""))


def _read_text(entry: Entry, limits: ArchiveLimits) -> str:
    if entry.size > limits.list_bytes:
        refuse("metadata_long", limit=limits.list_bytes >> 20)
    try:
        return b"".join(entry.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        refuse("metadata_not_utf8")


def _parse_lines(content: str, limits: ArchiveLimits) -> Iterator[tuple[int, str, str]]:
    """Yield number, name and text of each line, skipping empty lines."""
    for number, line in enumerate(content.split("\n"), start=1):
        plain = line.removesuffix("\r")
        if not plain.replace("\t", " ").isprintable():
            refuse("metadata_control", line=number)
        if not plain.strip():
            continue
        name, *fields = (part.strip() for part in plain.split("|"))
        if len(fields) != 1 or not name:
            refuse("metadata_columns", line=number)
        text = " ".join(fields[0].split())
        if not text:
            refuse("metadata_no_text", line=number)
        if len(text) > limits.text_characters:
            refuse("metadata_text_long", line=number, limit=limits.text_characters)
        yield number, name, text
