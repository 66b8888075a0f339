"""The language model that a statement is listened to with: a back-off trigram that expects its words, in their order.

It expects what the statement says, leaves room for three thousand common words instead, is told how the statement
would sound turned round, and is shy of the names, so that they are written down only where they are heard.
The shares were chosen by measuring human speech; see docs/listening.md.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from audio.statement.tokens import Token, split_words

TEXT_SHARE = 0.9
"""How likely the statement's next word is, given the two before it."""
NAME_SHARE = 0.03
"""The same for a word of a name: little, so that another name is not heard as the expected one."""
STRICT_NAME_SHARE = 0.005
"""For a second hearing of a name that no dictionary has as a whole: who stays heard is hardly another one."""
BACKGROUND_SHARE = 0.5
"""Of what is not the statement's next word: how much goes to words that are not in the statement at all."""
END_SHARE = 0.05
NEGATED_WEIGHT = 0.1
"""How often a negation stands at each place, for each time that the statement is read as it is."""
CONFUSABLE_SHARE = 0.8
"""How likely one of the words is that sound nearly as the word of a name, where that word should be."""

AUXILIARIES = split_words("am are be been can could do does had has have is may might must shall should was will would")
AFTER_AUXILIARY = (("not",), ("never",))
AFTER_I = (("do", "not"), ("don't",), ("never",))
ANYWHERE = (("not",),)

Ngram = tuple[str, ...]
START, END = "<s>", "</s>"
NO_CONFUSABLE_WORDS: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass
class Counts:
    """How often each word follows a history of one or two, and how likely it is to come at all."""

    followers: dict[Ngram, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    names: set[Ngram] = field(default_factory=set)
    confusable_words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    name_share: float = NAME_SHARE

    def add(self, words: Sequence[str], names: frozenset[int] = frozenset()) -> None:
        """Count all pairs and triples in `words`; at the places in `names` stand words of names."""
        for place, ngram in _list_ngrams(words):
            self.followers[ngram[:-1]][ngram[-1]] += 1.0
            if place in names:
                self.names.add(ngram)

    def add_negation(self, before: Sequence[str], negation: Ngram, after: Sequence[str]) -> None:
        """Count the pairs and triples that the negation is part of: the rest is as likely as before."""
        for place, ngram in _list_ngrams([*before, *negation, *after]):
            if place >= len(before) and place - len(ngram) + 1 < len(before) + len(negation):
                self.followers[ngram[:-1]][ngram[-1]] += NEGATED_WEIGHT

    def compute_probabilities(self, history: Ngram) -> dict[str, float]:
        """Of the words that are expected after `history`, and of the rivals of names among them."""
        total = sum(self.followers[history].values())
        known: dict[str, float] = {}
        rivals: dict[str, float] = {}
        for word, count in self.followers[history].items():
            is_name = (*history, word) in self.names
            known[word] = (self.name_share if is_name else TEXT_SHARE) * count / total
            others = self.confusable_words.get(word, ()) if is_name else ()
            rivals |= {other: CONFUSABLE_SHARE * count / total / len(others) for other in others}
        return rivals | known


def build_language_model(
    statement: Sequence[Token],
    background: Iterable[str],
    confusable_words: Mapping[str, Sequence[str]] = NO_CONFUSABLE_WORDS,
    name_share: float = NAME_SHARE,
) -> str:
    """ARPA text for the words that have a key; a word without one is a hole through which anything may be said.

    `background` are other words; `rivals` gives, for words of names, some of these that sound nearly the same.
    ValueError if no word of the statement has a key.
    """
    words = {token.key for token in statement if token.key}
    if not words:
        raise ValueError("no word of the statement can be listened for")
    return _format_arpa(
        _compute_unigrams(words, set(background) - words), _count_ngrams(statement, confusable_words, name_share)
    )


def _compute_unigrams(words: set[str], others: set[str]) -> dict[str, float]:
    room = 1 - END_SHARE
    beside = BACKGROUND_SHARE if others else 0.0
    chances = dict.fromkeys(sorted(words), (1 - beside) * room / len(words))
    chances |= dict.fromkeys(sorted(others), beside * room / max(1, len(others)))
    return chances | {END: END_SHARE}


def _count_ngrams(statement: Sequence[Token], rivals: Mapping[str, Sequence[str]], name_share: float) -> Counts:
    counts = Counts(confusable_words=rivals, name_share=name_share)
    for piece in _split_at_gaps(statement):
        words = [token.key for token in piece]
        counts.add(words, names=frozenset(place for place, token in enumerate(piece) if token.is_name))
        for place in range(1, len(words)):
            for negation in _list_negations(words[place - 1], words[place]):
                counts.add_negation(words[max(0, place - 2) : place], negation, words[place : place + 2])
    return counts


def _split_at_gaps(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """The stretches between words that have no key, the first from <s>, the last to </s>."""
    piece = [Token("", START)]
    for token in (*statement, Token("", END)):
        if token.key:
            piece.append(token)
        else:
            yield piece
            piece = []
    yield piece


def _list_ngrams(words: Sequence[str]) -> Iterator[tuple[int, Ngram]]:
    """Each pair and triple with the place of its last word."""
    for place in range(1, len(words)):
        for first in range(max(0, place - 2), place):
            yield place, tuple(words[first : place + 1])


def _list_negations(before: str, after: str) -> tuple[Ngram, ...]:
    """What could turn the statement round between these two words."""
    if before in AUXILIARIES:
        return AFTER_AUXILIARY
    return AFTER_I if before == "i" and after not in AUXILIARIES else ANYWHERE


def _format_arpa(unigrams: dict[str, float], counts: Counts) -> str:
    def one(_history: Ngram, word: str) -> float:
        return unigrams.get(word, 0.0)

    def two(history: Ngram, word: str) -> float:
        return pairs[history].get(word, back_off[history] * one((), word)) if history in pairs else one((), word)

    pairs, triples = (
        {history: counts.compute_probabilities(history) for history in counts.followers if len(history) == length}
        for length in (1, 2)
    )
    back_off = {history: _compute_back_off(chances, history, one) for history, chances in pairs.items()}
    back_off |= {history: _compute_back_off(chances, history, two) for history, chances in triples.items()}
    sections = [
        [f"-99 {START} {_format_log(back_off.get((START,), 1.0))}"]
        + [
            f"{_format_log(chance)} {word} {_format_log(back_off.get((word,), 1.0))}"
            for word, chance in unigrams.items()
        ],
        [
            f"{_format_log(p)} {h} {w} {_format_log(back_off.get((h, w), 1.0))}"
            for (h,), chances in pairs.items()
            for w, p in chances.items()
        ],
        [f"{_format_log(p)} {g} {h} {w}" for (g, h), chances in triples.items() for w, p in chances.items()],
    ]
    return "\n".join(_format_sections(sections))


def _compute_back_off(chances: dict[str, float], history: Ngram, shorter: Callable[[Ngram, str], float]) -> float:
    """What the shorter histories' chances are scaled by, so that all words after `history` sum to one."""
    covered = sum(shorter(history[1:], word) for word in chances)
    return (1 - sum(chances.values())) / max(1 - covered, 1e-6)


def _format_sections(sections: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "\\data\\"
    yield from (f"ngram {order}={len(lines)}" for order, lines in enumerate(sections, 1))
    for order, lines in enumerate(sections, 1):
        yield f"\n\\{order}-grams:"
        yield from lines
    yield "\n\\end\\\n"


def _format_log(chance: float) -> str:
    return f"{math.log10(max(chance, 1e-99)):.5f}"
