"""Simulated scores in the format in which a provider reports them, for the sandbox only.

STOI, PESQ and SI-SDR compare a recording with a clean copy, which does not exist for a studio clip; providers
estimate these scores with trained models. The scores here are not computed in either way, and they are not the
estimates of `audio.networks.estimates`. They come from our own curves over noise, clipping and loudness, so that a
worse recording gets a worse score in the usual range. Only the sandbox may import this module (import-linter checks
it), so that no page shows these scores.
"""

import math
from dataclasses import dataclass

from audio.levels.inspection import is_silent
from audio.levels.measure import Levels

CLIPPED_SHARE_DOUBLING_NOISE = 0.0005
"""Share of clipped samples that lowers a score as much as twice the noise."""
GOOD_LOUDNESS_RANGE = (-30.0, -14.0)
LOUDNESS_COST_PER_DB = 0.04


@dataclass(frozen=True, slots=True)
class SandboxScores:
    """`stoi` 0..1, `pesq` -0.5..4.5, `si_sdr` in dB, `sample_score` 0..1; higher is better."""

    stoi: float
    pesq: float
    si_sdr: float
    sample_score: float


SILENCE = SandboxScores(stoi=0.0, pesq=-0.5, si_sdr=-20.0, sample_score=0.0)


def compute_scores(levels: Levels) -> SandboxScores:
    if is_silent(levels):
        return SILENCE
    clean = levels.snr_db - 10 * math.log10(1 + levels.clipped_share / CLIPPED_SHARE_DOUBLING_NOISE)
    return SandboxScores(
        stoi=round(_compute_logistic(clean, middle=12.0, width=9.0), 3),
        pesq=round(1.0 + 3.5 * _compute_logistic(clean, middle=28.0, width=9.0), 2),
        si_sdr=round(max(-20.0, min(30.0, clean - 18.0)), 1),
        sample_score=round(
            _compute_logistic(clean, middle=20.0, width=9.0) * _compute_loudness_factor(levels.rms_dbfs), 3
        ),
    )


def _compute_logistic(value: float, middle: float, width: float) -> float:
    """Rise from 0 to 1 around `middle`."""
    return 1 / (1 + math.exp((middle - value) / width))


def _compute_loudness_factor(rms_dbfs: float) -> float:
    low, high = GOOD_LOUDNESS_RANGE
    excess_db = max(low - rms_dbfs, rms_dbfs - high, 0.0)
    return max(0.0, 1.0 - LOUDNESS_COST_PER_DB * excess_db)
