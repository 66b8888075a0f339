"""Misbehaviour by chance that can be had again: a share of all calls goes wrong, as a seed says.

Every operation has dice of its own, so what happens to its third call depends on nothing but the seed. What
happened is kept, and the seed is printed, so that a test that failed can be run again.
"""

import secrets
import sys
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from voices.sandbox.faults import BODY_ENDINGS, BadRule, Phase, Rule, fits, rule_from

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
