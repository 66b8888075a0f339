"""The scores that the sandbox makes up: in the vendor's ranges, and lower for what is worse."""

import numpy as np
import pytest

from audio.levels.inspection import inspect_file
from sandbox.scores import SandboxScores, sandbox_scores
from tests.support.wav import RATE, Samples, noise, speech_like, wav_file


def scores_of(samples: Samples) -> SandboxScores:
    levels = inspect_file(wav_file(samples)).levels
    assert levels is not None
    return sandbox_scores(levels)


WORSE: dict[str, list[Samples]] = {
    "noise": [speech_like(room_dbfs=room) for room in (-65.0, -50.0, -40.0, -30.0)],
    "clipping": [np.clip(speech_like(), -top, top) for top in (1.0, 0.25, 0.1)],
}


@pytest.mark.parametrize("damage", WORSE)
def test_scores_fall_with_damage(damage: str) -> None:
    scores = [scores_of(samples) for samples in WORSE[damage]]
    for name in ("stoi", "pesq", "si_sdr", "sample_score"):
        values = [getattr(score, name) for score in scores]
        assert values == sorted(set(values), reverse=True), name


def test_scores_stay_in_their_ranges() -> None:
    for samples in (np.zeros(RATE), noise(2.0, -10.0), speech_like(room_dbfs=-95.0), np.full(RATE, 1.0)):
        score = scores_of(samples)
        assert 0 <= score.stoi <= 1 and -0.5 <= score.pesq <= 4.5
        assert -20 <= score.si_sdr <= 30 and 0 <= score.sample_score <= 1


def test_silence_has_the_lowest_scores() -> None:
    assert scores_of(noise(3.0, -66.0)).sample_score == 0.0
