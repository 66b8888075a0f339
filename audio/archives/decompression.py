"""Reads the content of a gzip, bzip2 or xz file from any position; seeking back restarts decompression."""

import bz2
import io
import lzma
import os
import zlib
from collections.abc import Callable
from typing import BinaryIO, Protocol

from audio.archives.kinds import BZIP2, GZIP, XZ
from audio.archives.limits import BLOCK, ArchiveLimits, refuse

OUTPUT_BLOCK = 1 << 18
MAX_LZMA_MEMORY = 128 << 20
"""`xz -9` needs 65 MB to decompress."""


class Decompressor(Protocol):
    """What bz2 and lzma have. `decompress` returns at most so many bytes."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


class _Gunzip:
    """The same for zlib, which returns the input that it could not use yet."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflate.unconsumed_tail and not self._is_full

    @property
    def unused_data(self) -> bytes:
        return self._inflate.unused_data

    def decompress(self, data: bytes, max_length: int = OUTPUT_BLOCK) -> bytes:
        output = self._inflate.decompress(self._inflate.unconsumed_tail + data, max_length)
        self._is_full = len(output) == max_length  # zlib may hold more bytes
        return output


DECOMPRESSORS: dict[bytes, Callable[[], Decompressor]] = {
    GZIP: _Gunzip,
    BZIP2: bz2.BZ2Decompressor,
    XZ: lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_LZMA_MEMORY),
}
"""By the first bytes of a stream. A file may have several streams, as pbzip2, pixz and bgzip write them."""


class Decompressed(io.RawIOBase):
    """The decompressed bytes as a file. FileRefused as soon as they exceed the limits or a stream is damaged.

    `has_trailing_bytes`: bytes other than zeros follow the last stream. They are not read.
    """

    def __init__(self, file: BinaryIO, signature: bytes, limits: ArchiveLimits) -> None:
        self._file, self._signature, self._limits = file, signature, limits
        self.has_trailing_bytes = False
        self._restart()

    def _restart(self) -> None:
        self._stream: Decompressor | None = DECOMPRESSORS[self._signature]()
        self._file.seek(0)
        self._consumed = 0
        self._block = b""
        self._block_start = 0
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        position = offset + (self._position if whence == os.SEEK_CUR else 0)
        if position < self._block_start:
            self._restart()
        self._position = position
        return position

    def readinto(self, buffer: "memoryview", /) -> int:  # type: ignore[override]  # BufferedReader passes one
        """Fill in 1 byte or more; none only at the end."""
        while self._position >= self._block_start + len(self._block):
            self._block_start += len(self._block)
            self._block = self._decompress_next_block()
            if not self._block:
                return 0
        start = self._position - self._block_start
        data = self._block[start : start + len(buffer)]
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def _decompress_next_block(self) -> bytes:
        """Return the next decompressed bytes; no bytes only at the end."""
        data = b""
        while not data and self._stream:
            packed = b""
            if self._stream.needs_input:
                packed = self._file.read(BLOCK)
                self._consumed += len(packed)
                if not packed:
                    refuse("archive_truncated")
            data = self._decompress(self._stream, packed)
            if self._stream.eof:
                self._stream = self._open_next_stream(self._stream.unused_data)
        self._check_output_size(len(data))
        return data

    def _decompress(self, stream: Decompressor, packed: bytes) -> bytes:
        try:
            return stream.decompress(packed, OUTPUT_BLOCK)
        except lzma.LZMAError as error:
            if "memory usage limit" in str(error).lower():
                refuse("archive_memory", limit=MAX_LZMA_MEMORY >> 20)
            refuse("archive_damaged", what="it cannot be decompressed")
        except (zlib.error, OSError) as error:
            what = "its checksum is wrong" if "data check" in str(error) else "it cannot be decompressed"
            refuse("archive_damaged", what=what)

    def _open_next_stream(self, rest: bytes) -> Decompressor | None:
        """Zeros may pad the file, or stand between two streams."""
        while not (rest := rest.lstrip(b"\0")):
            rest = self._file.read(BLOCK)
            self._consumed += len(rest)
            if not rest:
                return None
        self._file.seek(self._consumed - len(rest))
        self._consumed -= len(rest)
        head = self._file.read(len(self._signature))
        self._file.seek(self._consumed)
        if head == self._signature:
            return DECOMPRESSORS[self._signature]()
        self.has_trailing_bytes = True
        return None

    def _check_output_size(self, added_bytes: int) -> None:
        output_size = self._block_start + added_bytes
        if output_size > self._consumed * self._limits.ratio + self._limits.total_allowance:
            refuse("archive_bomb")
        if output_size > self._limits.total_bytes + self._limits.total_allowance:
            refuse("archive_too_big", limit=self._limits.total_bytes >> 20)
