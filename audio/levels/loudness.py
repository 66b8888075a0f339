"""Integrated loudness by Recommendation ITU-R BS.1770-4, for mono audio.

pyloudnorm is not used because it needs scipy: 143 MB for two filters. The tests compare this code with it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from audio.wav.riff import FULL_SCALE, Float32, Int16

Float64 = NDArray[np.float64]
Complex128 = NDArray[np.complex128]

OFFSET_LU = -0.691
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0
HOPS_PER_SECOND = 10
HOPS_PER_BLOCK = 4
"""Gating blocks of 400 ms, each overlapping the next by three quarters."""

REFERENCE_RATE = 48000
SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
"""The two K-weighting filters, for the effect of the head and for the ear's low sensitivity to low frequencies:
(numerator, denominator), from z⁰ to z⁻². The Recommendation gives them for 48 kHz. At other rates each frequency gets
its response at 48 kHz, as if the audio were resampled first."""
HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)

TAIL_SECONDS = 0.25
"""The high pass decays by a factor of e in 4 ms: after a quarter of a second earlier samples have no effect."""


class LoudnessMeter:
    """Measures the loudness of blocks of samples, int16 or float in -1..1. Keeps 80 bytes per second of audio."""

    def __init__(self, rate: int) -> None:
        self._hop_samples = rate // HOPS_PER_SECOND
        self._tail_samples = math.ceil(TAIL_SECONDS * rate)
        self._transform_size = 1 << (self._tail_samples + rate).bit_length()
        self._batch_samples = (self._transform_size - self._tail_samples) // self._hop_samples * self._hop_samples
        self._weights = compute_k_weighting(self._transform_size, rate)
        self._pending: Float32 = np.zeros(0, np.float32)
        self._previous: Float32 = np.zeros(self._tail_samples, np.float32)
        self._powers: list[Float64] = []

    def add(self, block: Float32 | Int16) -> None:
        scale = np.float32(1 / FULL_SCALE if block.dtype == np.int16 else 1)
        pending = np.concatenate((self._pending, block * scale))
        while len(pending) >= self._batch_samples:
            self._filter_samples(pending[: self._batch_samples])
            pending = pending[self._batch_samples :]
        self._pending = pending

    def _filter_samples(self, samples: Float32) -> None:
        """Filter samples and add the power of each hop.

        The previous samples are put before them: the transform wraps around there, so that part is wrong and dropped.
        """
        joined = np.concatenate((self._previous, samples))
        self._previous = joined[len(joined) - self._tail_samples :]
        filtered = np.fft.irfft(np.fft.rfft(joined, self._transform_size) * self._weights, self._transform_size)
        whole = len(samples) // self._hop_samples * self._hop_samples
        rows = filtered[self._tail_samples : self._tail_samples + whole].reshape(-1, self._hop_samples)
        self._powers.append(np.vecdot(rows, rows) / self._hop_samples)

    def compute_lufs(self) -> float | None:
        """Integrated loudness in LUFS; None if the audio is shorter than 0.4 s or all below -70 LUFS.

        Call it once, after the last block was added.
        """
        self._filter_samples(self._pending)
        hops = np.concatenate(self._powers)
        if len(hops) < HOPS_PER_BLOCK:
            return None
        return _compute_gated_loudness(np.lib.stride_tricks.sliding_window_view(hops, HOPS_PER_BLOCK).mean(axis=1))


def _compute_gated_loudness(blocks: Float64) -> float | None:
    loud = blocks[blocks > 10 ** ((ABSOLUTE_GATE_LUFS - OFFSET_LU) / 10)]
    if not len(loud):
        return None
    gated = loud[loud > loud.mean() * 10 ** (RELATIVE_GATE_LU / 10)]
    return OFFSET_LU + 10 * math.log10(gated.mean())


def compute_k_weighting(size: int, rate: int) -> Complex128:
    """Frequency response of K-weighting, for a real transform of `size` samples."""
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size * (rate / REFERENCE_RATE))
    product = np.ones(len(delay), np.complex128)
    for numerator, denominator in (SHELF, HIGH_PASS):
        product *= np.polyval(numerator[::-1], delay) / np.polyval(denominator[::-1], delay)
    return product
