"""Hum and bandwidth of sounds that are known."""

import numpy as np
import pytest

from audio.analysis.spectrum import measure_band, measure_hum
from audio.wav.riff import Float32
from tests.support.clips import RATES, recorded, resampled, spoken
from tests.support.planted import voice
from tests.support.wav import Samples, gain, noise, tone

at_every_rate = pytest.mark.parametrize("rate", RATES)


def floats(samples: Samples) -> Float32:
    """As a 16-bit file holds them."""
    return np.asarray(np.round(samples * 32768) / 32768, np.float32)


@at_every_rate
@pytest.mark.parametrize("mains", [50, 60])
@pytest.mark.parametrize("line", [1, 2, 3])
def test_hum_of_one_line_is_found_with_its_mains_and_level(rate: int, mains: int, line: int) -> None:
    peak = float(gain(-45.0) * np.sqrt(2))
    found = measure_hum(floats(noise(4.0, -65.0, rate) + tone(4.0, rate, mains * line, peak)), rate)
    # 150 Hz is the third line of 50 Hz and no other; 300 Hz would be of both.
    assert found.mains_hz == mains
    assert found.over_db > 30
    assert found.dbfs == pytest.approx(-45.0, abs=2.0)


@at_every_rate
def test_more_hum_stands_higher(rate: int) -> None:
    lines = tone(len(voice(rate)) / rate, rate, 50.0, 1.0)
    heard = [
        measure_hum(floats(voice(rate) + lines * gain(level)), rate).over_db for level in (-60.0, -50.0, -40.0, -30.0)
    ]
    assert heard == sorted(heard)
    assert heard[3] - heard[1] == pytest.approx(20.0, abs=3.0)


@pytest.mark.parametrize("frequency", [440.0, 75.0, 137.0])
def test_other_tones_are_no_hum(frequency: float) -> None:
    assert measure_hum(floats(noise(4.0, -65.0, 16000) + tone(4.0, 16000, frequency, 0.1)), 16000).over_db < 10


@pytest.mark.parametrize(("source", "rate"), [(one, other) for one in RATES for other in RATES if one < 0.8 * other])
@pytest.mark.parametrize("name", ["slt-03", "rms-05", "consent-awb"])
def test_lower_rate_leaves_its_edge_and_a_cliff(source: int, rate: int, name: str) -> None:
    found = measure_band(floats(resampled(voice(source, name), rate, source)), rate)
    assert found.edge_hz == pytest.approx(source / 2, abs=250)
    assert found.cliff_db > 28


@at_every_rate
def test_full_band_reaches_up_and_ends_without_a_cliff(rate: int) -> None:
    found = measure_band(floats(recorded(spoken()["slt-03"], rate)), rate)
    assert found.edge_hz > 0.9 * rate / 2
    assert found.cliff_db < 28 or found.edge_hz > 0.95 * rate / 2


@at_every_rate
def test_click_in_digital_silence_is_no_hum(rate: int) -> None:
    """Most of its windows hold nothing at all, which has no logarithm."""
    click = np.zeros(2 * rate, np.float32)
    click[rate] = 1.0
    assert (measure_hum(click, rate).over_db, measure_hum(click, rate).dbfs) == (0.0, -100.0)


@at_every_rate
def test_silence_and_snippets_have_neither(rate: int) -> None:
    for samples in (np.zeros(rate, np.float32), np.zeros(0, np.float32), floats(voice(rate)[:10])):
        assert (measure_hum(samples, rate).over_db, measure_hum(samples, rate).dbfs) == (0.0, -100.0)
        assert (measure_band(samples, rate).edge_hz, measure_band(samples, rate).cliff_db) == (0.0, 0.0)
