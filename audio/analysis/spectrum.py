"""Measure mains hum, bandwidth and reverberation of a recording."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.wav.riff import Float32

Float64 = NDArray[np.float64]

MAINS_HZ = (50, 60)
HARMONICS = 6
HUM_WINDOW_SECONDS = 0.25
HUM_QUIET_PARTS = 3
NEIGHBOR_RANGE_HZ = (12.0, 24.0)
LINE_HZ = 4.0
MIN_LINE_DB = 10.0

WINDOW_SECONDS = 0.023
LOUD_PERCENTILE = 95
EDGE_UNDER_LOUDEST_DB = 65.0
LOUDEST_HZ = 900.0
SMOOTH_HZ = 200.0
CLIFF_HZ = 400.0
CLIFF_NEAR_EDGE_HZ = 600.0


@dataclass(frozen=True, slots=True)
class Hum:
    """`mains_hz` is 50 or 60; `over_db` is the level of the hum lines over the sound between them.

    `dbfs` is the level of all lines together. Without lines, `over_db` is 0 and `dbfs` -100.
    """

    mains_hz: int
    over_db: float
    dbfs: float


@dataclass(frozen=True, slots=True)
class Band:
    """`edge_hz`: highest frequency with sound; `cliff_db`: how much the level falls there within 400 Hz."""

    edge_hz: float
    cliff_db: float


def measure_hum(samples: Float32, rate: int) -> Hum:
    """The steady lines at 50 or 60 Hz and their first five harmonics, for the mains frequency with the stronger hum.

    The quietest third of quarter-second windows is searched, because the voice masks the hum least there.
    """
    size = round(HUM_WINDOW_SECONDS * rate)
    powers = _compute_power_spectra(samples, size, size // 4)
    if not len(powers):
        return Hum(MAINS_HZ[0], 0.0, -100.0)
    totals = powers.sum(axis=1)
    quiet = powers[np.argsort(totals, kind="stable")[: max(1, len(powers) // HUM_QUIET_PARTS)]]
    found = [_measure_hum_lines(np.median(quiet, axis=0), rate / size, mains) for mains in MAINS_HZ]
    return max(found, key=lambda one: one.over_db)


def _measure_hum_lines(power: Float64, bin_hz: float, mains: int) -> Hum:
    over = level = 0.0
    for harmonic_hz in mains * np.arange(1, HARMONICS + 1):
        distance = np.abs(np.arange(len(power)) * bin_hz - harmonic_hz)
        line, around = (
            power[distance <= LINE_HZ],
            power[(distance >= NEIGHBOR_RANGE_HZ[0]) & (distance <= NEIGHBOR_RANGE_HZ[1])],
        )
        excess = 10 * np.log10(max(float(line.max()), 1e-20) / max(float(np.median(around)), 1e-20))
        if excess >= MIN_LINE_DB:
            over, level = max(over, float(excess)), level + float(line.sum())
    return Hum(mains, over, 10 * np.log10(max(level, 1e-10)))


def measure_band(samples: Float32, rate: int) -> Band:
    """The bandwidth, from the spectrum that the loudest twentieth of 23 ms windows reaches.

    The edge is the highest frequency within 65 dB of the loudest 900 Hz. With a microphone the level falls slowly
    towards it; in a file resampled from a lower rate, or decoded from an MP3, it falls abruptly.
    """
    size = 1 << round(np.log2(WINDOW_SECONDS * rate))
    powers = _compute_power_spectra(samples, size, size // 2)
    if not len(powers):
        return Band(0.0, 0.0)
    bin_hz = rate / size
    levels = 10 * np.log10(np.percentile(powers, LOUD_PERCENTILE, axis=0) + 1e-14)
    levels = _smooth_levels(levels, max(1, round(SMOOTH_HZ / bin_hz)))
    loudest = np.sort(levels)[-max(1, round(LOUDEST_HZ / bin_hz)) :].mean()
    edge = float(np.flatnonzero(levels > loudest - EDGE_UNDER_LOUDEST_DB)[-1] * bin_hz)
    return Band(edge, _measure_cliff(levels, bin_hz, edge))


def _measure_cliff(levels: Float64, bin_hz: float, edge: float) -> float:
    """The largest fall of the level within 400 Hz near the edge, in dB."""
    width = round(CLIFF_HZ / bin_hz)
    falls = levels[:-width] - levels[width:]
    near = np.abs((np.arange(len(falls)) + width / 2) * bin_hz - edge) <= CLIFF_NEAR_EDGE_HZ
    return float(falls[near].max(initial=0.0))


def _smooth_levels(levels: Float64, width: int) -> Float64:
    around = np.pad(levels, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(around, np.ones(width) / width, "valid")


def _compute_power_spectra(samples: Float32, size: int, hop: int) -> Float64:
    """(windows, frequencies): power, one half for a full-scale sine; without windows of digital silence."""
    if len(samples) < size:
        return np.zeros((0, size // 2 + 1))
    shape = np.hanning(size + 1)[:-1].astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
    windows = windows[windows.any(axis=1)]
    return np.asarray(np.abs(np.fft.rfft(windows * shape)) ** 2 * (2 / (shape.sum() ** 2)), np.float64)


HOP_SECONDS = 0.01
BAND_HZ = (500.0, 4000.0)
SMOOTHED_HOPS = 7
OVER_FLOOR_DB = 15.0
MIN_FALL_DB = 10.0
MIN_RANGE_DB = 20.0
MIN_DECAY_HOPS = 6
MIN_DECAYS = 4
STEEP_PERCENTILE = 75


def measure_reverberation(samples: Float32, rate: int) -> float | None:
    """T60 in seconds: the time in which a sound falls by 60 dB, from how fast the voice decays when it stops.

    The steepest quarter of free decays between 500 Hz and 4 kHz counts. A voice does not stop at once, so a dry room
    measures 0.2 s; rooms of 0.3, 0.4, 0.6 and 0.9 s measure 0.40, 0.47, 0.63 and 0.77 s (medians over synthetic voices
    and rooms, reverberation as strong as the voice). None with fewer than four decays, and in noise (15 to 20 dB under
    the speech), because the decays would reach its level too soon.
    """
    levels = _compute_envelope(samples, rate)
    slopes = (
        list(_find_decay_slopes(levels))
        if len(levels) and np.ptp(np.percentile(levels, (5, 95))) >= MIN_RANGE_DB
        else []
    )
    if len(slopes) < MIN_DECAYS:
        return None
    return float(60 / np.percentile(slopes, STEEP_PERCENTILE))


def _compute_envelope(samples: Float32, rate: int) -> Float64:
    """Level of the band in dB for each 10 ms, averaged over 70 ms: ripples in a decay must not look like a rise."""
    hop = round(HOP_SECONDS * rate)
    if len(samples) < (SMOOTHED_HOPS + 1) * hop:
        return np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(samples, 2 * hop)[::hop]
    frequencies = np.fft.rfftfreq(2 * hop, 1 / rate)
    inside = (frequencies >= BAND_HZ[0]) & (frequencies <= BAND_HZ[1])
    shape = np.hanning(2 * hop + 1)[:-1].astype(np.float32)
    powers = (np.abs(np.fft.rfft(windows * shape)[:, inside]) ** 2).sum(axis=1) / hop**2
    return np.convolve(10 * np.log10(powers + 1e-12), np.ones(SMOOTHED_HOPS) / SMOOTHED_HOPS, "valid")


def _find_decay_slopes(levels: Float64) -> Iterator[float]:
    """dB per second of each unbroken fall of 10 dB and 60 ms or more that begins well above the floor."""
    floor = np.percentile(levels, 5)
    rising = np.flatnonzero(np.diff(levels) >= 0)
    starts, ends = np.append(0, rising + 1), np.append(rising, len(levels) - 1)
    for start, end in zip(starts, ends, strict=True):
        fall = levels[start] - levels[end]
        if levels[start] > floor + OVER_FLOOR_DB and end - start >= MIN_DECAY_HOPS and fall >= MIN_FALL_DB:
            yield float(fall / ((end - start) * HOP_SECONDS))
