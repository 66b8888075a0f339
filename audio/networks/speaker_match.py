"""Compare voices with a neural speaker encoder. The result is advice: a person decides.

It finds clips read by another person, and consents spoken by another person. It never refuses anything, and cannot
distinguish a replay or synthetic speech from a live speaker. Voiceprints are biometric data: they are made, compared
and dropped within one task, and never stored, logged or sent anywhere.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import soxr

from audio.findings.findings import Finding, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.networks.speaker_encoder import RATE, load_encoder, normalize_vector
from audio.networks.vad import detect_speech
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32

MAX_SEARCHED_SECONDS = 120.0
MAX_VOICED_SECONDS = 30.0
"""Half a minute of speech, from the first two minutes, is enough to recognize a voice."""
MIN_VOICED_SECONDS = 1.0
"""With less speech, most of the encoder's input is the silence used as padding."""
MIN_POWER = 10 ** (-30 / 10)
"""Audio below -30 dBFS is raised to -30 dBFS, as in the encoder's training data."""

CORE_SHARE = 0.6
"""Share of the voiceprints that the mean of a voice is computed from."""
MAX_CORE_ROUNDS = 20

SAME_ERROR_RATE = 0.01
"""Share of comparisons with another person that reach `speaker_same`, measured on clean human speech."""
DIFFERENT_ERROR_RATE = 0.02
"""Share of comparisons with the same person in noise, in a room or by telephone that are below `speaker_different`."""
UNSURE_ERROR_RATE = 0.04
"""For a similarity between these two limits: share of errors of both kinds if there were only one, the best, limit."""

Verdict = Literal["same", "unsure", "different", "waiting", "unchecked"]


@dataclass(frozen=True, slots=True, eq=False)
class Voiceprint:
    """Unit vector of 256 numbers, and the seconds of speech it was made from. Biometric data: do not store it."""

    vector: Float32
    voiced_seconds: float

    def __repr__(self) -> str:
        return f"Voiceprint({self.voiced_seconds:.1f} s)"


@dataclass(frozen=True, slots=True)
class SpeakerResult:
    """How similar a clip is to the person who read most of its set. It may be stored: it does not describe the voice.

    `similarity` is None if the clip has no voiceprint. `voiced_seconds` decides which limit holds for the clip.
    """

    similarity: float | None = None
    voiced_seconds: float = 0.0

    def is_outlier(self, thresholds: Thresholds) -> bool:
        """Whether another speaker seems to have read the clip."""
        return self.similarity is not None and self.similarity < get_min_similarity(self.voiced_seconds, thresholds)


def describe_missing_model() -> str:
    """Tell people why no voices can be compared here; "" if the model is installed."""
    model = load_encoder()
    return model.reason if isinstance(model, MissingModel) else ""


def compute_voiceprint(samples: Float32, rate: int) -> Voiceprint | None:
    """The voiceprint of mono samples in -1..1; None with less than a second of speech, or without the model.

    Three seconds of speech are better. Pauses do not count. `describe_missing_model` says why there is no model.
    """
    model = load_encoder()
    if isinstance(model, MissingModel):
        return None
    searched = np.asarray(samples[: int(MAX_SEARCHED_SECONDS * rate)], np.float32)
    raised = _raise_level(searched if rate == RATE else soxr.resample(searched, rate, RATE))
    spoken = _extract_speech(raised)
    seconds = len(spoken) / RATE
    return Voiceprint(model.encode(spoken), seconds) if seconds >= MIN_VOICED_SECONDS else None


def _raise_level(samples: Float32) -> Float32:
    power = float(np.mean(samples**2)) if len(samples) else 0.0
    return samples * np.float32((MIN_POWER / power) ** 0.5) if 0 < power < MIN_POWER else samples


def _extract_speech(samples: Float32) -> Float32:
    spans = [(int(start * RATE), int(end * RATE)) for start, end in detect_speech(samples, RATE).segments]
    parts = [samples[start:end] for start, end in spans]
    return np.concatenate([np.zeros(0, np.float32), *parts])[: int(MAX_VOICED_SECONDS * RATE)]


def compute_similarity(one: Voiceprint, other: Voiceprint) -> float:
    """Similarity of two voices, 0..1: the cosine between their voiceprints."""
    return float(one.vector @ other.vector)


def compute_centroid(prints: Iterable[Voiceprint | None]) -> Voiceprint | None:
    """The voiceprint of the person who read most of the clips; None if there are no voiceprints.

    It is the mean of the three fifths of the voiceprints that are nearest to this mean, so that clips of other speakers
    do not shift it. On human speech with two clips of other speakers among four of the same speaker, a mean over four
    fifths missed 12 of 100 clips of other speakers, and this mean misses 1.
    """
    known = [one for one in prints if one is not None]
    if not known:
        return None
    core = [known[index] for index in _select_core(np.stack([one.vector for one in known]))]
    vector = normalize_vector(np.mean([one.vector for one in core], axis=0))
    return Voiceprint(vector, sum(one.voiced_seconds for one in core))


