"""Reads ZIP files with Python's zipfile, and checks what it believes: sizes, overlaps, links and encryption.

Only the directory at the end of the ZIP counts, as in other readers. Bytes that it does not mention are skipped.
"""

import copy
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import BinaryIO

from audio.archives.kinds import ZIP_END, ZIP_FILE
from audio.archives.limits import BLOCK, ArchiveLimits, Entry, refuse, refuse_member
from audio.findings.findings import FileRefused

CENTRAL = b"PK\x01\x02"
LOCAL_HEADER = struct.Struct("<4s22xHH")
CENTRAL_HEADER, FLAGS_AT = struct.Struct("<8xH18xHHH12x"), 8
"""The flags of a file, and the lengths of its name, extra field and comment."""
END_BYTES, MAX_COMMENT_BYTES = 22, 0xFFFF
MAX_DIRECTORY_BYTES = 6 << 20
"""512 bytes for each of 12,000 entries. Limited because zipfile reads the directory into memory."""
ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
HAS_DESCRIPTOR, UTF_8, PATCHED = 1 << 3, 1 << 11, 1 << 5
MAX_DESCRIPTOR_BYTES = 24
EXTRA_AES, EXTRA_STRONG, EXTRA_PATH = 0x9901, 0x0017, 0x7075
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DOS_FOLDER = 0x10
REFUSED_KINDS = {
    stat.S_IFLNK: "member_symlink",
    stat.S_IFCHR: "member_device",
    stat.S_IFBLK: "member_device",
    stat.S_IFIFO: "member_fifo",
    stat.S_IFSOCK: "member_fifo",
}


class _LimitedFile:
    """The file for zipfile, which would read a directory of any length, and refuse it for one name."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.tell = file.tell
        self._has_directory = False

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(min(size, MAX_DIRECTORY_BYTES + 1) if size >= 0 else MAX_DIRECTORY_BYTES + 1)
        if len(data) > MAX_DIRECTORY_BYTES:
            refuse("archive_damaged", what="its directory is too large")
        if data.startswith(CENTRAL) and size > 0 and not self._has_directory:
            self._has_directory = True
            return _clear_wrong_marks(data)
        return data


def _clear_wrong_marks(directory: bytes) -> bytes:
    """The directory without the mark for UTF-8 at names that are not."""
    cleared, position = bytearray(directory), 0
    while cleared.startswith(CENTRAL, position) and position + CENTRAL_HEADER.size <= len(cleared):
        flags, *lengths = CENTRAL_HEADER.unpack_from(cleared, position)
        start = position + CENTRAL_HEADER.size
        if flags & UTF_8 and not _is_utf_8(directory[start : start + lengths[0]]):
            struct.pack_into("<H", cleared, position + FLAGS_AT, flags & ~UTF_8)
        position = start + sum(lengths)
    return bytes(cleared)


def _is_utf_8(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_zip_entries(file: BinaryIO, limits: ArchiveLimits) -> tuple[list[Entry], int]:
    """All entries in the order of the file, and how many bytes belong to none of them."""
    archive = _open_zip(file)
    members = sorted(archive.infolist(), key=lambda info: info.header_offset)
    if len(members) > limits.entries:
        refuse("archive_too_many", limit=limits.files)
    if _read_disk_number(file) or any(info.volume for info in members):
        refuse("archive_split")
    skipped = _count_skipped_bytes(file, members, archive.start_dir)
    return [_build_entry(file, info, limits) for info in members], skipped


def _open_zip(file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(_LimitedFile(file), metadata_encoding="latin-1")
    except FileRefused:
        raise
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError) as error:
        if "multiple disks" in str(error):
            refuse("archive_split")
        if "not a zip file" in str(error) or "Bad offset" in str(error):
            refuse("archive_truncated")
        refuse("archive_damaged", what="its directory is invalid")


def _read_disk_number(file: BinaryIO) -> int:
    """The number of this part in a split ZIP; 0 for a whole one, or if the ZIP64 record has the number."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END_BYTES - MAX_COMMENT_BYTES))
    tail = file.read()
    number = int.from_bytes(tail[(end := tail.rfind(ZIP_END)) + 4 : end + 6], "little")
    return 0 if number == 0xFFFF else number


