"""The fault script: told over the control API, the sandbox misbehaves in exact and repeatable ways.

A rule names an operation (`create_voice`, `callback`, … or `*`), which of its calls it means (`nth`, counted
from 1 since the rules were set; without it every call), when, and what happens: one of ACTIONS, with a number
after a colon where one is taken. When is `before_commit` (nothing is done), `after_commit` (it is done, and the
answer is what goes wrong) or `during_body` (half of the request was read, and nothing is done).

Chaos lets a share of all calls go wrong by chance, in a way that can be repeated. Each operation has a random
generator of its own, so what happens to its third call depends on nothing but the seed. What happened is recorded and
the seed is printed, so that a test that failed can be run again.
"""

import secrets
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from random import Random
from threading import Lock
from typing import Any, Literal, Protocol, get_args
from urllib.parse import urlsplit

Phase = Literal["before_commit", "after_commit", "during_body"]

REQUEST_ACTIONS = {
    "status": "status:503 answers with this code and the vendor's error form",
    "delay": "delay:2 waits two seconds, then goes on as usual; of a callback, two seconds of the sandbox's clock",
    "drop": "the connection is closed without an answer",
    "reset": "the connection is reset without an answer",
    "hang": "no answer and an open connection, until the sandbox stops",
    "trickle": "the answer a byte at a time; trickle:0.5 with half a second between, a twentieth without a number",
    "truncate": "the first half of the answer, then the connection is closed",
    "garbage": "200 and bytes that are neither JSON nor text",
    "html": "200 and a web page",
    "huge": "200 and valid JSON that is larger than anybody should read",
    "endless": "200 and an answer that never ends",
    "gzip_bomb": "200 and a megabyte that unpacks to a gigabyte",
    "redirect": "302 to the address in the rule's `to`",
    "wrong_type": "valid JSON of the wrong shape: a list for an object; wrong_type:2 has wrong values in the right one",
    "hide": "hide:30 leaves what is younger than 30 seconds out of a list",
    "ignore": "answers as if it were done, and does nothing",
    "public": "a voice that was to be private is public, where a vendor has private voices",
}
CALLBACK_ACTIONS = {
    "lose": "the callback is never sent",
    "duplicate": "duplicate:3 sends the callback three times at once (two without a number)",
    "reorder": "held back until another callback has been sent",
    "early": "a callback that says finished when the training has only begun; the true one follows",
    "forge": "a callback about a thing that nobody knows comes before the true one",
    "oversize": "the callback is longer than 64 KiB",
    "broken": "the callback's JSON lacks a comma, as the vendor's own sample does",
}
ACTIONS = REQUEST_ACTIONS | CALLBACK_ACTIONS

NUMBERED = {"delay", "status", "hide"}
BODY_ENDINGS = {"drop", "reset", "hang", "status"}
"""What can happen with half of the request's body still unread."""

CALLBACK, TRAINING = "callback", "training"
"""Operations of the sandbox itself: a callback that is sent, and a training that begins."""


class BadRule(ValueError):
    """A rule that cannot be followed, said in words."""


@dataclass(frozen=True, slots=True)
class Rule:
    operation: str
    action: str
    number: float | None = None
    phase: Phase = "before_commit"
    nth: int | None = None
    retry_after: str | None = None
    to: str = ""

    def means(self, operation: str, count: int) -> bool:
        return self.operation in (operation, "*") and self.nth in (None, count)


def rule_from(told: object) -> Rule:
    """Read one rule of the control API. Raises BadRule."""
    if not isinstance(told, dict) or not isinstance(told.get("operation"), str):
        raise BadRule("a rule is an object with an operation")
    action, number = _action(str(told.get("do", "")))
    nth = told.get("nth")
    if nth is not None and (isinstance(nth, bool) or not isinstance(nth, int) or nth < 1):
        raise BadRule(f"nth {nth!r} is no whole number from 1")
    return Rule(
        operation=_operation(told["operation"], action),
        action=action,
        number=number,
        phase=_phase(told.get("phase", "before_commit"), action),
        nth=nth,
        retry_after=told.get("retry_after"),
        to=_target(told.get("to", ""), action),
    )


def fits(action: str, operation: str) -> bool:
    """Whether the action can happen to the operation."""
    if operation in (CALLBACK, TRAINING):
        wanted = TRAINING if action == "early" else CALLBACK
        return operation == wanted and (action in CALLBACK_ACTIONS or action == "delay")
    return action in REQUEST_ACTIONS


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


def _operation(operation: str, action: str) -> str:
    """`early` is asked for as something of the callback, but is counted by the trainings that begin."""
    operation = TRAINING if (operation, action) == (CALLBACK, "early") else operation
    if not fits(action, operation):
        raise BadRule(f"{action} cannot happen to {operation}")
    return operation


