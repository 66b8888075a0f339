"""Is this the same sound once more? Exactly, by a hash of its samples, and nearly, by how its spectrum moves.

The hash is of the sound and not of the file: other names, notes and containers around the same samples leave it as it
is. The fingerprint stays nearly the same when a reading is exported again at another rate, level or codec, or cut at
its ends, and differs between two readings of the same words, even by the same voice.

How it is made: the sound at 8 kHz, spectra of a quarter of a second every 32 ms, their energies in 25 bands from 300
to 3,000 Hz; one bit for each two neighbouring bands says whether their difference grew over the last four spectra
(after Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", 2002). Of a long sound the first half minute.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from audio.findings.thresholds import THRESHOLDS
from audio.wav.riff import Float32, Int16

Words = NDArray[np.uint32]
Int64 = NDArray[np.int64]

RATE = 8000
WINDOW, HOP = 2048, 256
LAG = 4
BITS = 24
BAND = (300.0, 3000.0)
HEARD_SECONDS = 30.0
LEAST_WORDS = 24
"""Three quarters of a second: less says nothing."""
LEAST_OVERLAP = 0.6
"""Of the shorter one: more than that must be in both."""
NEIGHBOURS = 16
LEAST_VOTES = 3
SPAN = 2048
"""More than twice the spectra of a fingerprint, so that a distance in time fits into it."""


class ContentHash:
    """SHA-256 of the rate, as decimal digits and a line end, and of all 16-bit little-endian mono samples."""

    def __init__(self, rate: int) -> None:
        self._digest = hashlib.sha256(b"%d\n" % rate)

    def add(self, block: Int16 | bytes) -> None:
        self._digest.update(block if isinstance(block, bytes) else block.astype("<i2").tobytes())

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def fingerprint(samples: Float32, rate: int) -> str:
    """The fingerprint of mono samples in -1..1: base64 of three bytes for each spectrum, about 125 letters a second.

    Empty for silence and for less than about a second.
    """
    heard = np.asarray(samples[: int(HEARD_SECONDS * rate)], np.float32)
    energies = _energies(heard if rate == RATE else soxr.resample(heard, rate, RATE))
    slopes = np.diff(energies, axis=1)
    bits = slopes[LAG:] > slopes[:-LAG]
    if np.count_nonzero(bits.any(axis=1)) < LEAST_WORDS:
        return ""
    return base64.b64encode(np.packbits(bits, axis=1).tobytes()).decode()


def _energies(samples: Float32) -> NDArray[np.float64]:
    """(spectra, bands)."""
    if len(samples) < WINDOW:
        return np.zeros((0, BITS + 1))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2
    edges = np.rint(np.geomspace(*BAND, BITS + 2) * WINDOW / RATE).astype(np.int64)
    return np.asarray(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))


def _words(text: str) -> Words:
    """The 24 bits of each spectrum as a number."""
    parts = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 3).astype(np.uint32)
    return np.asarray(parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2])


@dataclass(frozen=True, slots=True)
class Alike:
    """Two of a list of fingerprints by their places, and the share of bits in which they differ."""

    one: int
    other: int
    difference: float


def difference(one: str, other: str) -> float:
    """The share of bits that differ where the two lie best upon each other, 0..1; 1 if one of them is empty."""
    first, second = _words(one), _words(other)
    least = _least_overlap(first, second)
    return _best(first, second, range(least - len(second), len(first) - least + 1))


def alike(fingerprints: Sequence[str], most: float = THRESHOLDS.set_same_difference) -> list[Alike]:
    """All pairs that differ in at most this share of their bits.

    Human speech exported at other rates, levels and codecs, cut, or with noise at 25 dB differs in up to 0.21; two
    readings of a sentence by one synthetic voice in 0.30 and more if one is 5 in 100 faster, and unlike clips in 0.4.

    It does not try every pair: what is the same sound has some words equal, at the same distance in time. So it sorts
    all words, and looks only at pairs that have several equal ones.
    """
    words = [_words(text) for text in fingerprints]
    found: dict[tuple[int, int], float] = {}
    for one, other, place in _candidates(words):
        first, second = words[one], words[other]
        best = _best(first, second, range(place - 1, place + 2))
        found[one, other] = min(best, found.get((one, other), 1.0))
    return [Alike(*pair, round(share, 3)) for pair, share in sorted(found.items()) if share <= most]


def _best(first: Words, second: Words, places: Iterable[int]) -> float:
    """The least difference at these places; 1 if at none of them enough lies upon each other."""
    least = _least_overlap(first, second)
    return min((_at(first, second, at) for at in places if _overlap(first, second, at) >= least), default=1.0)


def _least_overlap(first: Words, second: Words) -> int:
    return max(LEAST_WORDS, int(LEAST_OVERLAP * min(len(first), len(second))))


def _overlap(first: Words, second: Words, place: int) -> int:
    return min(len(first), place + len(second)) - max(0, place)


def _at(first: Words, second: Words, place: int) -> float:
    """The share of bits that differ when `second` begins at `place` of `first`, which may be negative."""
    start, count = max(0, place), _overlap(first, second, place)
    unlike = first[start : start + count] ^ second[start - place : start - place + count]
    return float(np.bitwise_count(unlike).sum()) / (BITS * count)


def _candidates(words: Sequence[Words]) -> Iterator[tuple[int, int, int]]:
    """(one, other, place of the other in the one) of pairs with several equal words at the same distance."""
    lengths = np.array([len(each) for each in words], np.int64)
    if not lengths.sum():
        return
    values = np.concatenate(words)
    owners = np.repeat(np.arange(len(words)), lengths)
    times = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    order = np.argsort(values, kind="stable")
    # The word 0 is silence, which everything has.
    order = order[np.searchsorted(values[order], 1) :]
    votes = [_votes(values[order], owners[order], times[order], step, len(words)) for step in range(1, NEIGHBOURS + 1)]
    codes, where = np.unique(np.concatenate([codes for codes, _ in votes]), return_inverse=True)
    counts = np.bincount(where, np.concatenate([counts for _, counts in votes]), len(codes))
    for code in codes[counts >= LEAST_VOTES]:
        pair, place = divmod(int(code), SPAN)
        yield *divmod(pair, len(words)), place - SPAN // 2


def _votes(values: Words, owners: Int64, times: Int64, step: int, total: int) -> tuple[Int64, Int64]:
    """(pair and distance as one number, how many equal words it has) of words that are `step` apart when sorted."""
    equal = np.flatnonzero((values[step:] == values[:-step]) & (owners[step:] != owners[:-step]))
    one, other = owners[equal], owners[equal + step]
    place = times[equal] - times[equal + step]
    codes, counts = np.unique((one * total + other) * SPAN + place + SPAN // 2, return_counts=True)
    return codes, counts.astype(np.int64)
