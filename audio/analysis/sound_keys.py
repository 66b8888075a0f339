"""Keys by which the copies of a sound are found among many others, without comparing it with each of them.

A key is one 24-bit value of the fingerprint with its position. A quarter of the values are keys, chosen by the value
alone, so that the same ones are chosen in each copy. A copy has many of them at one time offset: measured on synthetic
speech of nine seconds, 50 or more of its 260 values are equal at one offset after MP3, Opus, Vorbis, 8 kHz, noise at
25 dB, or trimming with another level. Then the two fingerprints are compared in full.

Nothing here is biometric (see `sound_features`).
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

from audio.analysis.fingerprint import BITS, decode_fingerprint, find_min_difference

Owner = TypeVar("Owner", bound=Hashable)

KEY_SHARE = 4
"""One in so many values is a key."""
MULTIPLIER = 2654435761
"""Spreads the values evenly, so that similar ones are not all chosen (Knuth, multiplicative hashing)."""
LEAST_SET_BITS = 4
"""A value with nearly only zeros or ones says little: pauses have it too."""
MIN_VOTES = 3
"""Keys that two sounds must have in common at one time offset."""
MAX_DIFFERENCE = 0.2
"""Share of bits in which a copy may differ. Measured: copies differ in up to 0.09, and two readings of one statement by
different people in 0.35 and more, by one synthetic voice at another pace in 0.3 and more."""


def list_keys(fingerprint: str) -> list[tuple[int, int]]:
    """(value, position) of each key. Empty without a fingerprint."""
    values = decode_fingerprint(fingerprint).tolist()
    return [(value, position) for position, value in enumerate(values) if _is_key(value)]


def _is_key(value: int) -> bool:
    is_telling = LEAST_SET_BITS <= value.bit_count() <= BITS - LEAST_SET_BITS
    return is_telling and (value * MULTIPLIER % 2**32) >> 16 & (KEY_SHARE - 1) == 0


def find_offsets(fingerprint: str, stored: Iterable[tuple[Owner, int, int]]) -> dict[Owner, int]:
    """The time offset of each sound that may be a copy of this one. `stored` are (sound, value, position) of keys."""
    positions: Mapping[int, list[int]] = _group_positions(fingerprint)
    votes: dict[Owner, Counter[int]] = defaultdict(Counter)
    for owner, value, position in stored:
        votes[owner].update(own - position for own in positions.get(value, ()))
    best = {owner: counts.most_common(1)[0] for owner, counts in votes.items() if counts}
    return {owner: offset for owner, (offset, count) in best.items() if count >= MIN_VOTES}


def _group_positions(fingerprint: str) -> dict[int, list[int]]:
    positions: dict[int, list[int]] = defaultdict(list)
    for value, position in list_keys(fingerprint):
        positions[value].append(position)
    return positions


def is_copy(one: str, other: str, offset: int) -> bool:
    """Whether the sounds of two fingerprints are the same, if the other begins at about this position of the one."""
    first, second = decode_fingerprint(one), decode_fingerprint(other)
    return find_min_difference(first, second, range(offset - 1, offset + 2)) <= MAX_DIFFERENCE
