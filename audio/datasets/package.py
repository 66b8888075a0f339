"""Packs a build's recordings into one file for a provider, with the size and MD5 that the upload must announce.

Size and MD5 are computed by making the file once without keeping it. Only an MP3 is kept in memory, as it is small and
slow to make.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import soundfile

from audio.datasets.archive_writer import BLOCK, DatasetEntry, compute_checksums, make_clip_names, stream_tarball
from audio.datasets.concatenate import Concatenation, check_concatenation_limits
from audio.findings.findings import FileRefused, make_finding
from audio.wav.riff import ignore_data

ARCHIVE, WAV, MP3 = "application/gzip", "audio/x-wav", "audio/mpeg"
BITRATES = (192, 160, 128, 96, 64, 48, 32)
"""MP3 bitrates to try in kbit/s, the best first. Higher bitrates make no audible difference for one voice."""
BITRATE_RANGES = ((32000, 32, 320), (16000, 8, 160), (0, 8, 64))
"""(lowest sampling rate in Hz, lowest and highest bitrate in kbit/s) of MPEG-1, 2 and 2.5. In
libsndfile, compression level 1 is the lowest bitrate of the range and level 0 the highest."""

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
    name: str, entries: Sequence[DatasetEntry], with_text: bool, on_piece: PieceCallback = ignore_data
) -> PackedUpload:
    """Pack the clips into a .tar.gz, with or without transcripts; the clips get names of letters and digits only.

    Raises Refused if the archive would be too big, ClipChanged if a clip no longer has its declared size.
    """
    names = make_clip_names([entry.name for entry in entries])
    renamed = [replace(entry, name=name) for entry, name in zip(entries, names, strict=True)]
    return _build_upload(f"{_clean_name(name)}.tar.gz", ARCHIVE, partial(stream_tarball, renamed, with_text), on_piece)


def pack_wav(
    name: str, concatenation: Concatenation, max_bytes: int | None = None, on_piece: PieceCallback = ignore_data
) -> PackedUpload:
    """Pack the concatenation into one WAV. Raises Refused if it exceeds `max_bytes` or the maximum size of a WAV."""
    check_concatenation_limits(concatenation, max_bytes=max_bytes)
    return _build_upload(f"{_clean_name(name)}.wav", WAV, concatenation.stream_wav, on_piece)


def pack_mp3(name: str, concatenation: Concatenation, max_bytes: int) -> PackedUpload:
    """Pack the concatenation into one MP3 at the best bitrate that fits in `max_bytes`; the MP3 is held in memory.

    Raises Refused if no bitrate fits.
    """
    size = 0
    for kilobits in _list_bitrates(concatenation.rate):
        size = round(concatenation.seconds * kilobits * 125)
        # The encoder adds a frame of silence at both ends, so the estimate is checked by encoding.
        if size <= max_bytes and len(data := encode_mp3(concatenation, kilobits)) <= max_bytes:
            return _build_upload(f"{_clean_name(name)}.mp3", MP3, partial(_split_blocks, data), ignore_data)
    raise FileRefused(make_finding("joined_too_big", size=size, limit=max_bytes))


def encode_mp3(concatenation: Concatenation, kilobits: int) -> bytes:
    """Encode an MP3 at a constant bitrate, block by block."""
    low, high = _get_bitrate_range(concatenation.rate)
    file = io.BytesIO()
    with soundfile.SoundFile(
        file,
        "w",
        concatenation.rate,
        1,
        "MPEG_LAYER_III",
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=(high - kilobits) / (high - low),
    ) as target:
        for block in concatenation.read_samples():
            target.write(block)
    return file.getvalue()


def _list_bitrates(rate: int) -> list[int]:
    """Return the bitrates for this sampling rate, without the lowest, which libsndfile does not accept."""
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
