"""Measure levels and waveform peaks of a recording in one pass over its bytes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from audio.levels.clipping import Clipping, ClippingDetector
from audio.wav.riff import FULL_SCALE, Float32, Int16, WavHeader, ignore_data, read_blocks

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Span = tuple[float, float]

PEAK_PAIRS = 400
FINE_PEAKS_PER_SECOND = 50
MAX_FINE_PEAKS = 4000
FRAMES_PER_SECOND = 50
BLOCK_FRAMES = 250
"""Frames read at once: five seconds, so that a clip has few blocks and a block has at most half a megabyte."""
FLOAT_BATCH_FRAMES = 64
"""As many frames as fit into the processor's cache once they are floating point numbers."""
FLOOR_DB = -100.0
"""Below the range of 16 bits; used for digital silence, whose level is not finite."""
DIGITAL_SILENCE_DB = -95.0
QUIETEST_PARTS = 10
"""The noise is measured in the quietest of this many parts: the tenth of the frames with the lowest power."""
SPEECH_OVER_NOISE_DB = 8.0
SPEECH_UNDER_LOUDEST_DB = 35.0
MIN_SPEECH_DB = -55.0
PAUSE_SECONDS = 0.5
MAX_PAUSES = 50


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels in dBFS (0 is full scale, never below -100), times in seconds, shares 0..1.

    A flat top is a run of three or more equal samples at the file's own peak. `clipped_runs` is the number of flat
    tops, `clipped_share` the share of samples in them. `clipped` has the first 50 spans (start, end) with flat tops;
    flat tops less than 50 ms apart are in one span. `snr_db` compares the louder half of the 20 ms frames with the
    quietest tenth, and `noise_floor_dbfs` is the level of that tenth. `pauses` are the first 50 spans of half a second
    or more between frames as loud as speech.
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
    clipped_runs: int = 0
    clipped: tuple[Span, ...] = ()
    pauses: tuple[Span, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {name: _round_value(getattr(self, name)) for name in LEVEL_NAMES}


LEVEL_NAMES = tuple(field.name for field in fields(Levels))


def _round_value(value: Any) -> Any:
    return [[round(end, 3) for end in span] for span in value] if isinstance(value, tuple) else round(value, 4)


@dataclass(frozen=True, slots=True)
class Measurement:
    """The levels, and two sets of peaks for drawing a waveform.

    Both sets are flattened pairs (lowest, highest) in -128..127. `peaks` has 400 pairs; `fine_peaks` has 50 pairs per
    second of audio, and at most 4,000.
    """

    levels: Levels
    peaks: tuple[int, ...]
    fine_peaks: tuple[int, ...]
    power_profile: "PowerProfile"


def convert_to_dbfs(power: float) -> float:
    """Power (full scale squared is 1) to dBFS, not below FLOOR_DB."""
    return max(FLOOR_DB, 10 * math.log10(power)) if power > 0 else FLOOR_DB


def measure_levels(file: BinaryIO, header: WavHeader, on_data: Callable[[bytes], object] = ignore_data) -> Measurement:
    """Measure a file that `read_header` accepted; `on_data` gets the bytes of each block.

    The file is read in blocks. 600 bytes per second of audio stay in memory, two megabytes for an hour.
    Raises WavRefused only if the file became shorter after its header was read.
    """
    frames, detector = FrameStatistics(header.sample_rate), ClippingDetector(header.sample_rate)
    peak_sets = WaveformPeaks(header.frames, PEAK_PAIRS), WaveformPeaks(header.frames, count_fine_peaks(header))
    for block in read_blocks(file, header, BLOCK_FRAMES * frames.step, on_data):
        detector.add(block, *frames.add(block))
        for peaks in peak_sets:
            peaks.add(block)
    profile = frames.build_power_profile()
    levels = _build_levels(header, profile, detector.get_clipping())
    return Measurement(levels, peak_sets[0].list_pairs(), peak_sets[1].list_pairs(), profile)


def count_fine_peaks(header: WavHeader) -> int:
    return min(MAX_FINE_PEAKS, max(1, math.ceil(header.seconds * FINE_PEAKS_PER_SECOND)))


def _build_levels(header: WavHeader, profile: "PowerProfile", clipping: Clipping) -> Levels:
    speech = profile.find_speech_frames()
    leading, trailing = profile.measure_edges(speech, header.seconds)
    return Levels(
        peak_dbfs=convert_to_dbfs((clipping.peak / FULL_SCALE) ** 2),
        rms_dbfs=convert_to_dbfs(min(profile.mean_power, (clipping.peak / FULL_SCALE) ** 2)),
        dc_offset=profile.mean,
        clipped_share=clipping.samples / max(1, header.frames),
        noise_floor_dbfs=convert_to_dbfs(profile.compute_noise_power()),
        snr_db=profile.compute_snr(),
        speech_seconds=len(speech) / FRAMES_PER_SECOND,
        leading_silence=leading,
        trailing_silence=trailing,
        clipped_runs=clipping.runs,
        clipped=clipping.spans,
        pauses=find_pauses(speech),
    )


def find_pauses(speech: Int64) -> tuple[Span, ...]:
    """The long spans without speech frames, between the first and the last speech frame."""
    gaps = np.flatnonzero(np.diff(speech) > PAUSE_SECONDS * FRAMES_PER_SECOND)[:MAX_PAUSES]
    return tuple((int(speech[gap] + 1) / FRAMES_PER_SECOND, int(speech[gap + 1]) / FRAMES_PER_SECOND) for gap in gaps)


class WaveformPeaks:
    """The lowest and the highest sample in each of `buckets` equal parts of a recording."""

    def __init__(self, frames: int, buckets: int) -> None:
        self._edges: Int64 = np.arange(buckets + 1, dtype=np.int64) * frames // buckets
        self._low: Int16 = np.full(buckets, FULL_SCALE - 1, dtype=np.int16)
        self._high: Int16 = np.full(buckets, -FULL_SCALE, dtype=np.int16)
        self._samples_read = 0

    def add(self, block: Int16) -> None:
        start, self._samples_read = self._samples_read, self._samples_read + len(block)
        first = int(self._edges.searchsorted(start, side="right")) - 1
        last = int(self._edges.searchsorted(self._samples_read))
        edges = self._edges[first:last] - start
        edges[0] = 0
        # If parts are shorter than a sample, some are empty. To these, reduceat gives the value of the next part.
        self._merge_extremes(np.minimum, self._low[first:last], block, edges)
        self._merge_extremes(np.maximum, self._high[first:last], block, edges)

    @staticmethod
    def _merge_extremes(pick: np.ufunc, extremes: Int16, block: Int16, edges: Int64) -> None:
        pick(extremes, pick.reduceat(block, edges), out=extremes)

    def list_pairs(self) -> tuple[int, ...]:
        """Low, high, low, high … in -128..127; a part without a sample is (0, 0)."""
        pairs = np.stack((self._low, self._high), axis=1).astype(np.int32)
        pairs[np.diff(self._edges) == 0] = 0
        return tuple(np.clip((pairs + 128) >> 8, -128, 127).ravel().tolist())


class FrameStatistics:
    """Extremes, sum and energy of each 20 ms frame; the last frame may be shorter."""

    def __init__(self, rate: int) -> None:
        self.step = rate // FRAMES_PER_SECOND
        self._count = 0
        self._floats: Float32 = np.empty((FLOAT_BATCH_FRAMES, self.step), np.float32)
        self._ones: Float32 = np.ones(self.step, np.float32)
        self._sums: list[Float64] = []
        self._energies: list[Float64] = []

    def add(self, block: Int16) -> tuple[Int16, Int16, int]:
        """Add a block, and return (lowest sample of each frame, highest sample of each frame, samples per frame).

        Every block except the last must consist of whole frames.
        """
        self._count += len(block)
        whole = len(block) // self.step * self.step
        rows = block[:whole].reshape(-1, self.step)
        for start in range(0, len(rows), FLOAT_BATCH_FRAMES):
            self._sum_rows(rows[start : start + FLOAT_BATCH_FRAMES])
        if whole < len(block):
            rest = block[whole:].astype(np.float64)
            self._sums.append(np.array([rest.sum()]))
            self._energies.append(np.array([rest @ rest]))
        starts = np.arange(0, len(block), self.step)
        return np.minimum.reduceat(block, starts), np.maximum.reduceat(block, starts), self.step

    def _sum_rows(self, rows: Int16) -> None:
        # The buffer is reused: allocating memory costs more than the arithmetic.
        floats = self._floats[: len(rows)]
        np.copyto(floats, rows)
        self._sums.append((floats @ self._ones).astype(np.float64))
        self._energies.append(np.vecdot(floats, floats).astype(np.float64))

    def build_power_profile(self) -> "PowerProfile":
        sums = np.concatenate(self._sums) / FULL_SCALE
        energies = np.concatenate(self._energies) / FULL_SCALE**2
        whole = self._count // self.step
        # The mean is removed, so that a DC offset does not count as noise.
        powers = energies[:whole] / self.step - (sums[:whole] / self.step) ** 2
        return PowerProfile(powers, float(sums.sum()) / self._count, float(energies.sum()) / self._count)


class PowerProfile:
    """Finds speech and measures noise, from the powers of 20 ms frames; a power of 1 is full scale squared."""

    def __init__(self, powers: Float64, mean: float, mean_power: float) -> None:
        self.powers = np.maximum(powers, 10 ** (FLOOR_DB / 10))
        self.mean = mean
        self.mean_power = mean_power
        self._ranked = np.sort(self._trim_digital_silence())

    def _trim_digital_silence(self) -> Float64:
        """The powers without digital silence at both ends."""
        audible = np.flatnonzero(self.powers > 10 ** (DIGITAL_SILENCE_DB / 10))
        return self.powers[audible[0] : audible[-1] + 1] if len(audible) else self.powers

    def compute_noise_power(self) -> float:
        """Mean power of the quietest tenth of the frames."""
        return _compute_mean(self._ranked[: max(1, len(self._ranked) // QUIETEST_PARTS)])

    def compute_snr(self) -> float:
        """Power of the speech in the louder half of the frames, over that of the quietest tenth, in dB."""
        noise = self.compute_noise_power()
        speech = _compute_mean(self._ranked[len(self._ranked) // 2 :])
        return max(0.0, convert_to_dbfs(speech - noise) - convert_to_dbfs(noise)) if noise else 0.0

    def find_speech_frames(self) -> Int64:
        return np.flatnonzero(self.powers >= 10 ** (self._compute_speech_threshold() / 10))

    def _compute_speech_threshold(self) -> float:
        loud = convert_to_dbfs(_compute_mean(self._ranked[len(self._ranked) * 9 // 10 :]))
        noise = convert_to_dbfs(self.compute_noise_power())
        return min(0.0, max(MIN_SPEECH_DB, noise + SPEECH_OVER_NOISE_DB, loud - SPEECH_UNDER_LOUDEST_DB))

    @staticmethod
    def measure_edges(speech: Int64, seconds: float) -> Span:
        """Seconds before the first and after the last speech frame."""
        if not len(speech):
            return seconds, seconds
        return int(speech[0]) / FRAMES_PER_SECOND, max(0.0, seconds - int(speech[-1] + 1) / FRAMES_PER_SECOND)


def _compute_mean(powers: Float64) -> float:
    return float(powers.mean()) if len(powers) else 0.0
