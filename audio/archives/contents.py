"""Checks all headers of an archive and reads its transcripts. Run only in the limited child process."""

import os
from dataclasses import dataclass
from typing import BinaryIO

from audio.archives.inflate import GzipReader
from audio.archives.limits import ArchiveLimits, Entry, read_bytes, refuse
from audio.archives.names import arrange_files
from audio.archives.sorting import TABLE_SUFFIXES, sort_files
from audio.archives.tar_reader import RECORD, is_tar_header, read_tar_entries
from audio.archives.transcripts import ArchiveTexts, LooseLine, list_file_findings
from audio.archives.zip_reader import CENTRAL, END, END_SIZE, LOCAL, read_zip_entries
from audio.findings.findings import Finding

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
    """The recordings by path, in order, with transcripts and choices, and the findings about the other files."""

    recordings: dict[str, Entry]
    transcripts: dict[str, str]
    in_builds: dict[str, bool]
    findings: list[Finding]
    loose_lines: list[LooseLine]


def read_contents(file: BinaryIO, limits: ArchiveLimits) -> Contents:
    """Read the headers of all files, and the transcripts; Refused if a header is invalid."""
    size = file.seek(0, os.SEEK_END)
    entries = _read_entries(file, _detect_format(file, size), limits)
    files = arrange_files(entries, limits)
    _check_claimed_sizes(files, size, limits)
    for path in files:
        if path.lower().endswith(ARCHIVE_EXTENSIONS):
            refuse("member_nested", name=path)
    found, texts = sort_files(files), ArchiveTexts(limits)
    if not found.recordings:
        refuse("archive_without_audio")
    texts.read(found)
    findings = [*texts.findings, *list_file_findings(found, texts)]
    return Contents(found.recordings, texts.by_path, texts.in_builds, findings, texts.loose)


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
        ratio = limits.list_ratio if path.lower().endswith(TABLE_SUFFIXES) else limits.ratio
        if entry.size > entry.packed_size * ratio + limits.member_allowance:
            refuse("archive_bomb")
    total = sum(entry.size for entry in files.values())
    if total > limits.total_bytes:
        refuse("archive_too_big", limit=limits.total_bytes >> 20)
    if total > size * limits.ratio + limits.total_allowance:
        refuse("archive_bomb")
