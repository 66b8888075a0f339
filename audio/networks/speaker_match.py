"""Is this the same voice? A neural speaker encoder compares them, and a person decides.

It finds the clip that somebody else has read, and the consent that another person has given. It advises and never
refuses anything; it tells neither a replay nor synthetic speech from a living speaker. Voiceprints are biometric data:
they are made, compared and dropped within one piece of work, and never stored, logged or sent anywhere.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import soxr

from audio.findings.findings import Finding, finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.networks.speaker_encoder import RATE, encoder, unit
from audio.networks.vad import speech
from audio.networks.weights import Absent
from audio.wav.riff import Float32

HEARD_SECONDS = 120.0
VOICED_SECONDS = 30.0
"""A voice is known after half a minute of speech, looked for in the first two minutes."""
LEAST_VOICED_SECONDS = 1.0
"""Below it the encoder hears mostly the silence that it is filled up with."""
LEAST_POWER = 10 ** (-30 / 10)
"""What is quieter than -30 dBFS is made louder: so was all that the encoder learned from."""

CORE_SHARE = 0.6
CORE_TURNS = 20

SAME_WRONG = 0.01
"""Of comparisons with other people, how many reach the likeness of the same voice: clean human speech."""
DIFFERENT_WRONG = 0.02
"""Of comparisons with the same person in noise, in a room or on a telephone, how many stay below the lower limit."""
UNSURE_WRONG = 0.04
"""Between them: how many would be wrong, of both kinds, with one line drawn at the best place."""

Verdict = Literal["same", "unsure", "different", "unchecked"]


@dataclass(frozen=True, slots=True, eq=False)
class Voiceprint:
    """256 numbers of length one, and the speech in seconds that they were made from. Biometric: do not keep it."""

    vector: Float32
    voiced_seconds: float

    def __repr__(self) -> str:
        return f"Voiceprint({self.voiced_seconds:.1f} s)"


def missing() -> str:
    """Why no voice can be compared here, for people; empty if all is there."""
    model = encoder()
    return model.reason if isinstance(model, Absent) else ""


def voiceprint(samples: Float32, rate: int) -> Voiceprint | None:
    """The print of mono samples in -1..1; None with under a second of speech, or without the model (see `missing`).

    Three seconds are better. Pauses do not count.
    """
    model = encoder()
    if isinstance(model, Absent):
        return None
    heard = np.asarray(samples[: int(HEARD_SECONDS * rate)], np.float32)
    loud = _raised(heard if rate == RATE else soxr.resample(heard, rate, RATE))
    voice = _voice(loud)
    seconds = len(voice) / RATE
    return Voiceprint(model.encode(voice), seconds) if seconds >= LEAST_VOICED_SECONDS else None


def _raised(samples: Float32) -> Float32:
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    return samples * np.float32((LEAST_POWER / power) ** 0.5) if 0 < power < LEAST_POWER else samples


def _voice(samples: Float32) -> Float32:
    spans = [(int(start * RATE), int(end * RATE)) for start, end in speech(samples, RATE).segments]
    parts = [samples[start:end] for start, end in spans]
    return np.concatenate([np.zeros(0, np.float32), *parts])[: int(VOICED_SECONDS * RATE)]


def likeness(one: Voiceprint, other: Voiceprint) -> float:
    """How alike two voices are, 0..1: the cosine between their prints."""
    return float(one.vector @ other.vector)


def centroid(prints: Iterable[Voiceprint | None]) -> Voiceprint | None:
    """The voice of most of them, None if there is none: the mean of the three fifths that are nearest to it.

    Foreign clips do not pull it to their side. On human speech with two strangers to four own clips, those who kept
    four fifths missed 12 of 100 strangers, and this misses 1.
    """
    known = [one for one in prints if one is not None]
    if not known:
        return None
    kept = _core(np.stack([one.vector for one in known]))
    vector = unit(np.mean([known[place].vector for place in kept], axis=0))
    return Voiceprint(vector, sum(known[place].voiced_seconds for place in kept))


def _core(vectors: Float32) -> list[int]:
    """The places of the rows that agree most."""
    kept = list(range(len(vectors)))
    for _ in range(CORE_TURNS):
        near = vectors @ vectors[kept].mean(axis=0)
        best = sorted(np.argsort(-near, kind="stable")[: math.ceil(CORE_SHARE * len(vectors))].tolist())
        if best == kept:
            break
        kept = best
    return kept


def outliers(prints: Sequence[Voiceprint | None], thresholds: Thresholds = THRESHOLDS) -> list[bool]:
    """Which clips of a set somebody else seems to have read; False where there is too little to tell.

    On human speech it finds 99 of 100 strangers and flags none of 100 of the reader's own clips of one session.
    """
    middle = centroid(prints)
    if middle is None or sum(one is not None for one in prints) < thresholds.speaker_least_set:
        return [False] * len(prints)
    return [one is not None and likeness(one, middle) < least_likeness(one, thresholds) for one in prints]


def least_likeness(one: Voiceprint, thresholds: Thresholds) -> float:
    """Below which likeness to the set a clip stands out: short clips vary more, and very short ones tell nothing."""
    if one.voiced_seconds < thresholds.speaker_short_seconds:
        return -1.0
    long = one.voiced_seconds >= thresholds.speaker_long_seconds
    return thresholds.speaker_outlier if long else thresholds.speaker_outlier_short


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a take has the voice of the recordings, as advice.

    `score` is the likeness and `threshold` the one that decided; `error_rate` is the measured share, 0..1, of
    comparisons in which this verdict was wrong. All three are None for `unchecked`, and `text` says why.
    """

    verdict: Verdict
    text: str
    compared_with: int
    score: float | None = None
    threshold: float | None = None
    error_rate: float | None = None
    finding: Finding | None = None

    def as_dict(self) -> dict[str, Any]:
        """For a JSON column: it holds nothing that the voice could be known by again."""
        return asdict(self) | {"finding": self.finding and self.finding.as_dict()}


