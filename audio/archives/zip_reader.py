"""A strict reader of ZIP files: every byte must belong to exactly one structure.

A ZIP describes each file twice: in a header before the file, and in the directory at the end of the ZIP. Readers differ
in which of the two they use. Here both must agree, without overlaps and without bytes before, between or after files.
The layout: APPNOTE.TXT 6.3.10 (PKWARE, 2022). Only stored and deflated files under 4 GB are accepted.
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
"""More than 1 kB for each of 12,000 entries. Limited because the directory is read into memory."""
STORED, DEFLATED = 0, 8
ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
HAS_DESCRIPTOR = 1 << 3
PATCHED = 1 << 5
EXTRA_ZIP64, EXTRA_AES, EXTRA_STRONG, EXTRA_PATH = 0x0001, 0x9901, 0x0017, 0x7075


@dataclass(frozen=True, slots=True)
class _Header:
    """The fields that both headers of a file contain."""

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
    """Return all entries in the order of the file; Refused unless both headers of each entry are valid and agree."""
    size = file.seek(0, os.SEEK_END)
    count, start, end = _read_end_record(file, size)
    if count > limits.entries:
        refuse("archive_too_many", limit=limits.files)
    if end - start > MAX_DIRECTORY_BYTES:
        refuse("archive_damaged", what="its directory is too large")
    members = sorted(_parse_directory(read_bytes(file, start, end - start), count), key=lambda one: one.offset)
    entries, position = [], 0
    following = [*(one.offset for one in members), start][1:]
    for member, next_start in zip(members, following, strict=True):
        if member.offset != position:
            refuse("archive_overlap" if member.offset < position else "archive_hidden")
        entries.append(_build_entry(file, member, next_start))
        position = next_start
    if position != start:
        refuse("archive_hidden")
    return entries


def _read_end_record(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Return the number of files, and the start and end of the directory, which must end at the end record."""
    tail_size = min(size, END_SIZE + MAX_COMMENT_BYTES)
    tail = read_bytes(file, size - tail_size, tail_size)
    if len(tail) < END_SIZE or tail[-END_SIZE:][:4] != END or tail[-2:] != b"\0\0":
        _refuse_missing_end(tail)
    end_start = size - END_SIZE
    disk, first_disk, files_on_disk, count, length, start = struct.unpack_from(
        "<HHHHII", tail, len(tail) - END_SIZE + 4
    )
    if 0xFFFF in (disk, first_disk, files_on_disk, count) or 0xFFFFFFFF in (length, start) or _has_locator(tail):
        refuse("archive_zip64")
    if disk or first_disk or files_on_disk != count:
        refuse("archive_split")
    if start + length > end_start:
        refuse("archive_truncated")
    if start + length < end_start:
        refuse("archive_prefix")
    return count, start, end_start


def _has_locator(tail: bytes) -> bool:
    return tail[-END_SIZE - LOCATOR_SIZE :][:4] == LOCATOR_64


def _refuse_missing_end(tail: bytes) -> None:
    position = tail.rfind(END)
    if position < 0 or position + END_SIZE > len(tail):
        refuse("archive_truncated")
    comment = struct.unpack_from("<H", tail, position + END_SIZE - 2)[0]
    refuse("archive_comment" if comment == len(tail) - position - END_SIZE else "archive_trailing")


def _parse_directory(data: bytes, count: int) -> Iterator[_DirectoryRecord]:
    """Yield exactly `count` records that fill `data` exactly."""
    position = 0
    for _ in range(count):
        if data[position : position + 4] != CENTRAL or position + CENTRAL_SIZE > len(data):
            refuse("archive_damaged", what="its directory is invalid")
        flags, method, crc, packed, size, name, extra, comment, disk, attributes, offset = struct.unpack_from(
            "<HH4xIIIHHHH2xII", data, position + 8
        )
        start = position + CENTRAL_SIZE
        position = start + name + extra + comment
        if position > len(data):
            refuse("archive_damaged", what="its directory is invalid")
        header = _Header(flags, method, crc, packed, size, data[start : start + name])
        _check_header(header, data[start + name : start + name + extra])
        if comment or disk:
            refuse("archive_comment" if comment else "archive_split")
        yield _DirectoryRecord(header, attributes, offset)
    if position != len(data):
        refuse("archive_hidden")