def _phase(phase: object, action: str) -> Phase:
    for known in get_args(Phase):
        if phase == known:
            if known == "during_body" and action not in BODY_ENDINGS:
                raise BadRule(f"{action} cannot happen during_body; {', '.join(sorted(BODY_ENDINGS))} can")
            found: Phase = known
            return found
    raise BadRule(f"phase {phase!r} is none of {', '.join(get_args(Phase))}")


def _target(to: object, action: str) -> str:
    if action != "redirect":
        return ""
    if not isinstance(to, str) or urlsplit(to).scheme not in ("http", "https"):
        raise BadRule("redirect needs the address that it leads to as `to`")
    return to


class Dice(Protocol):
    """Draws rules by chance; see `sandbox.faults`."""

    def drawn(self, operation: str) -> list[Rule]: ...


class FaultScript:
    """The rules in force and how often each operation was called under them, and chance, if it has a say."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rules: list[Rule] = []
        self._calls: Counter[str] = Counter()
        self._dice: Dice | None = None

    def follow(self, rules: list[Rule]) -> None:
        """Replace the rules and count from the beginning."""
        with self._lock:
            self._rules = rules
            self._calls.clear()

    def roll(self, dice: Dice | None) -> None:
        """Let chance have its say from now on, or no more."""
        with self._lock:
            self._dice = dice

    def called(self, operation: str) -> list[Rule]:
        """Count one call of the operation; the rules that mean it, in the order they were told, then a drawn one."""
        with self._lock:
            self._calls[operation] += 1
            told = [rule for rule in self._rules if rule.means(operation, self._calls[operation])]
            return told + (self._dice.drawn(operation) if self._dice else [])

    def as_list(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]


DEFAULT_SHARE = 0.1
DEFAULT_ACTIONS = (
    *("status:500", "status:503", "status:429", "delay:0.2", "drop", "reset", "truncate", "garbage", "html"),
    *("wrong_type", "wrong_type:2", "lose", "duplicate", "reorder", "early", "forge", "oversize", "broken"),
)
"""All that a client gets over within a second; the others are named by who wants them."""

LARGEST_SEED = 2**32


@dataclass
class Chaos:
    """Draws from the actions as told, such as `status:503`. The fault script calls it one call at a time."""

    seed: int
    share: float
    actions: list[str]
    done: list[dict[str, Any]] = field(default_factory=list)
    _dice: dict[str, Random] = field(default_factory=dict)
    _calls: Counter[str] = field(default_factory=Counter)

    def drawn(self, operation: str) -> list[Rule]:
        """The misbehaviour of this call of the operation, or nothing. Each call takes three throws in any case."""
        dice = self._dice.setdefault(operation, Random(f"{self.seed} {operation}"))  # noqa: S311
        self._calls[operation] += 1
        luck, which, when = dice.random(), dice.random(), dice.random()
        pool = [do for do in self.actions if fits(do.partition(":")[0], operation)]
        if luck >= self.share or not pool:
            return []
        do = pool[int(which * len(pool))]
        phase = _phases(do)[int(when * len(_phases(do)))]
        self.done.append({"operation": operation, "call": self._calls[operation], "do": do, "phase": phase})
        return [rule_from({"operation": operation, "do": do, "phase": phase})]

    def told(self) -> dict[str, Any]:
        """What to send to have the same again, and what happened so far."""
        return {"seed": self.seed, "share": self.share, "actions": self.actions, "done": list(self.done)}


def _phases(do: str) -> list[Phase]:
    endings: list[Phase] = ["during_body"] if do.partition(":")[0] in BODY_ENDINGS else []
    return ["before_commit", "after_commit", *endings]


def chaos_from(told: dict[str, Any]) -> Chaos:
    """Read `{"seed", "share", "actions"}`, of which each may be missing; prints the seed. Raises BadRule."""
    seed, share = told.get("seed"), told.get("share", DEFAULT_SHARE)
    actions = told.get("actions", list(DEFAULT_ACTIONS))
    if seed is None:
        seed = secrets.randbelow(LARGEST_SEED)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise BadRule(f"seed {seed!r} is no whole number")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise BadRule(f"share {share!r} is no number from 0 to 1")
    if not isinstance(actions, list) or not actions:
        raise BadRule("actions is a list of what can happen")
    for do in actions:
        _check(do)
    sys.stdout.write(f"Chaos with seed {seed}: {share:.0%} of all calls\n")
    sys.stdout.flush()
    return Chaos(seed, float(share), actions)


def _check(do: object) -> None:
    """Raises BadRule for what cannot be drawn."""
    if not isinstance(do, str) or do.startswith("redirect"):
        raise BadRule(f"{do!r} cannot be left to chance")
    action = do.partition(":")[0]
    rule_from({"operation": next((name for name in ("callback", "training") if fits(action, name)), "*"), "do": do})
