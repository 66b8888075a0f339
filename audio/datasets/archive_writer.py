"""Writes a dataset as an archive in the layout of Resemble AI: clips, and metadata.csv with a line name|text for each.

The archive is a zip or a .tar.gz and is streamed: neither the archive nor a clip is ever completely in memory. Entries
are stored uncompressed, as sound hardly compresses, so the size is known beforehand. The same clips give the same bytes
on any machine: the archive has no time and no owner, and no compression library affects it.
"""

import hashlib
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from audio.datasets.stored_gzip import compute_gzip_size, stream_gzip
from audio.findings.findings import FileRefused, make_finding
from audio.wav.riff import ignore_data

BLOCK = 1 << 18
METADATA = "metadata.csv"
MAX_BYTES = 1 << 31
"""Larger archives need an extension that not every reader supports."""
MAX_ENTRIES = 65534
LOCAL_BYTES, CENTRAL_BYTES, END_BYTES = 30 + 16, 46, 22
"""Bytes in a zip for an entry's local header and data descriptor, its directory record, and the end record
(APPNOTE.TXT of PKWARE, 4.3)."""
TAR_END = 2 * tarfile.BLOCKSIZE
"""Zero bytes at the end of a tar."""


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """A clip of a dataset: its name without .wav, its transcript, its size in bytes."""

    name: str
    text: str
    size: int
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class Checksums:
    """Size and hashes (in hex) that a provider needs before an archive is sent."""

    size: int
    md5: str
    sha256: str


class ClipChanged(OSError):
    """A clip no longer has its declared size, so the archive would differ from the announced one."""


def stream_zip(entries: Sequence[DatasetEntry], with_text: bool = True) -> Iterator[bytes]:
    """Yield the zip in pieces; Refused if it would be too big, ValueError if two clips have the same name."""
    _check_entries(entries, compute_zip_size(entries, with_text))
    buffer = _ZipBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:  # type: ignore[call-overload]  # zipfile only writes
        if with_text:
            zipped.writestr(zipfile.ZipInfo(METADATA), format_metadata(entries))
        for entry in entries:
            yield from _store_clip(zipped, entry, buffer)
    yield buffer.take()


def format_metadata(entries: Sequence[DatasetEntry]) -> bytes:
    """Return a line for each clip; line and field separators in a text become spaces."""
    return "".join(f"{entry.name}|{clean_text(entry.text)}\n" for entry in entries).encode()


def clean_text(text: str) -> str:
    return " ".join(text.replace("|", " ").split())


def compute_zip_size(entries: Sequence[DatasetEntry], with_text: bool = True) -> int:
    """Compute the size of the zip in bytes without opening a clip."""
    contents = _list_contents(entries, with_text)
    return END_BYTES + sum(LOCAL_BYTES + CENTRAL_BYTES + 2 * len(name.encode()) + size for name, size in contents)


def stream_tarball(entries: Sequence[DatasetEntry], with_text: bool = True) -> Iterator[bytes]:
    """Yield the same files as a .tar.gz (POSIX.1-1988, ustar) in pieces; raises the errors of `stream_zip`."""
    _check_entries(entries, compute_tarball_size(entries, with_text))
    yield from stream_gzip(_stream_tar(entries, with_text))


def compute_tarball_size(entries: Sequence[DatasetEntry], with_text: bool = True) -> int:
    """Compute the size of the .tar.gz in bytes without opening a clip."""
    plain_size = TAR_END + sum(
        tarfile.BLOCKSIZE + size + _compute_padding(size) for _, size in _list_contents(entries, with_text)
    )
    return compute_gzip_size(plain_size)


def compute_zip_checksums(
    entries: Sequence[DatasetEntry], with_text: bool = True, on_piece: Callable[[bytes], object] = ignore_data
) -> Checksums:
    """Compute size and hashes of the zip by making it once. Each piece is passed to `on_piece` and not kept."""
    return compute_checksums(stream_zip(entries, with_text), on_piece)


def compute_checksums(pieces: Iterable[bytes], on_piece: Callable[[bytes], object] = ignore_data) -> Checksums:
    """Compute the total size and the hashes. Each piece is passed to `on_piece` and not kept."""
    size, md5, sha256 = 0, hashlib.md5(usedforsecurity=False), hashlib.sha256()
    for piece in pieces:
        size += len(piece)
        md5.update(piece)
        sha256.update(piece)
        on_piece(piece)
    return Checksums(size, md5.hexdigest(), sha256.hexdigest())


def make_clip_names(stems: Sequence[str]) -> list[str]:
    """Make names that a provider accepts: letters and digits, unique even when case is ignored."""
    used: set[str] = set()
    names = []
    for stem in stems:
        base = re.sub(r"[^A-Za-z0-9]", "", stem)[:60] or "clip"
        name, number = base, 1
        while name.lower() in used:
            number += 1
            name = f"{base}x{number}"
        used.add(name.lower())
        names.append(name)
    return names


def _list_contents(entries: Sequence[DatasetEntry], with_text: bool) -> list[tuple[str, int]]:
    """Return names and sizes of the files in an archive."""
    clips = [(f"{entry.name}.wav", entry.size) for entry in entries]
    return [(METADATA, len(format_metadata(entries))), *clips] if with_text else clips


def _check_entries(entries: Sequence[DatasetEntry], size: int) -> None:
    if len({entry.name for entry in entries}) != len(entries):
        raise ValueError("two clips have the same name")
    if size >= MAX_BYTES or len(entries) > MAX_ENTRIES:
        raise FileRefused(make_finding("dataset_too_big", size=size, limit=MAX_BYTES))


def _read_clip(entry: DatasetEntry) -> Iterator[bytes]:
    """Yield a clip's bytes; ClipChanged unless they have the declared size."""
    remaining = entry.size
    with entry.open() as file:
        while block := file.read(min(BLOCK, remaining + 1)):
            remaining -= len(block)
            if remaining < 0:
                break
            yield block
    if remaining:
        raise ClipChanged(f"{entry.name} no longer has {entry.size} bytes")


def _store_clip(zipped: zipfile.ZipFile, entry: DatasetEntry, buffer: "_ZipBuffer") -> Iterator[bytes]:
    with zipped.open(zipfile.ZipInfo(f"{entry.name}.wav"), "w") as target:
        for block in _read_clip(entry):
            target.write(block)
            yield buffer.take()


def _stream_tar(entries: Sequence[DatasetEntry], with_text: bool) -> Iterator[bytes]:
    if with_text:
        lines = format_metadata(entries)
        yield _build_tar_header(METADATA, len(lines)) + lines + bytes(_compute_padding(len(lines)))
    for entry in entries:
        yield _build_tar_header(f"{entry.name}.wav", entry.size)
        yield from _read_clip(entry)
        yield bytes(_compute_padding(entry.size))
    yield bytes(TAR_END)


def _build_tar_header(name: str, size: int) -> bytes:
    """Build a header without owner and time, the defaults of tarfile."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


def _compute_padding(size: int) -> int:
    """Return the number of zero bytes that fill the last block of a file."""
    return -size % tarfile.BLOCKSIZE


class _ZipBuffer:
    """A write-only file for zipfile. `take` returns the bytes written since the last call and discards them."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: no data is buffered elsewhere."""

    def take(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data