def _check_header(header: _Header, extra: bytes) -> None:
    """Refuse what no header may contain, local or central."""
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
    """Yield kind and content of the extra fields of a header; each kind may occur once. Most kinds are not used."""
    position, found_kinds = 0, set()
    while position < len(data):
        kind, size = struct.unpack_from("<HH", data, position) if position + 4 <= len(data) else (0, len(data))
        if position + 4 + size > len(data) or kind in found_kinds:
            refuse("archive_damaged", what=f"the extra fields of {name[:40]!a} are invalid")
        found_kinds.add(kind)
        yield kind, data[position + 4 : position + 4 + size]
        position += 4 + size


def _build_entry(file: BinaryIO, member: _DirectoryRecord, next_start: int) -> Entry:
    """Build the entry of a file from its local header; `next_start` is where the next structure begins."""
    header, path = member.header, decode_name(member.header.name)
    local, data_start = _read_local_header(file, member, next_start, path)
    _check_agreement(local, header, path)
    end = data_start + header.packed
    if end > next_start:
        refuse("archive_overlap")
    _check_bytes_between(read_bytes(file, end, min(next_start - end, 17)), header)
    is_folder = _is_folder(member, path)
    return Entry(
        path.removesuffix("/"), header.size, header.packed, is_folder, partial(_read_file, file, header, data_start)
    )


def _read_local_header(file: BinaryIO, member: _DirectoryRecord, next_start: int, path: str) -> tuple[_Header, int]:
    head = read_bytes(file, member.offset, LOCAL_SIZE)
    if head[:4] != LOCAL:
        refuse("archive_disagrees", name=path)
    flags, method, crc, packed, size, name, extra = struct.unpack_from("<HH4xIIIHH", head, 6)
    data_start = member.offset + LOCAL_SIZE + name + extra
    if data_start > next_start:
        refuse("archive_overlap")
    rest = read_bytes(file, member.offset + LOCAL_SIZE, name + extra)
    header = _Header(flags, method, crc, packed, size, rest[:name])
    _check_header(header, rest[name:])
    return header, data_start


def _check_agreement(local: _Header, central: _Header, path: str) -> None:
    """Refuse a file if its two headers disagree. Only the local header of a streamed file may omit the sizes."""
    is_same = (local.method, local.name) == (central.method, central.name)
    is_same = is_same and local.flags & HAS_DESCRIPTOR == central.flags & HAS_DESCRIPTOR
    local_sizes, central_sizes = (local.crc, local.packed, local.size), (central.crc, central.packed, central.size)
    is_omitted = local.flags & HAS_DESCRIPTOR and all(
        local_value in (0, central_value) for local_value, central_value in zip(local_sizes, central_sizes, strict=True)
    )
    if not is_same or not (local_sizes == central_sizes or is_omitted):
        refuse("archive_disagrees", name=path)


def _check_bytes_between(data: bytes, header: _Header) -> None:
    """Refuse bytes between two files, except the data descriptor (checksum and sizes) if the flag announces it."""
    record = struct.pack("<III", header.crc, header.packed, header.size)
    if header.flags & HAS_DESCRIPTOR:
        if data not in (record, DESCRIPTOR + record):
            refuse("archive_disagrees" if len(data) in (12, 16) else "archive_hidden", name=decode_name(header.name))
    elif data:
        refuse("archive_hidden")


def _is_folder(member: _DirectoryRecord, path: str) -> bool:
    """Whether the name ends with a slash. Refused if a Unix file mode says otherwise."""
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


def _read_file(file: BinaryIO, header: _Header, data_start: int) -> Iterator[bytes]:
    """Yield the bytes of the file. Refused as soon as they exceed its size, or at the end if they are wrong."""
    name, crc, size = decode_name(header.name), 0, 0
    raw = read_range(file, data_start, header.packed)
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
        refuse("archive_damaged", what=f"{name[:40]!a} cannot be decompressed")
    if inflate.unused_data:
        refuse("archive_hidden")


def _inflate_block(inflate: "zlib._Decompress", packed: bytes) -> Iterator[bytes]:
    """Yield the decompressed bytes in blocks; after a full block the decompressor may hold more bytes."""
    full = True
    while (packed or full) and not inflate.eof:
        block = inflate.decompress(packed, INFLATED_BLOCK)
        packed, full = inflate.unconsumed_tail, len(block) == INFLATED_BLOCK
        yield block
