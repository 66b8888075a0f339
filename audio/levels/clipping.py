"""Detect clipping."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.wav.riff import Int16

Int64 = NDArray[np.int64]

MIN_FLAT_PEAK = 1000
FLAT_PEAK_SHARE = 0.999
MIN_FLAT_RUN = 3
MERGE_GAP_SECONDS = 0.05
MAX_SPANS = 50


@dataclass(frozen=True, slots=True)
class Clipping:
    """`runs` is the number of flat tops, `samples` the number of samples in them, `peak` the file's peak, 0..32768.

    `spans` are the flat tops as (start, end) in seconds; those close to each other are merged.
    """

    peak: int
    samples: int
    runs: int
    spans: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class _LevelRuns:
    """The runs at one level: their number, their total length, and the first spans as (first, last + 1) samples."""

    runs: int
    samples: int
    spans: list[tuple[int, int]]


class ClippingDetector:
    """Finds runs of three or more equal samples at the peak: clipping leaves them, even if the level is lowered later.

    The peak of the file is known only at its end. Until then, each run is kept that may be at the peak.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._samples_read = 0
        self._peak = 0
        self._open_run: tuple[int, int, int] | None = None
        self._levels: dict[int, _LevelRuns] = {}

    def add(self, block: Int16, lows: Int16, highs: Int16, step: int) -> None:
        """Add the next samples, with the lowest and the highest of each `step` samples."""
        peak = max(int(highs.max()), -int(lows.min()))
        if peak > self._peak:
            self._peak = peak
            self._levels = {level: runs for level, runs in self._levels.items() if level >= self._compute_min_level()}
        min_level = self._compute_min_level()
        # A run at the peak lies in frames that reach the peak. Most blocks have none.
        peak_frames = (
            np.flatnonzero((highs >= min_level) | (lows <= -min_level)) if peak >= min_level else np.zeros(0, np.int64)
        )
        if len(peak_frames):
            start = int(peak_frames[0]) * step
            self._find_runs(
                block[start : (int(peak_frames[-1]) + 1) * step],
                self._samples_read + start,
                self._samples_read + len(block),
                min_level,
            )
        else:
            self._close_open_run()
        self._samples_read += len(block)

    def _compute_min_level(self) -> int:
        return max(MIN_FLAT_PEAK, int(np.ceil(self._peak * FLAT_PEAK_SHARE - 1)))

    def _find_runs(self, part: Int16, start: int, block_end: int, min_level: int) -> None:
        """Record runs of equal samples at `min_level` or above. `start` is the index of the first sample of `part`."""
        positions = np.flatnonzero((part >= min_level) | (part <= -min_level))
        values, positions = part[positions], positions + start
        breaks = np.flatnonzero((np.diff(positions) != 1) | (np.diff(values) != 0)) + 1
        begins, ends = positions[np.append(0, breaks)], positions[np.append(breaks, len(positions)) - 1] + 1
        tops = np.abs(values[np.append(0, breaks)].astype(np.int64))
        if self._open_run and self._open_run[1] == begins[0] and self._open_run[2] == values[0]:
            begins[0], self._open_run = self._open_run[0], None
        self._close_open_run()
        if ends[-1] == block_end:
            self._open_run = int(begins[-1]), int(ends[-1]), int(values[-1])
            begins, ends, tops = begins[:-1], ends[:-1], tops[:-1]
        self._record_runs(begins, ends, tops)

    def _close_open_run(self) -> None:
        if self._open_run:
            begin, end, value = self._open_run
            self._open_run = None
            self._record_runs(np.array([begin]), np.array([end]), np.array([abs(value)]))

    def _record_runs(self, begins: Int64, ends: Int64, tops: Int64) -> None:
        is_long = ends - begins >= MIN_FLAT_RUN
        begins, ends, tops = begins[is_long], ends[is_long], tops[is_long]
        for top in np.unique(tops):
            at_top = tops == top
            level = self._levels.setdefault(int(top), _LevelRuns(0, 0, []))
            level.runs += int(at_top.sum())
            level.samples += int((ends[at_top] - begins[at_top]).sum())
            if len(level.spans) < MAX_SPANS:
                found = zip(begins[at_top].tolist(), ends[at_top].tolist(), strict=True)
                level.spans = self._merge_spans([*level.spans, *found])

    def _merge_spans(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Merge spans that are close to each other, and return the first MAX_SPANS."""
        merged: list[tuple[int, int]] = []
        for begin, end in sorted(spans):
            if merged and begin - merged[-1][1] < MERGE_GAP_SECONDS * self._rate:
                merged[-1] = merged[-1][0], max(end, merged[-1][1])
            else:
                merged.append((begin, end))
        return merged[:MAX_SPANS]

    def get_clipping(self) -> Clipping:
        """The clipping; call it after all samples were added."""
        self._close_open_run()
        peak_levels = [level for top, level in self._levels.items() if top >= self._compute_min_level()]
        spans = self._merge_spans([span for level in peak_levels for span in level.spans])
        return Clipping(
            self._peak,
            sum(level.samples for level in peak_levels),
            sum(level.runs for level in peak_levels),
            tuple((begin / self._rate, end / self._rate) for begin, end in spans),
        )
