"""A strict reader of ZIP files: every byte of the file has to belong to exactly one thing.

A ZIP says everything twice, before each file and in the directory at its end, and readers differ in what they believe.
Here both must say the same, with no gap, no overlap and nothing before, behind or between.
The layout: APPNOTE.TXT 6.3.10 (PKWARE, 2022), of which this takes stored and deflated files of under 4 GB.
"""

import contextlib
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from audio.archives.limits import INFLATED_BLOCK, ArchiveLimits, Entry, read_bytes, read_range, refuse
from audio.archives.names import decode_name

LOCAL, CENTRAL, END, DESCRIPTOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x07\x08"
LOCATOR_64 = b"PK\x06\x07"
LOCAL_SIZE, CENTRAL_SIZE, END_SIZE, LOCATOR_SIZE = 30, 46, 22, 20
MAX_COMMENT_BYTES = 0xFFFF
MAX_DIRECTORY_BYTES = 16 << 20
"""More than a kB for each of 12,000 entries: it is read into memory."""
STORED, DEFLATED = 0, 8
ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
HAS_DESCRIPTOR = 1 << 3
PATCHED = 1 << 5
EXTRA_ZIP64, EXTRA_AES, EXTRA_STRONG, EXTRA_PATH = 0x0001, 0x9901, 0x0017, 0x7075


@dataclass(frozen=True, slots=True)
class _Header:
    """What both headers say of a file."""

    flags: int
    method: int
    crc: int
    packed: int
    size: int
    name: bytes


@dataclass(frozen=True, slots=True)
class _DirectoryRecord:
    header: _Header
    attributes: int
    offset: int


def read_zip_entries(file: BinaryIO, limits: ArchiveLimits) -> list[Entry]:
    """All entries in the order in which they lie in the file, with both headers checked; Refused otherwise."""
    size = file.seek(0, os.SEEK_END)
    count, start, end = _read_end_record(file, size)
    if count > limits.entries:
        refuse("archive_too_many", limit=limits.files)
    if end - start > MAX_DIRECTORY_BYTES:
        refuse("archive_damaged", what="its directory is longer than any")
    members = sorted(_parse_directory(read_bytes(file, start, end - start), count), key=lambda one: one.offset)
    entries, place = [], 0
    following = [*(one.offset for one in members), start][1:]
    for member, until in zip(members, following, strict=True):
        if member.offset != place:
            refuse("archive_overlap" if member.offset < place else "archive_hidden")
        entries.append(_build_entry(file, member, until))
        place = until
    if place != start:
        refuse("archive_hidden")
    return entries


