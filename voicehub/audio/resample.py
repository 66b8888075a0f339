"""Another sampling rate, block by block: soxr in its high quality, which is transparent for 16 bits."""

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from voicehub.audio.riff import ALLOWED_RATES
from voicehub.audio.samples import Float32

QUALITY = "HQ"
LEAST_RATE, MOST_RATE = 4000, 768_000
"""Beyond these a header lies; soxr would need ever longer filters for it."""
KEPT_SHARE = 0.9
FAMILY = 44100


def allowed_rate(rate: int) -> int:
    """The rate that a sound of `rate` samples per second is brought to, among those that providers take.

    An allowed rate is kept, and a multiple of 44,100 becomes 44,100, as the ratio is exact. Anything else becomes the
    nearest allowed rate that keeps at least nine tenths of the band, or 48,000 if none does.
    """
    if rate % FAMILY == 0:
        return FAMILY
    wide = [one for one in ALLOWED_RATES if one >= KEPT_SHARE * rate]
    return min(wide, key=lambda one: abs(one - rate)) if wide else max(ALLOWED_RATES)


def resampled_frames(frames: int, source: int, target: int) -> int:
    """How many samples exactly come out of `resampled`."""
    return (2 * frames * target + source) // (2 * source)


def resampled(blocks: Iterable[Float32], source: int, target: int) -> Iterator[Float32]:
    """The same sound at another rate; the blocks that go in may be of any length, and are not kept.

    Where the length falls on half a sample, soxr rounds as its own reckoning happens to end; here it is always up.
    """
    if source == target:
        yield from blocks
        return
    stream = soxr.ResampleStream(source, target, 1, dtype="float32", quality=QUALITY)
    taken = given = 0
    for block in blocks:
        taken += len(block)
        part = stream.resample_chunk(block)
        given += len(part)
        yield part
    rest = stream.resample_chunk(np.zeros(0, np.float32), last=True)
    missing = resampled_frames(taken, source, target) - given - len(rest)
    yield np.pad(rest, (0, missing)) if missing > 0 else rest[: len(rest) + missing]
