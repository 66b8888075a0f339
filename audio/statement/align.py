"""The words of a statement against the words that were decoded: which are heard, which lack, which came in."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from audio.statement.decoder import DecodedWord, find_pronunciations
from audio.statement.pronunciation import Pronunciation
from audio.statement.tokens import Role, Token


class State(StrEnum):
    """HEARD and MISSING are words of the statement, INSERTED and OTHER_NAME words that were heard besides or instead.

    DOUBTFUL is a name whose sound was only guessed, any such word that was not recognised, a blank, and what was heard
    in the place of one of these: nothing follows from it.
    """

    RECOGNIZED = "heard"
    MISSING = "missing"
    DOUBTFUL = "doubtful"
    INSERTED = "inserted"
    OTHER_NAME = "other_company"


@dataclass(frozen=True, slots=True)
class AlignedWord:
    """A word with its state and its place in seconds; of a word that lacks, the gap in which it should be."""

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
    statement: Sequence[Token], sayings: Mapping[str, Pronunciation], said: Sequence[DecodedWord], seconds: float
) -> list[AlignedWord]:
    """All words in the order of the statement, those that came in where they were said."""
    said = list(_merge_split_words(statement, sayings, said))
    pairs = _match_words([token.key for token in statement], [one.key for one in said])
    ends = [*pairs, (len(statement), len(said))]
    words: list[AlignedWord] = []
    row = column = 0
    for next_row, next_column in ends:
        start = said[column - 1].end if column else 0.0
        end = said[next_column].start if next_column < len(said) else seconds
        words += _align_gap(statement[row:next_row], said[column:next_column], sayings, (start, max(start, end)))
        if next_row < len(statement):
            one = said[next_column]
            words.append(_build_recognized(statement[next_row], sayings, one))
        row, column = next_row + 1, next_column + 1
    return words


def _build_recognized(token: Token, sayings: Mapping[str, Pronunciation], one: DecodedWord) -> AlignedWord:
    """A name whose sound was guessed is heard in other names that are like it, so that says nothing."""
    doubtful = token.is_name and not sayings[token.key].is_certain
    return AlignedWord(token.text, State.DOUBTFUL if doubtful else State.RECOGNIZED, one.start, one.end, token)


def _align_gap(
    lacking: Sequence[Token],
    instead: Sequence[DecodedWord],
    sayings: Mapping[str, Pronunciation],
    place: tuple[float, float],
) -> Iterator[AlignedWord]:
    """Between two words that were heard: what should be there, then what is."""
    for token in lacking:
        yield AlignedWord(token.text, State.MISSING if sayings[token.key].is_certain else State.DOUBTFUL, *place, token)
    state = _classify_inserted(lacking, sayings)
    for one in instead:
        yield AlignedWord(one.key.replace("_", ""), state, one.start, one.end)


def _classify_inserted(lacking: Sequence[Token], sayings: Mapping[str, Pronunciation]) -> State:
    """What words are that were heard where these should be; in the place of a doubtful one they may be that one."""
    sure = [token for token in lacking if sayings[token.key].is_certain]
    if lacking and not sure:
        return State.DOUBTFUL
    return State.OTHER_NAME if any(token.is_name for token in sure) else State.INSERTED


def _merge_split_words(
    statement: Sequence[Token], sayings: Mapping[str, Pronunciation], said: Sequence[DecodedWord]
) -> Iterator[DecodedWord]:
    """With two decoded words made one where together they sound exactly as a word of the statement."""
    sounds = {
        way.replace(" ", ""): token.key for token in statement if token.key for way in sayings[token.key].variants
    }
    place = 0
    while place < len(said):
        one, two = said[place], said[place + 1] if place + 1 < len(said) else None
        key = sounds.get(_get_phones(one.key) + _get_phones(two.key)) if two else None
        if two and key:
            yield DecodedWord(key, one.start, two.end)
        else:
            yield one
        place += 2 if key else 1


def _get_phones(key: str) -> str:
    ways = find_pronunciations(key)
    return ways[0].replace(" ", "") if ways else "?"


def _match_words(expected: Sequence[str], heard: Sequence[str]) -> list[tuple[int, int]]:
    """Places (expected, heard) of equal words in an alignment with the fewest changes (Levenshtein)."""
    costs = [list(range(len(heard) + 1))]
    for row, word in enumerate(expected, 1):
        above, line = costs[-1], [row]
        for column, other in enumerate(heard, 1):
            change = above[column - 1] + (word != other or not word)
            line.append(min(change, above[column] + 1, line[-1] + 1))
        costs.append(line)
    return list(_trace_matches(expected, heard, costs))[::-1]


def _trace_matches(expected: Sequence[str], heard: Sequence[str], costs: list[list[int]]) -> Iterator[tuple[int, int]]:
    row, column = len(expected), len(heard)
    while row and column:
        equal = expected[row - 1] == heard[column - 1] != ""
        if costs[row][column] == costs[row - 1][column - 1] + (not equal):
            row, column = row - 1, column - 1
            if equal:
                yield row, column
        elif costs[row][column] == costs[row - 1][column] + 1:
            row -= 1
        else:
            column -= 1
