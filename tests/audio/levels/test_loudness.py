"""Integrated loudness against the numbers of ITU-R BS.1770 and against another implementation."""

from itertools import pairwise

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.levels.loudness import LoudnessMeter
from audio.wav.riff import ALLOWED_RATES
from tests.support.wav import (
    Samples,
    decibels_to_gain,
    load_sample_wav,
    make_sine_tone,
    make_speech_like,
    make_white_noise,
)

every_rate = pytest.mark.parametrize("rate", ALLOWED_RATES)


def compute_lufs(samples: Samples, rate: int) -> float:
    meter = LoudnessMeter(rate)
    meter.add(samples.astype(np.float32))
    loudness = meter.compute_lufs()
    assert loudness is not None
    return loudness


def compute_reference_lufs(samples: Samples, rate: int, filters: str = "K-weighting") -> float:
    return float(pyloudnorm.Meter(rate, filter_class=filters).integrated_loudness(samples))


@every_rate
def test_full_scale_997_hz_tone_in_one_channel_is_minus_3_lufs(rate: int) -> None:
    assert compute_lufs(make_sine_tone(5.0, rate, 997.0, peak=1.0), rate) == pytest.approx(-3.01, abs=0.1)


@every_rate
@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.3, 12.71])
def test_speech_loudness_matches_pyloudnorm(rate: int, seconds: float) -> None:
    samples = make_speech_like(seconds, rate)
    assert compute_lufs(samples, rate) == pytest.approx(compute_reference_lufs(samples, rate), abs=0.1)


@every_rate
def test_noise_loudness_does_not_depend_on_the_rate(rate: int) -> None:
    samples = make_white_noise(6.0, -30.0, rate)
    resampled = np.fft.irfft(np.fft.rfft(samples), 6 * 48000) * 48000 / rate
    assert compute_lufs(samples, rate) == pytest.approx(compute_reference_lufs(resampled, 48000, "DeMan"), abs=0.01)


@every_rate
def test_filter_state_carries_over_between_blocks(rate: int) -> None:
    """A filter that loses its state rings at the start of every block."""
    loudness = compute_lufs(make_sine_tone(20.0, rate, 23.7, peak=0.9), rate)
    assert loudness == pytest.approx(
        compute_reference_lufs(make_sine_tone(20.0, 48000, 23.7, peak=0.9), 48000, "DeMan"), abs=0.01
    )


def test_loudness_at_48_khz_matches_the_filters_of_the_standard() -> None:
    samples = make_speech_like(6.0, 48000)
    assert compute_lufs(samples, 48000) == pytest.approx(compute_reference_lufs(samples, 48000, "DeMan"), abs=0.001)


def test_quiet_parts_do_not_change_the_loudness() -> None:
    loud, quiet = make_white_noise(4.0, -20.0, 16000), make_white_noise(8.0, -45.0, 16000, seed=2)
    combined = np.concatenate((quiet, loud, quiet))
    assert compute_lufs(combined, 16000) == pytest.approx(compute_lufs(loud, 16000), abs=0.5)
    assert compute_lufs(combined, 16000) == pytest.approx(compute_reference_lufs(combined, 16000), abs=0.1)


def test_short_or_silent_audio_has_no_loudness() -> None:
    for samples in (make_white_noise(0.39, -20.0), make_white_noise(3.0, -75.0), np.zeros(48000)):
        meter = LoudnessMeter(16000)
        meter.add(samples.astype(np.float32))
        assert meter.compute_lufs() is None


def test_gain_changes_loudness_by_its_value() -> None:
    samples = make_speech_like(4.0)
    assert compute_lufs(samples * decibels_to_gain(-7.0), 16000) == pytest.approx(
        compute_lufs(samples, 16000) - 7.0, abs=0.01
    )


@given(st.lists(st.integers(0, 5 * 16000), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_block_size_does_not_change_the_loudness(positions: list[int]) -> None:
    samples = make_speech_like(5.0).astype(np.float32)
    meter = LoudnessMeter(16000)
    for start, end in pairwise(sorted({0, *positions, len(samples)})):
        meter.add(samples[start:end])
    assert meter.compute_lufs() == pytest.approx(compute_lufs(samples.astype(np.float64), 16000), abs=1e-4)


def test_int16_samples_give_the_same_loudness_as_floats() -> None:
    whole = np.frombuffer(load_sample_wav("slt-01"), "<i2", offset=44)
    meter = LoudnessMeter(16000)
    meter.add(whole)
    assert meter.compute_lufs() == pytest.approx(compute_lufs(whole / 32768.0, 16000), abs=1e-4)
