"""Hum and bandwidth are measured in sounds with known values."""

import numpy as np
import pytest

from audio.analysis.spectrum import measure_band, measure_hum
from audio.wav.riff import Float32
from tests.support.clips import RATES, load_speech_clips, resample_clip, simulate_recording
from tests.support.planted_defects import load_voice_at_rate
from tests.support.wav import Samples, decibels_to_gain, make_sine_tone, make_white_noise

at_every_rate = pytest.mark.parametrize("rate", RATES)


def quantize_samples(samples: Samples) -> Float32:
    """Round the samples to 16 bits."""
    return np.asarray(np.round(samples * 32768) / 32768, np.float32)


@at_every_rate
@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("harmonic", [1, 2, 3])
def test_hum_of_one_harmonic_gives_mains_and_level(rate: int, mains: int, harmonic: int) -> None:
    peak = float(decibels_to_gain(-45.0) * np.sqrt(2))
    measured = measure_hum(
        quantize_samples(make_white_noise(4.0, -65.0, rate) + make_sine_tone(4.0, rate, mains * harmonic, peak)), rate
    )
    # No tested harmonic belongs to both mains frequencies. 300 Hz would be the sixth of 50 Hz and the fifth of 60 Hz.
    assert measured.mains_hz == mains
    assert measured.over_db > 30
    assert measured.dbfs == pytest.approx(-45.0, abs=2.0)


@at_every_rate
def test_louder_hum_has_a_higher_measured_level(rate: int) -> None:
    hum = make_sine_tone(len(load_voice_at_rate(rate)) / rate, rate, 50.0, 1.0)
    levels_over_noise = [
        measure_hum(quantize_samples(load_voice_at_rate(rate) + hum * decibels_to_gain(level)), rate).over_db
        for level in (-60.0, -50.0, -40.0, -30.0)
    ]
    assert levels_over_noise == sorted(levels_over_noise)
    assert levels_over_noise[3] - levels_over_noise[1] == pytest.approx(20.0, abs=3.0)


@pytest.mark.parametrize("frequency", [440.0, 75.0, 137.0])
def test_other_tones_are_not_hum(frequency: float) -> None:
    assert (
        measure_hum(
            quantize_samples(make_white_noise(4.0, -65.0, 16000) + make_sine_tone(4.0, 16000, frequency, 0.1)), 16000
        ).over_db
        < 10
    )


@pytest.mark.parametrize(
    ("source", "rate"), [(source, rate) for source in RATES for rate in RATES if source < 0.8 * rate]
)
@pytest.mark.parametrize("name", ["slt-03", "rms-05", "consent-awb"])
def test_upsampled_audio_has_a_steep_band_edge(source: int, rate: int, name: str) -> None:
    measured = measure_band(quantize_samples(resample_clip(load_voice_at_rate(source, name), rate, source)), rate)
    assert measured.edge_hz == pytest.approx(source / 2, abs=250)
    assert measured.edge_fall_db > 28


@at_every_rate
def test_full_band_audio_has_a_high_band_edge_that_is_not_steep(rate: int) -> None:
    measured = measure_band(quantize_samples(simulate_recording(load_speech_clips()["slt-03"], rate)), rate)
    assert measured.edge_hz > 0.9 * rate / 2
    assert measured.edge_fall_db < 28 or measured.edge_hz > 0.95 * rate / 2


@at_every_rate
def test_click_in_digital_silence_is_not_hum(rate: int) -> None:
    """Most windows of the measurement contain only zeros, which have no logarithm."""
    click = np.zeros(2 * rate, np.float32)
    click[rate] = 1.0
    assert (measure_hum(click, rate).over_db, measure_hum(click, rate).dbfs) == (0.0, -100.0)


@at_every_rate
def test_silence_and_tiny_clips_have_neither_hum_nor_band(rate: int) -> None:
    for samples in (
        np.zeros(rate, np.float32),
        np.zeros(0, np.float32),
        quantize_samples(load_voice_at_rate(rate)[:10]),
    ):
        assert (measure_hum(samples, rate).over_db, measure_hum(samples, rate).dbfs) == (0.0, -100.0)
        assert (measure_band(samples, rate).edge_hz, measure_band(samples, rate).edge_fall_db) == (0.0, 0.0)
