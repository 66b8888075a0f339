"""One pass over a clip of any length: where somebody speaks, and how loud each moment is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voicehub.audio.prepare.clips import Clip
from voicehub.audio.samples import Float32
from voicehub.audio.speech import Speech, SpeechFinder

FRAMES_PER_SECOND = 100
SMOOTHED = 9
"""Frames that a level is taken over: a single quiet one inside a word is no moment of rest."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Speech, and the power of every 10 ms, smoothed, full scale being 1."""

    speech: Speech
    levels: Float32


def hear(clip: Clip) -> Heard:
    """Memory grows by a few bytes for every 10 ms."""
    rate = clip.rate
    finder, powers = SpeechFinder(rate), _Powers(rate)
    for block in clip.floats():
        finder.add(block)
        powers.add(block)
    return Heard(finder.result(), powers.smoothed())


class _Powers:
    """The power of every 10 ms, the last one of what is left; a frame may be a sample longer than the next."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._rest = np.zeros(0, np.float32)
        self._found: list[Float32] = []

    def add(self, block: Float32) -> None:
        self._rest = np.concatenate((self._rest, block))
        seconds = len(self._rest) // self._rate
        if seconds:
            self._note(self._rest[: seconds * self._rate])
            self._rest = self._rest[seconds * self._rate :]

    def _note(self, samples: Float32) -> None:
        count = -(-len(samples) * FRAMES_PER_SECOND // self._rate)
        edges: NDArray[np.int64] = np.arange(count) * self._rate // FRAMES_PER_SECOND
        sizes = np.diff(np.append(edges, len(samples)))
        self._found.append((np.add.reduceat(np.square(samples), edges) / sizes).astype(np.float32))

    def smoothed(self) -> Float32:
        if len(self._rest):
            self._note(self._rest)
        powers = np.concatenate([np.zeros(0, np.float32), *self._found])
        padded = np.pad(powers, SMOOTHED // 2, mode="edge") if len(powers) else powers
        return np.convolve(padded, np.full(SMOOTHED, 1 / SMOOTHED, np.float32), "valid") if len(powers) else powers
