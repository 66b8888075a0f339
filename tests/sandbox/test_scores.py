"""The scores that the sandbox computes are in the vendor's ranges, and are lower for worse audio."""

import numpy as np
import pytest

from audio.levels.inspection import inspect_file
from sandbox.scores import SandboxScores, compute_scores
from tests.support.wav import RATE, Samples, make_speech_like, make_wav_file, make_white_noise


def score_samples(samples: Samples) -> SandboxScores:
    levels = inspect_file(make_wav_file(samples)).levels
    assert levels is not None
    return compute_scores(levels)


DAMAGED_SAMPLES: dict[str, list[Samples]] = {
    "noise": [make_speech_like(room_dbfs=room_dbfs) for room_dbfs in (-65.0, -50.0, -40.0, -30.0)],
    "clipping": [np.clip(make_speech_like(), -clip_level, clip_level) for clip_level in (1.0, 0.25, 0.1)],
}


@pytest.mark.parametrize("damage", DAMAGED_SAMPLES)
def test_scores_decrease_with_more_noise_or_clipping(damage: str) -> None:
    scores = [score_samples(samples) for samples in DAMAGED_SAMPLES[damage]]
    for name in ("stoi", "pesq", "si_sdr", "sample_score"):
        values = [getattr(score, name) for score in scores]
        assert values == sorted(set(values), reverse=True), name


def test_scores_stay_in_the_vendors_ranges() -> None:
    for samples in (
        np.zeros(RATE),
        make_white_noise(2.0, -10.0),
        make_speech_like(room_dbfs=-95.0),
        np.full(RATE, 1.0),
    ):
        score = score_samples(samples)
        assert 0 <= score.stoi <= 1 and -0.5 <= score.pesq <= 4.5
        assert -20 <= score.si_sdr <= 30 and 0 <= score.sample_score <= 1


def test_near_silence_has_the_lowest_sample_score() -> None:
    assert score_samples(make_white_noise(3.0, -66.0)).sample_score == 0.0
