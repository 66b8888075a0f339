"""Mix several channels to one: their mean if they hold the same sound, otherwise the loudest channel."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.wav.decode import Frames
from audio.wav.riff import Float32


@dataclass(frozen=True, slots=True)
class Mix:
    """Channels to average, channels excluded as silent (both counted from 0), and whether audible channels differ."""

    channels: tuple[int, ...]
    silent_channels: tuple[int, ...] = ()
    has_different_channels: bool = False

    def mix_block(self, block: Frames) -> Float32:
        if len(self.channels) == 1:
            return np.ascontiguousarray(block[:, self.channels[0]])
        return np.asarray(block[:, list(self.channels)].mean(axis=1), np.float32)


def choose_mix(blocks: Iterable[Frames], channels: int, silent_db: float, alike_share: float) -> Mix:
    """Choose the mix from the power of each channel and of their mean, over the whole sound.

    A channel that is `silent_db` (a negative number) below the loudest is excluded. The mean of two equal channels has
    all of their power, the mean of unrelated channels half of it, the mean of inverted channels none. If the mean has
    less than `alike_share` of the power, only the loudest channel is used.
    """
    products = np.zeros((channels, channels))
    for block in blocks:
        values = block.astype(np.float64)
        products += values.T @ values
    powers = np.diag(products)
    is_audible = powers >= powers.max() * 10 ** (silent_db / 10)
    audible, silent = np.flatnonzero(is_audible), np.flatnonzero(~is_audible)
    if _compute_power_share(products[np.ix_(audible, audible)]) >= alike_share:
        return Mix(tuple(map(int, audible)), tuple(map(int, silent)))
    return Mix((int(powers.argmax()),), tuple(map(int, silent)), has_different_channels=True)


def _compute_power_share(products: NDArray[np.float64]) -> float:
    """Power of the mean of the channels, as a share of their mean power; 1 for silence."""
    power = float(np.trace(products)) / len(products)
    return float(products.sum()) / len(products) ** 2 / power if power else 1.0
