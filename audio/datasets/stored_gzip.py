"""A gzip file (RFC 1952) whose content is stored as it is, in blocks of deflate (RFC 1951, 3.2.4).

Written here rather than by zlib, so that its size is known beforehand and the same content gives the same bytes on any
machine: a build that goes on elsewhere after a crash must send what it has announced.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

MAX_BLOCK_BYTES = 0xFFFF
"""Bytes that one block can hold."""
HEADER = struct.pack("<2sBBLBB", b"\x1f\x8b", 8, 0, 0, 0, 255)
"""Deflate, no flags, no time, no extra, made on a machine that is not told."""
BLOCK_HEADER_BYTES, TRAILER_BYTES = 5, 8


def stream_gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as one gzip file. Blocks are cut where they are full, wherever the pieces end."""
    waiting, size, crc = bytearray(), 0, 0
    yield HEADER
    for piece in pieces:
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        waiting += piece
        # The last block is marked as such, so one is always kept back.
        whole = max(0, len(waiting) - 1) // MAX_BLOCK_BYTES * MAX_BLOCK_BYTES
        if whole:
            yield b"".join(_build_block(waiting[at : at + MAX_BLOCK_BYTES]) for at in range(0, whole, MAX_BLOCK_BYTES))
            del waiting[:whole]
    yield _build_block(waiting, last=True) + struct.pack("<LL", crc, size & 0xFFFFFFFF)


def compute_gzip_size(size: int) -> int:
    """How many bytes the gzip file of so many will have."""
    blocks = max(1, -(-size // MAX_BLOCK_BYTES))
    return len(HEADER) + size + blocks * BLOCK_HEADER_BYTES + TRAILER_BYTES


def _build_block(data: bytes | bytearray, last: bool = False) -> bytes:
    return struct.pack("<BHH", last, len(data), len(data) ^ 0xFFFF) + data
