"""The fault script: exact and repeatable faults, set through the control API.

A rule names an operation (`create_voice`, `callback`, … or `*`), the call that it matches (`nth`, counted from 1
since the rules were set; without it every call), a phase and an action: one of ACTIONS, with a number after a colon
if it takes one. The phase is `before_commit` (the call does nothing), `after_commit` (the call is done, then its
response fails) or `during_body` (half of the request is read, and the call does nothing).

Chaos makes a random share of all calls fail, in a way that can be repeated. Each operation has its own random
generator, so the fault of its third call depends only on the seed. The applied faults are recorded and the seed is
printed, so that a failed test can be repeated.
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
    "status": "status:503 sends this status in the vendor's error format",
    "delay": "delay:2 waits 2 seconds, then continues as usual; for a callback, 2 seconds of the sandbox's clock",
    "drop": "the connection is closed without a response",
    "reset": "the connection is reset without a response",
    "hang": "no response and an open connection, until the sandbox stops",
    "trickle": "the response one byte at a time; trickle:0.5 with 0.5 seconds between bytes, 0.05 without a number",
    "truncate": "the first half of the response, then the connection is closed",
    "garbage": "200 and bytes that are neither JSON nor text",
    "html": "200 and a web page",
    "huge": "200 and valid JSON, larger than any client should read",
    "endless": "200 and a response that never ends",
    "gzip_bomb": "200 and 1 MB that unpacks to 1 GiB",
    "redirect": "302 to the address in the rule's `to`",
    "wrong_type": "valid JSON of the wrong shape, such as a list for an object; wrong_type:2 has only wrong values",
    "hide": "hide:30 omits items younger than 30 seconds from a list",
    "ignore": "responds as if the call were done, and does nothing",
    "public": "a voice requested as private is public, if the vendor has private voices",
}
CALLBACK_ACTIONS = {
    "lose": "the callback is never sent",
    "duplicate": "duplicate:3 sends the callback three times at once (two without a number)",
    "reorder": "the callback is held back until another one has been sent",
    "early": "a callback reports `finished` when the training has only started; the real one follows",
    "forge": "a callback with unknown ids comes before the real one",
    "oversize": "the callback is larger than 64 KiB",
    "broken": "the callback's JSON lacks a comma, as the vendor's own sample does",
}
ACTIONS = REQUEST_ACTIONS | CALLBACK_ACTIONS

ACTIONS_NEEDING_NUMBER = {"delay", "status", "hide"}
DURING_BODY_ACTIONS = {"drop", "reset", "hang", "status"}
"""Actions that can be applied with half of the request's body still unread."""

CALLBACK, TRAINING = "callback", "training"
"""Operations of the sandbox itself: sending a callback and starting a training."""


class InvalidRule(ValueError):
    """A rule is not valid; the message says why."""


@dataclass(frozen=True, slots=True)
class Rule:
    operation: str
    action: str
    number: float | None = None
    phase: Phase = "before_commit"
    nth: int | None = None
    retry_after: str | None = None
    to: str = ""

    def matches(self, operation: str, count: int) -> bool:
        return self.operation in (operation, "*") and self.nth in (None, count)


def parse_rule(data: object) -> Rule:
    """Read one rule of the control API. Raises InvalidRule."""
    if not isinstance(data, dict) or not isinstance(data.get("operation"), str):
        raise InvalidRule("a rule is an object with an operation")
    action, number = _parse_action(str(data.get("do", "")))
    nth = data.get("nth")
    if nth is not None and (isinstance(nth, bool) or not isinstance(nth, int) or nth < 1):
        raise InvalidRule(f"nth {nth!r} is not a whole number from 1")
    return Rule(
        operation=_resolve_operation(data["operation"], action),
        action=action,
        number=number,
        phase=_parse_phase(data.get("phase", "before_commit"), action),
        nth=nth,
        retry_after=data.get("retry_after"),
        to=_parse_redirect_target(data.get("to", ""), action),
    )


def can_apply(action: str, operation: str) -> bool:
    if operation in (CALLBACK, TRAINING):
        expected = TRAINING if action == "early" else CALLBACK
        return operation == expected and (action in CALLBACK_ACTIONS or action == "delay")
    return action in REQUEST_ACTIONS


def _parse_action(do: str) -> tuple[str, float | None]:
    action, _, rest = do.partition(":")
    if action not in ACTIONS:
        raise InvalidRule(f"{do!r} is unknown; the actions are {', '.join(ACTIONS)}")
    if action in ACTIONS_NEEDING_NUMBER and not rest:
        raise InvalidRule(f"{action} needs a number: {ACTIONS[action]}")
    try:
        return action, float(rest) if rest else None
    except ValueError:
        raise InvalidRule(f"{rest!r} in {do!r} is not a number") from None


def _resolve_operation(operation: str, action: str) -> str:
    """The operation whose calls the rule counts. A rule `early` names the callback, but it counts started trainings."""
    operation = TRAINING if (operation, action) == (CALLBACK, "early") else operation
    if not can_apply(action, operation):
        raise InvalidRule(f"{action} cannot be applied to {operation}")
    return operation