def _select_core(vectors: Float32) -> list[int]:
    """The indexes of the vectors that are most similar to each other."""
    core = list(range(len(vectors)))
    for _ in range(MAX_CORE_ROUNDS):
        similarities = vectors @ vectors[core].mean(axis=0)
        best = sorted(np.argsort(-similarities, kind="stable")[: math.ceil(CORE_SHARE * len(vectors))].tolist())
        if best == core:
            break
        core = best
    return core


def judge_speaker(one: Voiceprint | None, center: Voiceprint | None) -> SpeakerResult:
    """Compare a clip with the mean voice of its set."""
    if one is None or center is None:
        return SpeakerResult()
    return SpeakerResult(round(compute_similarity(one, center), 3), round(one.voiced_seconds, 2))


def find_outliers(prints: Sequence[Voiceprint | None], thresholds: Thresholds = THRESHOLDS) -> list[bool]:
    """For each clip of a set, whether another speaker seems to have read it; False if it has too little speech.

    On human speech it finds 99 of 100 clips of other speakers. Of 100 clips that one speaker read in one session, it
    takes none for another speaker's.
    """
    center = compute_centroid(prints)
    return flag_outliers([judge_speaker(one, center) for one in prints], thresholds)


def flag_outliers(results: Sequence[SpeakerResult], thresholds: Thresholds = THRESHOLDS) -> list[bool]:
    """Whether another speaker seems to have read each clip. In a very small set, no clip is flagged."""
    known_count = sum(one.similarity is not None for one in results)
    return [known_count >= thresholds.speaker_least_set and one.is_outlier(thresholds) for one in results]


def get_min_similarity(voiced_seconds: float, thresholds: Thresholds) -> float:
    """The similarity to the set below which a clip with so much speech is an outlier.

    The similarity of short clips varies more. A very short clip is never an outlier.
    """
    if voiced_seconds < thresholds.speaker_short_seconds:
        return -1.0
    is_long = voiced_seconds >= thresholds.speaker_long_seconds
    return thresholds.speaker_outlier if is_long else thresholds.speaker_outlier_short


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a take has the voice of the recordings and earlier takes of its talent, as advice.

    `compared_with` counts both, and `takes` the earlier takes among them. `score` is the similarity, `threshold` the
    limit that decided. `error_rate` is the measured share, 0..1, of comparisons in which this verdict was wrong. All
    three are None without a comparison, and `text` says why: `waiting` for more recordings, or `unchecked`.
    """

    verdict: Verdict
    text: str
    compared_with: int
    score: float | None = None
    threshold: float | None = None
    error_rate: float | None = None
    finding: Finding | None = None
    takes: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the values for a JSON column. They contain nothing that could identify the voice."""
        return asdict(self) | {"finding": self.finding and self.finding.as_dict()}


def match_speaker(
    take: Voiceprint | None,
    recordings: Iterable[Voiceprint | None],
    thresholds: Thresholds = THRESHOLDS,
    *,
    earlier_takes: Iterable[Voiceprint | None] = (),
) -> Match:
    """Compare the voice of a consent take with that of the recordings and of earlier takes."""
    takes = [one for one in earlier_takes if one is not None]
    known = [*(one for one in recordings if one is not None), *takes]
    center = compute_centroid(known)
    if take is None or center is None or len(known) < thresholds.speaker_least_recordings:
        advice = make_finding("take_voice_unchecked", reason=_describe_unchecked(take, len(known), thresholds))
        verdict: Verdict = "unchecked" if take is None else "waiting"
        return Match(verdict, advice.text, len(known), finding=advice, takes=len(takes))
    return _build_match(compute_similarity(take, center), len(known), len(takes), thresholds)


def describe_compared(count: int, takes: int) -> str:
    """What a take was compared with, such as “4 recordings and 1 earlier take”."""
    recordings = count - takes
    parts = [f"{recordings} recording{'' if recordings == 1 else 's'}"] if recordings or not takes else []
    parts += [f"{takes} earlier take{'' if takes == 1 else 's'}"] if takes else []
    return " and ".join(parts)


def _describe_unchecked(take: Voiceprint | None, known: int, thresholds: Thresholds) -> str:
    if reason := describe_missing_model():
        return reason.rstrip(".")
    if take is None:
        return "there is too little speech in the take"
    if not known:
        return "there are no recordings and earlier takes of the talent with enough speech"
    least = round(thresholds.speaker_least_recordings)
    return f"{known} recordings and earlier takes with enough speech are too few; {least} are needed"


def _build_match(score: float, count: int, takes: int, thresholds: Thresholds) -> Match:
    same, different = thresholds.speaker_same, thresholds.speaker_different
    # Truncated, not rounded: the text must not say that 0.62 is below 0.62.
    shown, others = math.floor(score * 100) / 100, describe_compared(count, takes)
    values: dict[str, Any] = {"score": shown, "others": others, "same": same, "different": different}
    if score >= same:
        text = f"The voice matches {others}: similarity {shown:.2f} of 1."
        return Match("same", text, count, round(score, 3), same, SAME_ERROR_RATE, takes=takes)
    if score < different:
        advice = make_finding("take_other_voice", **values)
        return Match("different", advice.text, count, round(score, 3), different, DIFFERENT_ERROR_RATE, advice, takes)
    advice = make_finding("take_voice_unsure", **values)
    return Match("unsure", advice.text, count, round(score, 3), same, UNSURE_ERROR_RATE, advice, takes)
