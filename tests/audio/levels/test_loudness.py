"""Integrated loudness against the Recommendation's own numbers and against another implementation."""

from itertools import pairwise

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.levels.loudness import LoudnessMeter
from audio.wav.riff import ALLOWED_RATES
from tests.support.wav import Samples, gain, noise, sample_wav, speech_like, tone

RATES = pytest.mark.parametrize("rate", ALLOWED_RATES)


def lufs(samples: Samples, rate: int) -> float:
    meter = LoudnessMeter(rate)
    meter.add(samples.astype(np.float32))
    found = meter.compute_lufs()
    assert found is not None
    return found


def theirs(samples: Samples, rate: int, filters: str = "K-weighting") -> float:
    return float(pyloudnorm.Meter(rate, filter_class=filters).integrated_loudness(samples))


@RATES
def test_tone_of_997_hertz_at_full_scale_in_one_channel(rate: int) -> None:
    assert lufs(tone(5.0, rate, 997.0, peak=1.0), rate) == pytest.approx(-3.01, abs=0.1)


@RATES
@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.3, 12.71])
def test_voice_is_as_loud_as_elsewhere(rate: int, seconds: float) -> None:
    samples = speech_like(seconds, rate)
    assert lufs(samples, rate) == pytest.approx(theirs(samples, rate), abs=0.1)


@RATES
def test_noise_is_as_loud_as_after_resampling(rate: int) -> None:
    samples = noise(6.0, -30.0, rate)
    more = np.fft.irfft(np.fft.rfft(samples), 6 * 48000) * 48000 / rate
    assert lufs(samples, rate) == pytest.approx(theirs(more, 48000, "DeMan"), abs=0.01)


@RATES
def test_deep_tone_is_not_begun_anew_with_each_block(rate: int) -> None:
    """A filter that forgets rings at every beginning."""
    found = lufs(tone(20.0, rate, 23.7, peak=0.9), rate)
    assert found == pytest.approx(theirs(tone(20.0, 48000, 23.7, peak=0.9), 48000, "DeMan"), abs=0.01)


def test_exact_filters_at_their_own_rate_give_the_same() -> None:
    samples = speech_like(6.0, 48000)
    assert lufs(samples, 48000) == pytest.approx(theirs(samples, 48000, "DeMan"), abs=0.001)


def test_quiet_parts_do_not_count() -> None:
    loud, quiet = noise(4.0, -20.0, 16000), noise(8.0, -45.0, 16000, seed=2)
    together = np.concatenate((quiet, loud, quiet))
    assert lufs(together, 16000) == pytest.approx(lufs(loud, 16000), abs=0.5)
    assert lufs(together, 16000) == pytest.approx(theirs(together, 16000), abs=0.1)


def test_what_is_too_short_or_silent_has_no_loudness() -> None:
    for samples in (noise(0.39, -20.0), noise(3.0, -75.0), np.zeros(48000)):
        meter = LoudnessMeter(16000)
        meter.add(samples.astype(np.float32))
        assert meter.compute_lufs() is None


def test_gain_is_loudness() -> None:
    samples = speech_like(4.0)
    assert lufs(samples * gain(-7.0), 16000) == pytest.approx(lufs(samples, 16000) - 7.0, abs=0.01)


@given(st.lists(st.integers(0, 5 * 16000), min_size=1, max_size=8))
@settings(max_examples=25, deadline=None)
def test_blocks_change_nothing(cuts: list[int]) -> None:
    samples = speech_like(5.0).astype(np.float32)
    meter = LoudnessMeter(16000)
    for start, end in pairwise(sorted({0, *cuts, len(samples)})):
        meter.add(samples[start:end])
    assert meter.compute_lufs() == pytest.approx(lufs(samples.astype(np.float64), 16000), abs=1e-4)


def test_samples_of_a_file_are_the_same_as_floats() -> None:
    whole = np.frombuffer(sample_wav("slt-01"), "<i2", offset=44)
    meter = LoudnessMeter(16000)
    meter.add(whole)
    assert meter.compute_lufs() == pytest.approx(lufs(whole / 32768.0, 16000), abs=1e-4)
