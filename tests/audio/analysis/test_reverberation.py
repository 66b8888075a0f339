"""The reverberation estimate for simulated rooms of known reverberation."""

import numpy as np
import pytest

from audio.analysis.spectrum import measure_reverberation
from tests.support.clips import RATES
from tests.support.degradations import add_reverberation, add_white_noise
from tests.support.planted_defects import load_voice_at_rate

NAMES = ("slt-02", "rms-01", "consent-awb")


def measure_voice(name: str, rate: int, t60: float) -> float | None:
    return measure_reverberation(add_reverberation(load_voice_at_rate(rate, name).astype(np.float32), rate, t60), rate)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rate", RATES)
def test_estimate_grows_with_the_reverberation_time(name: str, rate: int) -> None:
    times = [time for t60 in (0.0, 0.3, 0.4, 0.6) if (time := measure_voice(name, rate, t60)) is not None]
    dry, short, middle, long = times
    assert times == sorted(times)
    assert dry == pytest.approx(0.2, abs=0.04)
    assert short == pytest.approx(0.4, abs=0.08)
    assert middle == pytest.approx(0.48, abs=0.08)
    assert long == pytest.approx(0.6, abs=0.15)


def test_level_does_not_change_the_estimate() -> None:
    loud = add_reverberation(load_voice_at_rate(16000).astype(np.float32), 16000, 0.4)
    assert measure_reverberation(loud * np.float32(0.1), 16000) == pytest.approx(
        measure_reverberation(loud, 16000), abs=0.01
    )


def test_short_silent_or_noisy_audio_has_no_estimate() -> None:
    speech = load_voice_at_rate(16000).astype(np.float32)
    for samples in (
        speech[:0],
        speech[:1000],
        speech[:8000],
        np.zeros(48000, np.float32),
        add_white_noise(speech, 15.0),
    ):
        assert measure_reverberation(samples, 16000) is None


def test_decay_into_noise_has_no_estimate() -> None:
    """A decay that ends in noise is short, and would give an estimate that is too long."""
    assert measure_reverberation(add_white_noise(load_voice_at_rate(8000).astype(np.float32), 20.0), 8000) is None
