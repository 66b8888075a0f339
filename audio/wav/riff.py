"""A strict WAV reader: it refuses every file that is not exactly right, with a reason for people.

Decoders are lenient: libsndfile accepts a header that declares 4 GB in a 32 kB file, an AIFF named .wav, and
a WAV followed by a ZIP. Providers treat such files differently, so this reader accepts none of them.
The layout: "Multimedia Programming Interface and Data Specifications 1.0" (IBM and Microsoft, 1991).
"""

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from audio.findings.findings import FileRefused, make_finding

ALLOWED_RATES = (8000, 16000, 22050, 44100, 48000)
"""Samples per second, from Resemble's page on dataset audio."""
MAX_CHUNKS = 64
MAX_SIDE_BYTES = 1 << 20
"""For all chunks except data. Notes, names and cue points take a few kB; more is hidden data or a picture."""
BYTES_PER_FRAME = 2
MIN_PLACEHOLDER_LENGTH = 0x7FFFF000
"""Recorders write 0 or a huge length before they know the length, and leave it if they are killed or write to a pipe.
SoX writes this one. No file that an upload may have is so long."""

SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"RF64", "is_rf64"),
    (0, b"BW64", "is_rf64"),
    (0, b"RIFX", "is_rifx"),
    (0, b"riff\x2e\x91\xcf\x11", "is_wave64"),
    (0, b"fLaC", "is_flac"),
    (0, b"FORM", "is_aiff"),
    (0, b"caff", "is_caf"),
    (0, b"OggS", "is_ogg"),
    (0, b"ID3", "is_mp3"),
    (0, b"\xff\xfb", "is_mp3"),
    (0, b"\xff\xf3", "is_mp3"),
    (0, b"\xff\xf2", "is_mp3"),
    (4, b"ftyp", "is_mp4"),
    (0, b"\x1aE\xdf\xa3", "is_webm"),
    (0, b"PK\x03\x04", "is_zip"),
)
"""(offset, bytes, code) of formats that people rename to .wav."""

ENCODINGS = {
    0x0002: "ADPCM",
    0x0003: "floating point numbers",
    0x0006: "A-law",
    0x0007: "µ-law",
    0x0011: "ADPCM",
    0x0031: "GSM",
    0x0050: "MPEG audio",
    0x0055: "MP3",
    0x00FF: "AAC",
    0x0161: "Windows Media Audio",
}


class WavRefused(FileRefused):
    """The file is not an accepted WAV file; `finding` says why."""


@dataclass(frozen=True, slots=True)
class WavHeader:
    """The header of a file with `frames` samples, 2 bytes each, from byte `data_offset` on."""

    sample_rate: int
    channels: int
    bits: int
    frames: int
    data_offset: int

    @property
    def seconds(self) -> float:
        return self.frames / self.sample_rate


@dataclass(frozen=True, slots=True)
class Chunk:
    name: bytes
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class FormatChunk:
    """The sixteen bytes of the fmt chunk."""

    tag: int
    channels: int
    rate: int
    byte_rate: int
    block_align: int
    bits: int


