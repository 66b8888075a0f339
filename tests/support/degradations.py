"""Degrades speech by known amounts: noise, clipping, reverberation, a narrow band, a low level."""

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]


def add_white_noise(samples: Float32, snr_db: float, seed: int = 1) -> Float32:
    """Add white noise at this signal-to-noise ratio, measured over the whole clip."""
    noise = np.random.default_rng(seed).standard_normal(len(samples))
    power = float(np.mean(samples.astype(np.float64) ** 2))
    return np.asarray(samples + noise * np.sqrt(power / 10 ** (snr_db / 10)), np.float32)


def clip_peaks(samples: Float32, share: float) -> Float32:
    """Clip the loudest samples. `share` is their share of all samples."""
    top = float(np.quantile(np.abs(samples), 1 - share))
    return np.asarray(np.clip(samples, -top, top), np.float32)


def add_reverberation(samples: Float32, rate: int, t60: float, seed: int = 1) -> Float32:
    """Add the reverberation of a room where sound decays by 60 dB in `t60` seconds.

    The room impulse response is noise with an exponential decay. Direct sound and echoes are equally loud.
    """
    if not t60:
        return samples
    times = np.arange(int(t60 * rate)) / rate
    room = np.random.default_rng(seed).standard_normal(len(times)) * 10 ** (-3 * times / t60)
    room /= np.sqrt(np.sum(room**2))
    room[0] += 1.0
    size = len(samples) + len(room)
    reverberant = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(room, size), size)[: len(samples)]
    return np.asarray(reverberant * (np.std(samples) / np.std(reverberant)), np.float32)


def limit_bandwidth(samples: Float32, rate: int, highest: float) -> Float32:
    """Remove all energy above `highest` Hz."""
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > highest] = 0
    return np.asarray(np.fft.irfft(spectrum, len(samples)), np.float32)


def lower_level(samples: Float32, decibels: float) -> Float32:
    return np.asarray(samples * 10 ** (-decibels / 20), np.float32)
