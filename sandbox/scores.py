"""The scores that the sandbox answers with, in the shape in which a provider reports them: made up, and only here.

STOI, PESQ and SI-SDR compare a recording with a clean copy of it, which nobody has of a studio clip; providers
estimate them with trained models. These are neither, nor are they the estimates of `audio.networks.estimates`: they
are curves of our own over noise, clipping and loudness, made so that a worse recording gets a worse score in the
usual range. Nobody but the sandbox may ask for them (a test sees to it), so that no page shows them as its own.
"""

import math
from dataclasses import dataclass

from audio.levels.inspection import is_silent
from audio.levels.measure import Levels

CLIPPING_HALVES = 0.0005
"""Share of clipped samples that costs as much as twice the noise."""
GOOD_LOUDNESS = (-30.0, -14.0)
LOUDNESS_COST_PER_DB = 0.04


@dataclass(frozen=True, slots=True)
class SandboxScores:
    """`stoi` 0..1, `pesq` -0.5..4.5, `si_sdr` in dB, `sample_score` 0..1; more is better in all."""

    stoi: float
    pesq: float
    si_sdr: float
    sample_score: float


SILENCE = SandboxScores(stoi=0.0, pesq=-0.5, si_sdr=-20.0, sample_score=0.0)


def sandbox_scores(levels: Levels) -> SandboxScores:
    """The scores of one recording, by its measured levels."""
    if is_silent(levels):
        return SILENCE
    clean = levels.snr_db - 10 * math.log10(1 + levels.clipped_share / CLIPPING_HALVES)
    return SandboxScores(
        stoi=round(_rise(clean, middle=12.0, width=9.0), 3),
        pesq=round(1.0 + 3.5 * _rise(clean, middle=28.0, width=9.0), 2),
        si_sdr=round(max(-20.0, min(30.0, clean - 18.0)), 1),
        sample_score=round(_rise(clean, middle=20.0, width=9.0) * _loudness_factor(levels.rms_dbfs), 3),
    )


def _rise(value: float, middle: float, width: float) -> float:
    """From 0 to 1 around `middle`."""
    return 1 / (1 + math.exp((middle - value) / width))


def _loudness_factor(rms_dbfs: float) -> float:
    low, high = GOOD_LOUDNESS
    outside = max(low - rms_dbfs, rms_dbfs - high, 0.0)
    return max(0.0, 1.0 - LOUDNESS_COST_PER_DB * outside)