def read_header(file: BinaryIO) -> WavHeader:
    """Read the header of a seekable file from its start; WavRefused on anything that is not exactly right."""
    size = file.seek(0, os.SEEK_END)
    _check_riff_header(file, size)
    chunks = list(list_chunks(file, size))
    _check_order(chunks)
    fmt = _read_format(file, next(chunk for chunk in chunks if chunk.name == b"fmt "))
    _check_format(fmt)
    data = next(chunk for chunk in chunks if chunk.name == b"data")
    _check_data(data)
    return WavHeader(fmt.rate, fmt.channels, fmt.bits, data.size // BYTES_PER_FRAME, data.offset)


def _build_refusal(code: str, **values: str | int) -> WavRefused:
    return WavRefused(make_finding(code, None, **values))


def _read_bytes_at(file: BinaryIO, offset: int, count: int) -> bytes:
    file.seek(offset)
    return file.read(count)


def _check_riff_header(file: BinaryIO, size: int) -> None:
    """Check the RIFF header: "RIFF", the length of all that follows, "WAVE"."""
    head = _read_bytes_at(file, 0, 12)
    if not head:
        raise _build_refusal("empty_file")
    if head[:4] != b"RIFF":
        raise _build_refusal(_identify_other_format(head))
    if len(head) < 12:
        raise _build_refusal("cut_in_header")
    if head[8:] != b"WAVE":
        raise _build_refusal("not_wave_form")
    _check_length(file, size, struct.unpack_from("<I", head, 4)[0])


def _identify_other_format(head: bytes) -> str:
    for offset, signature, code in SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return code
    return "not_wav"


def _check_length(file: BinaryIO, size: int, declared: int) -> None:
    """Check the outer length. A wrong one does no harm if the chunks show that the sound is complete."""
    actual = size - 8
    if is_placeholder(declared):
        code = "data_overruns" if _find_chunk_problem(file, size) == "data_overruns" else "length_unwritten"
        raise _build_refusal(code)
    if declared > actual:
        codes = {"": "outer_length_wrong", "length_unwritten": "length_unwritten"}
        code = codes.get(_find_chunk_problem(file, size), "truncated")
        raise _build_refusal(code, missing=declared - actual)
    if declared < actual:
        raise _build_refusal("bytes_after_end", extra=actual - declared)


def is_placeholder(length: int) -> bool:
    """Whether a recorder has written this value instead of a length."""
    return length == 0 or length >= MIN_PLACEHOLDER_LENGTH


def _find_chunk_problem(file: BinaryIO, size: int) -> str:
    """The code of what is wrong with the chunks, whatever the outer length says; empty if they are complete."""
    try:
        _check_order(list(list_chunks(file, size)))
    except WavRefused as refused:
        return refused.finding.code
    return ""


def list_chunks(file: BinaryIO, size: int) -> Iterator[Chunk]:
    """Yield every chunk up to the exact end of the file. WavRefused if a chunk is longer than the rest of the file."""
    offset, count, side_bytes, is_after_empty_data = 12, 0, 0, False
    while offset < size:
        count += 1
        if count > MAX_CHUNKS:
            raise _build_refusal("too_many_chunks", limit=MAX_CHUNKS)
        chunk = _read_chunk(file, offset, size, is_after_empty_data=is_after_empty_data)
        is_after_empty_data = chunk.name == b"data" and chunk.size == 0
        side_bytes += 0 if chunk.name == b"data" else chunk.size
        if side_bytes > MAX_SIDE_BYTES:
            raise _build_refusal("side_data_too_big", limit=MAX_SIDE_BYTES)
        yield chunk
        offset = chunk.offset + chunk.size + chunk.size % 2


def _read_chunk(file: BinaryIO, offset: int, size: int, *, is_after_empty_data: bool) -> Chunk:
    """Samples where the next chunk would begin follow a data chunk without its length."""
    head = _read_bytes_at(file, offset, 8)
    if len(head) < 8:
        raise _build_refusal("chunk_cut")
    chunk = Chunk(head[:4], offset + 8, struct.unpack_from("<I", head, 4)[0])
    if not all(0x20 <= byte <= 0x7E for byte in chunk.name):
        raise _build_refusal("length_unwritten" if is_after_empty_data else "chunk_unnamed")
    end = chunk.offset + chunk.size
    if end > size:
        raise _build_refusal(_name_overrun(chunk))
    if chunk.size % 2 and end == size:
        raise _build_refusal("data_half_sample" if chunk.name == b"data" else "padding_missing")
    return chunk


def _name_overrun(chunk: Chunk) -> str:
    if chunk.name != b"data":
        return "chunk_overruns"
    return "length_unwritten" if is_placeholder(chunk.size) else "data_overruns"


def _check_order(chunks: list[Chunk]) -> None:
    """Refuse a file without exactly one fmt chunk and, after it, exactly one data chunk."""
    names = [chunk.name for chunk in chunks]
    for name, missing_code, duplicate_code in ((b"fmt ", "no_format", "two_formats"), (b"data", "no_data", "two_data")):
        if name not in names:
            raise _build_refusal(missing_code)
        if names.count(name) > 1:
            raise _build_refusal(duplicate_code)
    if names.index(b"data") < names.index(b"fmt "):
        raise _build_refusal("format_too_late")


def _read_format(file: BinaryIO, chunk: Chunk) -> FormatChunk:
    """Read the fmt chunk. For PCM it has 16 bytes, or 18 from some editors; the last two are then zero (the length
    of an extension).
    """
    body = _read_bytes_at(file, chunk.offset, min(chunk.size, 18))
    if len(body) < 16:
        raise _build_refusal("format_length")
    fmt = FormatChunk(*struct.unpack_from("<HHIIHH", body))
    if fmt.tag == 1 and not (chunk.size == 16 or (chunk.size == 18 and body[16:] == b"\0\0")):
        raise _build_refusal("format_length")
    return fmt


def _check_format(fmt: FormatChunk) -> None:
    if fmt.tag == 0xFFFE:
        raise _build_refusal("format_extensible")
    if fmt.tag != 1:
        raise _build_refusal("not_pcm", encoding=ENCODINGS.get(fmt.tag, "an unknown encoding"))
    if fmt.channels != 1:
        raise _build_refusal("not_mono" if fmt.channels else "no_channels", channels=fmt.channels)
    if fmt.bits != 16:
        raise _build_refusal("not_16_bit", bits=fmt.bits)
    if fmt.rate not in ALLOWED_RATES:
        raise _build_refusal("rate_not_allowed" if fmt.rate else "rate_zero", rate=fmt.rate)
    if fmt.block_align != BYTES_PER_FRAME:
        raise _build_refusal("block_align_wrong")
    if fmt.byte_rate != fmt.rate * BYTES_PER_FRAME:
        raise _build_refusal("byte_rate_wrong")


def _check_data(data: Chunk) -> None:
    if data.size == 0:
        raise _build_refusal("data_empty")
    if data.size % BYTES_PER_FRAME:
        raise _build_refusal("data_half_sample")


Int16 = NDArray[np.int16]
Float32 = NDArray[np.float32]

FULL_SCALE = 32768
MAX_LOADED_SECONDS = 30.0
"""Half a minute is enough to recognize a voice; more would only cost memory."""


class UnnamedFile:
    """Hides the file name from soundfile, which would trust a .raw extension and ask for a rate."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.read, self.tell = file.seek, file.read, file.tell


def ignore_data(_data: bytes) -> None:
    """Do nothing, for callers that do not need the bytes."""


def read_blocks(
    file: BinaryIO, header: WavHeader, frames: int, on_data: Callable[[bytes], object] = ignore_data
) -> Iterator[Int16]:
    """Yield all samples, `frames` at a time; `on_data` gets their bytes. WavRefused if the file shrinks meanwhile."""
    file.seek(header.data_offset)
    bytes_left = header.frames * BYTES_PER_FRAME
    while bytes_left:
        data = file.read(min(bytes_left, frames * BYTES_PER_FRAME))
        if not data or len(data) % BYTES_PER_FRAME:
            raise WavRefused(make_finding("changed_while_read"))
        on_data(data)
        bytes_left -= len(data)
        yield np.frombuffer(data, dtype="<i2")


def load_samples(file: BinaryIO, header: WavHeader, max_seconds: float = MAX_LOADED_SECONDS) -> Float32:
    """Return the first `max_seconds` as float32 in -1..1, for `compute_voiceprint`."""
    frames = min(header.frames, int(max_seconds * header.sample_rate))
    head = WavHeader(header.sample_rate, header.channels, header.bits, frames, header.data_offset)
    parts = [block.astype(np.float32) / FULL_SCALE for block in read_blocks(file, head, frames)]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
