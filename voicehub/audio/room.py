"""How long the room answers: an estimate of reverberation from the decays in running speech."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from voicehub.audio.samples import Float32

Float64 = NDArray[np.float64]

HOP_SECONDS = 0.01
BAND_HZ = (500.0, 4000.0)
SMOOTHED_HOPS = 7
OVER_FLOOR_DB = 15.0
LEAST_FALL_DB = 10.0
LEAST_RANGE_DB = 20.0
LEAST_HOPS = 6
LEAST_DECAYS = 4
STEEP_PERCENTILE = 75


def reverberation(samples: Float32, rate: int) -> float | None:
    """T60 in seconds: how long a sound takes to fall by 60 dB, from how fast the voice dies away where it stops.

    The steep quarter of free decays between 500 Hz and 4 kHz counts. A voice itself does not stop at once, so a dry
    room reads 0.2 s; rooms of 0.3, 0.4, 0.6 and 0.9 s read 0.40, 0.47, 0.63 and 0.77 s (medians over synthetic voices
    and rooms, the reverberation as strong as the voice). None with fewer than four decays to judge by, and in noise
    (15 to 20 dB under the speech), whose level they would meet too soon.
    """
    levels = _envelope(samples, rate)
    slopes = list(_slopes(levels)) if len(levels) and np.ptp(np.percentile(levels, (5, 95))) >= LEAST_RANGE_DB else []
    if len(slopes) < LEAST_DECAYS:
        return None
    return float(60 / np.percentile(slopes, STEEP_PERCENTILE))


def _envelope(samples: Float32, rate: int) -> Float64:
    """Level of the band in dB for each 10 ms, averaged over 70 ms: a tail ripples, and must not seem to rise again."""
    hop = round(HOP_SECONDS * rate)
    if len(samples) < (SMOOTHED_HOPS + 1) * hop:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(samples, 2 * hop)[::hop]
    places = np.fft.rfftfreq(2 * hop, 1 / rate)
    inside = (places >= BAND_HZ[0]) & (places <= BAND_HZ[1])
    shape = np.hanning(2 * hop + 1)[:-1].astype(np.float32)
    powers = (np.abs(np.fft.rfft(windows * shape)[:, inside]) ** 2).sum(axis=1) / hop**2
    return np.convolve(10 * np.log10(powers + 1e-12), np.ones(SMOOTHED_HOPS) / SMOOTHED_HOPS, "valid")


def _slopes(levels: Float64) -> Iterator[float]:
    """Of each unbroken fall of 10 dB and 60 ms or more that begins well above the floor: dB per second."""
    floor = np.percentile(levels, 5)
    rising = np.flatnonzero(np.diff(levels) >= 0)
    starts, ends = np.append(0, rising + 1), np.append(rising, len(levels) - 1)
    for start, end in zip(starts, ends, strict=True):
        fall = levels[start] - levels[end]
        if levels[start] > floor + OVER_FLOOR_DB and end - start >= LEAST_HOPS and fall >= LEAST_FALL_DB:
            yield float(fall / ((end - start) * HOP_SECONDS))
