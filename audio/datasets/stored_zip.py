"""Streams a zip of uncompressed files, as sound hardly compresses. So the size is known beforehand.

Neither the zip nor a file is ever completely in memory. The same files give the same bytes on any machine: the zip has
no time and no owner, and no compression library affects it.
"""

import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

MAX_BYTES = 1 << 31
"""Larger archives need an extension that not every reader supports."""
MAX_ENTRIES = 65534
LOCAL_BYTES, CENTRAL_BYTES, END_BYTES = 30 + 16, 46, 22
"""Bytes in a zip for an entry's local header and data descriptor, its directory record, and the end record
(APPNOTE.TXT of PKWARE, 4.3)."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a zip: its path, its size in bytes, and what yields exactly so many bytes or raises an error."""

    path: str
    size: int
    read: Callable[[], Iterable[bytes]]


def make_text_file(path: str, data: bytes) -> StoredFile:
    return StoredFile(path, len(data), lambda: [data])


def compute_stored_size(files: Sequence[StoredFile]) -> int:
    """Compute the size of the zip in bytes without opening a file."""
    return END_BYTES + sum(LOCAL_BYTES + CENTRAL_BYTES + 2 * len(file.path.encode()) + file.size for file in files)


def fits_in_zip(files: Sequence[StoredFile]) -> bool:
    return compute_stored_size(files) < MAX_BYTES and len(files) <= MAX_ENTRIES


def stream_stored_files(files: Sequence[StoredFile]) -> Iterator[bytes]:
    """Yield the zip in pieces. An error of a file breaks it off before its directory, so that no reader accepts it."""
    buffer = _ZipBuffer()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as zipped:  # type: ignore[call-overload]  # zipfile only writes
        for file in files:
            with zipped.open(zipfile.ZipInfo(file.path), "w") as target:
                for block in file.read():
                    target.write(block)
                    yield buffer.take()
    yield buffer.take()


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
