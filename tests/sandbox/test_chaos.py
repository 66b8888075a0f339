"""Chaos (random faults) in the sandbox: the same seed and the same calls give the same faults."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from sandbox.faults import ACTIONS, DEFAULT_ACTIONS, Chaos, Rule, parse_chaos
from tests.sandbox.conftest import SandboxAccount
from tests.support.sandbox import TIMEOUT_SECONDS, SandboxProcess

StartSandbox = Callable[..., SandboxProcess]
MIXED_ACTIONS = ["status:503", "html", "drop", "wrong_type", "lose"]


@pytest.fixture
def chaotic_sandbox(sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    yield sandbox
    sandbox.call_control("DELETE", "chaos")


def _send_forty_calls(sandbox: SandboxProcess) -> list[str]:
    """Return the results of forty calls by a new account."""
    key = f"key-{uuid4().hex}"
    return [_send_call(sandbox, key, path) for _ in range(20) for path in ("voices?page=1", "voices/none")]


def _send_call(sandbox: SandboxProcess, key: str, path: str) -> str:
    headers = {"Authorization": f"Bearer {key}"}
    try:
        response = requests.get(f"{sandbox.address}/resemble/api/v2/{path}", headers=headers, timeout=TIMEOUT_SECONDS)
    except requests.ConnectionError:
        return "no response"
    return f"{response.status_code} {response.text}"


def _start_chaos(sandbox: SandboxProcess, **settings: Any) -> dict[str, Any]:
    chaos: dict[str, Any] = sandbox.call_control("POST", "chaos", settings)["chaos"]
    return chaos


def test_chaos_with_the_same_seed_gives_the_same_faults(chaotic_sandbox: SandboxProcess) -> None:
    def run_chaos(seed: int) -> tuple[list[str], list[dict[str, Any]]]:
        _start_chaos(chaotic_sandbox, seed=seed, share=0.4, actions=MIXED_ACTIONS)
        results = _send_forty_calls(chaotic_sandbox)
        return results, chaotic_sandbox.call_control("GET", "chaos")["chaos"]["done"]

    first = run_chaos(7)
    assert run_chaos(7) == first
    assert run_chaos(8) != first
    results, done = first
    assert {entry["operation"] for entry in done} == {"list_voices", "get_voice"}
    assert len({entry["do"] for entry in done}) > 2
    assert {entry["phase"] for entry in done} >= {"before_commit", "after_commit"}
    for entry in done:
        result = results[2 * (entry["call"] - 1) + (entry["operation"] == "get_voice")]
        evidence = {"drop": result == "no response", "status:503": result.startswith("503"), "html": "<html>" in result}
        assert evidence.get(entry["do"], result.partition(" ")[2].startswith("[")), (entry, result)


def test_ended_chaos_adds_no_faults_and_is_still_reported(chaotic_sandbox: SandboxProcess) -> None:
    _start_chaos(chaotic_sandbox, share=1, actions=["status:503"])
    assert {entry.split()[0] for entry in _send_forty_calls(chaotic_sandbox)} == {"503"}
    ended = chaotic_sandbox.call_control("DELETE", "chaos")["chaos"]
    assert len(ended["done"]) == 40
    assert {entry.split()[0] for entry in _send_forty_calls(chaotic_sandbox)} == {"200", "404"}
    assert chaotic_sandbox.call_control("GET", "chaos")["chaos"] == ended


def test_chaos_seed_is_printed_and_returned(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    seed = _start_chaos(sandbox, seed=None)["seed"]
    other = _start_chaos(sandbox)["seed"]
    sandbox.stop()
    assert seed != other
    assert f"Chaos with seed {seed}: 10% of all calls\nChaos with seed {other}:" in sandbox.output


def _draw_rules(chaos: Chaos, *operations: str) -> list[list[Rule]]:
    return [chaos.draw_rules(name) for name in operations]


def test_faults_of_an_operation_do_not_depend_on_other_calls() -> None:
    build_draws = _draw_rules(Chaos(3, 0.5, MIXED_ACTIONS), *["build_voice"] * 50)
    mixed_draws = _draw_rules(Chaos(3, 0.5, MIXED_ACTIONS), *["build_voice", "get_voice", "callback"] * 50)
    assert mixed_draws[::3] == build_draws
    assert _list_actions(mixed_draws[1::3]) != _list_actions(build_draws)


def _list_actions(draws: list[list[Rule]]) -> list[list[str]]:
    return [[rule.action for rule in rules] for rules in draws]


def test_share_of_calls_gets_a_fault_that_fits_the_operation() -> None:
    chaos = Chaos(1, 0.1, list(DEFAULT_ACTIONS))
    calls = _draw_rules(chaos, *["create_voice"] * 2000)
    assert 150 < sum(map(bool, calls)) < 250
    callback_actions = _list_actions(_draw_rules(Chaos(1, 1, list(DEFAULT_ACTIONS)), *["callback"] * 200))
    assert {action for rules in callback_actions for action in rules} == {
        "lose",
        "duplicate",
        "reorder",
        "forge",
        "oversize",
        "broken",
        "delay",
    }
    training_actions = _list_actions(_draw_rules(Chaos(1, 1, list(DEFAULT_ACTIONS)), *["training"] * 20))
    assert training_actions == [["early"]] * 20


def test_chaos_accepts_every_action_except_redirect() -> None:
    arguments = {"status": "status:500", "delay": "delay:1", "hide": "hide:5"}
    parse_chaos({"actions": [arguments.get(action, action) for action in ACTIONS if action != "redirect"]})


@pytest.mark.parametrize(
    "chaos_settings",
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
def test_invalid_chaos_settings_are_refused_and_change_nothing(
    chaotic_sandbox: SandboxProcess, chaos_settings: dict[str, object]
) -> None:
    before = chaotic_sandbox.call_control("GET", "chaos")
    response = requests.post(f"{chaotic_sandbox.address}/__control/chaos", json=chaos_settings, timeout=60)
    assert response.status_code == 400
    assert chaotic_sandbox.call_control("GET", "chaos") == before


def test_fault_rule_overrides_chaos(chaotic_sandbox: SandboxProcess, account: SandboxAccount) -> None:
    _start_chaos(chaotic_sandbox, share=1, actions=["status:503"])
    chaotic_sandbox.set_faults({"operation": "list_voices", "do": "status:418", "nth": 1})
    assert [account.call_api("GET", "voices").status_code for _ in range(2)] == [418, 503]


def test_refusal_is_drawn_only_for_calls_that_are_not_executed() -> None:
    chaos = Chaos(1, 1, ["status:429"])
    rules = [rule for drawn in _draw_rules(chaos, *["create_voice"] * 50) for rule in drawn]
    assert len(rules) == 50
    assert {rule.phase for rule in rules} == {"before_commit"}
