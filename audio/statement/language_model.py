"""The language model for decoding a statement: a back-off trigram that expects the statement's words in order.

In place of any word it allows three thousand common words. It also includes negated versions of the statement.
Names have a low probability, so that they are decoded only if they are clearly said.
The probabilities below were chosen by measuring human speech; see docs/listening.md.
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
"""Probability of the next word if it belongs to a name: low, so that another name is not decoded as this name."""
STRICT_NAME_SHARE = 0.005
"""NAME_SHARE of a second decoding, for names that are not in the dictionary as a whole. A name that is recognized
again is hardly another name."""
BACKGROUND_SHARE = 0.5
"""Share of the remaining probability for words that are not in the statement."""
END_SHARE = 0.05
NEGATED_WEIGHT = 0.1
"""How much a negation counts at each position. The statement as it is counts 1."""
CONFUSABLE_SHARE = 0.8
"""Sum of the probabilities of all words that sound similar to a word of a name, at the position of that word."""

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
        for position, ngram in _list_ngrams(words):
            self.followers[ngram[:-1]][ngram[-1]] += 1.0
            if position in name_positions:
                self.names.add(ngram)

    def add_negation(self, before: Sequence[str], negation: Ngram, after: Sequence[str]) -> None:
        """Count only the pairs and triples that contain the negation. All others keep their probability."""
        for position, ngram in _list_ngrams([*before, *negation, *after]):
            if position >= len(before) and position - len(ngram) + 1 < len(before) + len(negation):
                self.followers[ngram[:-1]][ngram[-1]] += NEGATED_WEIGHT

    def compute_probabilities(self, history: Ngram) -> dict[str, float]:
        """Return the probabilities of the words expected after `history`, and of words that sound like their names."""
        total = sum(self.followers[history].values())
        known: dict[str, float] = {}
        similar_words: dict[str, float] = {}
        for word, count in self.followers[history].items():
            is_name = (*history, word) in self.names
            known[word] = (self.name_share if is_name else TEXT_SHARE) * count / total
            other_words = self.confusable_words.get(word, ()) if is_name else ()
            similar_words |= {other: CONFUSABLE_SHARE * count / total / len(other_words) for other in other_words}
        return similar_words | known


def build_language_model(
    statement: Sequence[Token],
    background: Iterable[str],
    confusable_words: Mapping[str, Sequence[str]] = NO_CONFUSABLE_WORDS,
    name_share: float = NAME_SHARE,
) -> str:
    """Return the language model as ARPA text, for the words that have a key.

    In place of a word without a key, anything may be said. `background` are other words that may be decoded.
    `confusable_words` maps each word of a name to the words in `background` that sound similar.
    ValueError if no word of the statement has a key.
    """
    words = {token.key for token in statement if token.key}
    if not words:
        raise ValueError("no word of the statement can be decoded")
    return _format_arpa(
        _compute_unigrams(words, set(background) - words), _count_ngrams(statement, confusable_words, name_share)
    )


def _compute_unigrams(words: set[str], other_words: set[str]) -> dict[str, float]:
    total = 1 - END_SHARE
    background_share = BACKGROUND_SHARE if other_words else 0.0
    chances = dict.fromkeys(sorted(words), (1 - background_share) * total / len(words))
    chances |= dict.fromkeys(sorted(other_words), background_share * total / max(1, len(other_words)))
    return chances | {END: END_SHARE}


def _count_ngrams(statement: Sequence[Token], similar_words: Mapping[str, Sequence[str]], name_share: float) -> Counts:
    counts = Counts(confusable_words=similar_words, name_share=name_share)
    for segment in _split_at_words_without_key(statement):
        words = [token.key for token in segment]
        counts.add(words, name_positions=frozenset(position for position, token in enumerate(segment) if token.is_name))
        for position in range(1, len(words)):
            for negation in _list_negations(words[position - 1], words[position]):
                counts.add_negation(words[max(0, position - 2) : position], negation, words[position : position + 2])
    return counts


def _split_at_words_without_key(statement: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the segments between words without a key. The first segment begins with <s>, the last ends with </s>."""
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
    for position in range(1, len(words)):
        for first in range(max(0, position - 2), position):
            yield position, tuple(words[first : position + 1])


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
    """Return the back-off weight of `history`.

    It is the factor for the probabilities after the shorter history. With it, the probabilities of all words after
    `history` sum to one.
    """
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
