"""A strict reader of tar archives: plain files and folders, with the names of ustar, pax and GNU headers.

The layout: POSIX.1-2017, "pax Interchange Format" and "ustar Interchange Format"; the GNU tar manual for GNU types.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from audio.archives.limits import ArchiveLimits, Entry, Seekable, read_bytes, read_range, refuse
from audio.archives.names import decode_name

RECORD = 512
ZERO_RECORD = bytes(RECORD)
CURRENT_FOLDER = "."
CHECKSUM = slice(148, 156)
MAGIC, POSIX, GNU = slice(257, 265), b"ustar\x0000", b"ustar  \x00"

REGULAR_FILES, FOLDER, PAX_HEADER, PAX_GLOBAL_HEADER, LONG_NAME = (b"0", b"\0"), b"5", b"x", b"g", b"L"
REFUSED_KINDS = {
    b"1": "member_hardlink",
    b"2": "member_symlink",
    b"3": "member_device",
    b"4": "member_device",
    b"6": "member_fifo",
    b"S": "member_sparse",
    b"K": "member_symlink",
}


@dataclass(frozen=True, slots=True)
class _Header:
    kind: bytes
    path: bytes
    size: int


@dataclass(slots=True)
class _Overrides:
    """Values from extended headers that override those of the next file's header."""

    path: bytes | None = None
    size: int | None = None
    is_set: bool = False


def is_tar_header(record: bytes) -> bool:
    """Whether 512 bytes are a tar header, by the magic number and the checksum."""
    if len(record) != RECORD or record[MAGIC] not in (POSIX, GNU):
        return False
    checksum = re.fullmatch(rb" *([0-7]{1,7})[ \0]*", record[CHECKSUM])
    blank = sum(record) - sum(record[CHECKSUM]) + 8 * ord(" ")
    return checksum is not None and int(checksum[1], 8) == blank


def read_tar_entries(file: Seekable, limits: ArchiveLimits) -> list[Entry]:
    """Return all files and folders in order; Refused unless every header to the end of the archive is valid."""
    entries: list[Entry] = []
    overrides, position = _Overrides(), 0
    while (record := read_bytes(file, position, RECORD)) != ZERO_RECORD:
        header, data_start = _parse_header(record), position + RECORD
        size = header.size if overrides.size is None else overrides.size
        position = data_start + _round_up(size)
        if header.kind in (PAX_HEADER, PAX_GLOBAL_HEADER, LONG_NAME):
            _read_overrides(file, header, data_start, overrides, limits)
            continue
        _check_kind(header, overrides)
        entry = _build_entry(file, header, overrides, data_start, limits)
        if entry.path != CURRENT_FOLDER or not entry.is_folder:
            entries.append(entry)
        if len(entries) > limits.entries:
            refuse("archive_too_many", limit=limits.files)
        overrides = _Overrides()
    if overrides.is_set:
        refuse("archive_damaged", what="an extended header has no file")
    _check_end(file, position)
    return entries


