"""Splits a long recording at its pauses into clips of allowed length.

Dynamic programming compares all pauses: it prefers clips near the target length and splits in long pauses.
If speech has no pause for too long, it is split at its quietest moment. The silence around a clip is kept short.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.datasets.clips import Clip, WrittenClip, write_wav
from audio.findings.findings import FileRefused, make_finding
from audio.networks.vad import Speech, SpeechDetector
from audio.wav.riff import Float32

FRAMES_PER_SECOND = 100
SMOOTHING_FRAMES = 9
"""Each level is averaged over this many frames, so that a single quiet frame inside a word is not a pause."""


@dataclass(frozen=True, slots=True)
class SpeechLevels:
    """The detected speech, and the smoothed power and the loudest sample of every 10 ms; full scale is 1."""

    speech: Speech
    levels: Float32
    peaks: Float32


def measure_speech(clip: Clip) -> SpeechLevels:
    """Measure speech and power. Memory grows by a few bytes per 10 ms."""
    rate = clip.rate
    detector, powers = SpeechDetector(rate), _PowerMeter(rate)
    for block in clip.read_floats():
        detector.add(block)
        powers.add(block)
    return SpeechLevels(detector.get_speech(), powers.get_smoothed_powers(), powers.get_peaks())


class _PowerMeter:
    """Measures the power of every 10 ms. Frame sizes may differ by one sample; the last frame may be shorter."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._rest = np.zeros(0, np.float32)
        self._found: list[Float32] = []
        self._peaks: list[Float32] = []

    def add(self, block: Float32) -> None:
        self._rest = np.concatenate((self._rest, block))
        seconds = len(self._rest) // self._rate
        if seconds:
            self._measure(self._rest[: seconds * self._rate])
            self._rest = self._rest[seconds * self._rate :]

    def _measure(self, samples: Float32) -> None:
        count = -(-len(samples) * FRAMES_PER_SECOND // self._rate)
        edges: NDArray[np.int64] = np.arange(count) * self._rate // FRAMES_PER_SECOND
        sizes = np.diff(np.append(edges, len(samples)))
        powers = np.square(samples)
        self._found.append((np.add.reduceat(powers, edges) / sizes).astype(np.float32))
        self._peaks.append(np.sqrt(np.maximum.reduceat(powers, edges)))

    def get_peaks(self) -> Float32:
        """Call it after `get_smoothed_powers`."""
        return np.concatenate([np.zeros(0, np.float32), *self._peaks])

    def get_smoothed_powers(self) -> Float32:
        if len(self._rest):
            self._measure(self._rest)
            self._rest = self._rest[:0]
        powers = np.concatenate([np.zeros(0, np.float32), *self._found])
        padded = np.pad(powers, SMOOTHING_FRAMES // 2, mode="edge") if len(powers) else powers
        return (
            np.convolve(padded, np.full(SMOOTHING_FRAMES, 1 / SMOOTHING_FRAMES, np.float32), "valid")
            if len(powers)
            else powers
        )


FORCED_INTERVAL = 50
"""In frames. Within speech, the quietest moment of each interval (half a second) is a possible split point."""
FORCED_COST, EXCLUDED_COST = 50.0, 1000.0
"""Cost of a split within speech, and of excluding the samples between two split points from all clips."""
PAUSE_COST, WIDE_PAUSE = 30.0, 60
"""A split in a pause costs 30 divided by the frames of the pause; in all pauses above 0.6 s it costs the same."""
SNAP_FRAMES = 5
"""A clip that ends in a pause may be this many frames shorter or longer: it ends at the quietest of these frames."""


@dataclass(frozen=True, slots=True)
class SegmentLengths:
    """Minimum, maximum and target duration of a clip; up to `edge_seconds` of silence around it are kept."""

    min_seconds: float = 1.5
    max_seconds: float = 20.0
    target_seconds: float = 8.0
    edge_seconds: float = 0.2


DEFAULT_LENGTHS = SegmentLengths()


@dataclass(frozen=True, slots=True)
class Segment:
    """From sample `start` to before `end`; `is_in_pauses` is True if the segment begins and ends in a pause."""

    start: int
    end: int
    is_in_pauses: bool


@dataclass(frozen=True, slots=True)
class Split:
    """The segments in order; `excluded_seconds` of speech fit into no clip of allowed length."""

    segments: tuple[Segment, ...]
    excluded_seconds: float
    speech_levels: SpeechLevels


MAX_NAME_BYTES = 200
"""Maximum bytes of the source's name in the name of a segment; a whole file name may have 255 bytes."""


class _SplitPoint(NamedTuple):
    """A possible split, in samples: the clip before it ends at `end`, the clip after it begins at `start`.

    A clip that is too short may be extended up to `at`.
    """

    at: int
    end: int
    start: int
    cost: float
    is_in_pause: bool


def split_clip(clip: Clip, lengths: SegmentLengths = DEFAULT_LENGTHS) -> Split:
    """Find where to split a clip of any length; Refused if it has no speech or is too short for one clip."""
    if clip.seconds < lengths.min_seconds:
        raise FileRefused(make_finding("shorter_than_a_clip", seconds=clip.seconds, limit=lengths.min_seconds))
    speech_levels = measure_speech(clip)
    if not speech_levels.speech.segments:
        raise FileRefused(make_finding("nothing_to_cut"))
    segments, excluded = _find_best_split(
        list(_SplitPoints(clip, speech_levels, lengths.edge_seconds)), clip.rate, lengths
    )
    return Split(tuple(segments), excluded / clip.rate, speech_levels)


def list_segment_paths(clip: Clip, count: int, folder: Path) -> list[Path]:
    """Return the paths that `write_clips` writes to."""
    digits = max(3, len(str(count)))
    name = clip.name.encode("utf-8", "surrogateescape")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
    return [folder / f"{name}-{number:0{digits}}.wav" for number in range(1, count + 1)]


def write_segments(clip: Clip, split: Split, folder: Path) -> Iterator[WrittenClip]:
    """Write each segment unchanged to `name-001.wav` …; none of the files may exist yet."""
    placed_by = {"heard_by": split.speech_levels.speech.method}
    yield from write_clips(clip, [(segment.start, segment.end, placed_by) for segment in split.segments], folder)


def write_clips(clip: Clip, spans: Sequence[tuple[int, int, Mapping[str, str]]], folder: Path) -> Iterator[WrittenClip]:
    """Write the samples of each (start, end) unchanged, as `write_segments` does. Its recipe says what placed them."""
    for target, (start, end, placed_by) in zip(list_segment_paths(clip, len(spans), folder), spans, strict=True):
        recipe = clip.make_recipe({"step": "cut", "start_frame": start, "end_frame": end, **placed_by})
        yield write_wav(target, clip.rate, clip.read_samples(start, end), recipe)


class _SplitPoints:
    """Yields the possible split points in time order: the start, pauses, quiet moments of speech, and the end."""

    def __init__(self, clip: Clip, speech_levels: SpeechLevels, edge_seconds: float) -> None:
        self._clip, self._levels = clip, speech_levels.levels
        self._edge = round(edge_seconds * FRAMES_PER_SECOND)
        frames = [
            (round(a * FRAMES_PER_SECOND), round(b * FRAMES_PER_SECOND)) for a, b in speech_levels.speech.segments
        ]
        self._speech = [(a, min(b, len(self._levels))) for a, b in frames if a < len(self._levels)]

    def __iter__(self) -> Iterator[_SplitPoint]:
        (begin, _), (_, end) = self._speech[0], self._speech[-1]
        yield self._make_split_point(0, 0, max(0, begin - self._edge), 0.0)
        for (start, stop), (following, _) in pairwise([*self._speech, (0, 0)]):
            yield from self._find_forced_points(start, stop)
            if following:
                yield self._make_pause_point(stop, following)
        last = self._clip.frames
        yield self._make_split_point(0, end + self._edge, 0, 0.0)._replace(at=last, start=last)

    def _make_split_point(self, at: int, end: int, start: int, cost: float, in_pause: bool = True) -> _SplitPoint:
        rate, last = self._clip.rate, self._clip.frames
        at, end, start = (min(last, frame * rate // FRAMES_PER_SECOND) for frame in (at, end, start))
        return _SplitPoint(at, end, start, cost, in_pause)

    def _find_forced_points(self, start: int, stop: int) -> Iterator[_SplitPoint]:
        for first in range(start + FORCED_INTERVAL // 2, stop - FORCED_INTERVAL // 2, FORCED_INTERVAL):
            at = first + int(self._levels[first : min(stop, first + FORCED_INTERVAL)].argmin())
            yield self._make_split_point(at, at, at, FORCED_COST, in_pause=False)

    def _make_pause_point(self, start: int, end: int) -> _SplitPoint:
        """Exclude the middle of a wide pause, so both clips keep an edge; split a narrow one at its quietest frame."""
        cost = PAUSE_COST / min(end - start, WIDE_PAUSE)
        if end - start <= 2 * (self._edge + SNAP_FRAMES):
            at = start + int(self._levels[start:end].argmin())
            return self._make_split_point(at, at, at, cost)
        last, first = self._find_quietest(start + self._edge), self._find_quietest(end - self._edge)
        return self._make_split_point((last + first) // 2, last, first, cost)

    def _find_quietest(self, near: int) -> int:
        start = max(0, near - SNAP_FRAMES)
        return start + int(self._levels[start : near + SNAP_FRAMES + 1].argmin())


def _find_best_split(points: Sequence[_SplitPoint], rate: int, lengths: SegmentLengths) -> tuple[list[Segment], int]:
    """Return the cheapest segments from the first point to the last, and the number of excluded speech samples."""
    min_samples, max_samples = math.ceil(lengths.min_seconds * rate), math.floor(lengths.max_seconds * rate)
    costs, origins = [0.0], [-1]
    for last, end_point in enumerate(points[1:], start=1):
        cheapest, origin = costs[last - 1] + EXCLUDED_COST, -1
        for first in range(last - 1, -1, -1):
            start_point = points[first]
            if end_point.end - start_point.start > max_samples:
                break
            start, end = _extend_segment(start_point, end_point, min_samples)
            total = costs[first] + end_point.cost + ((end - start) / rate / lengths.target_seconds * 2 - 2) ** 2
            if end - start >= min_samples and total < cheapest:
                cheapest, origin = total, first
        costs.append(cheapest)
        origins.append(origin)
    return _trace_segments(points, origins, min_samples)


def _extend_segment(first: _SplitPoint, last: _SplitPoint, min_samples: int) -> tuple[int, int]:
    """Return start and end of a segment. A segment that is too short is extended into the silence around it."""
    missing = max(0, min_samples - (last.end - first.start))
    silence_before, silence_after = first.start - first.at, last.at - last.end
    added_before = min(silence_before, max(missing // 2, missing - silence_after))
    return first.start - added_before, last.end + min(silence_after, missing - added_before)


def _trace_segments(
    points: Sequence[_SplitPoint], origins: Sequence[int], min_samples: int
) -> tuple[list[Segment], int]:
    segments: list[Segment] = []
    excluded, last = 0, len(points) - 1
    while last:
        first = origins[last]
        if first < 0:
            excluded += points[last].end - points[last - 1].start
            last -= 1
            continue
        start, end = _extend_segment(points[first], points[last], min_samples)
        segments.append(Segment(start, end, points[first].is_in_pause and points[last].is_in_pause))
        last = first
    return segments[::-1], excluded