def _read_end_record(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """How many files there are, and where the directory begins and ends: right before the very last record."""
    tail_size = min(size, END_SIZE + MAX_COMMENT_BYTES)
    tail = read_bytes(file, size - tail_size, tail_size)
    if len(tail) < END_SIZE or tail[-END_SIZE:][:4] != END or tail[-2:] != b"\0\0":
        _refuse_missing_end(tail)
    at = size - END_SIZE
    disk, first_disk, here, count, length, start = struct.unpack_from("<HHHHII", tail, len(tail) - END_SIZE + 4)
    if 0xFFFF in (disk, first_disk, here, count) or 0xFFFFFFFF in (length, start) or _has_locator(tail):
        refuse("archive_zip64")
    if disk or first_disk or here != count:
        refuse("archive_split")
    if start + length > at:
        refuse("archive_truncated")
    if start + length < at:
        refuse("archive_prefix")
    return count, start, at


def _has_locator(tail: bytes) -> bool:
    return tail[-END_SIZE - LOCATOR_SIZE :][:4] == LOCATOR_64


def _refuse_missing_end(tail: bytes) -> None:
    place = tail.rfind(END)
    if place < 0 or place + END_SIZE > len(tail):
        refuse("archive_truncated")
    comment = struct.unpack_from("<H", tail, place + END_SIZE - 2)[0]
    refuse("archive_comment" if comment == len(tail) - place - END_SIZE else "archive_trailing")


def _parse_directory(data: bytes, count: int) -> Iterator[_DirectoryRecord]:
    """Exactly so many records, to the exact end."""
    place = 0
    for _ in range(count):
        if data[place : place + 4] != CENTRAL or place + CENTRAL_SIZE > len(data):
            refuse("archive_damaged", what="its directory is broken")
        flags, method, crc, packed, size, name, extra, comment, disk, attributes, offset = struct.unpack_from(
            "<HH4xIIIHHHH2xII", data, place + 8
        )
        start = place + CENTRAL_SIZE
        place = start + name + extra + comment
        if place > len(data):
            refuse("archive_damaged", what="its directory is broken")
        header = _Header(flags, method, crc, packed, size, data[start : start + name])
        _check_header(header, data[start + name : start + name + extra])
        if comment or disk:
            refuse("archive_comment" if comment else "archive_split")
        yield _DirectoryRecord(header, attributes, offset)
    if place != len(data):
        refuse("archive_hidden")


def _check_header(header: _Header, extra: bytes) -> None:
    """What neither header may say."""
    name = header.name.decode("utf-8", "replace")
    kinds = dict(_parse_extra_fields(extra, name))
    if header.flags & ENCRYPTED or EXTRA_AES in kinds or EXTRA_STRONG in kinds or header.method == 99:
        refuse("member_encrypted", name=name)
    if EXTRA_ZIP64 in kinds:
        refuse("archive_zip64")
    if header.flags & PATCHED:
        refuse("member_unusual", name=name)
    if header.method not in (STORED, DEFLATED):
        refuse("member_compression", name=name)
    if EXTRA_PATH in kinds and kinds[EXTRA_PATH][5:] != header.name:
        refuse("archive_disagrees", name=name)


def _parse_extra_fields(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """The fields for other systems that follow a name, each once; what is in most of them concerns nobody here."""
    place, seen = 0, set()
    while place < len(data):
        kind, size = struct.unpack_from("<HH", data, place) if place + 4 <= len(data) else (0, len(data))
        if place + 4 + size > len(data) or kind in seen:
            refuse("archive_damaged", what=f"the fields beside {name[:40]!a} are broken")
        seen.add(kind)
        yield kind, data[place + 4 : place + 4 + size]
        place += 4 + size


def _build_entry(file: BinaryIO, member: _DirectoryRecord, until: int) -> Entry:
    """The file, its bytes found by its local header; `until` is where the next thing begins."""
    header, path = member.header, decode_name(member.header.name)
    local, data = _read_local_header(file, member, until, path)
    _check_agreement(local, header, path)
    end = data + header.packed
    if end > until:
        refuse("archive_overlap")
    _check_between(read_bytes(file, end, min(until - end, 17)), header)
    is_folder = _is_folder(member, path)
    return Entry(path.removesuffix("/"), header.size, header.packed, is_folder, partial(_read_file, file, header, data))


def _read_local_header(file: BinaryIO, member: _DirectoryRecord, until: int, path: str) -> tuple[_Header, int]:
    head = read_bytes(file, member.offset, LOCAL_SIZE)
    if head[:4] != LOCAL:
        refuse("archive_disagrees", name=path)
    flags, method, crc, packed, size, name, extra = struct.unpack_from("<HH4xIIIHH", head, 6)
    data = member.offset + LOCAL_SIZE + name + extra
    if data > until:
        refuse("archive_overlap")
    rest = read_bytes(file, member.offset + LOCAL_SIZE, name + extra)
    header = _Header(flags, method, crc, packed, size, rest[:name])
    _check_header(header, rest[name:])
    return header, data


def _check_agreement(local: _Header, central: _Header, path: str) -> None:
    """The same name, way and sizes; only a header that was written before its file may have left the sizes out."""
    same = (local.method, local.name) == (central.method, central.name)
    same = same and local.flags & HAS_DESCRIPTOR == central.flags & HAS_DESCRIPTOR
    told, meant = (local.crc, local.packed, local.size), (central.crc, central.packed, central.size)
    left_out = local.flags & HAS_DESCRIPTOR and all(mine in (0, other) for mine, other in zip(told, meant, strict=True))
    if not same or not (told == meant or left_out):
        refuse("archive_disagrees", name=path)


def _check_between(data: bytes, header: _Header) -> None:
    """Between two files stands nothing, or where the flag says so the checksum and the sizes once more."""
    record = struct.pack("<III", header.crc, header.packed, header.size)
    if header.flags & HAS_DESCRIPTOR:
        if data not in (record, DESCRIPTOR + record):
            refuse("archive_disagrees" if len(data) in (12, 16) else "archive_hidden", name=decode_name(header.name))
    elif data:
        refuse("archive_hidden")


def _is_folder(member: _DirectoryRecord, path: str) -> bool:
    """By its slash, with which the mode that Unix gave it has to agree."""
    kind, is_folder = stat.S_IFMT(member.attributes >> 16), path.endswith("/")
    if kind == stat.S_IFLNK:
        refuse("member_symlink", name=path)
    if kind in (stat.S_IFCHR, stat.S_IFBLK):
        refuse("member_device", name=path)
    if kind in (stat.S_IFIFO, stat.S_IFSOCK):
        refuse("member_fifo", name=path)
    if kind not in (0, stat.S_IFDIR if is_folder else stat.S_IFREG) or (is_folder and member.header.size):
        refuse("member_unusual", name=path)
    return is_folder


def _read_file(file: BinaryIO, header: _Header, data: int) -> Iterator[bytes]:
    """The bytes of the file as they were packed; Refused at the first that is more, or at the end if any is wrong."""
    name, crc, size = decode_name(header.name), 0, 0
    raw = read_range(file, data, header.packed)
    for block in raw if header.method == STORED else _inflate_blocks(raw, name):
        crc, size = zlib.crc32(block, crc), size + len(block)
        if size > header.size:
            refuse("archive_disagrees", name=name)
        yield block
    if size != header.size:
        refuse("archive_disagrees", name=name)
    if crc != header.crc:
        refuse("member_checksum", name=name)


def _inflate_blocks(raw: Iterator[bytes], name: str) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    with contextlib.suppress(zlib.error):
        for packed in raw:
            yield from _inflate_block(inflate, packed)
    if not inflate.eof:
        refuse("archive_damaged", what=f"{name[:40]!a} cannot be unpacked")
    if inflate.unused_data:
        refuse("archive_hidden")


def _inflate_block(inflate: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """What these bytes unpack to, a little at a time; when a piece is full, more may wait inside."""
    full = True
    while (packed or full) and not inflate.eof:
        block = inflate.decompress(packed, INFLATED_BLOCK)
        packed, full = inflate.unconsumed_tail, len(block) == INFLATED_BLOCK
        yield block
