"""Chance in the sandbox: the same seed and the same calls give the same misbehaviour."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from sandbox.faults import ACTIONS, DEFAULT_ACTIONS, Chaos, Rule, chaos_from
from tests.sandbox.conftest import SandboxAccount
from tests.support.sandbox import PATIENCE, Sandbox

StartSandbox = Callable[..., Sandbox]
MIXED = ["status:503", "html", "drop", "wrong_type", "lose"]


@pytest.fixture
def unsettled(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A sandbox whose chance ends with the test."""
    yield sandbox
    sandbox.control("DELETE", "chaos")


def _tried(sandbox: Sandbox) -> list[str]:
    """What became of forty calls of a new account."""
    key = uuid4().hex
    return [_one(sandbox, key, path) for _ in range(20) for path in ("voices?page=1", "voices/none")]


def _one(sandbox: Sandbox, key: str, path: str) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        answer = requests.get(f"{sandbox.address}/resemble/api/v2/{path}", headers=headers, timeout=PATIENCE)
    except requests.ConnectionError:
        return "no answer"
    return f"{answer.status_code} {answer.text}"


def _begun(sandbox: Sandbox, **told: Any) -> dict[str, Any]:
    begun: dict[str, Any] = sandbox.control("POST", "chaos", told)["chaos"]
    return begun


def test_a_seed_replays_what_happened(unsettled: Sandbox) -> None:
    def round_of(seed: int) -> tuple[list[str], list[dict[str, Any]]]:
        _begun(unsettled, seed=seed, share=0.4, actions=MIXED)
        tried = _tried(unsettled)
        return tried, unsettled.control("GET", "chaos")["chaos"]["done"]

    first = round_of(7)
    assert round_of(7) == first
    assert round_of(8) != first
    tried, done = first
    assert {one["operation"] for one in done} == {"list_voices", "get_voice"}
    assert len({one["do"] for one in done}) > 2
    assert {one["phase"] for one in done} >= {"before_commit", "after_commit"}
    for one in done:
        what = tried[2 * (one["call"] - 1) + (one["operation"] == "get_voice")]
        seen = {"drop": what == "no answer", "status:503": what.startswith("503"), "html": "<html>" in what}
        assert seen.get(one["do"], what.partition(" ")[2].startswith("[")), (one, what)


def test_an_ended_chance_is_over_and_still_told(unsettled: Sandbox) -> None:
    _begun(unsettled, share=1, actions=["status:503"])
    assert {one.split()[0] for one in _tried(unsettled)} == {"503"}
    ended = unsettled.control("DELETE", "chaos")["chaos"]
    assert len(ended["done"]) == 40
    assert {one.split()[0] for one in _tried(unsettled)} == {"200", "404"}
    assert unsettled.control("GET", "chaos")["chaos"] == ended


def test_the_seed_is_printed_and_returned(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    seed = _begun(sandbox, seed=None)["seed"]
    other = _begun(sandbox)["seed"]
    sandbox.stop()
    assert seed != other
    assert f"Chaos with seed {seed}: 10% of all calls\nChaos with seed {other}:" in sandbox.said


def _draws(chaos: Chaos, *operations: str) -> list[list[Rule]]:
    return [chaos.drawn(name) for name in operations]


def test_an_operations_chance_does_not_depend_on_other_calls() -> None:
    alone = _draws(Chaos(3, 0.5, MIXED), *["build_voice"] * 50)
    among = _draws(Chaos(3, 0.5, MIXED), *["build_voice", "get_voice", "callback"] * 50)
    assert among[::3] == alone
    assert _actions(among[1::3]) != _actions(alone)


def _actions(draws: list[list[Rule]]) -> list[list[str]]:
    return [[rule.action for rule in drawn] for drawn in draws]


def test_the_share_is_kept_and_callbacks_get_what_is_theirs() -> None:
    chaos = Chaos(1, 0.1, list(DEFAULT_ACTIONS))
    calls = _draws(chaos, *["create_voice"] * 2000)
    assert 150 < sum(map(bool, calls)) < 250
    sent = _actions(_draws(Chaos(1, 1, list(DEFAULT_ACTIONS)), *["callback"] * 200))
    assert {action for drawn in sent for action in drawn} == {
        "lose",
        "duplicate",
        "reorder",
        "forge",
        "oversize",
        "broken",
        "delay",
    }
    begun = _actions(_draws(Chaos(1, 1, list(DEFAULT_ACTIONS)), *["training"] * 20))
    assert begun == [["early"]] * 20


def test_everything_but_a_redirect_may_be_left_to_chance() -> None:
    numbered = {"status": "status:500", "delay": "delay:1", "hide": "hide:5"}
    chaos_from({"actions": [numbered.get(action, action) for action in ACTIONS if action != "redirect"]})


@pytest.mark.parametrize(
    "told",
    [
        {"seed": "7"},
        {"seed": True},
        {"share": 2},
        {"share": "often"},
        {"actions": []},
        {"actions": "drop"},
        {"actions": ["explode"]},
        {"actions": ["delay"]},
        {"actions": ["redirect"]},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(unsettled: Sandbox, told: dict[str, object]) -> None:
    before = unsettled.control("GET", "chaos")
    answer = requests.post(f"{unsettled.address}/__control/chaos", json=told, timeout=60)
    assert answer.status_code == 400
    assert unsettled.control("GET", "chaos") == before


def test_rules_and_chance_go_together(unsettled: Sandbox, account: SandboxAccount) -> None:
    _begun(unsettled, share=1, actions=["status:503"])
    unsettled.faults({"operation": "list_voices", "do": "status:418", "nth": 1})
    assert [account.call_api("GET", "voices").status_code for _ in range(2)] == [418, 503]