def match(
    take: Voiceprint | None, recordings: Iterable[Voiceprint | None], thresholds: Thresholds = THRESHOLDS
) -> Match:
    """Compare a consent take with the recordings; it advises, and a person decides."""
    known = [one for one in recordings if one is not None]
    middle = centroid(known)
    if take is None or middle is None or len(known) < thresholds.speaker_least_recordings:
        told = finding("take_voice_unchecked", reason=_unchecked(take, len(known), thresholds))
        return Match("unchecked", told.text, len(known), finding=told)
    return _judged(likeness(take, middle), len(known), thresholds)


def _unchecked(take: Voiceprint | None, known: int, thresholds: Thresholds) -> str:
    if why := missing():
        return why.rstrip(".")
    if take is None:
        return "there is too little speech in the take"
    least = round(thresholds.speaker_least_recordings)
    return f"{known} recordings with enough speech are too few, it takes {least}"


def _judged(score: float, count: int, thresholds: Thresholds) -> Match:
    same, different = thresholds.speaker_same, thresholds.speaker_different
    # Cut off, not rounded: nobody should read that 0.62 is below 0.62.
    shown = math.floor(score * 100) / 100
    values = {"score": shown, "count": count, "same": same, "different": different}
    if score >= same:
        text = f"It is the voice of the {count} recordings, as far as can be measured: likeness {shown:.2f} of 1."
        return Match("same", text, count, round(score, 3), same, SAME_WRONG)
    if score < different:
        told = finding("take_other_voice", **values)
        return Match("different", told.text, count, round(score, 3), different, DIFFERENT_WRONG, told)
    told = finding("take_voice_unsure", **values)
    return Match("unsure", told.text, count, round(score, 3), same, UNSURE_WRONG, told)
