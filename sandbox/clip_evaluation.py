"""Evaluation of audio by simple measurements, in place of a vendor's models.

It uses `audio`: levels, signal-to-noise ratio, speech detected by level, voiceprints. The scores have the vendor's
names, and better audio has better scores. But they are our estimates: do not compare them with a vendor's numbers.
Without the speaker model installed, no clip is flagged as another speaker.
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
from audio.networks.speaker_match import Voiceprint, compute_voiceprint, find_outliers
from audio.wav.riff import WavHeader, WavRefused, load_samples, read_header
from sandbox import vendor_defaults
from sandbox.scores import SILENCE, compute_scores

LOUDNESS_GRADES = (("A", -26.0, -14.0), ("B", -32.0, -10.0), ("C", -40.0, -6.0))
"""Each grade with its range of average levels in dBFS; any other level is a D."""

USUAL_SILENCE_SHARE = 0.15
"""Share of silence that is normal in read speech."""


@dataclass(frozen=True, slots=True)
class AudioClip:
    """A file to evaluate and its id."""

    uuid: str
    path: Path


@dataclass(frozen=True, slots=True)
class ClipEvaluation:
    scores: dict[str, Any]
    is_silent: bool
    is_outlier: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Evaluation of a set of clips. `usable_seconds` excludes silent clips and outliers."""

    clips: dict[str, ClipEvaluation]
    usable_seconds: float
    voice_scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class _Measurement:
    uuid: str
    seconds: float
    levels: Levels
    voiceprint: Voiceprint | None
    pitch: float | None

    @property
    def is_silent(self) -> bool:
        return _has_no_speech(self.levels)


def find_consent_issue(path: Path) -> str | None:
    """Why the recording cannot contain the consent statement, or None. Recordings in doubt are accepted."""
    recording = path.read_bytes()
    try:
        levels = measure_levels(BytesIO(recording), read_header(BytesIO(recording))).levels
    except WavRefused as refused:
        return f"The consent recording cannot be used. {refused.finding.text}"
    if _has_no_speech(levels):
        return "There is no speech in the consent recording."
    if levels.speech_seconds < vendor_defaults.MIN_CONSENT_SPEECH_SECONDS:
        return (
            f"The consent recording holds only {levels.speech_seconds:.1f} seconds of speech,"
            " too little for the consent statement."
        )
    return _find_statement_mismatch(recording)


@lru_cache(maxsize=8)
def _find_statement_mismatch(recording: bytes) -> str | None:
    """How the recognized words differ from the statement, or None. Cached, as many voices often share one recording."""
    file = BytesIO(recording)
    header = read_header(file)
    samples = load_samples(file, header, statement.MAX_CHECKED_SECONDS)
    check = statement.check_statement(
        samples, header.sample_rate, vendor_defaults.CONSENT_STATEMENT, language="en", company="", talent=""
    )
    is_wrong = check.verdict is statement.Verdict.REJECT or any(
        finding.code == "statement_negated" for finding in check.findings
    )
    return f"The consent recording is not the consent statement. {check.why}" if is_wrong else None


def compute_upload_scores(file: BinaryIO, header: WavHeader) -> dict[str, Any]:
    return _make_scores(measure_levels(file, header).levels)


def evaluate_clips(clips: list[AudioClip]) -> Evaluation:
    """Evaluate clips together: find silent clips and outliers, and compute the scores of the voice."""
    measured = [_measure_clip(clip) for clip in clips]
    outliers = _find_outliers([clip for clip in measured if not clip.is_silent])
    usable = [clip for clip in measured if not clip.is_silent and clip.uuid not in outliers]
    return Evaluation(
        clips={
            clip.uuid: ClipEvaluation(_make_scores(clip.levels), clip.is_silent, clip.uuid in outliers)
            for clip in measured
        },
        usable_seconds=sum(clip.seconds for clip in usable),
        voice_scores=_compute_voice_scores(usable) if usable else {},
    )


def _measure_clip(clip: AudioClip) -> _Measurement:
    with clip.path.open("rb") as file:
        content = _HashedFile(hashlib.file_digest(file, "sha256").digest(), clip.path)
    return replace(_measure_file(content), uuid=clip.uuid)


@dataclass(frozen=True, slots=True)
class _HashedFile:
    """A file that equals every other file with this digest."""

    digest: bytes
    path: Path = field(compare=False)


@lru_cache(maxsize=512)
def _measure_file(content: _HashedFile) -> _Measurement:
    """Measure a file. Cached: many voices, and every build, use the same recordings."""
    with content.path.open("rb") as file:
        header = read_header(file)
        levels = measure_levels(file, header).levels
        samples = load_samples(file, header)
    rate = header.sample_rate
    return _Measurement(
        "", header.seconds, levels, compute_voiceprint(samples, rate), compute_median_pitch(samples, rate)
    )


def _has_no_speech(levels: Levels) -> bool:
    return is_silent(levels) or levels.speech_seconds < THRESHOLDS.silent_speech_seconds


def _make_scores(levels: Levels) -> dict[str, Any]:
    """Scores of one clip under the vendor's names: the metrics of a recording and the scores in a callback."""
    has_no_speech = _has_no_speech(levels)
    quality = SILENCE if has_no_speech else compute_scores(levels)
    return {
        "signal_to_noise_ratio": 0.0 if has_no_speech else round(levels.snr_db, 1),
        "loudness_grade": _grade_loudness(levels.rms_dbfs),
        "resemble_sample_score": quality.sample_score,
        "stoi_score": quality.stoi,
        "pesq_score": quality.pesq,
        "si_dr_score": quality.si_sdr,
    }


def _grade_loudness(level: float) -> str:
    for grade, lowest, highest in LOUDNESS_GRADES:
        if lowest <= level <= highest:
            return grade
    return "D"


def _find_outliers(clips: list[_Measurement]) -> set[str]:
    """Ids of the clips that have another speaker than most clips, or are much louder or quieter."""
    is_other_speaker = find_outliers([clip.voiceprint for clip in clips])
    is_other_level = flag_unlike_levels([clip.levels.rms_dbfs for clip in clips])
    return {clip.uuid for clip, *flags in zip(clips, is_other_speaker, is_other_level, strict=True) if any(flags)}


def _compute_voice_scores(clips: list[_Measurement]) -> dict[str, float]:
    """The four scores of the vendor's v1 page, 0..1. A lower `pauses` is better.

    Noise lowers similarity, varying pitch lowers fluency, silence in the recordings raises pauses.
    """
    quality = float(np.mean([compute_scores(clip.levels).sample_score for clip in clips]))
    pitches = np.log2([clip.pitch for clip in clips if clip.pitch] or [1.0])
    steadiness = float(np.exp(-2 * np.std(pitches)))
    silence = 1 - sum(clip.levels.speech_seconds for clip in clips) / sum(clip.seconds for clip in clips)
    scores = {
        "voice_similarity": 0.4 + 0.6 * quality,
        "fluency": 0.5 * steadiness + 0.5 * quality,
        "pauses": float(np.clip((silence - USUAL_SILENCE_SHARE) / (1 - USUAL_SILENCE_SHARE), 0, 1)),
    }
    parts = (scores["voice_similarity"], scores["fluency"], 1 - scores["pauses"])
    scores["resemble_score"] = float(np.mean(parts))
    return {name: round(score, 3) for name, score in scores.items()}
