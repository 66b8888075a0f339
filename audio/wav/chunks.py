"""Walks through the chunks of a RIFF file, and says what is wrong with them.

The layout: "Multimedia Programming Interface and Data Specifications 1.0" (IBM and Microsoft, 1991).
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from audio.findings.findings import FileRefused, make_finding

MAX_CHUNKS = 64
MAX_SIDE_BYTES = 1 << 20
"""For all chunks except data. Notes, names and cue points take a few kB; more is hidden data or a picture."""
MIN_PLACEHOLDER_LENGTH = 0x7FFFF000
"""Recorders write 0 or a huge length before they know the length, and leave it if they are killed or write to a pipe.
SoX writes this one. No file that an upload may have is so long."""
MAX_REST_SHARE = 0.1
"""What stands after the sound and is no chunk may be this part of its length: notes of a tool, or zeros."""
MAX_MISSING_BYTES = 8
"""Some recorders count a frame too many. More missing bytes mean that the file is cut off."""


class WavRefused(FileRefused):
    """The file is not an accepted WAV file; `finding` says why."""


@dataclass(frozen=True, slots=True)
class Chunk:
    name: bytes
    offset: int
    size: int


def build_refusal(code: str, **values: str | int) -> WavRefused:
    return WavRefused(make_finding(code, None, **values))


def read_bytes_at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def is_placeholder(length: int) -> bool:
    """Whether a recorder has written this value instead of a length."""
    return length == 0 or length >= MIN_PLACEHOLDER_LENGTH


def list_chunks(file: BinaryIO, size: int) -> Iterator[Chunk]:
    """Yield every chunk up to the exact end of the file. WavRefused if a chunk is longer than the rest of the file.

    What follows complete sound does no harm, whatever it is: it is refused as `bytes_after_end`. If it is long, it may
    be sound that the header does not count, and is refused as what it is.
    """
    offset, count, side_bytes, is_after_empty_data, sound_bytes = 12, 0, 0, False, 0
    while offset < size:
        count += 1
        if count > MAX_CHUNKS:
            raise build_refusal("too_many_chunks", limit=MAX_CHUNKS)
        try:
            chunk = _read_chunk(file, offset, size, is_after_empty_data=is_after_empty_data)
        except WavRefused:
            if size - offset <= sound_bytes * MAX_REST_SHARE:
                raise build_refusal("bytes_after_end", extra=size - offset) from None
            raise
        sound_bytes += chunk.size if chunk.name == b"data" else 0
        is_after_empty_data = chunk.name == b"data" and chunk.size == 0
        side_bytes += 0 if chunk.name == b"data" else chunk.size
        if side_bytes > MAX_SIDE_BYTES:
            raise build_refusal("side_data_too_big", limit=MAX_SIDE_BYTES)
        yield chunk
        offset = chunk.offset + chunk.size + chunk.size % 2


def _read_chunk(file: BinaryIO, offset: int, size: int, *, is_after_empty_data: bool) -> Chunk:
    """Samples where the next chunk would begin follow a data chunk without its length."""
    head = read_bytes_at(file, offset, 8)
    if len(head) < 8:
        raise build_refusal("chunk_cut")
    chunk = Chunk(head[:4], offset + 8, struct.unpack_from("<I", head, 4)[0])
    if not all(0x20 <= byte <= 0x7E for byte in chunk.name):
        raise build_refusal("length_unwritten" if is_after_empty_data else "chunk_unnamed")
    end = chunk.offset + chunk.size
    if end > size:
        raise build_refusal(_name_overrun(chunk, end - size), missing=end - size)
    if chunk.size % 2 and end == size:
        raise build_refusal("data_half_sample" if chunk.name == b"data" else "padding_missing")
    return chunk


def _name_overrun(chunk: Chunk, missing: int) -> str:
    if chunk.name != b"data":
        return "chunk_overruns"
    if is_placeholder(chunk.size):
        return "length_unwritten"
    return "data_length_off" if missing <= MAX_MISSING_BYTES < chunk.size else "data_overruns"
