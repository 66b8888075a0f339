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

from audio.findings.findings import make_finding
from audio.wav.chunks import Chunk, WavRefused, build_refusal, is_placeholder, list_chunks, read_bytes_at

__all__ = [
    "ALLOWED_RATES", "BYTES_PER_FRAME", "FULL_SCALE", "SIGNATURES", "Float32", "Int16", "UnnamedFile", "WavHeader",
    "WavRefused", "ignore_data", "load_samples", "read_blocks", "read_header",
]  # fmt: skip

ALLOWED_RATES = (8000, 16000, 22050, 44100, 48000)
"""Samples per second, from Resemble's page on dataset audio."""
BYTES_PER_FRAME = 2
HARMLESS_ENDS = frozenset({"bytes_after_end", "data_length_off", "data_half_sample"})
"""The sound is complete, whatever the outer length says."""

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


def _check_riff_header(file: BinaryIO, size: int) -> None:
    """Check the RIFF header: "RIFF", the length of all that follows, "WAVE"."""
    head = read_bytes_at(file, 0, 12)
    if not head:
        raise build_refusal("empty_file")
    if head[:4] != b"RIFF":
        raise build_refusal(_identify_other_format(head))
    if len(head) < 12:
        raise build_refusal("cut_in_header")
    if head[8:] != b"WAVE":
        raise build_refusal("not_wave_form")
    _check_length(file, size, struct.unpack_from("<I", head, 4)[0])


def _identify_other_format(head: bytes) -> str:
    for offset, signature, code in SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            return code
    return "not_wav"


def _check_length(file: BinaryIO, size: int, declared: int) -> None:
    """Check the outer length. A wrong one does no harm if the chunks show that the sound is complete."""
    actual = size - 8
    if declared != actual:
        problem = _find_chunk_problem(file, size)
        if problem and problem.finding.code in HARMLESS_ENDS:
            raise problem
    if is_placeholder(declared):
        code = "data_overruns" if problem and problem.finding.code == "data_overruns" else "length_unwritten"
        raise build_refusal(code)
    if declared > actual:
        if problem is None:
            raise build_refusal("outer_length_wrong")
        is_unwritten = problem.finding.code == "length_unwritten"
        raise problem if is_unwritten else build_refusal("truncated", missing=declared - actual)
    if declared < actual:
        raise build_refusal("bytes_after_end", extra=actual - declared)


def _find_chunk_problem(file: BinaryIO, size: int) -> WavRefused | None:
    """What is wrong with the chunks, whatever the outer length says; None if they are complete."""
    try:
        _check_order(list(list_chunks(file, size)))
    except WavRefused as refused:
        return refused
    return None


def _check_order(chunks: list[Chunk]) -> None:
    """Refuse a file without exactly one fmt chunk and, after it, exactly one data chunk."""
    names = [chunk.name for chunk in chunks]
    for name, missing_code, duplicate_code in ((b"fmt ", "no_format", "two_formats"), (b"data", "no_data", "two_data")):
        if name not in names:
            raise build_refusal(missing_code)
        if names.count(name) > 1:
            raise build_refusal(duplicate_code)
    if names.index(b"data") < names.index(b"fmt "):
        raise build_refusal("format_too_late")


def _read_format(file: BinaryIO, chunk: Chunk) -> FormatChunk:
    """Read the fmt chunk. For PCM it has 16 bytes, or 18 from some editors; the last two are then zero (the length
    of an extension).
    """
    body = read_bytes_at(file, chunk.offset, min(chunk.size, 18))
    if len(body) < 16:
        raise build_refusal("format_length")
    fmt = FormatChunk(*struct.unpack_from("<HHIIHH", body))
    if fmt.tag == 1 and not (chunk.size == 16 or (chunk.size == 18 and body[16:] == b"\0\0")):
        raise build_refusal("format_length")
    return fmt


def _check_format(fmt: FormatChunk) -> None:
    if fmt.tag == 0xFFFE:
        raise build_refusal("format_extensible")
    if fmt.tag != 1:
        raise build_refusal("not_pcm", encoding=ENCODINGS.get(fmt.tag, "an unknown encoding"))
    if fmt.channels != 1:
        raise build_refusal("not_mono" if fmt.channels else "no_channels", channels=fmt.channels)
    if fmt.bits != 16:
        raise build_refusal("not_16_bit", bits=fmt.bits)
    if fmt.rate not in ALLOWED_RATES:
        raise build_refusal("rate_not_allowed" if fmt.rate else "rate_zero", rate=fmt.rate)
    if fmt.block_align != BYTES_PER_FRAME:
        raise build_refusal("block_align_wrong")
    if fmt.byte_rate != fmt.rate * BYTES_PER_FRAME:
        raise build_refusal("byte_rate_wrong")


def _check_data(data: Chunk) -> None:
    if data.size == 0:
        raise build_refusal("data_empty")
    if data.size % BYTES_PER_FRAME:
        raise build_refusal("data_half_sample")


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
