"""The language model for decoding a statement: a back-off trigram that expects its words in order.

It expects the statement, allows three thousand common words instead, and includes negated versions of the statement.
Names have a low probability, so that they are decoded only if they are clearly said.
The shares were chosen by measuring human speech; see docs/listening.md.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from audio.statement.tokens import Token, split_words

TEXT_SHARE = 0.9
"""Probability of the statement's next word, given the two before it."""
NAME_SHARE = 0.03
"""The same for a word of a name: low, so that another name is not decoded as the expected one."""
STRICT_NAME_SHARE = 0.005
"""For a second decoding of names that are not in the dictionary as a whole: one that stays is hardly another name."""
BACKGROUND_SHARE = 0.5
"""Share of the remaining probability for words that are not in the statement."""
END_SHARE = 0.05
NEGATED_WEIGHT = 0.1
"""Count of a negation at each position, relative to one reading of the statement as it is."""
CONFUSABLE_SHARE = 0.8
"""Probability of all words that sound similar to a word of a name, at the position of that word."""

AUXILIARIES = split_words("am are be been can could do does had has have is may might must shall should was will would")
AFTER_AUXILIARY = (("not",), ("never",))
AFTER_I = (("do", "not"), ("don't",), ("never",))
ANYWHERE = (("not",),)

Ngram = tuple[str, ...]
START, END = "<s>", "</s>"
NO_CONFUSABLE_WORDS: Mapping[str, Sequence[str]] = MappingProxyType({})


@dataclass
class Counts:
    """How often each word follows a history of one or two words, and its probability."""

    followers: dict[Ngram, dict[str, float]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(float)))
    names: set[Ngram] = field(default_factory=set)
    confusable_words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    name_share: float = NAME_SHARE

    def add(self, words: Sequence[str], name_positions: frozenset[int] = frozenset()) -> None:
        """Count all pairs and triples of neighboring words. `name_positions` are the indexes of words of a name."""
        for place, ngram in _list_ngrams(words):
            self.followers[ngram[:-1]][ngram[-1]] += 1.0
            if place in name_positions:
                self.names.add(ngram)

    def add_negation(self, before: Sequence[str], negation: Ngram, after: Sequence[str]) -> None:
        """Count only the pairs and triples that contain the negation: the others keep their probability."""
        for place, ngram in _list_ngrams([*before, *negation, *after]):
            if place >= len(before) and place - len(ngram) + 1 < len(before) + len(negation):
                self.followers[ngram[:-1]][ngram[-1]] += NEGATED_WEIGHT

    def compute_probabilities(self, history: Ngram) -> dict[str, float]:
        """Return the words expected after `history`, and those confusable with names among them."""
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
    """Return ARPA text for the words that have a key; in place of a word without one, anything may be said.

    `background` are other words; `confusable_words` maps words of names to those of them that sound similar.
    ValueError if no word of the statement has a key.
    """
    words = {token.key for token in statement if token.key}
    if not words:
        raise ValueError("no word of the statement can be decoded")
    return _format_arpa(
        _compute_unigrams(words, set(background) - words), _count_ngrams(statement, confusable_words, name_share)
    )


def _compute_unigrams(words: set[str], others: set[str]) -> dict[str, float]:
    total = 1 - END_SHARE
    background_share = BACKGROUND_SHARE if others else 0.0
    chances = dict.fromkeys(sorted(words), (1 - background_share) * total / len(words))
    chances |= dict.fromkeys(sorted(others), background_share * total / max(1, len(others)))
    return chances | {END: END_SHARE}


def _count_ngrams(statement: Sequence[Token], rivals: Mapping[str, Sequence[str]], name_share: float) -> Counts:
    counts = Counts(confusable_words=rivals, name_share=name_share)
    for segment in _split_at_gaps(statement):
        words = [token.key for token in segment]
        counts.add(words, name_positions=frozenset(place for place, token in enumerate(segment) if token.is_name))
        for place in range(1, len(words)):
            for negation in _list_negations(words[place - 1], words[place]):
                counts.add_negation(words[max(0, place - 2) : place], negation, words[place : place + 2])
    return counts


def _split_at_gaps(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the segments between words without a key, the first from <s>, the last to </s>."""
    segment = [Token("", START)]
    for token in (*statement, Token("", END)):
        if token.key:
            segment.append(token)
        else:
            yield segment
            segment = []
    yield segment


def _list_ngrams(words: Sequence[str]) -> Iterator[tuple[int, Ngram]]:
    """Yield each pair and triple with the position of its last word."""
    for place in range(1, len(words)):
        for first in range(max(0, place - 2), place):
            yield place, tuple(words[first : place + 1])


def _list_negations(before: str, after: str) -> tuple[Ngram, ...]:
    """Return the words that could negate the statement between these two words."""
    if before in AUXILIARIES:
        return AFTER_AUXILIARY
    return AFTER_I if before == "i" and after not in AUXILIARIES else ANYWHERE


def _format_arpa(unigrams: dict[str, float], counts: Counts) -> str:
    def unigram(_history: Ngram, word: str) -> float:
        return unigrams.get(word, 0.0)

    def bigram(history: Ngram, word: str) -> float:
        return (
            pairs[history].get(word, back_off[history] * unigram((), word)) if history in pairs else unigram((), word)
        )

    pairs, triples = (
        {history: counts.compute_probabilities(history) for history in counts.followers if len(history) == length}
        for length in (1, 2)
    )
    back_off = {history: _compute_back_off(chances, history, unigram) for history, chances in pairs.items()}
    back_off |= {history: _compute_back_off(chances, history, bigram) for history, chances in triples.items()}
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
    """Return the factor for the shorter histories' probabilities so that all words after `history` sum to one."""
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
