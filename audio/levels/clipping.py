"""Where the tops of a recording are cut off."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.wav.riff import Int16

Int64 = NDArray[np.int64]

FLAT_LEAST_PEAK = 1000
FLAT_NEAR_PEAK = 0.999
FLAT_LEAST_RUN = 3
JOINED_SECONDS = 0.05
MOST_PLACES = 50


@dataclass(frozen=True, slots=True)
class Clipping:
    """`peak` of 0..32768; `samples` in `runs` flat tops; `places` as (start, end) in seconds, near runs as one."""

    peak: int
    samples: int
    runs: int
    places: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class _AtLevel:
    """The runs at one level: how many, how long together, and the first places as (first sample, one past last)."""

    runs: int
    samples: int
    places: list[tuple[int, int]]


class FlatTops:
    """Runs of three or more equal samples at the peak: what clipping leaves, even at a lowered level.

    The peak of the file is known only at its end, so runs are kept while they may still be at the peak.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._done = 0
        self._peak = 0
        self._open: tuple[int, int, int] | None = None
        self._levels: dict[int, _AtLevel] = {}

    def add(self, block: Int16, lows: Int16, highs: Int16, step: int) -> None:
        """The next samples, with the lowest and highest of each `step` of them."""
        peak = max(int(highs.max()), -int(lows.min()))
        if peak > self._peak:
            self._peak = peak
            self._levels = {level: kept for level, kept in self._levels.items() if level >= self._least()}
        least = self._least()
        # A run at the peak lies in frames that reach the peak: mostly few, and none in most blocks.
        hot = np.flatnonzero((highs >= least) | (lows <= -least)) if peak >= least else np.zeros(0, np.int64)
        if len(hot):
            start = int(hot[0]) * step
            self._find(block[start : (int(hot[-1]) + 1) * step], self._done + start, self._done + len(block), least)
        else:
            self._close()
        self._done += len(block)

    def _least(self) -> int:
        return max(FLAT_LEAST_PEAK, int(np.ceil(self._peak * FLAT_NEAR_PEAK - 1)))

    def _find(self, part: Int16, start: int, block_end: int, least: int) -> None:
        """Runs of equal samples of at least this level, in samples of which the first has the number `start`."""
        near = np.flatnonzero((part >= least) | (part <= -least))
        values, near = part[near], near + start
        breaks = np.flatnonzero((np.diff(near) != 1) | (np.diff(values) != 0)) + 1
        begins, ends = near[np.append(0, breaks)], near[np.append(breaks, len(near)) - 1] + 1
        tops = np.abs(values[np.append(0, breaks)].astype(np.int64))
        if self._open and self._open[1] == begins[0] and self._open[2] == values[0]:
            begins[0], self._open = self._open[0], None
        self._close()
        if ends[-1] == block_end:
            self._open = int(begins[-1]), int(ends[-1]), int(values[-1])
            begins, ends, tops = begins[:-1], ends[:-1], tops[:-1]
        self._note(begins, ends, tops)

    def _close(self) -> None:
        if self._open:
            begin, end, value = self._open
            self._open = None
            self._note(np.array([begin]), np.array([end]), np.array([abs(value)]))

    def _note(self, begins: Int64, ends: Int64, tops: Int64) -> None:
        long = ends - begins >= FLAT_LEAST_RUN
        begins, ends, tops = begins[long], ends[long], tops[long]
        for top in np.unique(tops):
            here = tops == top
            kept = self._levels.setdefault(int(top), _AtLevel(0, 0, []))
            kept.runs += int(here.sum())
            kept.samples += int((ends[here] - begins[here]).sum())
            if len(kept.places) < MOST_PLACES:
                found = zip(begins[here].tolist(), ends[here].tolist(), strict=True)
                kept.places = self._joined([*kept.places, *found])

    def _joined(self, places: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The first places, those that lie near each other as one."""
        joined: list[tuple[int, int]] = []
        for begin, end in sorted(places):
            if joined and begin - joined[-1][1] < JOINED_SECONDS * self._rate:
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((begin, end))
        return joined[:MOST_PLACES]

    def at_peak(self) -> Clipping:
        """What is found once all samples were added."""
        self._close()
        kept = [level for top, level in self._levels.items() if top >= self._least()]
        places = self._joined([place for level in kept for place in level.places])
        return Clipping(
            self._peak,
            sum(level.samples for level in kept),
            sum(level.runs for level in kept),
            tuple((begin / self._rate, end / self._rate) for begin, end in places),
        )
