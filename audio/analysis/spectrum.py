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
FALL_WIDTH_HZ = 400.0
MAX_FALL_DISTANCE_HZ = 600.0


@dataclass(frozen=True, slots=True)
class Hum:
    """Mains hum. `mains_hz` is 50 or 60; `over_db` is the level of the strongest line over the sound between the lines.

    `dbfs` is the level of all lines together. Without lines, `over_db` is 0 and `dbfs` -100.
    """

    mains_hz: int
    over_db: float
    dbfs: float


@dataclass(frozen=True, slots=True)
class Band:
    """`edge_hz` is the highest frequency with sound; `edge_fall_db` is how much the level falls within 400 Hz there."""

    edge_hz: float
    edge_fall_db: float


def measure_hum(samples: Float32, rate: int) -> Hum:
    """Measure the steady lines at 50 and 60 Hz with their first five harmonics. Returns the stronger hum of the two.

    Only the quietest third of the quarter-second windows is used, because the voice masks the hum least there.
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
    strongest_excess = total_power = 0.0
    for harmonic_hz in mains * np.arange(1, HARMONICS + 1):
        distance = np.abs(np.arange(len(power)) * bin_hz - harmonic_hz)
        line, surroundings = (
            power[distance <= LINE_HZ],
            power[(distance >= NEIGHBOR_RANGE_HZ[0]) & (distance <= NEIGHBOR_RANGE_HZ[1])],
        )
        excess = 10 * np.log10(max(float(line.max()), 1e-20) / max(float(np.median(surroundings)), 1e-20))
        if excess >= MIN_LINE_DB:
            strongest_excess, total_power = max(strongest_excess, float(excess)), total_power + float(line.sum())
    return Hum(mains, strongest_excess, 10 * np.log10(max(total_power, 1e-10)))


def measure_band(samples: Float32, rate: int) -> Band:
    """Measure the bandwidth. The level of each frequency is that which the loudest twentieth of 23 ms windows reaches.

    The edge is the highest frequency within 65 dB of the loudest 900 Hz. In a microphone recording the level falls
    slowly towards the edge. In a file resampled from a lower rate, or decoded from an MP3, it falls abruptly.
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
    return Band(edge, _measure_steepest_fall(levels, bin_hz, edge))


def _measure_steepest_fall(levels: Float64, bin_hz: float, edge: float) -> float:
    """Return the largest fall of the level within 400 Hz near the edge, in dB."""
    width = round(FALL_WIDTH_HZ / bin_hz)
    falls = levels[:-width] - levels[width:]
    near = np.abs((np.arange(len(falls)) + width / 2) * bin_hz - edge) <= MAX_FALL_DISTANCE_HZ
    return float(falls[near].max(initial=0.0))


def _smooth_levels(levels: Float64, width: int) -> Float64:
    padded = np.pad(levels, (width // 2, width - 1 - width // 2), mode="edge")
    return np.convolve(padded, np.ones(width) / width, "valid")


def _compute_power_spectra(samples: Float32, size: int, hop: int) -> Float64:
    """Return powers (windows, frequencies), one half for a full-scale sine. Windows of digital silence are left out."""
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
    """Estimate T60, the seconds in which a sound falls by 60 dB, from how fast the voice decays when it stops.

    The steepest quarter of free decays between 500 Hz and 4 kHz counts. A voice does not stop at once, so the estimate
    for a dry room is 0.2 s. For rooms of 0.3, 0.4, 0.6 and 0.9 s it is 0.40, 0.47, 0.63 and 0.77 s (medians over
    synthetic voices and rooms, reverberation as strong as the voice). None with fewer than four decays, and in noise
    (15 to 20 dB under the speech), because the decays would reach the level of the noise too soon.
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
    """Return the level of the band in dB every 10 ms, averaged over 70 ms so that a ripple in a decay is no rise."""
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
    """Yield the dB per second of each fall that begins well above the floor and is unbroken for 10 dB and 60 ms."""
    floor = np.percentile(levels, 5)
    rising = np.flatnonzero(np.diff(levels) >= 0)
    starts, ends = np.append(0, rising + 1), np.append(rising, len(levels) - 1)
    for start, end in zip(starts, ends, strict=True):
        fall = levels[start] - levels[end]
        if levels[start] > floor + OVER_FLOOR_DB and end - start >= MIN_DECAY_HOPS and fall >= MIN_FALL_DB:
            yield float(fall / ((end - start) * HOP_SECONDS))
