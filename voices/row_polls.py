"""Polls of a list: they send the rows that moved, a few at a time, and the whole list only if it gained or lost a row.

A page tells in its poll what it shows: for each row, a short hash of its key and one of its content.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from voicehub.tokens import hash_token

Row = TypeVar("Row")
KEY_LENGTH, CONTENT_LENGTH = 6, 8
# So that one answer stays small. The other rows follow in the next polls.
MAX_MOVED = 2


@dataclass(frozen=True, slots=True)
class RowState(Generic[Row]):
    """One row of a list. `content` is anything whose `repr` changes when the page would show something else."""

    row: Row
    key: object
    content: object

    @property
    def short_key(self) -> str:
        return hash_token(str(self.key))[:KEY_LENGTH]

    @property
    def token(self) -> str:
        return self.short_key + hash_token(repr(self.content))[:CONTENT_LENGTH]


@dataclass(frozen=True, slots=True)
class RowPoll(Generic[Row]):
    """What a poll sends. `token` tells the next poll what the page then shows, `is_complete` that this is all."""

    token: str
    moved: list[Row]
    is_whole: bool
    is_complete: bool = True

    @property
    def is_empty(self) -> bool:
        return not self.moved and not self.is_whole


def make_list_token(states: Iterable[RowState[Row]]) -> str:
    return ".".join(state.token for state in states)


def compare_rows(seen: str, states: Iterable[RowState[Row]]) -> RowPoll[Row]:
    """Compare what a page shows with what it should show. Without `seen`, or with other rows, the list is whole.

    The next poll begins with the row after the last one sent, so that rows that always move keep no other one waiting.
    """
    rows, shown = list(states), seen.split(".") if seen else []
    keys, shown_keys = [state.short_key for state in rows], [token[:KEY_LENGTH] for token in shown]
    start = keys.index(shown_keys[0]) if shown and shown_keys[0] in keys else 0
    rows = rows[start:] + rows[:start]
    if shown_keys != keys[start:] + keys[:start]:
        return RowPoll(make_list_token(rows), [], is_whole=True)
    changed = [number for number, state in enumerate(rows) if state.token != shown[number]]
    moved = changed[:MAX_MOVED]
    after = moved[-1] + 1 if moved else 0
    sent = [state.token if number in moved else shown[number] for number, state in enumerate(rows)]
    token, is_complete = ".".join(sent[after:] + sent[:after]), moved == changed
    return RowPoll(token, [rows[number].row for number in moved], is_whole=False, is_complete=is_complete)
