"""Reads tar archives of all dialects (v7, ustar, pax, GNU) with Python's tarfile, plain or compressed."""

import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

from audio.archives.kinds import RECORD
from audio.archives.limits import BLOCK, ArchiveLimits, Entry, read_range, refuse, refuse_member
from audio.findings.findings import FileRefused

EXTENDED_HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
REFUSED_KINDS = {
    tarfile.LNKTYPE: "member_hardlink",
    tarfile.SYMTYPE: "member_symlink",
    tarfile.CHRTYPE: "member_device",
    tarfile.BLKTYPE: "member_device",
    tarfile.FIFOTYPE: "member_fifo",
    b"M": "archive_split",
}
SKIPPED_KINDS = (b"V", b"D")
"""The name of a GNU volume, and the list of a folder in an incremental backup."""


def read_tar_entries(file: BinaryIO, limits: ArchiveLimits) -> tuple[list[Entry], bool]:
    """All files and folders in order, and whether bytes that are skipped follow them.

    FileRefused unless every header to the end of the archive is valid.
    """
    entries: list[Entry] = []
    try:
        with _open_tar(file, limits) as archive:
            while (info := archive.next()) is not None:
                if info.size < 0 or archive.offset <= info.offset:
                    refuse("archive_damaged", what="the size of a file is not a number")
                if info.type not in SKIPPED_KINDS:
                    entries.append(_build_entry(file, info, limits))
                if len(entries) > limits.entries:
                    refuse("archive_too_many", limit=limits.files)
    except FileRefused:
        raise
    except tarfile.ReadError as error:
        if "empty file" in str(error):
            refuse("archive_empty")
        if "unexpected end" in str(error) or "truncated" in str(error):
            refuse("archive_truncated")
        refuse("archive_damaged", what="the header of a file is invalid")
    except (tarfile.TarError, ValueError, OverflowError, RecursionError, LookupError):
        refuse("archive_damaged", what="the header of a file is invalid")
    return entries, _check_end(file, archive.offset)


def _open_tar(file: BinaryIO, limits: ArchiveLimits) -> tarfile.TarFile:
    class LimitedHeader(tarfile.TarInfo):
        """A header that is checked before tarfile uses its size."""

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "LimitedHeader":
            info = super().frombuf(buf, encoding, errors)
            if info.size < 0:
                refuse("archive_damaged", what="the size of a file is not a number")
            if info.type in EXTENDED_HEADERS and info.size > limits.note_bytes:
                refuse("member_note_long")
            return info

    return tarfile.open(fileobj=file, mode="r:", tarinfo=LimitedHeader, encoding="utf-8", errors="surrogateescape")


def _build_entry(file: BinaryIO, info: tarfile.TarInfo, limits: ArchiveLimits) -> Entry:
    if info.type in REFUSED_KINDS:
        refuse(REFUSED_KINDS[info.type], name=info.name)
    read: Callable[[], Iterator[bytes]] = partial(read_range, file, info.offset_data, info.size)
    if info.size > limits.member_bytes:
        read = partial(refuse_member, "member_too_big", limit=limits.member_bytes >> 20)
    elif info.issparse():
        read = partial(refuse_member, "member_sparse")
    elif not info.isreg() and not info.isdir():
        read = partial(refuse_member, "member_unusual")
    return Entry(info.name, info.size, info.size, info.isdir(), read)


def _check_end(file: BinaryIO, offset: int) -> bool:
    """Read to the end, which checks the checksums of compressed archives. True if not all bytes there are zeros.

    tarfile also ends at an invalid header, which would lose the files after it without a word.
    """
    file.seek(offset)
    if not (record := file.read(RECORD)):
        refuse("archive_truncated")
    if record.strip(b"\0"):
        refuse("archive_damaged", what="the header of a file is invalid")
    has_rest = False
    while block := file.read(BLOCK):
        has_rest = has_rest or bool(block.strip(b"\0"))
    return has_rest
