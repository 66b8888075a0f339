"""A gzip file (RFC 1952) whose content is stored uncompressed in deflate blocks (RFC 1951, 3.2.4).

Written here rather than by zlib, so that its size is known beforehand and the same content gives the same bytes on any
machine: a build that resumes elsewhere after a crash must send what it has announced.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

MAX_BLOCK_BYTES = 0xFFFF
"""Maximum bytes of content in one block."""
HEADER = struct.pack("<2sBBLBB", b"\x1f\x8b", 8, 0, 0, 0, 255)
"""Deflate, no flags, no time, no extra fields, unknown operating system."""
BLOCK_HEADER_BYTES, TRAILER_BYTES = 5, 8


def stream_gzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces as one gzip file. Blocks are split where they are full, independent of the pieces."""
    pending, size, crc = bytearray(), 0, 0
    yield HEADER
    for piece in pieces:
        size += len(piece)
        crc = zlib.crc32(piece, crc)
        pending += piece
        # The last block has a flag, so one block is always held back.
        whole = max(0, len(pending) - 1) // MAX_BLOCK_BYTES * MAX_BLOCK_BYTES
        if whole:
            yield b"".join(_build_block(pending[at : at + MAX_BLOCK_BYTES]) for at in range(0, whole, MAX_BLOCK_BYTES))
            del pending[:whole]
    yield _build_block(pending, last=True) + struct.pack("<LL", crc, size & 0xFFFFFFFF)


def compute_gzip_size(size: int) -> int:
    """Compute the size of the gzip file for `size` bytes of content."""
    blocks = max(1, -(-size // MAX_BLOCK_BYTES))
    return len(HEADER) + size + blocks * BLOCK_HEADER_BYTES + TRAILER_BYTES


def _build_block(data: bytes | bytearray, last: bool = False) -> bytes:
    return struct.pack("<BHH", last, len(data), len(data) ^ 0xFFFF) + data
