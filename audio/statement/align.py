"""Aligns a statement with decoded words, and says which words are recognized, missing or inserted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from audio.statement.decoder import DecodedWord, find_pronunciations
from audio.statement.pronunciation import Pronunciation
from audio.statement.tokens import Role, Token


class State(StrEnum):
    """The result for one word.

    RECOGNIZED: a word of the statement that was recognized. MISSING: a word of the statement that was not recognized.
    INSERTED: a recognized word that the statement does not contain. OTHER_NAME: an inserted word that is spoken where a
    name should be. DOUBTFUL: a word that proves nothing, because the pronunciation of the name was guessed or the text
    is a blank.
    """

    RECOGNIZED = "heard"
    MISSING = "missing"
    DOUBTFUL = "doubtful"
    INSERTED = "inserted"
    OTHER_NAME = "other_company"


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word with its state, start and end in seconds. A missing word has those of the gap where it should be."""

    text: str
    state: State
    start: float
    end: float
    token: Token | None = None

    @property
    def is_blank(self) -> bool:
        return self.token is not None and self.token.role is Role.BLANK

    def as_dict(self) -> dict[str, object]:
        role = self.token.role.value if self.token else None
        times = {"start": round(self.start, 2), "end": round(self.end, 2)}
        return {"text": self.text, "state": self.state.value, "role": role, **times}


def align_words(
    statement: Sequence[Token],
    pronunciations: Mapping[str, Pronunciation],
    decoded: Sequence[DecodedWord],
    seconds: float,
) -> list[AlignedWord]:
    """Return the words of the statement in its order, with the inserted words at the positions where they were said."""
    decoded = list(_merge_split_words(statement, pronunciations, decoded))
    pairs = _match_words([token.key for token in statement], [one.key for one in decoded])
    ends = [*pairs, (len(statement), len(decoded))]
    words: list[AlignedWord] = []
    row = column = 0
    for next_row, next_column in ends:
        start = decoded[column - 1].end if column else 0.0
        end = decoded[next_column].start if next_column < len(decoded) else seconds
        words += _align_gap(
            statement[row:next_row], decoded[column:next_column], pronunciations, (start, max(start, end))
        )
        if next_row < len(statement):
            decoded_word = decoded[next_column]
            words.append(_align_recognized_word(statement[next_row], pronunciations, decoded_word))
        row, column = next_row + 1, next_column + 1
    return words


def _align_recognized_word(
    token: Token, pronunciations: Mapping[str, Pronunciation], decoded_word: DecodedWord
) -> AlignedWord:
    """Return the word, doubtful if its pronunciation is guessed: a guess also matches similar names."""
    doubtful = token.is_name and not pronunciations[token.key].is_certain
    return AlignedWord(
        token.text, State.DOUBTFUL if doubtful else State.RECOGNIZED, decoded_word.start, decoded_word.end, token
    )


def _align_gap(
    missing: Sequence[Token],
    inserted: Sequence[DecodedWord],
    pronunciations: Mapping[str, Pronunciation],
    time_span: tuple[float, float],
) -> Iterator[AlignedWord]:
    """Yield the missing words, then the inserted words, of the gap between two recognized words."""
    for token in missing:
        yield AlignedWord(
            token.text, State.MISSING if pronunciations[token.key].is_certain else State.DOUBTFUL, *time_span, token
        )
    state = _classify_inserted(missing, pronunciations)
    for decoded_word in inserted:
        yield AlignedWord(decoded_word.key.replace("_", ""), state, decoded_word.start, decoded_word.end)


def _classify_inserted(missing: Sequence[Token], pronunciations: Mapping[str, Pronunciation]) -> State:
    """Return the state of the words that were decoded in place of `missing` words.

    They are doubtful if the missing words have only guessed pronunciations, because they may be these missing words.
    """
    certain = [token for token in missing if pronunciations[token.key].is_certain]
    if missing and not certain:
        return State.DOUBTFUL
    return State.OTHER_NAME if any(token.is_name for token in certain) else State.INSERTED


def _merge_split_words(
    statement: Sequence[Token], pronunciations: Mapping[str, Pronunciation], decoded: Sequence[DecodedWord]
) -> Iterator[DecodedWord]:
    """Merge two decoded words that together sound exactly like one word of the statement."""
    keys_by_phones = {
        phones.replace(" ", ""): token.key
        for token in statement
        if token.key
        for phones in pronunciations[token.key].variants
    }
    position = 0
    while position < len(decoded):
        first, second = decoded[position], decoded[position + 1] if position + 1 < len(decoded) else None
        key = keys_by_phones.get(_get_phones(first.key) + _get_phones(second.key)) if second else None
        if second and key:
            yield DecodedWord(key, first.start, second.end)
        else:
            yield first
        position += 2 if key else 1


def _get_phones(key: str) -> str:
    variants = find_pronunciations(key)
    return variants[0].replace(" ", "") if variants else "?"


def _match_words(expected: Sequence[str], decoded: Sequence[str]) -> list[tuple[int, int]]:
    """Return index pairs (expected, decoded) of equal words in an alignment with the fewest edits (Levenshtein)."""
    costs = [list(range(len(decoded) + 1))]
    for row, word in enumerate(expected, 1):
        above, line = costs[-1], [row]
        for column, other in enumerate(decoded, 1):
            change = above[column - 1] + (word != other or not word)
            line.append(min(change, above[column] + 1, line[-1] + 1))
        costs.append(line)
    return list(_trace_matches(expected, decoded, costs))[::-1]


def _trace_matches(
    expected: Sequence[str], decoded: Sequence[str], costs: list[list[int]]
) -> Iterator[tuple[int, int]]:
    """Yield the index pairs of equal words, from the last pair to the first."""
    row, column = len(expected), len(decoded)
    while row and column:
        equal = expected[row - 1] == decoded[column - 1] != ""
        if costs[row][column] == costs[row - 1][column - 1] + (not equal):
            row, column = row - 1, column - 1
            if equal:
                yield row, column
        elif costs[row][column] == costs[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
