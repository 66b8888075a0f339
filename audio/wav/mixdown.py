"""Several channels to one: their mean where they hold the same sound, else the loudest alone."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.wav.decode import Frames
from audio.wav.riff import Float32


@dataclass(frozen=True, slots=True)
class Mix:
    """Which channels are averaged, which were left out as silent (both from 0), and whether the others differed."""

    kept: tuple[int, ...]
    silent: tuple[int, ...] = ()
    differ: bool = False

    def mono(self, block: Frames) -> Float32:
        if len(self.kept) == 1:
            return np.ascontiguousarray(block[:, self.kept[0]])
        return np.asarray(block[:, list(self.kept)].mean(axis=1), np.float32)


def choose_mix(blocks: Iterable[Frames], channels: int, silent_db: float, alike_share: float) -> Mix:
    """The mix for a sound, by the powers of its channels and of their mean over all of it.

    A channel `silent_db` (a negative number) below the loudest is left out. The mean of equal channels has all of
    their power, of unlike ones half, of opposed ones none: under `alike_share` the loudest is taken alone.
    """
    products = np.zeros((channels, channels))
    for block in blocks:
        values = block.astype(np.float64)
        products += values.T @ values
    powers = np.diag(products)
    heard = powers >= powers.max() * 10 ** (silent_db / 10)
    kept, silent = np.flatnonzero(heard), np.flatnonzero(~heard)
    if _shared(products[np.ix_(kept, kept)]) >= alike_share:
        return Mix(tuple(map(int, kept)), tuple(map(int, silent)))
    return Mix((int(powers.argmax()),), tuple(map(int, silent)), differ=True)


def _shared(products: NDArray[np.float64]) -> float:
    """The power of the mean of the channels, as a share of their mean power; 1 for silence."""
    power = float(np.trace(products)) / len(products)
    return float(products.sum()) / len(products) ** 2 / power if power else 1.0
