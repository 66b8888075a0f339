"""What the sandbox hears: the judgement that a vendor's models would make, from simple honest measures.

Everything rests on `audio`: levels, signal-to-noise ratio, speech found by level, voiceprints. The
scores have the vendor's names and move in the right direction, but they are estimates of ours and cannot be
compared with a vendor's numbers. Where the model that knows voices is not installed, nobody is called a stranger.
"""

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from audio import statement
from audio.analysis.compare import flag_unlike_levels
from audio.analysis.pitch import compute_median_pitch
from audio.findings.thresholds import THRESHOLDS
from audio.levels.inspection import is_silent
from audio.levels.measure import Levels, measure_levels
from audio.networks.speaker_match import Voiceprint, compute_voiceprint, flag_outliers
from audio.wav.riff import WavHeader, WavRefused, load_samples, read_header
from sandbox import vendor_defaults
from sandbox.scores import SILENCE, sandbox_scores

LOUDNESS_GRADES = (("A", -26.0, -14.0), ("B", -32.0, -10.0), ("C", -40.0, -6.0))
"""Grade and the range of average levels in dBFS that earns it; anything else is a D."""

USUAL_PAUSES = 0.15
"""The share of silence that read speech has anyway."""


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """A file to be listened to, under the id it goes by."""

    uuid: str
    path: Path


@dataclass(frozen=True, slots=True)
class ClipJudgement:
    scores: dict[str, Any]
    is_silent: bool
    is_outlier: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was heard in a set of clips; `usable_seconds` are of those neither silent nor outliers."""

    clips: dict[str, ClipJudgement]
    usable_seconds: float
    voice_scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Measured:
    uuid: str
    seconds: float
    levels: Levels
    print: Voiceprint | None
    pitch: float | None

    @property
    def is_silent(self) -> bool:
        return _without_speech(self.levels)


def consent_issue(path: Path) -> str | None:
    """Why nobody can have read the statement in this recording, or None; what is doubtful passes."""
    recording = path.read_bytes()
    try:
        levels = measure_levels(BytesIO(recording), read_header(BytesIO(recording))).levels
    except WavRefused as refused:
        return f"The consent recording cannot be used. {refused.finding.text}"
    if _without_speech(levels):
        return "There is no speech in the consent recording."
    if levels.speech_seconds < vendor_defaults.SHORTEST_CONSENT_SPEECH:
        return (
            f"The consent recording holds only {levels.speech_seconds:.1f} seconds of speech,"
            " too little for the consent statement."
        )
    return _other_words(recording)


@lru_cache(maxsize=8)
def _other_words(recording: bytes) -> str | None:
    """How the words differ from the statement's. Kept, as one recording often comes with many voices."""
    file = BytesIO(recording)
    header = read_header(file)
    samples = load_samples(file, header, statement.MAX_CHECKED_SECONDS)
    heard = statement.check_statement(
        samples, header.sample_rate, vendor_defaults.CONSENT_STATEMENT, language="en", company="", talent=""
    )
    wrong = heard.verdict is statement.Verdict.REJECT or any(one.code == "statement_negated" for one in heard.findings)
    return f"The consent recording is not the consent statement. {heard.why}" if wrong else None


def first_scores(file: BinaryIO, header: WavHeader) -> dict[str, Any]:
    """The scores of one recording as it comes in."""
    return _scores(measure_levels(file, header).levels)


def judge(clips: list[JudgedFile]) -> Judgement:
    """Listen to the clips together: which are silent, which sound unlike the rest, how good the whole is."""
    heard = [_measured(clip) for clip in clips]
    outliers = _outliers([one for one in heard if not one.is_silent])
    good = [one for one in heard if not one.is_silent and one.uuid not in outliers]
    return Judgement(
        clips={one.uuid: ClipJudgement(_scores(one.levels), one.is_silent, one.uuid in outliers) for one in heard},
        usable_seconds=sum(one.seconds for one in good),
        voice_scores=_voice_scores(good) if good else {},
    )


def _measured(clip: JudgedFile) -> _Measured:
    with clip.path.open("rb") as file:
        content = _Content(hashlib.file_digest(file, "sha256").digest(), clip.path)
    return replace(_listened_to(content), uuid=clip.uuid)


@dataclass(frozen=True, slots=True)
class _Content:
    """A file that is the same as any other with this digest."""

    digest: bytes
    path: Path = field(compare=False)


@lru_cache(maxsize=512)
def _listened_to(content: _Content) -> _Measured:
    """What is heard in it. Kept, as the same recordings come with many voices, and again with every build."""
    with content.path.open("rb") as file:
        header = read_header(file)
        levels = measure_levels(file, header).levels
        samples = load_samples(file, header)
    rate = header.sample_rate
    return _Measured("", header.seconds, levels, compute_voiceprint(samples, rate), compute_median_pitch(samples, rate))


def _without_speech(levels: Levels) -> bool:
    return is_silent(levels) or levels.speech_seconds < THRESHOLDS.silent_speech_seconds


def _scores(levels: Levels) -> dict[str, Any]:
    """By the vendor's names: the metrics of the resource and the scores of the callback."""
    silent = _without_speech(levels)
    quality = SILENCE if silent else sandbox_scores(levels)
    return {
        "signal_to_noise_ratio": 0.0 if silent else round(levels.snr_db, 1),
        "loudness_grade": _loudness_grade(levels.rms_dbfs),
        "resemble_sample_score": quality.sample_score,
        "stoi_score": quality.stoi,
        "pesq_score": quality.pesq,
        "si_dr_score": quality.si_sdr,
    }


def _loudness_grade(level: float) -> str:
    for grade, lowest, highest in LOUDNESS_GRADES:
        if lowest <= level <= highest:
            return grade
    return "D"


def _outliers(heard: list[_Measured]) -> set[str]:
    """The ids of clips by another speaker than most, or much louder or quieter."""
    foreign = flag_outliers([one.print for one in heard])
    uneven = flag_unlike_levels([one.levels.rms_dbfs for one in heard])
    return {one.uuid for one, *flags in zip(heard, foreign, uneven, strict=True) if any(flags)}


def _voice_scores(good: list[_Measured]) -> dict[str, float]:
    """The four scores of the vendor's v1 page, 0..1; of `pauses` less is better.

    Noise lowers similarity, unevenness of the voice lowers fluency, silence in the recordings raises pauses.
    """
    samples = float(np.mean([sandbox_scores(one.levels).sample_score for one in good]))
    pitches = np.log2([one.pitch for one in good if one.pitch] or [1.0])
    steadiness = float(np.exp(-2 * np.std(pitches)))
    silence = 1 - sum(one.levels.speech_seconds for one in good) / sum(one.seconds for one in good)
    scores = {
        "voice_similarity": 0.4 + 0.6 * samples,
        "fluency": 0.5 * steadiness + 0.5 * samples,
        "pauses": float(np.clip((silence - USUAL_PAUSES) / (1 - USUAL_PAUSES), 0, 1)),
    }
    parts = (scores["voice_similarity"], scores["fluency"], 1 - scores["pauses"])
    scores["resemble_score"] = float(np.mean(parts))
    return {name: round(score, 3) for name, score in scores.items()}
