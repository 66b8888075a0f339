"""Describe the format that a WAV was converted from."""

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from audio.findings.findings import Finding, finding
from audio.wav.decode import LOSSY, Told

MORE_THAN_SOUND = frozenset(
    {"bytes_after_end", "length_unwritten", "side_data_too_big", "too_many_chunks", "format_length", "padding_missing"}
)
"""Codes of the strict reader for files whose audio is complete. A file with missing audio stays refused."""
UNWRITTEN = 0xFFFFFFFF
OGG_LONGEST_PAGE = 65307


def format_of(told: Told, frames: int) -> dict[str, Any]:
    return {
        "container": told.container,
        "subtype": told.subtype,
        "sample_rate": told.sample_rate,
        "channels": told.channels,
        "frames": frames,
        "seconds": frames / told.sample_rate,
    }


def findings_of_file(file: BinaryIO, code: str, told: Told) -> Iterator[Finding]:
    if code:
        yield finding("converted", came=described(told))
    if code in MORE_THAN_SOUND:
        yield finding("more_than_sound")
    if told.container == "OGG" and not _ogg_ends(file):
        yield finding("end_missing")
    if told.subtype in LOSSY:
        yield finding("lossy_source", encoding=LOSSY[told.subtype])


def _ogg_ends(file: BinaryIO) -> bool:
    """Whether the last page of an Ogg file has the end-of-stream flag (RFC 3533, section 6)."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - OGG_LONGEST_PAGE))
    _, _, page = file.read().rpartition(b"OggS\0")
    return bool(page and page[0] & 4)


WIDTHS = {
    **{"PCM_S8": "8 bit", "PCM_U8": "8 bit", "PCM_16": "16 bit", "PCM_24": "24 bit", "PCM_32": "32 bit"},
    **{"FLOAT": "32 bit floating point", "DOUBLE": "64 bit floating point", "ULAW": "µ-law", "ALAW": "A-law"},
}


def described(told: Told) -> str:
    """For example "FLAC, 24 bit, 48,000 Hz, stereo"."""
    encoding = WIDTHS.get(told.subtype, LOSSY.get(told.subtype, told.subtype))
    channels = {1: "mono", 2: "stereo"}.get(told.channels, f"{told.channels} channels")
    parts = [told.container, encoding, f"{told.sample_rate:,} Hz", channels]
    return ", ".join(dict.fromkeys(parts))
