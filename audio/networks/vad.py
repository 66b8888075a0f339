"""Where in a recording somebody speaks: Silero's voice activity model, in numpy.

The weights come out of the `silero-vad` wheel (MIT), the forward pass is our own. It hears speech in noise in which
levels tell nothing, and takes neither noise nor a tone for speech. Without the weights the level decides, and the
result says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from audio.networks.silero import CHUNK, Silero, silero
from audio.networks.weights import Absent
from audio.wav.riff import FULL_SCALE, Float32, Int16

RATE = 16000
"""What the model hears; every other rate is brought to it."""
PAD_SECONDS = 0.08
"""Left around speech: the model starts late and stops early, on breath and soft consonants."""
LEAST_SECONDS = 0.1
"""Shorter speech is a click, shorter silence between speech the closure of a consonant."""

BATCH_CHUNKS = 256
START, STOP = 0.5, 0.35
"""Speech begins where the model is surer than START and lasts until it is less sure than STOP, as its authors do it."""

LEVEL_FRAME = 160
LEVEL_OVER_NOISE_DB, LEVEL_UNDER_LOUDEST_DB, LEVEL_LEAST_DB = 8.0, 35.0, -55.0

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Speech:
    """Stretches of speech as (start, end) in seconds, in order and apart, within a sound of `total` seconds.

    `by` says what found them; `missing` why it was not the model, for people.
    """

    segments: tuple[Span, ...]
    total: float
    by: Literal["model", "level"] = "model"
    missing: str = ""

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self.segments)

    @property
    def share(self) -> float:
        return self.seconds / self.total if self.total else 0.0

    def pauses(self, least: float = 0.0) -> tuple[Span, ...]:
        """The stretches without speech of at least so many seconds, those at both ends among them."""
        edges = [0.0, *(edge for segment in self.segments for edge in segment), self.total]
        return tuple((start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end - start >= least)


def speech(samples: Float32 | Int16, rate: int) -> Speech:
    """Where somebody speaks in mono samples, int16 or float in -1..1."""
    finder = SpeechFinder(rate)
    finder.add(samples)
    return finder.result()


class SpeechFinder:
    """The same for a sound that comes in blocks: memory does not grow with them but for 4 bytes in 10 ms or more."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._count = 0
        self._resampler = None if rate == RATE else soxr.ResampleStream(rate, RATE, 1, dtype="float32")
        model = silero()
        self._missing = model.reason if isinstance(model, Absent) else ""
        self._judge: _Judge = _ByLevel() if isinstance(model, Absent) else _ByModel(model)

    def add(self, block: Float32 | Int16) -> None:
        self._count += len(block)
        # A second at a time: the resampler's own buffers grow with what it is given at once.
        for start in range(0, len(block), self._rate):
            self._hear(_floats(block[start : start + self._rate]))

    def result(self) -> Speech:
        """What was found; nothing may be added after it."""
        self._hear(np.zeros(0, np.float32), last=True)
        total = self._count / self._rate
        spans = tuple(_padded(self._judge.spans(), total))
        return Speech(spans, total, "level" if self._missing else "model", self._missing)

    def _hear(self, part: Float32, last: bool = False) -> None:
        if self._resampler is not None and self._count:
            part = self._resampler.resample_chunk(part, last=last)
        self._judge.add(part)
        if last:
            self._judge.flush()


def _floats(block: Float32 | Int16) -> Float32:
    scale = np.float32(1 / FULL_SCALE if block.dtype == np.int16 else 1)
    return np.asarray(block * scale, np.float32)


def _padded(spans: Iterator[Span], total: float) -> Iterator[Span]:
    """Without clicks, each with its padding, and those that then nearly touch as one."""
    start, end = 0.0, -1.0
    for first, last in spans:
        if last - first < LEAST_SECONDS:
            continue
        first, last = max(0.0, first - PAD_SECONDS), min(total, last + PAD_SECONDS)
        if end >= 0 and first - end < LEAST_SECONDS:
            end = last
            continue
        if end >= 0:
            yield round(start, 3), round(end, 3)
        start, end = first, last
    if end > start:
        yield round(start, 3), round(end, 3)


class _Judge(Protocol):
    """Hears mono samples at RATE and then tells where speech is, in seconds."""

    def add(self, samples: Float32) -> None: ...
    def flush(self) -> None: ...
    def spans(self) -> Iterator[Span]: ...


class _Frames:
    """Cuts what comes into batches of whole frames; the last frame is filled up with silence."""

    def __init__(self, frame: int, batch: int) -> None:
        self._frame, self._batch = frame, frame * batch
        self._kept: list[Float32] = []
        self._waiting = 0

    def add(self, samples: Float32) -> Iterator[Float32]:
        self._kept.append(samples)
        self._waiting += len(samples)
        if self._waiting >= self._batch:
            joined = np.concatenate(self._kept)
            whole = len(joined) // self._frame * self._frame
            self._kept, self._waiting = [joined[whole:]], len(joined) - whole
            yield joined[:whole]

    def flush(self) -> Iterator[Float32]:
        if self._waiting:
            joined = np.concatenate(self._kept)
            yield np.pad(joined, (0, -len(joined) % self._frame))


def _runs(sure: NDArray[np.bool_], frame_seconds: float) -> Iterator[Span]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], sure, [False])).astype(np.int8)))
    for start, end in edges.reshape(-1, 2):
        yield float(start * frame_seconds), float(end * frame_seconds)


class _ByModel:
    def __init__(self, model: "Silero") -> None:
        self._frames = _Frames(CHUNK, BATCH_CHUNKS)
        self._model, self._state = model, model.start()
        self._answers: list[Float32] = []

    def add(self, samples: Float32) -> None:
        for batch in self._frames.add(samples):
            self._answers.append(self._model.probabilities(batch, self._state))

    def flush(self) -> None:
        for batch in self._frames.flush():
            self._answers.append(self._model.probabilities(batch, self._state))

    def spans(self) -> Iterator[Span]:
        sure = np.concatenate([np.zeros(0, np.float32), *self._answers])
        # Between the two limits it stays what it was: each frame takes over from the last that was clear.
        clear = (sure > START) | (sure < STOP)
        last = np.maximum.accumulate(np.where(clear, np.arange(len(sure)), -1))
        return _runs((last >= 0) & (sure[last] > START), CHUNK / RATE)


class _ByLevel:
    """Speech is what is well above the quietest tenth and not far below the loudest twentieth of 10 ms frames."""

    def __init__(self) -> None:
        self._frames = _Frames(LEVEL_FRAME, BATCH_CHUNKS)
        self._levels: list[Float32] = []

    def add(self, samples: Float32) -> None:
        for batch in self._frames.add(samples):
            self._note(batch)

    def flush(self) -> None:
        for batch in self._frames.flush():
            self._note(batch)

    def _note(self, batch: Float32) -> None:
        frames = batch.reshape(-1, LEVEL_FRAME)
        self._levels.append(10 * np.log10(frames.var(axis=1) + np.float32(1e-10)))

    def spans(self) -> Iterator[Span]:
        levels = np.concatenate([np.zeros(0, np.float32), *self._levels])
        if not len(levels):
            return iter(())
        quiet, loud = np.percentile(levels, (10, 95))
        limit = max(quiet + LEVEL_OVER_NOISE_DB, loud - LEVEL_UNDER_LOUDEST_DB, LEVEL_LEAST_DB)
        # A fifth of the frames around it must be loud: neither a click nor the gap in a "t" changes anything.
        near = np.convolve(levels > limit, np.full(21, 1 / 21), "same")
        return _runs(near > 0.2, LEVEL_FRAME / RATE)
