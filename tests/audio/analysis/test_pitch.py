"""The pitch of synthetic voices is measured. Other sounds have no pitch."""

import numpy as np
import pytest

from audio.analysis.pitch import compute_median_pitch
from tests.support.wav import RATE, Samples, make_speech_like, make_white_noise


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("pitch", [85.0, 120.0, 210.0, 300.0])
def test_pitch_is_measured_at_every_rate(pitch: float, rate: int) -> None:
    samples = make_speech_like(3.0, rate, pitch=pitch).astype(np.float32)
    assert compute_median_pitch(samples, rate) == pytest.approx(pitch, rel=0.03)


def test_level_does_not_change_the_pitch() -> None:
    samples = make_speech_like(3.0, room_dbfs=-90.0).astype(np.float32)
    assert compute_median_pitch(samples * np.float32(0.1), RATE) == pytest.approx(120.0, rel=0.03)


@pytest.mark.parametrize(
    "samples", [np.zeros(0), np.zeros(10), np.zeros(RATE), make_white_noise(2.0, -20.0), make_speech_like(0.3)]
)
def test_audio_without_enough_voice_has_no_pitch(samples: Samples) -> None:
    assert compute_median_pitch(samples.astype(np.float32), RATE) is None
