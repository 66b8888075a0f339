"""Find duplicate sounds: exact ones by a hash of the samples, near ones by an audio fingerprint.

The hash covers the samples and not the file, so it does not depend on file name, notes and container. The fingerprint
stays nearly the same if a recording is trimmed, or exported again at another rate, level or codec. It differs between
two readings of the same words, even by the same voice.

Method: resample to 8 kHz, compute spectra of a quarter of a second every 32 ms, and their energies in 25 bands from 300
to 3,000 Hz. One bit for each two neighboring bands says whether their difference grew over the last four spectra (after
Haitsma and Kalker, "A Highly Robust Audio Fingerprinting System", 2002). Only the first half minute is used.
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

Subfingerprints = NDArray[np.uint32]
Int64 = NDArray[np.int64]

RATE = 8000
WINDOW, HOP = 2048, 256
LAG = 4
BITS = 24
BAND = (300.0, 3000.0)
MAX_SECONDS = 30.0
MIN_SUBFINGERPRINTS = 24
"""Three quarters of a second: a shorter match means nothing."""
MIN_OVERLAP_SHARE = 0.6
"""Share of the shorter fingerprint that must overlap."""
NEIGHBORS = 16
"""Each sub-fingerprint is compared with this many that follow it in sorted order."""
MIN_VOTES = 3
"""Two recordings are compared in full if they have this many equal sub-fingerprints at one time offset."""
OFFSET_RANGE = 2048
"""More than twice the spectra in a fingerprint, so that every time offset fits."""


class ContentHash:
    """SHA-256 of the rate, as decimal digits and a line end, and of all 16-bit little-endian mono samples."""

    def __init__(self, rate: int) -> None:
        self._digest = hashlib.sha256(b"%d\n" % rate)

    def add(self, block: Int16 | bytes) -> None:
        self._digest.update(block if isinstance(block, bytes) else block.astype("<i2").tobytes())

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def compute_fingerprint(samples: Float32, rate: int) -> str:
    """Return the fingerprint of mono samples in -1..1, as base64 of three bytes per spectrum.

    It has about 125 characters per second. It is empty for silence, and for less than about a second of sound.
    """
    start = np.asarray(samples[: int(MAX_SECONDS * rate)], np.float32)
    energies = _compute_band_energies(start if rate == RATE else soxr.resample(start, rate, RATE))
    slopes = np.diff(energies, axis=1)
    bits = slopes[LAG:] > slopes[:-LAG]
    if np.count_nonzero(bits.any(axis=1)) < MIN_SUBFINGERPRINTS:
        return ""
    return base64.b64encode(np.packbits(bits, axis=1).tobytes()).decode()


def _compute_band_energies(samples: Float32) -> NDArray[np.float64]:
    """Return the energies in the shape (spectra, bands)."""
    if len(samples) < WINDOW:
        return np.zeros((0, BITS + 1))
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW).astype(np.float32), axis=1)) ** 2
    edges = np.rint(np.geomspace(*BAND, BITS + 2) * WINDOW / RATE).astype(np.int64)
    return np.asarray(np.add.reduceat(power[:, : edges[-1]], edges[:-1], axis=1))


def decode_fingerprint(text: str) -> Subfingerprints:
    """Return the 24 bits of each spectrum as one number. Empty if the text is damaged, so that it matches nothing."""
    try:
        parts = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 3).astype(np.uint32)
    except ValueError:
        return np.empty(0, np.uint32)
    return np.asarray(parts[:, 0] << 16 | parts[:, 1] << 8 | parts[:, 2])


@dataclass(frozen=True, slots=True)
class FingerprintMatch:
    """Indexes of two fingerprints in a list, and the share of bits in which they differ."""

    first_index: int
    second_index: int
    difference: float


def compute_difference(one: str, other: str) -> float:
    """The share of bits that differ at the best alignment, 0..1; 1 if one fingerprint is empty."""
    first, second = decode_fingerprint(one), decode_fingerprint(other)
    min_overlap = _compute_min_overlap(first, second)
    return find_min_difference(first, second, range(min_overlap - len(second), len(first) - min_overlap + 1))


def find_similar_pairs(
    fingerprints: Sequence[str], max_difference: float = THRESHOLDS.set_same_difference
) -> list[FingerprintMatch]:
    """Find all pairs that differ in at most the share `max_difference` of their bits.

    Human speech that is trimmed, has noise at 25 dB, or was exported at another rate, level or codec differs from its
    original in up to 0.21. Two readings of a sentence by one synthetic voice differ in 0.30 and more if one is 5 %
    faster. Unrelated clips differ in 0.4.

    Not every pair is compared. Copies have some equal sub-fingerprints at one time offset, so all sub-fingerprints are
    sorted, and only pairs that have several equal ones are compared.
    """
    decoded = [decode_fingerprint(text) for text in fingerprints]
    found: dict[tuple[int, int], float] = {}
    for one, other, offset in _find_candidates(decoded):
        first, second = decoded[one], decoded[other]
        best = find_min_difference(first, second, range(offset - 1, offset + 2))
        found[one, other] = min(best, found.get((one, other), 1.0))
    return [
        FingerprintMatch(*pair, round(share, 3)) for pair, share in sorted(found.items()) if share <= max_difference
    ]


def find_min_difference(first: Subfingerprints, second: Subfingerprints, offsets: Iterable[int]) -> float:
    """The least difference at these offsets; 1 if the overlap is too short at all of them."""
    min_overlap = _compute_min_overlap(first, second)
    return min(
        (
            _compute_difference_at(first, second, offset)
            for offset in offsets
            if _count_overlap(first, second, offset) >= min_overlap
        ),
        default=1.0,
    )


def _compute_min_overlap(first: Subfingerprints, second: Subfingerprints) -> int:
    return max(MIN_SUBFINGERPRINTS, int(MIN_OVERLAP_SHARE * min(len(first), len(second))))


def _count_overlap(first: Subfingerprints, second: Subfingerprints, offset: int) -> int:
    return min(len(first), offset + len(second)) - max(0, offset)


def _compute_difference_at(first: Subfingerprints, second: Subfingerprints, offset: int) -> float:
    """The share of bits that differ if `second` begins at `offset` of `first`; `offset` may be negative."""
    start, count = max(0, offset), _count_overlap(first, second, offset)
    different = first[start : start + count] ^ second[start - offset : start - offset + count]
    return float(np.bitwise_count(different).sum()) / (BITS * count)


def _find_candidates(decoded: Sequence[Subfingerprints]) -> Iterator[tuple[int, int, int]]:
    """Yield (one, other, offset of the other in the one) of pairs with several equal sub-fingerprints at one offset."""
    lengths = np.array([len(each) for each in decoded], np.int64)
    if not lengths.sum():
        return
    values = np.concatenate(decoded)
    owners = np.repeat(np.arange(len(decoded)), lengths)
    times = np.arange(len(values)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    order = np.argsort(values, kind="stable")
    # 0 is silence, which every recording has.
    order = order[np.searchsorted(values[order], 1) :]
    votes = [
        _count_votes(values[order], owners[order], times[order], distance, len(decoded))
        for distance in range(1, NEIGHBORS + 1)
    ]
    codes, where = np.unique(np.concatenate([codes for codes, _ in votes]), return_inverse=True)
    counts = np.bincount(where, np.concatenate([counts for _, counts in votes]), len(codes))
    for code in codes[counts >= MIN_VOTES]:
        pair, offset = divmod(int(code), OFFSET_RANGE)
        yield *divmod(pair, len(decoded)), offset - OFFSET_RANGE // 2


def _count_votes(
    values: Subfingerprints, owners: Int64, times: Int64, distance: int, fingerprint_count: int
) -> tuple[Int64, Int64]:
    """Compare each value with the value `distance` positions later in sorted order, and count equal ones.

    Returns an integer for each combination of two fingerprints and their time offset, and how often it occurs.
    """
    equal = np.flatnonzero((values[distance:] == values[:-distance]) & (owners[distance:] != owners[:-distance]))
    one, other = owners[equal], owners[equal + distance]
    offset = times[equal] - times[equal + distance]
    codes, counts = np.unique(
        (one * fingerprint_count + other) * OFFSET_RANGE + offset + OFFSET_RANGE // 2, return_counts=True
    )
    return codes, counts.astype(np.int64)
