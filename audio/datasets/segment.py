"""A long recording cut at its pauses into clips of allowed length.

All pauses are weighed against each other by dynamic programming: clips near the wanted length, cuts in long pauses.
Where nobody pauses for too long, the quietest moment serves. The silence around a clip is kept short.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from audio.datasets.clips import Clip, WrittenClip, write_wav
from audio.findings.findings import Refused, make_finding
from audio.networks.vad import Speech, SpeechDetector
from audio.wav.riff import Float32

FRAMES_PER_SECOND = 100
SMOOTHING_FRAMES = 9
"""Frames that a level is taken over: a single quiet one inside a word is no moment of rest."""


@dataclass(frozen=True, slots=True)
class SpeechLevels:
    """Speech, and the power of every 10 ms, smoothed, full scale being 1."""

    speech: Speech
    levels: Float32


def measure_speech(clip: Clip) -> SpeechLevels:
    """Memory grows by a few bytes for every 10 ms."""
    rate = clip.rate
    finder, powers = SpeechDetector(rate), _PowerMeter(rate)
    for block in clip.read_floats():
        finder.add(block)
        powers.add(block)
    return SpeechLevels(finder.get_speech(), powers.get_smoothed_powers())


class _PowerMeter:
    """The power of every 10 ms, the last one of what is left; a frame may be a sample longer than the next."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._rest = np.zeros(0, np.float32)
        self._found: list[Float32] = []

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
        self._found.append((np.add.reduceat(np.square(samples), edges) / sizes).astype(np.float32))

    def get_smoothed_powers(self) -> Float32:
        if len(self._rest):
            self._measure(self._rest)
        powers = np.concatenate([np.zeros(0, np.float32), *self._found])
        padded = np.pad(powers, SMOOTHING_FRAMES // 2, mode="edge") if len(powers) else powers
        return (
            np.convolve(padded, np.full(SMOOTHING_FRAMES, 1 / SMOOTHING_FRAMES, np.float32), "valid")
            if len(powers)
            else powers
        )


FORCED_INTERVAL = 50
"""Frames: within speech, the quietest moment of each half second may be cut at, if need be."""
FORCED_COST, EXCLUDED_COST = 50.0, 1000.0
PAUSE_COST, WIDE_PAUSE = 30.0, 60
"""A cut costs 30 by the frames of its pause; above 0.6 s none is better than another."""
SNAP_FRAMES = 5
"""Frames around where a clip would end in a pause, of which the quietest is taken."""


@dataclass(frozen=True, slots=True)
class SegmentLengths:
    """Seconds that a clip must and may last, and should; `edge_seconds` of silence around it stay, if there are."""

    min_seconds: float = 1.5
    max_seconds: float = 20.0
    target_seconds: float = 8.0
    edge_seconds: float = 0.2


DEFAULT_LENGTHS = SegmentLengths()


@dataclass(frozen=True, slots=True)
class Segment:
    """From sample `start` to before `end`; `in_pauses` if both lie where nobody speaks."""

    start: int
    end: int
    is_in_pauses: bool


@dataclass(frozen=True, slots=True)
class Split:
    """The pieces in order; `left_out` are seconds of speech that fit into no clip of allowed length."""

    segments: tuple[Segment, ...]
    excluded_seconds: float
    speech_levels: SpeechLevels


MAX_NAME_BYTES = 200
"""Of the source's name; a file's may have 255 with what is added."""


class _SplitPoint(NamedTuple):
    """Where could be cut, in samples: the clip before it ends at `end`, the one after it begins at `start`."""

    at: int
    end: int
    start: int
    cost: float
    is_in_pause: bool


def split_clip(clip: Clip, lengths: SegmentLengths = DEFAULT_LENGTHS) -> Split:
    """Where to cut a clip of any length; Refused if nobody speaks in it or it is too short for one clip."""
    if clip.seconds < lengths.min_seconds:
        raise Refused(make_finding("shorter_than_a_clip", seconds=clip.seconds, limit=lengths.min_seconds))
    heard = measure_speech(clip)
    if not heard.speech.segments:
        raise Refused(make_finding("nothing_to_cut"))
    pieces, left_out = _find_best_split(list(_SplitPoints(clip, heard, lengths.edge_seconds)), clip.rate, lengths)
    return Split(tuple(pieces), left_out / clip.rate, heard)


def list_segment_paths(clip: Clip, split: Split, folder: Path) -> list[Path]:
    """Where `write_pieces` writes each."""
    digits = max(3, len(str(len(split.segments))))
    name = clip.name.encode("utf-8", "surrogateescape")[:MAX_NAME_BYTES].decode("utf-8", "ignore")
    return [folder / f"{name}-{number:0{digits}}.wav" for number in range(1, len(split.segments) + 1)]


def write_segments(clip: Clip, split: Split, folder: Path) -> Iterator[WrittenClip]:
    """Write each piece, sample by sample as it was, to `name-001.wav` …; none of them may exist yet."""
    for target, piece in zip(list_segment_paths(clip, split, folder), split.segments, strict=True):
        how = clip.make_recipe(
            {
                "step": "cut",
                "start_frame": piece.start,
                "end_frame": piece.end,
                "heard_by": split.speech_levels.speech.method,
            }
        )
        yield write_wav(target, clip.rate, clip.read_samples(piece.start, piece.end), how)


class _SplitPoints:
    """The start, every pause, the quietest moments of speech, and the end, in this order."""

    def __init__(self, clip: Clip, heard: SpeechLevels, edge_seconds: float) -> None:
        self._clip, self._levels = clip, heard.levels
        self._edge = round(edge_seconds * FRAMES_PER_SECOND)
        frames = [(round(a * FRAMES_PER_SECOND), round(b * FRAMES_PER_SECOND)) for a, b in heard.speech.segments]
        self._speech = [(a, min(b, len(self._levels))) for a, b in frames if a < len(self._levels)]

    def __iter__(self) -> Iterator[_SplitPoint]:
        (begin, _), (_, end) = self._speech[0], self._speech[-1]
        yield self._make_point(0, 0, max(0, begin - self._edge), 0.0)
        for (start, stop), (following, _) in pairwise([*self._speech, (0, 0)]):
            yield from self._find_forced_points(start, stop)
            if following:
                yield self._make_pause_point(stop, following)
        last = self._clip.frames
        yield self._make_point(0, end + self._edge, 0, 0.0)._replace(at=last, start=last)

    def _make_point(self, at: int, end: int, start: int, costs: float, in_pause: bool = True) -> _SplitPoint:
        rate, last = self._clip.rate, self._clip.frames
        at, end, start = (min(last, frame * rate // FRAMES_PER_SECOND) for frame in (at, end, start))
        return _SplitPoint(at, end, start, costs, in_pause)

    def _find_forced_points(self, start: int, stop: int) -> Iterator[_SplitPoint]:
        for first in range(start + FORCED_INTERVAL // 2, stop - FORCED_INTERVAL // 2, FORCED_INTERVAL):
            at = first + int(self._levels[first : min(stop, first + FORCED_INTERVAL)].argmin())
            yield self._make_point(at, at, at, FORCED_COST, in_pause=False)

    def _make_pause_point(self, start: int, end: int) -> _SplitPoint:
        """A wide pause is left out but for the edges; a narrow one is cut at its quietest frame."""
        costs = PAUSE_COST / min(end - start, WIDE_PAUSE)
        if end - start <= 2 * (self._edge + SNAP_FRAMES):
            at = start + int(self._levels[start:end].argmin())
            return self._make_point(at, at, at, costs)
        last, first = self._find_quietest(start + self._edge), self._find_quietest(end - self._edge)
        return self._make_point((last + first) // 2, last, first, costs)

    def _find_quietest(self, near: int) -> int:
        start = max(0, near - SNAP_FRAMES)
        return start + int(self._levels[start : near + SNAP_FRAMES + 1].argmin())


def _find_best_split(places: Sequence[_SplitPoint], rate: int, lengths: SegmentLengths) -> tuple[list[Segment], int]:
    """The cheapest way from the first place to the last, and how many samples of speech it leaves out."""
    least, most = math.ceil(lengths.min_seconds * rate), math.floor(lengths.max_seconds * rate)
    costs, back = [0.0], [-1]
    for last, there in enumerate(places[1:], start=1):
        cheapest, origin = costs[last - 1] + EXCLUDED_COST, -1
        for first in range(last - 1, -1, -1):
            here = places[first]
            if there.end - here.start > most:
                break
            start, end = _extend_segment(here, there, least)
            price = costs[first] + there.cost + ((end - start) / rate / lengths.target_seconds * 2 - 2) ** 2
            if end - start >= least and price < cheapest:
                cheapest, origin = price, first
        costs.append(cheapest)
        back.append(origin)
    return _trace_segments(places, back, least)


def _extend_segment(first: _SplitPoint, last: _SplitPoint, least: int) -> tuple[int, int]:
    """From where to where a clip goes; one that is too short takes in more of the silence around it."""
    short = max(0, least - (last.end - first.start))
    room_before, room_after = first.start - first.at, last.at - last.end
    before = min(room_before, max(short // 2, short - room_after))
    return first.start - before, last.end + min(room_after, short - before)


def _trace_segments(places: Sequence[_SplitPoint], back: Sequence[int], least: int) -> tuple[list[Segment], int]:
    pieces: list[Segment] = []
    left_out, last = 0, len(places) - 1
    while last:
        first = back[last]
        if first < 0:
            left_out += places[last].end - places[last - 1].start
            last -= 1
            continue
        start, end = _extend_segment(places[first], places[last], least)
        pieces.append(Segment(start, end, places[first].is_in_pause and places[last].is_in_pause))
        last = first
    return pieces[::-1], left_out
