"""Estimate the pitch of a voice by autocorrelation."""

import numpy as np
from numpy.typing import NDArray

from audio.wav.riff import Float32

Floats = NDArray[np.float64]

PITCH_RANGE = (60.0, 400.0)
WINDOW_SECONDS = 0.04
HOP_SECONDS = 0.01
VOICED_CORRELATION = 0.5
MIN_VOICED_POWER_SHARE = 10 ** (-25 / 10)
SILENT_POWER = 1e-7
MIN_VOICED_SECONDS = 0.5


def compute_median_pitch(samples: Float32, rate: int) -> float | None:
    """Return the median pitch of mono samples (-1..1) in Hz; None with less than half a second of voice."""
    pitch, voiced = _estimate_pitch(_split_windows(samples, rate), rate)
    if voiced.sum() * HOP_SECONDS < MIN_VOICED_SECONDS:
        return None
    return float(np.median(pitch[voiced]))


def _split_windows(samples: Float32, rate: int) -> Floats:
    """Return overlapping windows, one per row."""
    width, hop = round(WINDOW_SECONDS * rate), round(HOP_SECONDS * rate)
    if len(samples) < width:
        return np.zeros((0, width))
    rows = np.lib.stride_tricks.sliding_window_view(samples, width)[::hop].astype(np.float64)
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


def _estimate_pitch(windows: Floats, rate: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Return (pitch in Hz, is voiced) of each window. The autocorrelation is divided by that of the taper."""
    taper = np.hanning(windows.shape[1])
    low, high = round(rate / PITCH_RANGE[1]), round(rate / PITCH_RANGE[0])
    correlation = _compute_autocorrelation(windows * taper, high + 1) / _compute_autocorrelation(
        taper[None, :], high + 1
    )
    power = correlation[:, 0].copy()
    correlation /= np.maximum(power, SILENT_POWER * 1e-3)[:, None]
    lags = low + _find_first_peak(correlation[:, low:])
    strength = correlation[np.arange(len(lags)), lags]
    is_loud = power > max(SILENT_POWER, MIN_VOICED_POWER_SHARE * power.max(initial=0.0))
    return rate / lags, is_loud & (strength > VOICED_CORRELATION)


def _compute_autocorrelation(rows: Floats, lags: int) -> Floats:
    """Return the autocorrelation of each row, at lags 0 to `lags` - 1."""
    size = 1 << (2 * rows.shape[1] - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(rows, size)) ** 2
    return np.asarray(np.fft.irfft(spectrum, size)[:, :lags])


def _find_first_peak(correlation: Floats) -> NDArray[np.int64]:
    """Return the shortest lag with a peak nearly as high as the highest, which is often two or three periods away."""
    padded = np.pad(correlation, ((0, 0), (1, 1)), constant_values=-1.0)
    tops = (correlation >= padded[:, :-2]) & (correlation >= padded[:, 2:])
    near = correlation >= 0.9 * correlation.max(axis=1, keepdims=True, initial=-1.0)
    return np.asarray((tops & near).argmax(axis=1))
