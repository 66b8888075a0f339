"""The fault script: told over the control API, the sandbox misbehaves in exact and repeatable ways.

A rule names an operation (`create_voice`, `callback`, … or `*`), which of its calls it means (`nth`, counted
from 1 since the rules were set; without it every call), when (`before` anything is done, or `after` the state
is committed), and what happens: one of ACTIONS, with a number after a colon where one is taken.
"""

from collections import Counter
from dataclasses import asdict, dataclass
from threading import Lock
from typing import Any, Literal

Phase = Literal["before", "after"]

ACTIONS = {
    "drop": "the connection is closed without an answer",
    "hang": "no answer and an open connection, until the sandbox stops",
    "delay": "delay:2 waits two seconds, then goes on as usual",
    "status": "status:503 answers with this code and the vendor's error form",
    "garbage": "an answer of 200 that is no JSON",
    "truncate": "the first half of the answer, then the connection is closed",
    "hide": "hide:30 leaves voices younger than 30 seconds out of list_voices",
    "lose_callback": "the callback is never sent",
    "duplicate_callback": "duplicate_callback:3 sends the callback three times (two without a number)",
    "broken_callback": "the callback's JSON lacks a comma, as the vendor's own sample does",
    "delay_callback": "delay_callback:5 sends the callback five seconds late",
}
NUMBERED = {"delay", "status", "hide", "delay_callback"}


class BadRule(ValueError):
    """A rule that cannot be followed, said in words."""


@dataclass(frozen=True, slots=True)
class Rule:
    operation: str
    action: str
    number: float | None = None
    phase: Phase = "before"
    nth: int | None = None
    retry_after: str | None = None

    def means(self, operation: str, count: int) -> bool:
        return self.operation in (operation, "*") and self.nth in (None, count)


def rule_from(told: object) -> Rule:
    """Read one rule of the control API. Raises BadRule."""
    if not isinstance(told, dict) or not isinstance(told.get("operation"), str):
        raise BadRule("a rule is an object with an operation")
    action, number = _action(str(told.get("do", "")))
    phase, nth = told.get("phase", "before"), told.get("nth")
    if phase not in ("before", "after"):
        raise BadRule(f"phase {phase!r} is neither before nor after")
    if nth is not None and (not isinstance(nth, int) or nth < 1):
        raise BadRule(f"nth {nth!r} is no whole number from 1")
    return Rule(told["operation"], action, number, phase, nth, told.get("retry_after"))


def _action(do: str) -> tuple[str, float | None]:
    action, _, rest = do.partition(":")
    if action not in ACTIONS:
        raise BadRule(f"{do!r} is unknown; known are {', '.join(ACTIONS)}")
    if action in NUMBERED and not rest:
        raise BadRule(f"{action} needs a number: {ACTIONS[action]}")
    try:
        return action, float(rest) if rest else None
    except ValueError:
        raise BadRule(f"{rest!r} in {do!r} is no number") from None


class FaultScript:
    """The rules in force and how often each operation was called under them."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rules: list[Rule] = []
        self._calls: Counter[str] = Counter()

    def follow(self, rules: list[Rule]) -> None:
        """Replace the rules and count from the beginning."""
        with self._lock:
            self._rules = rules
            self._calls.clear()

    def called(self, operation: str) -> list[Rule]:
        """Count one call of the operation; the rules that mean it, in the order they were told."""
        with self._lock:
            self._calls[operation] += 1
            return [rule for rule in self._rules if rule.means(operation, self._calls[operation])]

    def as_list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]