def _round_up(size: int) -> int:
    return -(-size // RECORD) * RECORD


def _parse_header(record: bytes) -> _Header:
    if not is_tar_header(record):
        refuse("archive_damaged", what="the header of a file is invalid")
    name, prefix = _parse_text(record[:100]), _parse_text(record[345:500])
    path = prefix + b"/" + name if prefix and record[MAGIC] == POSIX else name
    return _Header(record[156:157], path, _parse_number(record[124:136]))


def _parse_text(field: bytes) -> bytes:
    """Return the bytes before the first NUL; only NULs may follow."""
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        refuse("name_control", name=decode_name(field))
    return text


def _parse_number(field: bytes) -> int:
    """Parse octal digits, or GNU's binary form for larger numbers."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    octal = re.fullmatch(rb" *([0-7]*)[ \0]*", field)
    if octal is None:
        refuse("archive_damaged", what="the size of a file is not a number")
    return int(octal[1] or b"0", 8)


def _read_overrides(
    file: Seekable, header: _Header, data_start: int, overrides: _Overrides, limits: ArchiveLimits
) -> None:
    """Read an extended header (pax or GNU): a name or size that does not fit the header of the next file."""
    if header.size > limits.note_bytes:
        refuse("member_note_long")
    if overrides.is_set:
        refuse("archive_damaged", what="it has two extended headers for one file")
    body = read_bytes(file, data_start, _round_up(header.size))[: header.size]
    if header.kind == LONG_NAME:
        overrides.path, overrides.is_set = _parse_text(body), True
        return
    fields = _parse_pax(body)
    if any(name.startswith(b"GNU.sparse") for name in fields):
        refuse("member_sparse", name=decode_name(fields.get(b"GNU.sparse.name", header.path)))
    if header.kind == PAX_HEADER:
        overrides.path, overrides.size, overrides.is_set = fields.get(b"path"), _parse_pax_size(fields), True
    elif fields.keys() & {b"path", b"size", b"linkpath"}:
        refuse("archive_damaged", what="a global header sets one name or size for all files")


def _parse_pax(body: bytes) -> dict[bytes, bytes]:
    """Parse lines of "length name=value\\n" in one pass; each name may occur once."""
    fields: dict[bytes, bytes] = {}
    position = 0
    while position < len(body):
        digits, space, _ = body[position : position + 8].partition(b" ")
        end = position + int(digits) if space and digits.isdigit() else 0
        name, equals, value = body[position + len(digits) + 1 : end].partition(b"=")
        if not position + len(digits) + 3 < end <= len(body) or not equals or value[-1:] != b"\n" or name in fields:
            refuse("archive_damaged", what="an extended header is invalid")
        fields[name] = value[:-1]
        position = end
    return fields


def _parse_pax_size(fields: dict[bytes, bytes]) -> int | None:
    value = fields.get(b"size")
    if value is not None and not re.fullmatch(rb"[0-9]{1,15}", value):
        refuse("archive_damaged", what="the size of a file is not a number")
    return None if value is None else int(value)


def _check_kind(header: _Header, overrides: _Overrides) -> None:
    name = decode_name(header.path if overrides.path is None else overrides.path)
    if header.kind in REFUSED_KINDS:
        refuse(REFUSED_KINDS[header.kind], name=name)
    if header.kind not in (*REGULAR_FILES, FOLDER):
        refuse("member_unusual", name=name)


def _build_entry(
    file: Seekable, header: _Header, overrides: _Overrides, data_start: int, limits: ArchiveLimits
) -> Entry:
    path = decode_name(header.path if overrides.path is None else overrides.path)
    size = header.size if overrides.size is None else overrides.size
    is_folder = header.kind == FOLDER or path.endswith("/")
    if is_folder and size:
        refuse("member_unusual", name=path)
    if size > limits.member_bytes:
        refuse("member_too_big", name=path, limit=limits.member_bytes >> 20)
    _check_padding(file, data_start + size, data_start + _round_up(size))
    return Entry(_normalize_path(path), size, size, is_folder, partial(read_range, file, data_start, size))


def _normalize_path(path: str) -> str:
    """Remove the "./" that `tar -C folder .` puts before each name; the folder itself becomes "."."""
    return (
        CURRENT_FOLDER
        if path in (CURRENT_FOLDER, f"{CURRENT_FOLDER}/")
        else path.removeprefix(f"{CURRENT_FOLDER}/").removesuffix("/")
    )


def _check_padding(file: Seekable, start: int, end: int) -> None:
    if any(block.strip(b"\0") for block in read_range(file, start, end - start)):
        refuse("archive_hidden")


def _check_end(file: Seekable, position: int) -> None:
    """Refuse anything but a second record of zeros and then only zeros."""
    if read_bytes(file, position + RECORD, RECORD) != ZERO_RECORD:
        refuse("archive_hidden")
    for block in _read_rest(file, position + 2 * RECORD):
        if block.strip(b"\0"):
            refuse("archive_trailing")


def _read_rest(file: Seekable, position: int) -> Iterator[bytes]:
    file.seek(position)
    while block := file.read(RECORD):
        yield block
        position += len(block)
        file.seek(position)
