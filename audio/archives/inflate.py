"""Reads the content of a gzip file from any position; seeking back restarts decompression."""

import os
import zlib
from typing import BinaryIO

from audio.archives.limits import BLOCK, INFLATED_BLOCK, ArchiveLimits, refuse

GZIP = zlib.MAX_WBITS | 16


class GzipReader:
    """Reads the decompressed bytes like a file. Refused as soon as they exceed the limits or the stream is damaged.

    The file must be exactly one gzip stream (RFC 1952), because readers disagree on several streams in a row.
    """

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._file, self._limits = file, limits
        self._packed_size = file.seek(0, os.SEEK_END)
        self._restart()

    def _restart(self) -> None:
        self._inflate = zlib.decompressobj(GZIP)
        self._packed = b""
        self._consumed = 0
        self._buffer = b""
        self._buffer_offset = 0
        self._position = 0

    def seek(self, offset: int, /) -> int:
        if offset < self._buffer_offset:
            self._restart()
        self._position = offset
        return offset

    def read(self, size: int, /) -> bytes:
        """Return 1 to `size` bytes; no bytes only at the end."""
        while self._position >= self._buffer_offset + len(self._buffer):
            self._buffer_offset += len(self._buffer)
            self._buffer = self._read_next_block()
            if not self._buffer:
                return b""
        start = self._position - self._buffer_offset
        data = self._buffer[start : start + size]
        self._position += len(data)
        return data

    def _read_next_block(self) -> bytes:
        """Return the next decompressed bytes; no bytes only at the end."""
        data = b""
        while not data and not self._inflate.eof:
            if not self._packed:
                self._file.seek(self._consumed)
                self._packed = self._file.read(BLOCK)
                self._consumed += len(self._packed)
                if not self._packed:
                    refuse("archive_truncated")
            data = self._inflate_next_block()
        if self._inflate.eof and self._consumed - len(self._inflate.unused_data) != self._packed_size:
            refuse("archive_trailing")
        self._check_output_size(len(data))
        return data

    def _inflate_next_block(self) -> bytes:
        try:
            data = self._inflate.decompress(self._packed, INFLATED_BLOCK)
        except zlib.error as error:
            what = "its checksum is wrong" if "data check" in str(error) else "it cannot be decompressed"
            refuse("archive_damaged", what=what)
        self._packed = self._inflate.unconsumed_tail
        return data

    def _check_output_size(self, added_bytes: int) -> None:
        output_size = self._buffer_offset + added_bytes
        if output_size > self._consumed * self._limits.ratio + self._limits.total_allowance:
            refuse("archive_bomb")
        if output_size > self._limits.total_bytes + self._limits.total_allowance:
            refuse("archive_too_big", limit=self._limits.total_bytes >> 20)
