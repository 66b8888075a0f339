"""A build's recordings as the one file that a provider takes, with what it wants to know of it before it comes.

Size and MD5 are found by making the file once; only an MP3 is kept, as it is small and dear to make.
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
"""kbit/s of an MP3 that are tried, the best first. Above that nobody hears a difference in one voice."""
BITRATE_RANGES = ((32000, 32, 320), (16000, 8, 160), (0, 8, 64))
"""From a sampling rate on: the least and the most that MPEG-1, 2 and 2.5 have for it, in kbit/s (libsndfile maps its
compression level of 1 to 0 on these)."""

PieceCallback = Callable[[bytes], object]
"""Hears the pieces while the sums are made, for those who show how far it is."""


@dataclass(frozen=True, slots=True)
class PackedUpload:
    """One file ready to be sent. `chunks` makes it anew each time, the same bytes each time; `md5` are 16 bytes."""

    name: str
    content_type: str
    size: int
    md5: bytes
    chunks: Callable[[], Iterator[bytes]]


def pack_archive(
    name: str, entries: Sequence[Entry], with_text: bool, on_piece: PieceCallback = ignore_data
) -> PackedUpload:
    """A .tar.gz of the clips, with or without what is said in them, named by letters and digits alone.

    Raises Refused if it would be too big, ChangedWhilePacked if a clip is not as long any more as was told.
    """
    names = make_clip_names([entry.name for entry in entries])
    renamed = [replace(entry, name=name) for entry, name in zip(entries, names, strict=True)]
    return _build_upload(f"{_clean_name(name)}.tar.gz", ARCHIVE, partial(stream_tarball, renamed, with_text), on_piece)


def pack_wav(
    name: str, whole: Concatenation, max_bytes: int | None = None, on_piece: PieceCallback = ignore_data
) -> PackedUpload:
    """One WAV of everything. Raises Refused if it is bigger than `most_bytes`, or than a WAV can be."""
    check_limits(whole, max_bytes=max_bytes)
    return _build_upload(f"{_clean_name(name)}.wav", WAV, whole.stream_wav, on_piece)


def pack_mp3(name: str, whole: Concatenation, max_bytes: int) -> PackedUpload:
    """One MP3 of everything, at the best bitrate that keeps it within `most_bytes`, which it may take of memory.

    Raises Refused if none does.
    """
    least = 0
    for kilobits in _list_bitrates(whole.rate):
        least = round(whole.seconds * kilobits * 125)
        # A frame of silence before and behind comes on top, so what only just fits is tried and measured.
        if least <= max_bytes and len(data := encode_mp3(whole, kilobits)) <= max_bytes:
            return _build_upload(f"{_clean_name(name)}.mp3", MP3, partial(_split_blocks, data), ignore_data)
    raise Refused(make_finding("joined_too_big", size=least, limit=max_bytes))


def encode_mp3(whole: Concatenation, kilobits: int) -> bytes:
    """The MP3 at a constant bitrate, encoded block by block."""
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
    """Those that there are at this sampling rate; the very lowest is none that libsndfile takes."""
    low, high = _get_bitrate_range(rate)
    return [kilobits for kilobits in BITRATES if low < kilobits <= high]


def _get_bitrate_range(rate: int) -> tuple[int, int]:
    return next((low, high) for start, low, high in BITRATE_RANGES if rate >= start)


def _build_upload(
    name: str, content_type: str, chunks: Callable[[], Iterator[bytes]], on_piece: PieceCallback
) -> PackedUpload:
    told = compute_checksums(chunks(), on_piece)
    return PackedUpload(name, content_type, told.size, bytes.fromhex(told.md5), chunks)


def _clean_name(name: str) -> str:
    return make_clip_names([name])[0]


def _split_blocks(data: bytes) -> Iterator[bytes]:
    return (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
