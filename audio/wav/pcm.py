"""Write 16-bit mono WAV files: header, resampling, rounding to 16 bits with dither, writing in blocks."""

import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
import soxr
from numpy.typing import NDArray

from audio.wav.riff import ALLOWED_RATES, BYTES_PER_FRAME, FULL_SCALE, Float32, Int16

HEADER_BYTES = 44
MAX_DATA_BYTES = 0xFFFFFFFF - HEADER_BYTES
"""RIFF stores its length in 32 bits."""


def build_wav_header(rate: int, size: int) -> bytes:
    """Return the 44 bytes before `size` bytes of 16-bit mono samples (RIFF WAVE, format 1)."""
    head = struct.pack("<4sI4s", b"RIFF", 36 + size, b"WAVE")
    return head + struct.pack("<4sIHHIIHH4sI", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16, b"data", size)


class Quantizer:
    """Rounds float samples to 16 bits; `peak` is the largest input so far, with full scale 1.

    With a seed, triangular dither of one step to either side is added first. It turns the rounding error into steady
    noise at -93 dBFS (Lipshitz, Wannamaker and Vanderkooy: Quantization and Dither, 1992). The dither is drawn from
    the raw bits of PCG64, so that a seed gives the same bytes with any numpy version and any block length.
    """

    def __init__(self, seed: str | None) -> None:
        """`seed` is a number in hex, such as the hash of the source; None (no dither) if the samples are 16-bit."""
        self._bits = None if seed is None else np.random.PCG64(int(seed, 16))
        self.peak = 0.0

    def __call__(self, block: Float32) -> Int16:
        if len(block):
            self.peak = max(self.peak, float(block.max()), -float(block.min()))
        steps = np.multiply(block, FULL_SCALE, dtype=np.float64)
        if self._bits is not None:
            steps += draw_triangular_noise(self._bits, len(block))
        np.rint(steps, out=steps)
        return np.clip(steps, -FULL_SCALE, FULL_SCALE - 1, out=steps).astype("<i2")


def draw_triangular_noise(bits: np.random.PCG64, count: int) -> NDArray[np.float64]:
    """Return numbers in -1..1 of triangular distribution: each is the difference of two uniform numbers of 32 bits."""
    halves = bits.random_raw(count).astype("<u8", copy=False).view("<u4")
    difference: NDArray[np.float64] = np.subtract(halves[1::2], halves[::2], dtype=np.float64)
    difference *= 2.0**-32
    return difference


class WavWriter:
    """Writes blocks of samples to an empty seekable file; `close` writes the length into the header."""

    def __init__(self, file: BinaryIO, rate: int) -> None:
        self._file, self._rate = file, rate
        self.frames = 0
        file.write(build_wav_header(rate, 0))

    def write(self, block: Int16) -> None:
        self._file.write(block.astype("<i2", copy=False).tobytes())
        self.frames += len(block)

    def close(self) -> None:
        self._file.seek(0)
        self._file.write(build_wav_header(self._rate, self.frames * BYTES_PER_FRAME))
        self._file.flush()


RESAMPLING_QUALITY = "HQ"
MIN_RATE, MAX_RATE = 4000, 768_000
"""A header with a rate outside this range is wrong; soxr would need ever longer filters for it."""
MIN_BAND_SHARE = 0.9
CD_RATE = 44100


def choose_allowed_rate(rate: int) -> int:
    """Return the rate to which audio of `rate` samples per second is resampled, so that providers accept it.

    An allowed rate is kept. A multiple of 44,100 becomes 44,100, because the ratio is exact. Any other rate becomes
    the nearest allowed rate that keeps at least nine tenths of the band, or 48,000 if none does.
    """
    if rate % CD_RATE == 0:
        return CD_RATE
    wide_enough = [one for one in ALLOWED_RATES if one >= MIN_BAND_SHARE * rate]
    return min(wide_enough, key=lambda one: abs(one - rate)) if wide_enough else max(ALLOWED_RATES)


def count_resampled_frames(frames: int, source_rate: int, target_rate: int) -> int:
    """Return the exact number of samples that `resample_blocks` yields."""
    return (2 * frames * target_rate + source_rate) // (2 * source_rate)


def resample_blocks(blocks: Iterable[Float32], source_rate: int, target_rate: int) -> Iterator[Float32]:
    """Resample blocks of any length; none is kept in memory.

    If the exact length ends on half a sample, soxr rounds up or down; here the length is always rounded up.
    """
    if source_rate == target_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality=RESAMPLING_QUALITY)
    samples_in = samples_out = 0
    for block in blocks:
        samples_in += len(block)
        part = stream.resample_chunk(block)
        samples_out += len(part)
        yield part
    rest = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    missing = count_resampled_frames(samples_in, source_rate, target_rate) - samples_out - len(rest)
    yield np.pad(rest, (0, missing)) if missing > 0 else rest[: len(rest) + missing]
