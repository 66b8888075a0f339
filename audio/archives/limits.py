"""Limits on the contents of an archive, and helpers of its readers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from audio.findings.findings import FileRefused, Finding, make_finding

BLOCK = 1 << 18
MAX_SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits in unpacked bytes, which are counted while reading, regardless of what the archive claims.

    16-bit PCM speech rarely compresses better than 4:1 but silence does, so a ratio applies only to bytes beyond the
    allowance of a member or of the whole archive. `entries` includes folders and system files. `folders` is the depth
    of folders below the one folder that contains everything. `list_ratio` and `list_bytes` limit metadata.csv.
    `note_bytes` limits the extended header of one file in a tar archive. Longer names than `name_characters` are cut.
    `text_characters` is that of the transcript's form.
    """

    files: int = 5000
    entries: int = 12_000
    total_bytes: int = 2 << 30
    member_bytes: int = 1000 << 20
    ratio: int = 20
    list_ratio: int = 100
    member_allowance: int = 1 << 20
    total_allowance: int = 16 << 20
    name_characters: int = 255
    folders: int = 20
    note_bytes: int = 32 << 10
    list_bytes: int = 8 << 20
    text_characters: int = 2000


ARCHIVE_LIMITS = ArchiveLimits()


class Seekable(Protocol):
    """The file methods that the readers need."""

    def seek(self, offset: int, /) -> int: ...

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive as its headers describe it; `read` yields its bytes, or raises MemberRefused.

    `packed_size` is the number of bytes in the archive; the entries of a tar archive are not compressed individually.
    Bytes of a `path` that are not UTF-8 are surrogate escapes until the code page is known (audio.archives.names).
    """

    path: str
    size: int
    packed_size: int
    is_folder: bool
    read: Callable[[], Iterator[bytes]]


class MemberRefused(Exception):
    """One file of the archive cannot be read. The others can. `values` are those of its finding, without the name."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code, self.values = code, values

    def make_finding(self, path: str) -> Finding:
        return make_finding(self.code, None, name=quote_name(path), **self.values)


def refuse(code: str, **values: object) -> NoReturn:
    """Raise FileRefused for the archive; a `name` is quoted for display."""
    if "name" in values:
        values["name"] = quote_name(str(values["name"]))
    raise FileRefused(make_finding(code, None, **values))


def refuse_member(code: str, **values: object) -> NoReturn:
    raise MemberRefused(code, **values)


def quote_name(name: str) -> str:
    """Quote a name for a sentence: short, on one line, without invisible characters."""
    printable = "".join(character if character.isprintable() else "?" for character in name)
    return f"“{printable if len(printable) <= MAX_SHOWN_CHARACTERS else printable[: MAX_SHOWN_CHARACTERS - 1] + '…'}”"


def read_range(file: Seekable, offset: int, size: int) -> Iterator[bytes]:
    """Yield `size` bytes from `offset`; FileRefused if the archive ends earlier."""
    while size:
        file.seek(offset)
        data = file.read(min(BLOCK, size))
        if not data:
            refuse("archive_truncated")
        yield data
        offset, size = offset + len(data), size - len(data)
