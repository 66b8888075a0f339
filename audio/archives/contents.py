"""Checks all headers of an archive and reads its transcripts. Run only in the limited child process."""

import io
import os
from dataclasses import dataclass
from typing import BinaryIO, cast

from audio.archives.decompression import OUTPUT_BLOCK, Decompressed
from audio.archives.kinds import (
    BZIP2,
    GZIP,
    RECORD,
    XZ,
    ZIP_END,
    ZIP_FILE,
    get_other_format,
    is_archive_header,
    is_tar_header,
)
from audio.archives.limits import ArchiveLimits, Entry, refuse
from audio.archives.names import arrange_files
from audio.archives.sorting import sort_files
from audio.archives.tar_reader import read_tar_entries
from audio.archives.transcripts import ArchiveTexts, LooseLine, list_file_findings
from audio.archives.zip_reader import END_BYTES, MAX_COMMENT_BYTES, read_zip_entries
from audio.findings.findings import Finding, make_finding
from audio.transcripts.names import TABLE_SUFFIXES

COMPRESSED = {GZIP: "gzip", BZIP2: "bzip2", XZ: "xz"}


@dataclass(frozen=True, slots=True)
class Contents:
    """The recordings by path, in order, with transcripts and choices, and the findings about the other files."""

    recordings: dict[str, Entry]
    transcripts: dict[str, str]
    in_builds: dict[str, bool]
    findings: list[Finding]
    loose_lines: list[LooseLine]
    texts: dict[str, Entry]
    code_page: str


def read_contents(
    file: BinaryIO, limits: ArchiveLimits, language: str = "", code_page: str = "", *, reads_texts: bool = True
) -> Contents:
    """Read the headers of all files, and the transcripts; FileRefused if the archive as a whole cannot be taken.

    `language` (a BCP 47 tag) helps to find the code page of names that are not UTF-8, unless `code_page` says it.
    Without `reads_texts`, the tables and texts are not read: the caller gets them in `texts`.
    """
    size = file.seek(0, os.SEEK_END)
    entries, findings = _read_entries(file, size, limits)
    named = arrange_files(entries, limits, language, code_page)
    files = named.by_path
    _check_claimed_sizes(files, size, limits)
    found, texts = sort_files(files), ArchiveTexts(limits)
    if not found.recordings:
        if found.archives:
            refuse("archive_of_archives", name=found.archives[0])
        refuse("archive_without_audio")
    if reads_texts:
        texts.read(found)
    findings += [*named.findings, *texts.findings, *list_file_findings(found, texts)]
    return Contents(
        found.recordings, texts.by_path, texts.in_builds, findings, texts.loose, found.tables, named.code_page
    )


def _read_entries(file: BinaryIO, size: int, limits: ArchiveLimits) -> tuple[list[Entry], list[Finding]]:
    """Read by the first bytes, and a ZIP by its last ones. FileRefused for a file of several formats."""
    file.seek(0)
    head = file.read(RECORD)
    compressed = next((signature for signature in COMPRESSED if head.startswith(signature)), b"")
    is_tar = is_tar_header(head) or (head == bytes(RECORD) and size > RECORD)
    if (compressed or is_tar) and (head.startswith((ZIP_FILE, ZIP_END)) or _ends_as_zip(file, size)):
        refuse("archive_polyglot")
    if compressed:
        return _read_compressed_entries(file, compressed, limits)
    if is_tar:
        file.seek(0)
        return _report_rest(*read_tar_entries(file, limits))
    if name := get_other_format(head):
        refuse("archive_other_format", format=name)
    if not head.startswith((ZIP_FILE, ZIP_END)) and not _has_zip_end(file, size):
        refuse("not_an_archive")
    entries, skipped = read_zip_entries(file, limits)
    return entries, [make_finding("archive_hidden", count=skipped)] if skipped else []


def _read_compressed_entries(
    file: BinaryIO, signature: bytes, limits: ArchiveLimits
) -> tuple[list[Entry], list[Finding]]:
    raw = Decompressed(file, signature, limits)
    content = cast(BinaryIO, io.BufferedReader(raw, OUTPUT_BLOCK))
    head = content.read(RECORD)
    if not is_tar_header(head) and head != bytes(RECORD):
        name = COMPRESSED[signature]
        refuse("archive_nested" if is_archive_header(head) else "archive_not_tar", format=name)
    content.seek(0)
    entries, has_rest = read_tar_entries(content, limits)
    return _report_rest(entries, has_rest or raw.has_trailing_bytes)


def _report_rest(entries: list[Entry], has_rest: bool) -> tuple[list[Entry], list[Finding]]:
    return entries, [make_finding("archive_trailing")] if has_rest else []


def _ends_as_zip(file: BinaryIO, size: int) -> bool:
    file.seek(max(0, size - END_BYTES))
    return file.read(len(ZIP_END)) == ZIP_END


def _has_zip_end(file: BinaryIO, size: int) -> bool:
    """Whether the file is a ZIP with other bytes before it, such as a program that unpacks it."""
    file.seek(max(0, size - END_BYTES - MAX_COMMENT_BYTES))
    return ZIP_END in file.read()


def _check_claimed_sizes(files: dict[str, Entry], size: int, limits: ArchiveLimits) -> None:
    """Check the number of files and the sizes that the headers claim; the readers count the bytes."""
    if not files:
        refuse("archive_empty")
    if len(files) > limits.files:
        refuse("archive_too_many", limit=limits.files)
    # Larger files are refused one by one, without reading them.
    sizes = {path: entry for path, entry in files.items() if entry.size <= limits.member_bytes}
    for path, entry in sizes.items():
        ratio = limits.list_ratio if path.lower().endswith(TABLE_SUFFIXES) else limits.ratio
        if entry.size > entry.packed_size * ratio + limits.member_allowance:
            refuse("archive_bomb")
    total = sum(entry.size for entry in sizes.values())
    if total > limits.total_bytes:
        refuse("archive_too_big", limit=limits.total_bytes >> 20)
    if total > size * limits.ratio + limits.total_allowance:
        refuse("archive_bomb")
