"""Packs a build's recordings into one file for a provider, with the size and MD5 that the upload must announce.

Both are computed by making the file once. Only an MP3 is kept, as it is small and slow to make.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import soundfile

from audio.datasets.archive_writer import BLOCK, Entry, compute_checksums, make_clip_names, stream_tarball
from audio.datasets.concatenate import Concatenation, check_limits
from audio.findings.findings import Refused, make_finding
from audio.wav.riff import ignore_data

ARCHIVE, WAV, MP3 = "application/gzip", "audio/x-wav", "audio/mpeg"
BITRATES = (192, 160, 128, 96, 64, 48, 32)
"""MP3 bitrates to try in kbit/s, the best first. Higher ones make no audible difference for one voice."""
BITRATE_RANGES = ((32000, 32, 320), (16000, 8, 160), (0, 8, 64))
"""From a sampling rate in Hz on: the lowest and highest bitrate of MPEG-1, 2 and 2.5 in kbit/s. libsndfile maps its
compression levels 1 to 0 to these."""

PieceCallback = Callable[[bytes], object]
"""Called with each piece while the checksums are computed, to show progress."""


@dataclass(frozen=True, slots=True)
class PackedUpload:
    """One file ready to send. Each call of `chunks` makes the same bytes again; `md5` has 16 bytes."""

    name: str
    content_type: str
    size: int
    md5: bytes
    chunks: Callable[[], Iterator[bytes]]


def pack_archive(
    name: str, entries: Sequence[Entry], with_text: bool, on_piece: PieceCallback = ignore_data
) -> PackedUpload:
    """Pack the clips into a .tar.gz, with or without transcripts; names have only letters and digits.

    Raises Refused if it would be too big, ClipChanged if a clip no longer has its declared size.
    """
    names = make_clip_names([entry.name for entry in entries])
    renamed = [replace(entry, name=name) for entry, name in zip(entries, names, strict=True)]
    return _build_upload(f"{_clean_name(name)}.tar.gz", ARCHIVE, partial(stream_tarball, renamed, with_text), on_piece)


def pack_wav(
    name: str, whole: Concatenation, max_bytes: int | None = None, on_piece: PieceCallback = ignore_data
) -> PackedUpload:
    """Pack everything into one WAV. Raises Refused if it exceeds `max_bytes` or the maximum size of a WAV."""
    check_limits(whole, max_bytes=max_bytes)
    return _build_upload(f"{_clean_name(name)}.wav", WAV, whole.stream_wav, on_piece)


def pack_mp3(name: str, whole: Concatenation, max_bytes: int) -> PackedUpload:
    """Pack everything into one MP3 at the best bitrate that fits in `max_bytes`; it is held in memory.

    Raises Refused if no bitrate fits.
    """
    size = 0
    for kilobits in _list_bitrates(whole.rate):
        size = round(whole.seconds * kilobits * 125)
        # The encoder adds a frame of silence at both ends, so the estimate is checked by encoding.
        if size <= max_bytes and len(data := encode_mp3(whole, kilobits)) <= max_bytes:
            return _build_upload(f"{_clean_name(name)}.mp3", MP3, partial(_split_blocks, data), ignore_data)
    raise Refused(make_finding("joined_too_big", size=size, limit=max_bytes))


def encode_mp3(whole: Concatenation, kilobits: int) -> bytes:
    """Encode an MP3 at a constant bitrate, block by block."""
    low, high = _get_bitrate_range(whole.rate)
    file = io.BytesIO()
    with soundfile.SoundFile(
        file,
        "w",
        whole.rate,
        1,
        "MPEG_LAYER_III",
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=(high - kilobits) / (high - low),
    ) as target:
        for block in whole.read_samples():
            target.write(block)
    return file.getvalue()


def _list_bitrates(rate: int) -> list[int]:
    """Return the bitrates for this sampling rate; libsndfile does not accept the very lowest."""
    low, high = _get_bitrate_range(rate)
    return [kilobits for kilobits in BITRATES if low < kilobits <= high]


def _get_bitrate_range(rate: int) -> tuple[int, int]:
    return next((low, high) for start, low, high in BITRATE_RANGES if rate >= start)


def _build_upload(
    name: str, content_type: str, chunks: Callable[[], Iterator[bytes]], on_piece: PieceCallback
) -> PackedUpload:
    checksums = compute_checksums(chunks(), on_piece)
    return PackedUpload(name, content_type, checksums.size, bytes.fromhex(checksums.md5), chunks)


def _clean_name(name: str) -> str:
    return make_clip_names([name])[0]


def _split_blocks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
