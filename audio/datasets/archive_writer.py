"""Writes a dataset as an archive in the layout of Resemble AI: clips, and metadata.csv with a line name|text for each.

The archive is a zip or a .tar.gz and is streamed: neither the archive nor a clip is ever completely in memory. Entries
are stored uncompressed, as sound hardly compresses, so the size is known beforehand. The same clips give the same bytes
on any machine: the archive has no time and no owner, and no compression library affects it.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from audio.datasets.stored_gzip import compute_gzip_size, stream_gzip
from audio.datasets.stored_zip import (
    MAX_BYTES,
    MAX_ENTRIES,
    StoredFile,
    compute_stored_size,
    make_text_file,
    stream_stored_files,
)
from audio.findings.findings import FileRefused, make_finding
from audio.wav.riff import ignore_data

BLOCK = 1 << 18
METADATA = "metadata.csv"
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
    yield from stream_stored_files(_list_files(entries, with_text))


def format_metadata(entries: Sequence[DatasetEntry]) -> bytes:
    """Return a line for each clip; line and field separators in a text become spaces."""
    return "".join(f"{entry.name}|{clean_text(entry.text)}\n" for entry in entries).encode()


def clean_text(text: str) -> str:
    return " ".join(text.replace("|", " ").split())


def compute_zip_size(entries: Sequence[DatasetEntry], with_text: bool = True) -> int:
    """Compute the size of the zip in bytes without opening a clip."""
    return compute_stored_size(_list_files(entries, with_text))


def stream_tarball(entries: Sequence[DatasetEntry], with_text: bool = True) -> Iterator[bytes]:
    """Yield the same files as a .tar.gz (POSIX.1-1988, ustar) in pieces; raises the errors of `stream_zip`."""
    _check_entries(entries, compute_tarball_size(entries, with_text))
    yield from stream_gzip(_stream_tar(entries, with_text))


def compute_tarball_size(entries: Sequence[DatasetEntry], with_text: bool = True) -> int:
    """Compute the size of the .tar.gz in bytes without opening a clip."""
    plain_size = TAR_END + sum(
        tarfile.BLOCKSIZE + file.size + _compute_padding(file.size) for file in _list_files(entries, with_text)
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


def _list_files(entries: Sequence[DatasetEntry], with_text: bool) -> list[StoredFile]:
    """Return the files in an archive."""
    clips = [StoredFile(f"{entry.name}.wav", entry.size, partial(_read_clip, entry)) for entry in entries]
    return [make_text_file(METADATA, format_metadata(entries)), *clips] if with_text else clips


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


def _stream_tar(entries: Sequence[DatasetEntry], with_text: bool) -> Iterator[bytes]:
    for file in _list_files(entries, with_text):
        yield _build_tar_header(file.path, file.size)
        yield from file.read()
        yield bytes(_compute_padding(file.size))
    yield bytes(TAR_END)


def _build_tar_header(name: str, size: int) -> bytes:
    """Build a header without owner and time, the defaults of tarfile."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.USTAR_FORMAT)


def _compute_padding(size: int) -> int:
    """Return the number of zero bytes that fill the last block of a file."""
    return -size % tarfile.BLOCKSIZE
