"""A dataset as an archive in the layout of Resemble AI: clips, and `metadata.csv` with a line `name|text` for each.

It is streamed: neither the archive nor a clip ever lies in memory as a whole. The entries are stored as they are, since
sound hardly shrinks, so the size is known beforehand; the same clips give the same bytes.
"""

import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from voicehub.audio.findings import Refused, finding
from voicehub.audio.samples import ignore

BLOCK = 1 << 18
METADATA = "metadata.csv"
MOST_BYTES = 1 << 31
"""From here on archives need an extension that not every reader knows."""
MOST_ENTRIES = 65534
LOCAL_BYTES, CENTRAL_BYTES, END_BYTES = 30 + 16, 46, 22
"""What a zip takes for an entry before and behind its content, in its list at the end, and for the end of that
(APPNOTE.TXT of PKWARE, 4.3)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A clip of a dataset: its name without .wav, what is said in it, its size in bytes."""

    name: str
    text: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Sums:
    """What a provider wants to know of an archive before it is sent; the hashes in hex."""

    size: int
    md5: str
    sha256: str


class ChangedWhilePacked(OSError):
    """A clip is not as long any more as was told, so the archive would be another than was announced."""


def archive(entries: Sequence[Entry], with_text: bool = True) -> Iterator[bytes]:
    """The archive, piece by piece; Refused if it would be too big, ValueError for two clips of one name."""
    _check(entries, with_text)
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as zipped:  # type: ignore[call-overload]  # writing is enough
        if with_text:
            zipped.writestr(zipfile.ZipInfo(METADATA), metadata(entries))
        for entry in entries:
            yield from _stored(zipped, entry, outlet)
    yield outlet.take()


def metadata(entries: Sequence[Entry]) -> bytes:
    """A line for each clip; what would end a line or a field in a text becomes a space."""
    return "".join(f"{entry.name}|{plain(entry.text)}\n" for entry in entries).encode()


def plain(text: str) -> str:
    return " ".join(text.replace("|", " ").split())


def size_of(entries: Sequence[Entry], with_text: bool = True) -> int:
    """How many bytes the archive will have, without opening a clip."""
    contents = [(f"{entry.name}.wav", entry.size) for entry in entries]
    if with_text:
        contents.append((METADATA, len(metadata(entries))))
    return END_BYTES + sum(LOCAL_BYTES + CENTRAL_BYTES + 2 * len(name.encode()) + size for name, size in contents)


def sums(entries: Sequence[Entry], with_text: bool = True, seen: Callable[[bytes], object] = ignore) -> Sums:
    """Size and hashes, by making the archive once; `seen` gets its pieces, and they are forgotten."""
    size, md5, sha256 = 0, hashlib.md5(usedforsecurity=False), hashlib.sha256()
    for piece in archive(entries, with_text):
        size += len(piece)
        md5.update(piece)
        sha256.update(piece)
        seen(piece)
    return Sums(size, md5.hexdigest(), sha256.hexdigest())


def clip_names(stems: Sequence[str]) -> list[str]:
    """Names that a provider takes for these: letters and digits, and no two the same even without their case."""
    taken: set[str] = set()
    names = []
    for stem in stems:
        base = re.sub(r"[^A-Za-z0-9]", "", stem)[:60] or "clip"
        name, number = base, 1
        while name.lower() in taken:
            number += 1
            name = f"{base}x{number}"
        taken.add(name.lower())
        names.append(name)
    return names


def _check(entries: Sequence[Entry], with_text: bool) -> None:
    if len({entry.name for entry in entries}) != len(entries):
        raise ValueError("two clips have one name")
    size = size_of(entries, with_text)
    if size >= MOST_BYTES or len(entries) > MOST_ENTRIES:
        raise Refused(finding("dataset_too_big", size=size, limit=MOST_BYTES))


def _stored(zipped: zipfile.ZipFile, entry: Entry, outlet: "_Outlet") -> Iterator[bytes]:
    left = entry.size
    with zipped.open(zipfile.ZipInfo(f"{entry.name}.wav"), "w") as inside, entry.open() as file:
        while block := file.read(min(BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                break
            inside.write(block)
            yield outlet.take()
    if left:
        raise ChangedWhilePacked(f"{entry.name} has not {entry.size} bytes any more")


class _Outlet:
    """A file that can only be written to: what zipfile writes is handed on and forgotten."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data