def _parse_phase(phase: object, action: str) -> Phase:
    for known in get_args(Phase):
        if phase == known:
            if known == "during_body" and action not in DURING_BODY_ACTIONS:
                raise InvalidRule(
                    f"{action} cannot be applied during_body; {', '.join(sorted(DURING_BODY_ACTIONS))} can"
                )
            valid_phase: Phase = known
            return valid_phase
    raise InvalidRule(f"phase {phase!r} is not one of {', '.join(get_args(Phase))}")


def _parse_redirect_target(to: object, action: str) -> str:
    if action != "redirect":
        return ""
    if not isinstance(to, str) or urlsplit(to).scheme not in ("http", "https"):
        raise InvalidRule("redirect needs its target URL as `to`")
    return to


class RuleSource(Protocol):
    """Draws random rules, as Chaos does."""

    def draw_rules(self, operation: str) -> list[Rule]: ...


class FaultScript:
    """The rules in force, the number of calls of each operation since they were set, and chaos if it is on."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._rules: list[Rule] = []
        self._calls: Counter[str] = Counter()
        self._chaos: RuleSource | None = None

    def replace_rules(self, rules: list[Rule]) -> None:
        """Replace the rules and restart the call counts."""
        with self._lock:
            self._rules = rules
            self._calls.clear()

    def set_chaos(self, chaos: RuleSource | None) -> None:
        """Turn random faults on, or off with None."""
        with self._lock:
            self._chaos = chaos

    def match_call(self, operation: str) -> list[Rule]:
        """Count one call of the operation and return its rules: those that match, in order, then a random one."""
        with self._lock:
            self._calls[operation] += 1
            matching = [rule for rule in self._rules if rule.matches(operation, self._calls[operation])]
            return matching + (self._chaos.draw_rules(operation) if self._chaos else [])

    def list_rules(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]


DEFAULT_SHARE = 0.1
DEFAULT_ACTIONS = (
    *("status:500", "status:503", "status:429", "delay:0.2", "drop", "reset", "truncate", "garbage", "html"),
    *("wrong_type", "wrong_type:2", "lose", "duplicate", "reorder", "early", "forge", "oversize", "broken"),
)
"""All actions from which a client recovers within a second. Other actions must be requested by name."""

SEED_LIMIT = 2**32


@dataclass
class Chaos:
    """Draws random faults from `actions`, such as `status:503`. Not thread-safe: the fault script holds a lock."""

    seed: int
    share: float
    actions: list[str]
    applied: list[dict[str, Any]] = field(default_factory=list)
    _generators: dict[str, Random] = field(default_factory=dict)
    _calls: Counter[str] = field(default_factory=Counter)

    def draw_rules(self, operation: str) -> list[Rule]:
        """The fault of this call, or an empty list. Each call always takes three random numbers."""
        generator = self._generators.setdefault(operation, Random(f"{self.seed} {operation}"))  # noqa: S311
        self._calls[operation] += 1
        chance, which, when = generator.random(), generator.random(), generator.random()
        pool = [do for do in self.actions if can_apply(do.partition(":")[0], operation)]
        if chance >= self.share or not pool:
            return []
        do = pool[int(which * len(pool))]
        phase = _list_phases(do)[int(when * len(_list_phases(do)))]
        self.applied.append({"operation": operation, "call": self._calls[operation], "do": do, "phase": phase})
        return [parse_rule({"operation": operation, "do": do, "phase": phase})]

    def describe(self) -> dict[str, Any]:
        """The parameters that repeat this chaos, and the faults applied so far."""
        return {"seed": self.seed, "share": self.share, "actions": self.actions, "done": list(self.applied)}


def _list_phases(do: str) -> list[Phase]:
    """A 4xx status says that the call was refused (RFC 9110, RFC 6585): no vendor sends it for an executed call."""
    if do.startswith("status:4"):
        return ["before_commit"]
    during_body: list[Phase] = ["during_body"] if do.partition(":")[0] in DURING_BODY_ACTIONS else []
    return ["before_commit", "after_commit", *during_body]


def parse_chaos(data: dict[str, Any]) -> Chaos:
    """Read `{"seed", "share", "actions"}`, all optional, and print the seed. Raises InvalidRule."""
    seed, share = data.get("seed"), data.get("share", DEFAULT_SHARE)
    actions = data.get("actions", list(DEFAULT_ACTIONS))
    if seed is None:
        seed = secrets.randbelow(SEED_LIMIT)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise InvalidRule(f"seed {seed!r} is not a whole number")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise InvalidRule(f"share {share!r} is not a number from 0 to 1")
    if not isinstance(actions, list) or not actions:
        raise InvalidRule("actions must be a list of actions such as status:503")
    for do in actions:
        _check_drawable(do)
    sys.stdout.write(f"Chaos with seed {seed}: {share:.0%} of all calls\n")
    sys.stdout.flush()
    return Chaos(seed, float(share), actions)


def _check_drawable(do: object) -> None:
    """Raises InvalidRule if the action cannot be drawn at random."""
    if not isinstance(do, str) or do.startswith("redirect"):
        raise InvalidRule(f"{do!r} cannot be a random fault")
    action = do.partition(":")[0]
    parse_rule(
        {"operation": next((name for name in ("callback", "training") if can_apply(action, name)), "*"), "do": do}
    )
