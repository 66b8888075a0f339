"""Voice activity detection (VAD): Silero's model, in numpy.

The weights come from the `silero-vad` wheel (MIT), the forward pass is our own. It detects speech in noise where levels
are useless, and does not confuse noise or a tone with speech. Without the weights the level decides, and the result
says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from audio.networks.silero import CHUNK, Silero, load_silero
from audio.networks.weights import MissingModel
from audio.wav.riff import FULL_SCALE, Float32, Int16

RATE = 16000
"""The model's sample rate; audio at other rates is resampled."""
PAD_SECONDS = 0.08
"""Padding around speech: the model starts late and stops early, on breath and soft consonants."""
MIN_SECONDS = 0.1
"""Shorter speech is a click; shorter silence between speech is the closure of a consonant."""

BATCH_CHUNKS = 256
START_PROBABILITY, STOP_PROBABILITY = 0.5, 0.35
"""Speech begins above START_PROBABILITY and ends below STOP_PROBABILITY, as in the code of Silero's authors."""

LEVEL_FRAME = 160
LEVEL_OVER_NOISE_DB, LEVEL_UNDER_LOUDEST_DB, MIN_LEVEL_DB = 8.0, 35.0, -55.0

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Speech:
    """Segments of speech as (start, end) in seconds, sorted and disjoint, within a sound of `total` seconds.

    `method` says what found the segments. `missing_reason` tells people why it was not the model.
    """

    segments: tuple[Span, ...]
    total: float
    method: Literal["model", "level"] = "model"
    missing_reason: str = ""

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self.segments)

    @property
    def share(self) -> float:
        return self.seconds / self.total if self.total else 0.0

    def list_pauses(self, min_seconds: float = 0.0) -> tuple[Span, ...]:
        """The spans without speech of at least `min_seconds`, including those at both ends."""
        edges = [0.0, *(edge for segment in self.segments for edge in segment), self.total]
        return tuple(
            (start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start >= min_seconds
        )


def detect_speech(samples: Float32 | Int16, rate: int) -> Speech:
    """Detect speech in mono samples, int16 or float in -1..1."""
    detector = SpeechDetector(rate)
    detector.add(samples)
    return detector.get_speech()


class SpeechDetector:
    """Detects speech in a sound that comes in blocks; memory grows by at most 4 bytes per 10 ms."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._samples_read = 0
        self._resampler = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, dtype="float32")
        model = load_silero()
        self._missing = model.reason if isinstance(model, MissingModel) else ""
        self._classifier: _SpeechClassifier = (
            _LevelClassifier() if isinstance(model, MissingModel) else _ModelClassifier(model)
        )

    def add(self, block: Float32 | Int16) -> None:
        self._samples_read += len(block)
        # One second at a time: the resampler's buffers grow with the size of its input.
        for start in range(0, len(block), self._rate):
            self._classify_part(_convert_to_floats(block[start : start + self._rate]))

    def get_speech(self) -> Speech:
        """The result. Call it once, after the last block was added."""
        self._classify_part(np.zeros(0, np.float32), last=True)
        total = self._samples_read / self._rate
        spans = tuple(_pad_spans(self._classifier.find_spans(), total))
        return Speech(spans, total, "level" if self._missing else "model", self._missing)

    def _classify_part(self, part: Float32, last: bool = False) -> None:
        if self._resampler is not None and self._samples_read:
            part = self._resampler.resample_chunk(part, last=last)
        self._classifier.add(part)
        if last:
            self._classifier.flush()


def _convert_to_floats(block: Float32 | Int16) -> Float32:
    scale = np.float32(1 / FULL_SCALE if block.dtype == np.int16 else 1)
    return np.asarray(block * scale, np.float32)


def _pad_spans(spans: Iterator[Span], total: float) -> Iterator[Span]:
    """Drop clicks, add padding, and merge spans that then nearly touch."""
    start, end = 0.0, -1.0
    for first, last in spans:
        if last - first < MIN_SECONDS:
            continue
        first, last = max(0.0, first - PAD_SECONDS), min(total, last + PAD_SECONDS)
        if end >= 0 and first - end < MIN_SECONDS:
            end = last
            continue
        if end >= 0:
            yield round(start, 3), round(end, 3)
        start, end = first, last
    if end > start:
        yield round(start, 3), round(end, 3)


class _SpeechClassifier(Protocol):
    """Takes mono samples at RATE, then gives the spans of speech in seconds."""

    def add(self, samples: Float32) -> None: ...
    def flush(self) -> None: ...
    def find_spans(self) -> Iterator[Span]: ...


class _FrameBatcher:
    """Groups samples into batches of whole frames; the last frame is padded with silence."""

    def __init__(self, frame: int, batch: int) -> None:
        self._frame, self._batch = frame, frame * batch
        self._pending_blocks: list[Float32] = []
        self._pending_samples = 0

    def add(self, samples: Float32) -> Iterator[Float32]:
        self._pending_blocks.append(samples)
        self._pending_samples += len(samples)
        if self._pending_samples >= self._batch:
            joined = np.concatenate(self._pending_blocks)
            whole = len(joined) // self._frame * self._frame
            self._pending_blocks, self._pending_samples = [joined[whole:]], len(joined) - whole
            yield joined[:whole]

    def flush(self) -> Iterator[Float32]:
        if self._pending_samples:
            joined = np.concatenate(self._pending_blocks)
            yield np.pad(joined, (0, -len(joined) % self._frame))


def _find_runs(is_speech: NDArray[np.bool_], frame_seconds: float) -> Iterator[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_speech, [False])).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        yield float(start * frame_seconds), float(end * frame_seconds)


class _ModelClassifier:
    def __init__(self, model: "Silero") -> None:
        self._frames = _FrameBatcher(CHUNK, BATCH_CHUNKS)
        self._model, self._state = model, model.create_state()
        self._probabilities: list[Float32] = []

    def add(self, samples: Float32) -> None:
        for batch in self._frames.add(samples):
            self._probabilities.append(self._model.compute_probabilities(batch, self._state))

    def flush(self) -> None:
        for batch in self._frames.flush():
            self._probabilities.append(self._model.compute_probabilities(batch, self._state))

    def find_spans(self) -> Iterator[Span]:
        probabilities = np.concatenate([np.zeros(0, np.float32), *self._probabilities])
        # A frame between the two limits counts like the last frame that was outside them.
        is_clear = (probabilities > START_PROBABILITY) | (probabilities < STOP_PROBABILITY)
        last = np.maximum.accumulate(np.where(is_clear, np.arange(len(probabilities)), -1))
        return _find_runs((last >= 0) & (probabilities[last] > START_PROBABILITY), CHUNK / RATE)


class _LevelClassifier:
    """Finds speech: 10 ms frames well above the quietest tenth and not far below the loudest twentieth of frames."""

    def __init__(self) -> None:
        self._frames = _FrameBatcher(LEVEL_FRAME, BATCH_CHUNKS)
        self._levels: list[Float32] = []

    def add(self, samples: Float32) -> None:
        for batch in self._frames.add(samples):
            self._record_levels(batch)

    def flush(self) -> None:
        for batch in self._frames.flush():
            self._record_levels(batch)

    def _record_levels(self, batch: Float32) -> None:
        frames = batch.reshape(-1, LEVEL_FRAME)
        self._levels.append(10 * np.log10(frames.var(axis=1) + np.float32(1e-10)))

    def find_spans(self) -> Iterator[Span]:
        levels = np.concatenate([np.zeros(0, np.float32), *self._levels])
        if not len(levels):
            return iter(())
        quiet, loud = np.percentile(levels, (10, 95))
        limit = max(quiet + LEVEL_OVER_NOISE_DB, loud - LEVEL_UNDER_LOUDEST_DB, MIN_LEVEL_DB)
        # A fifth of the frames around a frame must be loud, so that a click or the silence in a "t" changes nothing.
        loud_share = np.convolve(levels > limit, np.full(21, 1 / 21), "same")
        return _find_runs(loud_share > 0.2, LEVEL_FRAME / RATE)
