"""Words that sound nearly as a name, so that the decoder may write them down when it is they that were said."""

from collections.abc import Iterable, Iterator, Sequence

from voicehub.audio.statement.decoder import BACKGROUND_WORDS, common_words, lexicon, lookup
from voicehub.audio.statement.pronounce import parts

MOST = 200
"""Of each kind. Fewer would leave out words at the same distance that lie in another direction."""
NEAREST = 2
"""Phones that differ. Of words nearer than this a person could hardly say which was read."""
LONGER = 2


def rivals(key: str, way: str) -> dict[str, str]:
    """The words nearest to a name that is said this way, with how they are said.

    They are words of the dictionary that begin or end with half of its phones and, for a name made of two words, what
    comes out if another common word takes the place of one: northland and southlight for northlight.
    """
    wanted = way.split()
    found = _nearest(wanted, _in_dictionary(wanted))
    for first, second in parts(key):
        others = [(word, lookup(word)[0]) for word in common_words()[:BACKGROUND_WORDS]]
        found |= _nearest(wanted, ((f"{first}_{word}", f"{lookup(first)[0]} {said}") for word, said in others))
        found |= _nearest(wanted, ((f"{word}_{second}", f"{said} {lookup(second)[0]}") for word, said in others))
    return found


def _nearest(wanted: Sequence[str], words: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Of equally near words those that come first."""
    ranked = [(_distance(wanted, phones.split()), word, phones) for word, phones in words]
    near = sorted((one for one in ranked if one[0] >= NEAREST), key=lambda one: one[0])
    return {word: phones for _, word, phones in near[:MOST]}


def _in_dictionary(wanted: Sequence[str]) -> Iterator[tuple[str, str]]:
    half = (len(wanted) + 1) // 2
    begin, end = " ".join(wanted[:half]) + " ", " " + " ".join(wanted[-half:])
    for word, phones in lexicon().items():
        is_like = phones.startswith(begin) or phones.endswith(end)
        if is_like and abs(phones.count(" ") + 1 - len(wanted)) <= LONGER and "(" not in word:
            yield word, phones


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Fewest phones to put in, to leave out or to change (Levenshtein)."""
    costs = list(range(len(other) + 1))
    for row, phone in enumerate(one, 1):
        diagonal, costs[0] = costs[0], row
        for column, said in enumerate(other, 1):
            change = diagonal + (phone != said)
            diagonal = costs[column]
            costs[column] = min(change, diagonal + 1, costs[column - 1] + 1)
    return costs[-1]