def _count_skipped_bytes(file: BinaryIO, members: list[zipfile.ZipInfo], directory_start: int) -> int:
    """Count the bytes before the directory that belong to no file. FileRefused if two files share bytes."""
    skipped = members[0].header_offset if members else directory_start
    if skipped < 0:
        refuse("archive_truncated")
    starts = [*(info.header_offset for info in members), directory_start]
    for info, (_, next_start) in zip(members, pairwise(starts), strict=True):
        gap = next_start - _find_end(file, info)
        if gap < 0:
            refuse("archive_overlap")
        skipped += 0 if info.flag_bits & HAS_DESCRIPTOR and gap <= MAX_DESCRIPTOR_BYTES else gap
    return skipped


def _find_end(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    start = _find_data(file, info)
    return (start or info.header_offset + LOCAL_HEADER.size + len(info.orig_filename)) + info.compress_size


def _find_data(file: BinaryIO, info: zipfile.ZipInfo) -> int | None:
    """Where the data of a file begin. Its own header has the lengths of its name and extra field; None without one."""
    file.seek(info.header_offset)
    head = file.read(LOCAL_HEADER.size)
    if not head.startswith(ZIP_FILE) or len(head) < LOCAL_HEADER.size:
        return None
    _signature, name_bytes, extra_bytes = LOCAL_HEADER.unpack(head)
    return info.header_offset + LOCAL_HEADER.size + int(name_bytes) + int(extra_bytes)


def _build_entry(file: BinaryIO, info: zipfile.ZipInfo, limits: ArchiveLimits) -> Entry:
    path, extra_fields = _decode_path(info), dict(_parse_extra_fields(info.extra))
    if info.flag_bits & ENCRYPTED or info.compress_type == 99 or {EXTRA_AES, EXTRA_STRONG} & extra_fields.keys():
        refuse("member_encrypted", name=path)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind in REFUSED_KINDS:
        refuse(REFUSED_KINDS[kind], name=path)
    is_folder = kind == stat.S_IFDIR or path.endswith(("/", "\\")) or bool(not kind and info.external_attr & DOS_FOLDER)
    read: Callable[[], Iterator[bytes]] = partial(_read_member, file, info, limits)
    if info.file_size > limits.member_bytes:
        read = partial(refuse_member, "member_too_big", limit=limits.member_bytes >> 20)
    elif (is_folder and info.file_size) or info.flag_bits & PATCHED:
        read = partial(refuse_member, "member_unusual")
    elif info.compress_type not in METHODS:
        read = partial(refuse_member, "member_compression")
    return Entry(path, info.file_size, info.compress_size, is_folder and not info.file_size, read)


def _decode_path(info: zipfile.ZipInfo) -> str:
    """The name of a file; of the two that it may have, the one that is certainly UTF-8 (APPNOTE.TXT 4.6.9)."""
    if info.flag_bits & UTF_8:
        return info.orig_filename
    raw = info.orig_filename.encode("latin-1")
    unicode_path = dict(_parse_extra_fields(info.extra)).get(EXTRA_PATH, b"")
    if unicode_path[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
        raw = unicode_path[5:]
    return raw.decode("utf-8", "surrogateescape")


def _parse_extra_fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        kind, size = struct.unpack_from("<HH", data)
        yield kind, data[4 : 4 + size]
        data = data[4 + size :]


class _MemberData:
    """The file from the data of a member on. ZipFile.open refuses members whose two headers differ in their marks."""

    def __init__(self, file: BinaryIO, start: int) -> None:
        self._file, self._position = file, start

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._position)
        data = self._file.read(size)
        self._position += len(data)
        return data


def _read_member(file: BinaryIO, info: zipfile.ZipInfo, limits: ArchiveLimits) -> Iterator[bytes]:
    """Yield the bytes of a file; MemberRefused if they are damaged.

    FileRefused if the size in the directory is a lie: if there are far more bytes, or others than the size and the
    checksum agree on. zipfile would stop at that size, so it gets a larger one.
    """
    size, most = 0, max(info.file_size, info.compress_size * limits.list_ratio + limits.member_allowance)
    start = _find_data(file, info)
    if start is None:
        refuse_member("member_damaged")
    unlimited = copy.copy(info)
    unlimited.file_size = most + 2 * BLOCK
    try:
        with zipfile.ZipExtFile(_MemberData(file, start), "r", unlimited) as stream:
            while block := stream.read(BLOCK):
                if size < info.file_size:
                    yield block[: info.file_size - size]
                size += len(block)
                if size > most:
                    refuse("archive_bomb")
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        refuse_member("member_checksum" if "CRC" in str(error) else "member_damaged")
    if size != info.file_size:
        refuse("archive_disagrees", name=_decode_path(info))
