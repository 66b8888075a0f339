"""The newest calls of an account as its page shows them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from voices.models import AccountCall
from voices.services.call_answers import summarize_answer


@dataclass(frozen=True, slots=True)
class CallRow:
    """Calls that follow each other, with the same answer. `call` is the newest of them."""

    call: AccountCall
    answer: str
    count: int

    @property
    def is_bad(self) -> bool:
        return self.call.status is None or self.call.status >= 400


def list_call_rows(calls: Iterable[AccountCall]) -> list[CallRow]:
    described = [(call, summarize_answer(call.response_text) or "Show the answer") for call in calls]
    groups = groupby(described, key=lambda one: (one[0].operation, one[0].status, one[1]))
    rows = [list(group) for _key, group in groups]
    return [CallRow(*group[0], len(group)) for group in rows]
