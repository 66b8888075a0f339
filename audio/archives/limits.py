"""How much an archive may hold, and what its readers share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from audio.findings.findings import Refused, make_finding

BLOCK = 1 << 18
INFLATED_BLOCK = 1 << 18
MAX_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Bytes are bytes as unpacked, and are counted while reading, whatever the archive says.

    Sound as 16-bit PCM rarely packs better than 4:1, silence does: so a ratio counts only beyond its allowance.
    `entries` counts folders and what systems add on their own; `folders` are those left below the one folder that
    holds everything; `note_bytes` is the longest note that a tar archive may have on one file.
    """

    files: int = 5000
    entries: int = 12_000
    total_bytes: int = 2 << 30
    member_bytes: int = 200 << 20
    ratio: int = 20
    list_ratio: int = 100
    member_allowance: int = 1 << 20
    total_allowance: int = 16 << 20
    name_bytes: int = 255
    folders: int = 1
    note_bytes: int = 64 << 10
    list_bytes: int = 8 << 20
    text_characters: int = 1000


ARCHIVE_LIMITS = ArchiveLimits()


class Seekable(Protocol):
    """What the readers need of a file."""

    def seek(self, offset: int, /) -> int: ...

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in an archive as its headers have it; `read` yields its bytes, and refuses them if they are wrong.

    `packed` is how many bytes it takes in the archive; in a tar archive it is not packed by itself.
    """

    path: str
    size: int
    packed_size: int
    is_folder: bool
    read: Callable[[], Iterator[bytes]]


def refuse(code: str, **values: object) -> NoReturn:
    """Give the archive up; a `name` is made fit to be shown."""
    if "name" in values:
        values["name"] = quote_name(str(values["name"]))
    raise Refused(make_finding(code, None, **values))


def quote_name(name: str) -> str:
    """A name as it can be put into a sentence: short, on one line, nothing in it that cannot be seen."""
    seen = "".join(one if one.isprintable() else "?" for one in name)
    return f"“{seen if len(seen) <= MAX_SHOWN_CHARACTERS else seen[: MAX_SHOWN_CHARACTERS - 1] + '…'}”"


def read_range(file: Seekable, offset: int, size: int) -> Iterator[bytes]:
    """The bytes from there on, as many as were asked for, or the archive is cut off."""
    while size:
        file.seek(offset)
        data = file.read(min(BLOCK, size))
        if not data:
            refuse("archive_truncated")
        yield data
        offset, size = offset + len(data), size - len(data)


def read_bytes(file: Seekable, offset: int, size: int) -> bytes:
    """The same in one piece, for headers."""
    return b"".join(read_range(file, offset, size))
