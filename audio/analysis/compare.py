"""What only comparing tells: recordings of a set that are unlike the rest, or twice in it, and days that differ.

The clips are heard one after the other, each once, and only a few kB of each are kept until all are compared. Prints
of voices are among them: they are dropped with the comparison, and no report holds one.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, BinaryIO

import numpy as np

from audio.analysis.fingerprint import ContentHash, alike, fingerprint
from audio.findings.findings import Finding, finding
from audio.findings.thresholds import THRESHOLDS, Thresholds
from audio.levels.inspect import is_silent
from audio.levels.measure import Levels, measure
from audio.networks import speaker_match
from audio.networks.speaker_match import Voiceprint
from audio.wav.riff import WavRefused, load, read_header

NAMED = 3
"""So many other recordings a finding calls by name; of more it says how many they are."""


@dataclass(frozen=True, slots=True)
class SetClip:
    """A recording of a set, under the id that the report uses and the name that people know.

    `open` gives its WAV file; it is called once, and the file is closed again. `measures` is what `examine` said of
    it, if it was examined: without it neither bandwidth nor room are compared.
    """

    id: str
    name: str
    open: Callable[[], BinaryIO]
    day: date | None = None
    transcript: str = ""
    measures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetReport:
    """Findings by the id of the clip and by day, and figures of the whole for a JSON column.

    The figures: how many `clips`, the ids of those `unread`, how many prints of `voices` were compared and why no more
    (`voices_missing`, for people), and how often each code was found (`codes`).
    """

    clips: dict[str, tuple[Finding, ...]]
    days: dict[date, tuple[Finding, ...]]
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Features:
    clip: SetClip
    levels: Levels
    silent: bool
    content: str
    fingerprint: str
    print: Voiceprint | None
    words: str

    def measured(self, name: str) -> float | None:
        """By our own levels where there are any, as not every clip need be examined."""
        value = getattr(self.levels, name, self.clip.measures.get(name))
        return None if self.silent or value is None else float(value)


def compare(clips: Iterable[SetClip], thresholds: Thresholds = THRESHOLDS) -> SetReport:
    """Compare the recordings of a set; `clips` may be a generator that tells how far it came."""
    heard: list[_Features] = []
    unread: list[str] = []
    for clip in clips:
        try:
            heard.append(_hear(clip, thresholds))
        except (WavRefused, OSError):
            unread.append(clip.id)
    found: dict[str, list[Finding]] = {one.clip.id: [] for one in heard}
    for check in (_strangers, _copies, _same_words, _levels):
        for one, told in check(heard, thresholds):
            found[one.clip.id].append(told)
    days = {day: tuple(told) for day, told in _days(heard, thresholds).items()}
    return SetReport({key: tuple(told) for key, told in found.items()}, days, _summary(heard, unread, found, days))


def _hear(clip: SetClip, thresholds: Thresholds) -> _Features:
    with clip.open() as file:
        header = read_header(file)
        digest = ContentHash(header.sample_rate)
        levels = measure(file, header, digest.add).levels
        samples, rate = load(file, header), header.sample_rate
    silent = is_silent(levels, thresholds)
    voice = None if silent else speaker_match.voiceprint(samples, rate)
    words = _words(clip.transcript)
    return _Features(clip, levels, silent, digest.hexdigest(), fingerprint(samples, rate), voice, words)


def _summary(
    heard: list[_Features],
    unread: list[str],
    found: Mapping[str, list[Finding]],
    days: Mapping[date, tuple[Finding, ...]],
) -> dict[str, Any]:
    told = [one for group in (found, days) for many in group.values() for one in many]
    return {
        "clips": len(heard) + len(unread),
        "unread": unread,
        "voices": sum(one.print is not None for one in heard),
        "voices_missing": speaker_match.missing(),
        "codes": dict(Counter(one.code for one in told)),
    }


_Told = Iterator[tuple[_Features, Finding]]


def _strangers(heard: list[_Features], thresholds: Thresholds) -> _Told:
    prints = [one.print for one in heard]
    middle = speaker_match.centroid(prints)
    for one, stranger in zip(heard, speaker_match.outliers(prints, thresholds), strict=True):
        if stranger and one.print is not None and middle is not None:
            limit = speaker_match.least_likeness(one.print, thresholds)
            yield one, finding("other_speaker", score=speaker_match.likeness(one.print, middle), limit=limit)


def _copies(heard: list[_Features], thresholds: Thresholds) -> _Told:
    """Each sound that is there more than once: exactly, or nearly."""
    by_content: dict[str, list[_Features]] = defaultdict(list)
    for one in heard:
        if not one.silent:
            by_content[one.content].append(one)
    groups = list(by_content.values())
    for group in groups:
        for one in group if len(group) > 1 else ():
            yield one, _copy("same_sound", one, group)
    near: dict[int, list[_Features]] = defaultdict(list)
    for pair in alike([group[0].fingerprint for group in groups], thresholds.set_same_difference):
        near[pair.one] += groups[pair.other]
        near[pair.other] += groups[pair.one]
    for place, others in near.items():
        for one in groups[place]:
            yield one, _copy("nearly_same_sound", one, others)


def _copy(code: str, one: _Features, group: Sequence[_Features]) -> Finding:
    others = [other for other in group if other is not one]
    unlike = [other for other in others if one.words and other.words not in ("", one.words)]
    if unlike:
        return finding("same_sound_other_words", others=_named(unlike))
    return finding(code, others=_named(others))


def _same_words(heard: list[_Features], _: Thresholds) -> _Told:
    """The same transcript under another sound; copies are told of already."""
    groups: dict[str, list[_Features]] = defaultdict(list)
    for one in heard:
        groups[one.words].append(one)
    groups.pop("", None)
    for group in groups.values():
        for one in group:
            if others := [other for other in group if other.content != one.content]:
                yield one, finding("same_transcript", others=_named(others))


def _words(transcript: str) -> str:
    """Its letters and digits, for comparing."""
    kept = (letter if letter.isalnum() else " " for letter in transcript.casefold() if letter not in "'’")
    return " ".join("".join(kept).split())


def _named(others: Sequence[_Features]) -> str:
    names = [one.clip.name for one in others[:NAMED]]
    more = len(others) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _levels(heard: list[_Features], thresholds: Thresholds) -> _Told:
    loud = [one for one in heard if not one.silent]
    for one, by in zip(loud, _from_median([each.levels.rms_dbfs for each in loud]), strict=True):
        if abs(by) > thresholds.set_level_db:
            yield one, finding("unlike_level", **_louder(by))


def unlike_levels(levels: Sequence[float], thresholds: Thresholds = THRESHOLDS) -> list[bool]:
    """Which of the levels in dB of a set are much higher or lower than its median."""
    return [abs(by) > thresholds.set_level_db for by in _from_median(levels)]


def _from_median(levels: Sequence[float]) -> list[float]:
    middle = np.median(levels) if levels else 0.0
    return [float(level - middle) for level in levels]


def _louder(by: float) -> dict[str, Any]:
    return {"by": abs(by), "direction": "louder" if by > 0 else "quieter"}


@dataclass(frozen=True, slots=True)
class _Trait:
    """One measure by which days are compared; `told` gives the words of a finding, or None if the day is as usual."""

    measure: str
    code: str
    told: Callable[[float, float, Thresholds], dict[str, Any] | None]


def _days(heard: list[_Features], thresholds: Thresholds) -> dict[date, list[Finding]]:
    found: dict[date, list[Finding]] = {}
    for trait in TRAITS:
        values: dict[date, list[float]] = defaultdict(list)
        for one in heard:
            value = one.measured(trait.measure)
            if one.clip.day and value is not None:
                values[one.clip.day].append(value)
        for day, words in _unusual(values, trait, thresholds):
            found.setdefault(day, []).append(finding(trait.code, day=f"{day:%d %B %Y}", **words))
    return dict(sorted(found.items()))


def _unusual(
    values: Mapping[date, list[float]], trait: _Trait, thresholds: Thresholds
) -> Iterator[tuple[date, dict[str, Any]]]:
    """The days whose median is far from that of most; the more recordings a day has, the more it counts."""
    medians = {day: float(np.median(each)) for day, each in values.items() if len(each) >= thresholds.set_least_day}
    if len(medians) < 2:
        return
    weights = [len(values[day]) for day in medians]
    usual = float(np.percentile(np.repeat(list(medians.values()), weights), 50, method="lower"))
    for day, median in medians.items():
        if words := trait.told(median, usual, thresholds):
            yield day, words


def _unlike_level(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    return _louder(value - usual) if abs(value - usual) > thresholds.day_level_db else None


def _unlike_floor(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    return _louder(value - usual) if abs(value - usual) > thresholds.day_floor_db else None


def _unlike_band(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    if abs(value - usual) <= thresholds.day_band_share * max(value, usual):
        return None
    return {"value": value / 1000, "usual": usual / 1000}


def _unlike_room(value: float, usual: float, thresholds: Thresholds) -> dict[str, Any] | None:
    return {"value": value, "usual": usual} if abs(value - usual) > thresholds.day_room_seconds else None


TRAITS = (
    _Trait("rms_dbfs", "day_unlike_level", _unlike_level),
    _Trait("noise_floor_dbfs", "day_unlike_floor", _unlike_floor),
    _Trait("bandwidth_hz", "day_unlike_band", _unlike_band),
    _Trait("reverberation_seconds", "day_unlike_room", _unlike_room),
)
