"""Words that sound nearly as a name, so that the decoder may write them down when it is they that were said."""

from collections.abc import Iterator, Sequence

from voicehub.audio.statement.decoder import lexicon

MOST = 20
NEAREST = 2
"""Phones that differ. Of words nearer than this a person could hardly say which was read."""
LONGER = 2


def rivals(way: str) -> tuple[str, ...]:
    """The twenty words of the dictionary nearest to these phones, among those that begin or end with half of them."""
    wanted = way.split()
    near = sorted((distance, word) for word, distance in _near(wanted) if distance >= NEAREST)
    return tuple(word for _, word in near[:MOST])


def _near(wanted: Sequence[str]) -> Iterator[tuple[str, int]]:
    half = (len(wanted) + 1) // 2
    begin, end = " ".join(wanted[:half]) + " ", " " + " ".join(wanted[-half:])
    for word, phones in lexicon().items():
        if (phones.startswith(begin) or phones.endswith(end)) and "(" not in word:
            said = phones.split()
            if abs(len(said) - len(wanted)) <= LONGER:
                yield word, _distance(wanted, said)


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
