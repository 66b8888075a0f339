"""Levels and an outline of a recording, in one pass and in memory that does not grow with its length."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from voicehub.audio.riff import WavHeader
from voicehub.audio.samples import FULL_SCALE, Int16, blocks, ignore

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

BUCKETS = 400
FRAMES_PER_SECOND = 50
BLOCK_FRAMES = 200
FLOOR_DB = -100.0
"""Below what 16 bits can hold; stands for digital silence, which has no decibels."""
BINS_PER_DB = 2
BINS = int(-FLOOR_DB) * BINS_PER_DB + 1
DIGITAL_SILENCE_DB = -95.0
QUIETEST_SHARE = 0.1
SPEECH_OVER_NOISE_DB = 8.0
SPEECH_UNDER_LOUDEST_DB = 35.0
SPEECH_LEAST_DB = -55.0
FLAT_LEAST_PEAK = 1000
FLAT_NEAR_PEAK = 0.999


@dataclass(frozen=True, slots=True)
class Levels:
    """What was measured. Levels in dBFS (0 is full scale, never below -100), times in seconds, shares 0..1.

    `clipped_share` counts samples in flat tops (three or more equal samples at the file's own peak); `snr_db`
    compares the louder half of 20 ms frames with the quietest tenth; the floor is the level of that tenth.
    """

    peak_dbfs: float
    rms_dbfs: float
    dc_offset: float
    clipped_share: float
    noise_floor_dbfs: float
    snr_db: float
    speech_seconds: float
    leading_silence: float
    trailing_silence: float
    clipped_at: float | None = None

    def as_dict(self) -> dict[str, Any]:
        return {name: value if value is None else round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Measurement:
    """`peaks` are 400 pairs (lowest, highest) of -128..127, flat: what a waveform is drawn from."""

    levels: Levels
    peaks: tuple[int, ...]


def decibels(power: float) -> float:
    """Power (full scale squared is 1) in dBFS, not below FLOOR_DB."""
    return max(FLOOR_DB, 10 * math.log10(power)) if power > 0 else FLOOR_DB


def measure(file: BinaryIO, header: WavHeader, seen: Callable[[bytes], object] = ignore) -> Measurement:
    """Measure the sound of a file that `read_header` took; `seen` gets its bytes as they pass.

    Raises WavRefused only if the file became shorter since its header was read.
    """
    totals, flats, outline, frames = (
        Totals(),
        FlatTops(),
        Outline(header.frames),
        FrameLevels(header.sample_rate),
    )
    for block in blocks(file, header, BLOCK_FRAMES * frames.step, seen):
        for part in (totals, flats, outline, frames):
            part.add(block)
    return Measurement(_levels(header, totals, flats, frames), outline.pairs())


def _levels(header: WavHeader, totals: "Totals", flats: "FlatTops", frames: "FrameLevels") -> Levels:
    clipped, first = flats.at_peak(totals.peak)
    leading, trailing, speech = frames.speech(header.seconds)
    return Levels(
        peak_dbfs=decibels((totals.peak / FULL_SCALE) ** 2),
        rms_dbfs=decibels(totals.power()),
        dc_offset=totals.mean(),
        clipped_share=clipped / max(1, header.frames),
        noise_floor_dbfs=decibels(frames.noise_power()),
        snr_db=frames.snr(),
        speech_seconds=speech,
        leading_silence=leading,
        trailing_silence=trailing,
        clipped_at=None if first is None else first / header.sample_rate,
    )


class Totals:
    """Peak, mean and power of all samples."""

    def __init__(self) -> None:
        self.count = 0
        self.peak = 0
        self._sum = 0
        self._squares = 0.0

    def add(self, block: Int16) -> None:
        values = block.astype(np.float64)
        self.count += len(block)
        self.peak = max(self.peak, int(block.max()), -int(block.min()))
        self._sum += int(block.sum(dtype=np.int64))
        self._squares += float(values @ values)

    def mean(self) -> float:
        return self._sum / max(1, self.count) / FULL_SCALE

    def power(self) -> float:
        return self._squares / max(1, self.count) / FULL_SCALE**2


class FlatTops:
    """Runs of three or more equal samples at the peak: what clipping leaves, even at a lowered level.

    The peak of the file is known only at its end, so runs are kept while they may still be at the peak.
    """

    def __init__(self) -> None:
        self._tail: Int16 = np.zeros(0, np.int16)
        self._was_flat = False
        self._done = 0
        self._peak = 0
        self._runs: dict[int, tuple[int, int]] = {}

    def add(self, block: Int16) -> None:
        joined = np.concatenate((self._tail, block))
        start, self._done = self._done - len(self._tail), self._done + len(block)
        self._tail = joined[-2:]
        self._peak = max(self._peak, int(block.max()), -int(block.min()))
        if len(joined) >= 3:
            self._keep(joined, start)

    def _keep(self, joined: Int16, start: int) -> None:
        flat = (joined[2:] == joined[1:-1]) & (joined[1:-1] == joined[:-2])
        before = np.concatenate(([self._was_flat], flat[:-1]))
        self._was_flat = bool(flat[-1])
        levels = np.abs(joined[2:].astype(np.int32))
        places = np.flatnonzero(flat & (levels >= self._least(self._peak)))
        # A run of n equal samples has n - 2 triples, so its first triple counts for three samples.
        weights = np.where(before[places], 1, 3)
        for level in np.unique(levels[places]):
            here = levels[places] == level
            self._note(int(level), int(weights[here].sum()), start + int(places[here][0]))

    def _note(self, level: int, samples: int, place: int) -> None:
        known, first = self._runs.get(level, (0, place))
        self._runs[level] = (known + samples, first)

    @staticmethod
    def _least(peak: int) -> float:
        return max(FLAT_LEAST_PEAK, peak * FLAT_NEAR_PEAK - 1)

    def at_peak(self, peak: int) -> tuple[int, int | None]:
        """(samples in flat tops, the first such sample or None)."""
        kept = [run for level, run in self._runs.items() if level >= self._least(peak)]
        return sum(samples for samples, _ in kept), min((first for _, first in kept), default=None)


class Outline:
    """Lowest and highest sample of each of 400 equal stretches."""

    def __init__(self, frames: int) -> None:
        self._edges: Int64 = np.arange(BUCKETS + 1, dtype=np.int64) * frames // BUCKETS
        self._low: Int64 = np.full(BUCKETS, FULL_SCALE, dtype=np.int64)
        self._high: Int64 = np.full(BUCKETS, -FULL_SCALE, dtype=np.int64)
        self._done = 0

    def add(self, block: Int16) -> None:
        start, self._done = self._done, self._done + len(block)
        first = int(np.searchsorted(self._edges, start, side="right")) - 1
        last = int(np.searchsorted(self._edges, self._done, side="left"))
        edges = np.unique(np.clip(self._edges[first:last], start, None) - start)
        owners = np.searchsorted(self._edges, edges + start, side="right") - 1
        self._low[owners] = np.minimum(self._low[owners], np.minimum.reduceat(block, edges))
        self._high[owners] = np.maximum(self._high[owners], np.maximum.reduceat(block, edges))

    def pairs(self) -> tuple[int, ...]:
        """Low, high, low, high … as -128..127; a stretch without a sample is (0, 0)."""
        pairs = np.stack((self._low, self._high), axis=1)
        pairs[self._low > self._high] = 0
        rounded = np.clip((pairs + 128) >> 8, -128, 127)
        return tuple(int(value) for value in rounded.ravel())


class FrameLevels:
    """A histogram of the levels of 20 ms frames, with the first and last frame of each level."""

    def __init__(self, rate: int) -> None:
        self.step = rate // FRAMES_PER_SECOND
        self._frames = 0
        self._counts: Int64 = np.zeros(BINS, np.int64)
        self._powers: Float64 = np.zeros(BINS)
        self._first: Int64 = np.full(BINS, np.iinfo(np.int64).max)
        self._last: Int64 = np.full(BINS, -1, dtype=np.int64)

    def add(self, block: Int16) -> None:
        count = len(block) // self.step
        frames = block[: count * self.step].reshape(count, self.step).astype(np.float64) / FULL_SCALE
        # Without its mean, so that a microphone with an offset is not taken for a noisy one.
        powers = np.maximum(frames.var(axis=1), 10 ** (FLOOR_DB / 10))
        bins = np.clip(np.rint((10 * np.log10(powers) - FLOOR_DB) * BINS_PER_DB), 0, BINS - 1).astype(np.int64)
        places = self._frames + np.arange(count)
        np.add.at(self._counts, bins, 1)
        np.add.at(self._powers, bins, powers)
        np.minimum.at(self._first, bins, places)
        np.maximum.at(self._last, bins, places)
        self._frames += count

    def noise_power(self) -> float:
        """Power of the quietest tenth, not counting digital silence that was put around the recording."""
        skip, rest = self._ranks()
        return self._mean_power(skip, skip + max(1.0, QUIETEST_SHARE * rest))

    def snr(self) -> float:
        skip, rest = self._ranks()
        noise, speech = self.noise_power(), self._mean_power(skip + rest / 2, skip + rest)
        return max(0.0, decibels(speech - noise) - decibels(noise)) if noise else 0.0

    def speech(self, seconds: float) -> tuple[float, float, float]:
        """(silence before the first speech, silence after the last, speech), in seconds."""
        spoken = int(np.ceil((self._speech_level() - FLOOR_DB) * BINS_PER_DB))
        count = int(self._counts[spoken:].sum())
        if not count:
            return seconds, seconds, 0.0
        first, last = int(self._first[spoken:].min()), int(self._last[spoken:].max())
        return (
            first / FRAMES_PER_SECOND,
            max(0.0, seconds - (last + 1) / FRAMES_PER_SECOND),
            count / FRAMES_PER_SECOND,
        )

    def _speech_level(self) -> float:
        skip, rest = self._ranks()
        loud = decibels(self._mean_power(skip + 0.9 * rest, skip + rest))
        noise = decibels(self.noise_power())
        return min(0.0, max(SPEECH_LEAST_DB, noise + SPEECH_OVER_NOISE_DB, loud - SPEECH_UNDER_LOUDEST_DB))

    def _ranks(self) -> tuple[int, int]:
        """(frames of digital silence at both ends, all other frames); the former have the lowest ranks."""
        heard = int((DIGITAL_SILENCE_DB - FLOOR_DB) * BINS_PER_DB)
        if not self._counts[heard:].any():
            return 0, self._frames
        first, last = int(self._first[heard:].min()), int(self._last[heard:].max())
        return first + self._frames - 1 - last, last + 1 - first

    def _mean_power(self, low: float, high: float) -> float:
        """Mean power of the frames that rank from `low` to `high`, the quietest being 0."""
        ends = np.cumsum(self._counts)
        shares = np.clip(np.minimum(ends, high) - np.maximum(ends - self._counts, low), 0, None)
        filled = self._counts > 0
        total = float(shares[filled].sum())
        return float((self._powers[filled] / self._counts[filled]) @ shares[filled]) / total if total else 0.0
