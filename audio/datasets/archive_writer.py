"""A dataset as an archive in the layout of Resemble AI: clips, and `metadata.csv` with a line `name|text` for each.

It is a zip or a .tar.gz, and streamed: neither the archive nor a clip ever lies in memory as a whole. The entries are
stored as they are, since sound hardly shrinks, so the size is known beforehand; the same clips give the same bytes, on
any machine: no time and no owner is written down, and no library decides how well something shrinks.
"""

import hashlib
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from audio.datasets.stored_gzip import compute_gzip_size, stream_gzip
from audio.findings.findings import Refused, make_finding
from audio.wav.riff import ignore_data

BLOCK = 1 << 18
METADATA = "metadata.csv"
MAX_BYTES = 1 << 31
"""From here on archives need an extension that not every reader knows."""
MAX_ENTRIES = 65534
LOCAL_BYTES, CENTRAL_BYTES, END_BYTES = 30 + 16, 46, 22
"""What a zip takes for an entry before and behind its content, in its list at the end, and for the end of that
(APPNOTE.TXT of PKWARE, 4.3)."""
TAR_END = 2 * tarfile.BLOCKSIZE
"""Zeros that end a tar."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A clip of a dataset: its name without .wav, what is said in it, its size in bytes."""

    name: str
    text: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Checksums:
    """What a provider wants to know of an archive before it is sent; the hashes in hex."""

    size: int
    md5: str
    sha256: str


class ClipChanged(OSError):
    """A clip is not as long any more as was told, so the archive would be another than was announced."""


def stream_zip(entries: Sequence[Entry], with_text: bool = True) -> Iterator[bytes]:
    """The archive, piece by piece; Refused if it would be too big, ValueError for two clips of one name."""
    _check_entries(entries, compute_zip_size(entries, with_text))
    outlet = _ZipBuffer()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as zipped:  # type: ignore[call-overload]  # writing is enough
        if with_text:
            zipped.writestr(zipfile.ZipInfo(METADATA), format_metadata(entries))
        for entry in entries:
            yield from _store_clip(zipped, entry, outlet)
    yield outlet.take()


def format_metadata(entries: Sequence[Entry]) -> bytes:
    """A line for each clip; what would end a line or a field in a text becomes a space."""
    return "".join(f"{entry.name}|{clean_text(entry.text)}\n" for entry in entries).encode()


def clean_text(text: str) -> str:
    return " ".join(text.replace("|", " ").split())


def compute_zip_size(entries: Sequence[Entry], with_text: bool = True) -> int:
    """How many bytes the archive will have, without opening a clip."""
    contents = _list_contents(entries, with_text)
    return END_BYTES + sum(LOCAL_BYTES + CENTRAL_BYTES + 2 * len(name.encode()) + size for name, size in contents)


def stream_tarball(entries: Sequence[Entry], with_text: bool = True) -> Iterator[bytes]:
    """The same as a .tar.gz (POSIX.1-1988, ustar), piece by piece; refuses what `archive` refuses."""
    _check_entries(entries, compute_tarball_size(entries, with_text))
    yield from stream_gzip(_stream_tar(entries, with_text))


def compute_tarball_size(entries: Sequence[Entry], with_text: bool = True) -> int:
    """How many bytes the .tar.gz will have, without opening a clip."""
    plain_size = TAR_END + sum(
        tarfile.BLOCKSIZE + size + _compute_padding(size) for _, size in _list_contents(entries, with_text)
    )
    return compute_gzip_size(plain_size)


def compute_zip_checksums(
    entries: Sequence[Entry], with_text: bool = True, on_piece: Callable[[bytes], object] = ignore_data
) -> Checksums:
    """Size and hashes of the zip, by making it once; `seen` gets its pieces, and they are forgotten."""
    return compute_checksums(stream_zip(entries, with_text), on_piece)


def compute_checksums(pieces: Iterable[bytes], on_piece: Callable[[bytes], object] = ignore_data) -> Checksums:
    """Size and hashes of what comes in pieces; `seen` gets them, and they are forgotten."""
    size, md5, sha256 = 0, hashlib.md5(usedforsecurity=False), hashlib.sha256()
    for piece in pieces:
        size += len(piece)
        md5.update(piece)
        sha256.update(piece)
        on_piece(piece)
    return Checksums(size, md5.hexdigest(), sha256.hexdigest())


def make_clip_names(stems: Sequence[str]) -> list[str]:
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


def _list_contents(entries: Sequence[Entry], with_text: bool) -> list[tuple[str, int]]:
    """The names and sizes of what is in an archive."""
    clips = [(f"{entry.name}.wav", entry.size) for entry in entries]
    return [(METADATA, len(format_metadata(entries))), *clips] if with_text else clips


def _check_entries(entries: Sequence[Entry], size: int) -> None:
    if len({entry.name for entry in entries}) != len(entries):
        raise ValueError("two clips have one name")
    if size >= MAX_BYTES or len(entries) > MAX_ENTRIES:
        raise Refused(make_finding("dataset_too_big", size=size, limit=MAX_BYTES))


def _read_clip(entry: Entry) -> Iterator[bytes]:
    """A clip's bytes, as many as were told."""
    left = entry.size
    with entry.open() as file:
        while block := file.read(min(BLOCK, left + 1)):
            left -= len(block)
            if left < 0:
                break
            yield block
    if left:
        raise ClipChanged(f"{entry.name} has not {entry.size} bytes any more")


def _store_clip(zipped: zipfile.ZipFile, entry: Entry, outlet: "_ZipBuffer") -> Iterator[bytes]:
    with zipped.open(zipfile.ZipInfo(f"{entry.name}.wav"), "w") as inside:
        for block in _read_clip(entry):
            inside.write(block)
            yield outlet.take()


def _stream_tar(entries: Sequence[Entry], with_text: bool) -> Iterator[bytes]:
    if with_text:
        lines = format_metadata(entries)
        yield _build_tar_header(METADATA, len(lines)) + lines + bytes(_compute_padding(len(lines)))
    for entry in entries:
        yield _build_tar_header(f"{entry.name}.wav", entry.size)
        yield from _read_clip(entry)
        yield bytes(_compute_padding(entry.size))
    yield bytes(TAR_END)


def _build_tar_header(name: str, size: int) -> bytes:
    """Made by nobody at no time, as tarfile has it unless told otherwise."""
    about = tarfile.TarInfo(name)
    about.size = size
    return about.tobuf(tarfile.USTAR_FORMAT)


def _compute_padding(size: int) -> int:
    """What is missing to whole blocks."""
    return -size % tarfile.BLOCKSIZE


class _ZipBuffer:
    """A file that can only be written to: what zipfile writes is handed on and forgotten."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data
