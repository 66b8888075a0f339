"""Describe the format that a WAV was converted from."""

import os
from collections.abc import Iterator
from typing import Any, BinaryIO

from audio.findings.findings import Finding, make_finding
from audio.wav.decode import LOSSY_ENCODINGS, FormatInfo

COMPLETE_AUDIO_CODES = frozenset(
    {"bytes_after_end", "outer_length_wrong", "length_unwritten", "side_data_too_big", "too_many_chunks"}
    | {"format_length", "padding_missing", "data_half_sample", "data_length_off"}
)
"""Codes of the strict reader for files whose audio is complete. Files with missing audio are still refused."""
FINDING_BY_CODE = {"length_unwritten": "read_to_end", "data_half_sample": "half_sample_removed"}
"""What is said of such a file, instead of `more_than_sound`."""
PLACEHOLDER_LENGTH = 0xFFFFFFFF
MAX_OGG_PAGE_BYTES = 65307


def build_format_dict(format_info: FormatInfo, frames: int) -> dict[str, Any]:
    return {
        "container": format_info.container,
        "subtype": format_info.subtype,
        "sample_rate": format_info.sample_rate,
        "channels": format_info.channels,
        "frames": frames,
        "seconds": frames / format_info.sample_rate,
    }


def list_format_findings(file: BinaryIO, code: str, format_info: FormatInfo) -> Iterator[Finding]:
    if code:
        yield make_finding("converted", original_format=describe_format(format_info))
    if code in COMPLETE_AUDIO_CODES:
        yield make_finding(FINDING_BY_CODE.get(code, "more_than_sound"))
    if format_info.container == "OGG" and not _has_ogg_end(file):
        yield make_finding("end_missing")
    if format_info.subtype in LOSSY_ENCODINGS:
        yield make_finding("lossy_source", encoding=LOSSY_ENCODINGS[format_info.subtype])


def _has_ogg_end(file: BinaryIO) -> bool:
    """Whether the last page of an Ogg file has the end-of-stream flag (RFC 3533, section 6)."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - MAX_OGG_PAGE_BYTES))
    _, _, page = file.read().rpartition(b"OggS\0")
    return bool(page and page[0] & 4)


ENCODING_NAMES = {
    **{"PCM_S8": "8 bit", "PCM_U8": "8 bit", "PCM_16": "16 bit", "PCM_24": "24 bit", "PCM_32": "32 bit"},
    **{"FLOAT": "32 bit floating point", "DOUBLE": "64 bit floating point", "ULAW": "µ-law", "ALAW": "A-law"},
}


def describe_format(format_info: FormatInfo) -> str:
    """Return, for example, "FLAC, 24 bit, 48,000 Hz, stereo"."""
    encoding = ENCODING_NAMES.get(format_info.subtype, LOSSY_ENCODINGS.get(format_info.subtype, format_info.subtype))
    channels = {1: "mono", 2: "stereo"}.get(format_info.channels, f"{format_info.channels} channels")
    parts = [format_info.container, encoding, f"{format_info.sample_rate:,} Hz", channels]
    return ", ".join(dict.fromkeys(parts))
