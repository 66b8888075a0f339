"""Hundreds of WAVs as recorders write them: every encoding, wrong or missing lengths, chunks in odd places."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

RATE = 16000
PLACEHOLDERS = {"0": 0, "all ones": 0xFFFFFFFF, "of SoX": 0x7FFFF000, "half": 0x80000000}
KINDS = {"8 bit": (1, 8), "16 bit": (1, 16), "24 bit": (1, 24), "32 bit": (1, 32), "float": (3, 32), "double": (3, 64)}
FORMAT_BYTES = (16, 18, 40)
GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")
NOTE = b"INFOISFT\x06\0\0\0tool12"


@dataclass(frozen=True, slots=True)
class OddWav:
    """A WAV with its number of frames. `name` says what is odd."""

    name: str
    data: bytes
    channels: int
    frames: int


def encode(samples: NDArray[np.float64], kind: str) -> bytes:
    """The samples (frames, channels) in the encoding of `kind`."""
    if kind == "8 bit":
        return (samples * 127 + 128).astype("u1").tobytes()
    if kind == "24 bit":
        return (samples * 8388607).astype("<i4").view("u1").reshape(-1, 4)[:, :3].tobytes()
    scale, code = {"16 bit": (32767, "<i2"), "32 bit": (2147483647, "<i4"), "float": (1, "<f4"), "double": (1, "<f8")}[
        kind
    ]
    return (samples * scale).astype(code).tobytes()


def make_chunk(name: bytes, data: bytes, *, is_padded: bool = True) -> bytes:
    return name + struct.pack("<I", len(data)) + data + (b"\0" if is_padded and len(data) % 2 else b"")


def make_format(kind: str, channels: int, size: int) -> bytes:
    """The fmt chunk with 16, 18 or 40 bytes."""
    tag, bits = KINDS[kind]
    block = channels * bits // 8
    fields = struct.pack("<HIIHH", channels, RATE, RATE * block, block, bits)
    if size == 40:
        body = struct.pack("<H", 0xFFFE) + fields + struct.pack("<HHIH", 22, bits, 0, tag) + GUID_TAIL
    else:
        body = struct.pack("<H", tag) + fields + bytes(size - 16)
    return make_chunk(b"fmt ", body)


BEFORE = {
    "note": make_chunk(b"LIST", NOTE),
    "odd note": make_chunk(b"note", b"abc"),
    "odd note without padding": make_chunk(b"note", b"abc", is_padded=False),
    "broadcast": make_chunk(b"bext", bytes(602)),
    "room for RF64": make_chunk(b"JUNK", bytes(28)),
    "peaks": make_chunk(b"PEAK", bytes(16)),
    "broken note": make_chunk(b"LIST", b"INFOISFT\xff\0\0\0tool1234"),
}
AFTER = {
    "note": make_chunk(b"LIST", NOTE),
    "odd note without padding": make_chunk(b"note", b"abc", is_padded=False),
    "ID3": make_chunk(b"id3 ", b"ID3\x03" + bytes(26)),
    "cue": make_chunk(b"cue ", bytes(4)),
    "zeros": bytes(512),
    "text": b"Recorded with love",
    "cut note": make_chunk(b"LIST", NOTE)[:-5],
}


def build(
    samples: NDArray[np.float64], kind: str, channels: int, *, format_size: int = 16, outer: str = "right",
    inner: str = "right", before: str = "", after: str = "",
) -> OddWav:  # fmt: skip
    """A WAV of these samples with the chunks of BEFORE and AFTER. `outer` and `inner` name its two lengths."""
    sound = encode(np.repeat(samples[:, None], channels, axis=1), kind)
    lengths = {"right": len(sound), **PLACEHOLDERS, "two more": len(sound) + 2, "two less": len(sound) - 2}
    body = b"WAVE" + make_format(kind, channels, format_size) + BEFORE.get(before, b"")
    body += b"data" + struct.pack("<I", lengths[inner]) + sound + AFTER.get(after, b"")
    outers = {"right": len(body), **PLACEHOLDERS, "size of the file": len(body) + 8, "eight less": len(body) - 8}
    parts = (kind, f"{channels} channels", f"format {format_size}", f"outer {outer}", f"inner {inner}", before, after)
    name = ", ".join(part for part in parts if part)
    return OddWav(name, b"RIFF" + struct.pack("<I", outers[outer]) + body, channels, len(samples))


def list_odd_wavs(samples: NDArray[np.float64]) -> Iterator[OddWav]:
    """All combinations that recorders are known to write, of these samples in -1..1."""
    outers = ("right", *PLACEHOLDERS, "size of the file", "eight less")
    for kind, channels, size, outer in product(KINDS, (1, 2), FORMAT_BYTES, outers):
        yield build(samples, kind, channels, format_size=size, outer=outer)
    for outer, inner in product(outers[:-1], (*PLACEHOLDERS, "two more", "two less")):
        yield build(samples, "16 bit", 1, outer=outer, inner=inner)
    for kind, outer, before in product(("16 bit", "24 bit"), outers[:-1], BEFORE):
        yield build(samples, kind, 1, outer=outer, before=before)
    for kind, outer, after in product(("16 bit", "24 bit"), outers[:-1], AFTER):
        yield build(samples, kind, 1, outer=outer, after=after)
