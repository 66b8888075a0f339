"""A strict reader of tar archives: plain files and folders, under the names that ustar, pax and GNU give them.

The layout: POSIX.1-2017, "pax Interchange Format" and "ustar Interchange Format"; the GNU tar manual for its own kinds.
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
    """What notes before a header say of the file after it."""

    path: bytes | None = None
    size: int | None = None
    is_set: bool = False


def is_tar_header(record: bytes) -> bool:
    """Whether 512 bytes are the header of something in a tar archive: the mark, and the checksum over all of it."""
    if len(record) != RECORD or record[MAGIC] not in (POSIX, GNU):
        return False
    told = re.fullmatch(rb" *([0-7]{1,7})[ \0]*", record[CHECKSUM])
    blank = sum(record) - sum(record[CHECKSUM]) + 8 * ord(" ")
    return told is not None and int(told[1], 8) == blank


def read_tar_entries(file: Seekable, limits: ArchiveLimits) -> list[Entry]:
    """All files and folders in order, with every header checked, to the end of the archive; Refused otherwise."""
    entries: list[Entry] = []
    notes, place = _Overrides(), 0
    while (record := read_bytes(file, place, RECORD)) != ZERO_RECORD:
        header, data = _parse_header(record), place + RECORD
        size = header.size if notes.size is None else notes.size
        place = data + _round_up(size)
        if header.kind in (PAX_HEADER, PAX_GLOBAL_HEADER, LONG_NAME):
            _read_overrides(file, header, data, notes, limits)
            continue
        _check_kind(header, notes)
        entry = _build_entry(file, header, notes, data, limits)
        if entry.path != CURRENT_FOLDER or not entry.is_folder:
            entries.append(entry)
        if len(entries) > limits.entries:
            refuse("archive_too_many", limit=limits.files)
        notes = _Overrides()
    if notes.is_set:
        refuse("archive_damaged", what="a note in it is about nothing")
    _check_end(file, place)
    return entries


def _round_up(size: int) -> int:
    return -(-size // RECORD) * RECORD


def _parse_header(record: bytes) -> _Header:
    if not is_tar_header(record):
        refuse("archive_damaged", what="the header of a file is broken")
    name, prefix = _parse_text(record[:100]), _parse_text(record[345:500])
    path = prefix + b"/" + name if prefix and record[MAGIC] == POSIX else name
    return _Header(record[156:157], path, _parse_number(record[124:136]))


def _parse_text(field: bytes) -> bytes:
    """Up to the first NUL, after which there is nothing more."""
    text, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        refuse("name_control", name=decode_name(field))
    return text


def _parse_number(field: bytes) -> int:
    """Octal digits, or where those are too few GNU's binary form."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    octal = re.fullmatch(rb" *([0-7]*)[ \0]*", field)
    if octal is None:
        refuse("archive_damaged", what="the length of a file is no number")
    return int(octal[1] or b"0", 8)


def _read_overrides(file: Seekable, header: _Header, data: int, notes: _Overrides, limits: ArchiveLimits) -> None:
    """A name that is too long for a header, in the way of pax or of GNU."""
    if header.size > limits.note_bytes:
        refuse("member_note_long")
    if notes.is_set:
        refuse("archive_damaged", what="it has two notes about one file")
    body = read_bytes(file, data, _round_up(header.size))[: header.size]
    if header.kind == LONG_NAME:
        notes.path, notes.is_set = _parse_text(body), True
        return
    said = _parse_pax(body)
    if any(name.startswith(b"GNU.sparse") for name in said):
        refuse("member_sparse", name=decode_name(said.get(b"GNU.sparse.name", header.path)))
    if header.kind == PAX_HEADER:
        notes.path, notes.size, notes.is_set = said.get(b"path"), _parse_pax_size(said), True
    elif said.keys() & {b"path", b"size", b"linkpath"}:
        refuse("archive_damaged", what="it gives all files one name or length")


def _parse_pax(body: bytes) -> dict[bytes, bytes]:
    """Lines of "length name=value\\n", in one pass over the bytes, each name once."""
    said: dict[bytes, bytes] = {}
    place = 0
    while place < len(body):
        digits, space, _ = body[place : place + 8].partition(b" ")
        end = place + int(digits) if space and digits.isdigit() else 0
        name, equals, value = body[place + len(digits) + 1 : end].partition(b"=")
        if not place + len(digits) + 3 < end <= len(body) or not equals or value[-1:] != b"\n" or name in said:
            refuse("archive_damaged", what="a note about a file is broken")
        said[name] = value[:-1]
        place = end
    return said


def _parse_pax_size(said: dict[bytes, bytes]) -> int | None:
    value = said.get(b"size")
    if value is not None and not re.fullmatch(rb"[0-9]{1,15}", value):
        refuse("archive_damaged", what="the length of a file is no number")
    return None if value is None else int(value)


def _check_kind(header: _Header, notes: _Overrides) -> None:
    name = decode_name(header.path if notes.path is None else notes.path)
    if header.kind in REFUSED_KINDS:
        refuse(REFUSED_KINDS[header.kind], name=name)
    if header.kind not in (*REGULAR_FILES, FOLDER):
        refuse("member_unusual", name=name)


def _build_entry(file: Seekable, header: _Header, notes: _Overrides, data: int, limits: ArchiveLimits) -> Entry:
    path = decode_name(header.path if notes.path is None else notes.path)
    size = header.size if notes.size is None else notes.size
    is_folder = header.kind == FOLDER or path.endswith("/")
    if is_folder and size:
        refuse("member_unusual", name=path)
    if size > limits.member_bytes:
        refuse("member_too_big", name=path, limit=limits.member_bytes >> 20)
    _check_padding(file, data + size, data + _round_up(size))
    return Entry(_normalize_path(path), size, size, is_folder, partial(read_range, file, data, size))


def _normalize_path(path: str) -> str:
    """Without what `tar -C folder .` puts before each name, the folder itself included."""
    return (
        CURRENT_FOLDER
        if path in (CURRENT_FOLDER, f"{CURRENT_FOLDER}/")
        else path.removeprefix(f"{CURRENT_FOLDER}/").removesuffix("/")
    )


def _check_padding(file: Seekable, start: int, end: int) -> None:
    if any(block.strip(b"\0") for block in read_range(file, start, end - start)):
        refuse("archive_hidden")


def _check_end(file: Seekable, place: int) -> None:
    """A second record of zeros, then more of them or nothing."""
    if read_bytes(file, place + RECORD, RECORD) != ZERO_RECORD:
        refuse("archive_hidden")
    for block in _read_rest(file, place + 2 * RECORD):
        if block.strip(b"\0"):
            refuse("archive_trailing")


def _read_rest(file: Seekable, place: int) -> Iterator[bytes]:
    file.seek(place)
    while block := file.read(RECORD):
        yield block
        place += len(block)
        file.seek(place)
