"""Compare the recordings of a set: find outliers, duplicates, and unusual days.

No audio is read here. Each clip brings what its own analysis kept: features of the sound, and how similar its speaker
is to the person who read most of the set.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from audio.analysis.fingerprint import find_similar_pairs
from audio.analysis.sound_features import SoundFeatures
from audio.findings.findings import Finding, make_finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.networks import speaker_match
from audio.networks.speaker_match import SpeakerResult

MAX_NAMED = 3
"""A finding names at most this many other recordings, and counts the rest."""


@dataclass(frozen=True, slots=True)
class SetClip:
    """A recording of a set, with the id that the report uses and the name that people know.

    `sound` is None if the file could not be read. `speaker` is empty if the voices were not compared. `measures` come
    from `analyze_recording`. If it did not run, neither bandwidth nor reverberation is compared.
    """

    id: str
    name: str
    sound: SoundFeatures | None
    day: date | None = None
    transcript: str = ""
    measures: Mapping[str, Any] = field(default_factory=dict)
    speaker: SpeakerResult = field(default_factory=SpeakerResult)


@dataclass(frozen=True, slots=True)
class SetReport:
    """Findings by clip id and by day, and a summary of the set for a JSON column.

    Its keys: `clips` (number of clips), `unread` (ids of the clips that could not be read), `voices` (number of voices
    compared), `voices_missing` (for people: why voices were not compared), `codes` (count of each finding).
    """

    clips: dict[str, tuple[Finding, ...]]
    days: dict[date, tuple[Finding, ...]]
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Features:
    clip: SetClip
    sound: SoundFeatures
    is_silent: bool
    normalized_text: str

    def get_measure(self, name: str) -> float | None:
        """Return the measure from the sound features if it is there, else from the analysis, which not all have."""
        value = getattr(self.sound, name, self.clip.measures.get(name))
        return None if self.is_silent or value is None else float(value)


def compare_recordings(clips: Iterable[SetClip], thresholds: Thresholds = THRESHOLDS) -> SetReport:
    """Compare the recordings of a set."""
    features: list[_Features] = []
    unread: list[str] = []
    for clip in clips:
        if clip.sound is None:
            unread.append(clip.id)
        else:
            is_silent = clip.sound.is_silent(thresholds)
            features.append(_Features(clip, clip.sound, is_silent, _normalize_text(clip.transcript)))
    findings_by_clip: dict[str, list[Finding]] = {one.clip.id: [] for one in features}
    for check in (_find_other_speakers, _find_copies, _find_same_transcripts, _find_unlike_levels):
        for one, result in check(features, thresholds):
            findings_by_clip[one.clip.id].append(result)
    days = {day: tuple(findings) for day, findings in _compare_days(features, thresholds).items()}
    clip_findings = {key: tuple(findings) for key, findings in findings_by_clip.items()}
    return SetReport(clip_findings, days, _build_summary(features, unread, findings_by_clip, days))


def _build_summary(
    features: list[_Features],
    unread: list[str],
    findings_by_clip: Mapping[str, list[Finding]],
    findings_by_day: Mapping[date, tuple[Finding, ...]],
) -> dict[str, Any]:
    findings = [
        finding
        for group in (findings_by_clip, findings_by_day)
        for group_findings in group.values()
        for finding in group_findings
    ]
    return {
        "clips": len(features) + len(unread),
        "unread": unread,
        "voices": sum(one.clip.speaker.similarity is not None for one in features),
        "voices_missing": speaker_match.describe_missing_model(),
        "codes": dict(Counter(one.code for one in findings)),
    }


_FeatureFindings = Iterator[tuple[_Features, Finding]]


def _find_other_speakers(features: list[_Features], thresholds: Thresholds) -> _FeatureFindings:
    results = [one.clip.speaker for one in features]
    for one, is_outlier in zip(features, speaker_match.flag_outliers(results, thresholds), strict=True):
        if is_outlier:
            limit = speaker_match.get_min_similarity(one.clip.speaker.voiced_seconds, thresholds)
            yield one, make_finding("other_speaker", score=one.clip.speaker.similarity, limit=limit)


def _find_copies(features: list[_Features], thresholds: Thresholds) -> _FeatureFindings:
    """Yield a finding for each recording that has exactly or nearly the sound of another recording."""
    by_content: dict[str, list[_Features]] = defaultdict(list)
    for one in features:
        if not one.is_silent:
            by_content[one.sound.content_hash].append(one)
    groups = list(by_content.values())
    for group in groups:
        for one in group if len(group) > 1 else ():
            yield one, _build_copy_finding("same_sound", one, group)
    near_copies: dict[int, list[_Features]] = defaultdict(list)
    for pair in find_similar_pairs([group[0].sound.fingerprint for group in groups], thresholds.set_same_difference):
        near_copies[pair.first_index] += groups[pair.second_index]
        near_copies[pair.second_index] += groups[pair.first_index]
    for index, others in near_copies.items():
        for one in groups[index]:
            yield one, _build_copy_finding("nearly_same_sound", one, others)


def _build_copy_finding(code: str, one: _Features, group: Sequence[_Features]) -> Finding:
    others = [other for other in group if other is not one]
    different = [
        other for other in others if one.normalized_text and other.normalized_text not in ("", one.normalized_text)
    ]
    if different:
        return make_finding("same_sound_other_words", others=_format_names(different))
    return make_finding(code, others=_format_names(others))


def _find_same_transcripts(features: list[_Features], _: Thresholds) -> _FeatureFindings:
    """Yield a finding for each recording whose transcript a different sound has too. Copies are not reported here."""
    groups: dict[str, list[_Features]] = defaultdict(list)
    for one in features:
        groups[one.normalized_text].append(one)
    groups.pop("", None)
    for group in groups.values():
        for one in group:
            if others := [other for other in group if other.sound.content_hash != one.sound.content_hash]:
                yield one, make_finding("same_transcript", others=_format_names(others))


def _normalize_text(transcript: str) -> str:
    """Return the words in lower case with only letters and digits, for comparing transcripts."""
    characters = (letter if letter.isalnum() else " " for letter in transcript.casefold() if letter not in "'’")
    return " ".join("".join(characters).split())


def _format_names(others: Sequence[_Features]) -> str:
    names = [one.clip.name for one in others[:MAX_NAMED]]
    more = len(others) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _find_unlike_levels(features: list[_Features], thresholds: Thresholds) -> _FeatureFindings:
    audible = [one for one in features if not one.is_silent]
    for one, difference_db in zip(audible, _subtract_median([each.sound.rms_dbfs for each in audible]), strict=True):
        if abs(difference_db) > thresholds.set_level_db:
            yield one, make_finding("unlike_level", **_build_level_values(difference_db))


def flag_unlike_levels(levels: Sequence[float], thresholds: Thresholds = THRESHOLDS) -> list[bool]:
    """Whether each level (dB) of a set is much higher or lower than the median."""
    return [abs(difference_db) > thresholds.set_level_db for difference_db in _subtract_median(levels)]


def _subtract_median(levels: Sequence[float]) -> list[float]:
    median = np.median(levels) if levels else 0.0
    return [float(level - median) for level in levels]


def _build_level_values(difference_db: float) -> dict[str, Any]:
    return {"by": abs(difference_db), "direction": "louder" if difference_db > 0 else "quieter"}


@dataclass(frozen=True, slots=True)
class _Trait:
    """A measure by which days are compared.

    `compare_values` gets the value of a day and the usual value. It returns the values of a finding, or None if the
    day is not unusual.
    """

    measure: str
    code: str
    compare_values: Callable[[float, float, Thresholds], dict[str, Any] | None]


def _compare_days(features: list[_Features], thresholds: Thresholds) -> dict[date, list[Finding]]:
    findings_by_day: dict[date, list[Finding]] = {}
    for trait in TRAITS:
        values: dict[date, list[float]] = defaultdict(list)
        for one in features:
            value = one.get_measure(trait.measure)
            if one.clip.day and value is not None:
                values[one.clip.day].append(value)
        for day, finding_values in _find_unusual_days(values, trait, thresholds):
            findings_by_day.setdefault(day, []).append(
                make_finding(trait.code, day=f"{day:%B} {day.day}, {day:%Y}", **finding_values)
            )
    return dict(sorted(findings_by_day.items()))


def _find_unusual_days(
    values: Mapping[date, list[float]], trait: _Trait, thresholds: Thresholds
) -> Iterator[tuple[date, dict[str, Any]]]:
    """Yield the days whose median is far from that of all days, weighted by the number of recordings of each day."""
    medians = {day: float(np.median(each)) for day, each in values.items() if len(each) >= thresholds.set_least_day}
    if len(medians) < 2:
        return
    weights = [len(values[day]) for day in medians]
    usual = float(np.percentile(np.repeat(list(medians.values()), weights), 50, method="lower"))
    for day, median in medians.items():
        if finding_values := trait.compare_values(median, usual, thresholds):
            yield day, finding_values


def _compare_level(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    return _build_level_values(value - usual) if abs(value - usual) > thresholds.day_level_db else None


def _compare_noise_floor(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    return _build_level_values(value - usual) if abs(value - usual) > thresholds.day_floor_db else None


def _compare_bandwidth(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    if abs(value - usual) <= thresholds.day_band_share * max(value, usual):
        return None
    return {"value": value / 1000, "usual": usual / 1000}


def _compare_reverberation(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    return {"value": value, "usual": usual} if abs(value - usual) > thresholds.day_room_seconds else None


TRAITS = (
    _Trait("rms_dbfs", "day_unlike_level", _compare_level),
    _Trait("noise_floor_dbfs", "day_unlike_floor", _compare_noise_floor),
    _Trait("bandwidth_hz", "day_unlike_band", _compare_bandwidth),
    _Trait("reverberation_seconds", "day_unlike_room", _compare_reverberation),
)
