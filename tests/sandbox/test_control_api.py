"""Faults, the ledger, the request log, and what a restart leaves as it was."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount, encode_base64
from tests.support.sandbox import Listener, Sandbox, SandboxRefused, until
from tests.support.wav import sample_wav

StartSandbox = Callable[..., Sandbox]


def _create(account: SandboxAccount, name: str, **more: Any) -> requests.Response:
    body = {"name": name, "consent": encode_base64(sample_wav("consent-slt")), "voice_type": "rapid"}
    return account.call_api("POST", "voices", json=body | more)


def test_after_means_done_but_not_answered(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "create_voice", "nth": 2, "phase": "after_commit", "do": "drop"})
    assert _create(account, "first").status_code == 200
    with pytest.raises(requests.ConnectionError):
        _create(account, "second")
    assert _create(account, "third").status_code == 200
    assert [item["name"] for item in account.voices.all(1)["items"]] == ["third", "second", "first"]
    billed = [line["name"] for line in sandbox.ledger(operation="create_voice", account=account.key_digest)]
    assert billed == ["first", "second", "third"]


def test_before_means_not_done(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults(
        {"operation": "create_voice", "nth": 1, "do": "drop"},
        {"operation": "create_voice", "nth": 2, "do": "status:503"},
        {"operation": "create_voice", "nth": 3, "do": "status:429", "retry_after": "7"},
        {"operation": "create_voice", "nth": 4, "do": "garbage"},
        {"operation": "create_voice", "nth": 5, "do": "truncate"},
    )
    with pytest.raises(requests.ConnectionError):
        _create(account, "dropped")
    assert (_create(account, "down").status_code, account.voices.all(1)["items"]) == (503, [])
    limited = _create(account, "limited")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert limited.json()["success"] is False
    assert b"\xff" in _create(account, "garbage").content
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _create(account, "half")
    assert account.voices.all(1)["items"] == []
    assert sandbox.ledger(account=account.key_digest) == []


@pytest.mark.parametrize("do", ["status:500", "garbage", "truncate"])
def test_every_lost_answer_leaves_the_state_committed(account: SandboxAccount, sandbox: Sandbox, do: str) -> None:
    sandbox.faults({"operation": "create_voice", "phase": "after_commit", "do": do})
    try:
        answer = _create(account, "done all the same")
        assert answer.status_code == 500 or b"\xff" in answer.content
    except requests.RequestException:
        assert do == "truncate"
    assert account.voices.all(1)["total_results"] == 1


def test_a_delay_is_waited_out(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "get_voice", "do": "delay:0.4"})
    voice = account.create_voice()
    began = time.monotonic()
    assert account.voices.get(voice)["success"] is True
    assert time.monotonic() - began >= 0.4


def test_a_hang_answers_nobody_and_blocks_nobody_else(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "list_voices", "nth": 1, "do": "hang"})
    url, key = f"{sandbox.address}/resemble/api/v2/voices", {"Authorization": f"Bearer {account.key}"}
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, headers=key, timeout=0.3)
    assert account.voices.all(1)["success"] is True


def test_a_list_that_lags_hides_what_is_new(account: SandboxAccount, sandbox: Sandbox) -> None:
    account.create_voice()
    sandbox.faults({"operation": "list_voices", "nth": 1, "do": "hide:60"})
    assert account.voices.all(1)["items"] == []
    assert len(account.voices.all(1)["items"]) == 1


def test_a_fault_for_every_operation(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "*", "do": "status:502"})
    assert account.call_api("GET", "voices").status_code == 502
    assert account.call_api("DELETE", "voices/x").status_code == 502
    sandbox.control("DELETE", "faults")
    assert account.call_api("GET", "voices").status_code == 200


def _finish(account: SandboxAccount, listener: Listener) -> str:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    return voice


def test_a_callback_sent_three_times(account: SandboxAccount, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "do": "duplicate:3"})
    voice = _finish(account, listener)
    assert [listener.heard()["id"] for _ in range(3)] == [voice] * 3


def test_a_lost_callback(account: SandboxAccount, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "nth": 1, "do": "lose"})
    _finish(account, listener)
    second = _finish(account, listener)
    assert listener.heard()["id"] == second
    with pytest.raises(Empty):
        listener.posted.get_nowait()


def test_a_broken_callback(account: SandboxAccount, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "do": "broken"})
    voice = _finish(account, listener)
    kind, text = listener.posted.get(timeout=60)
    assert kind == "application/json"
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(text)
    assert voice in text


def test_a_callback_is_tried_again_until_somebody_answers(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener
) -> None:
    address = listener.address
    listener.close()
    voice = account.create_voice(callback_uri=f"{address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    later = Listener(int(address.rsplit(":", 1)[1]))
    try:
        assert later.heard()["id"] == voice
    finally:
        later.close()


@pytest.mark.parametrize(
    "rule",
    [
        {"do": "drop"},
        {"operation": "create_voice", "do": "explode"},
        {"operation": "create_voice", "do": "delay"},
        {"operation": "create_voice", "do": "delay:long"},
        {"operation": "create_voice", "do": "drop", "phase": "during"},
        {"operation": "create_voice", "do": "drop", "nth": 0},
        "drop",
    ],
)
def test_a_rule_that_means_nothing_is_refused_and_none_is_taken(sandbox: Sandbox, rule: object) -> None:
    good = {"operation": "list_voices", "do": "drop"}
    answer = requests.post(f"{sandbox.address}/__control/faults", json={"rules": [good, rule]}, timeout=60)
    assert answer.status_code == 400
    assert sandbox.control("GET", "faults")["rules"] == []


@pytest.mark.parametrize("change", [{"speed": 1}, {"training_seconds": "long"}, {"callback_recordings": 1}])
def test_settings_refuse_nonsense(sandbox: Sandbox, change: dict[str, object]) -> None:
    before = sandbox.control("GET", "settings")
    answer = requests.post(f"{sandbox.address}/__control/settings", json=change, timeout=60)
    assert answer.status_code == 400
    assert sandbox.control("GET", "settings") == before


def test_a_page_in_a_browser_cannot_steer_it(sandbox: Sandbox) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = requests.delete(f"{sandbox.address}/__control/faults", headers=headers, timeout=60)
    assert answer.status_code == 403


def test_the_ledger_tells_what_was_charged_to_whom(account: SandboxAccount, sandbox: Sandbox) -> None:
    voice = account.create_voice(name="Billed")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    account.voices.delete(voice)
    lines = sandbox.ledger(voice=voice)
    told = [(line["operation"], line["name"], line["charged"]) for line in lines]
    assert told == [("create_voice", "Billed", 200.0), ("build_voice", "Billed", 0.0), ("delete_voice", "Billed", 0.0)]
    assert {line["account"] for line in lines} == {account.key_digest}


def test_the_log_has_every_request_and_no_key(account: SandboxAccount, sandbox: Sandbox) -> None:
    before = sandbox.control("GET", "requests")["count"]
    account.voices.all(1)
    requests.get(f"{sandbox.address}/nowhere?key={account.key}", timeout=60)
    log = sandbox.control("GET", "requests")
    listed, nowhere, _ = log["requests"][-3:]
    assert log["count"] == before + 3
    assert (listed["method"], listed["path"], listed["operation"], listed["status"]) == (
        "GET",
        "/resemble/api/v2/voices",
        "list_voices",
        200,
    )
    assert listed["headers"]["Authorization"] == f"Token token=[{account.key_digest}]"
    assert (nowhere["path"], nowhere["status"]) == ("/nowhere", 404)
    assert account.key not in str(log)


@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("Authorization", "{}"),
        ("Authorization", "Bearer {}"),
        ("Authorization", 'Token token="{}"'),
        ("Authorization", "Token token={}"),
        ("X-Access-Token", "{}"),
        ("x-api-key", "{}"),
        ("Cookie", "{}"),
    ],
)
def test_the_log_has_every_header_and_the_hint_in_place_of_the_key(
    sandbox: Sandbox, account: SandboxAccount, header: str, form: str
) -> None:
    sent = {header: form.format(account.key), "X-Odd": f"around {account.key}!", "Accept": "audio/wav"}
    requests.get(f"{sandbox.address}/nowhere", headers=sent, timeout=60)
    seen = {name.lower(): value for name, value in sandbox.requests()[-2]["headers"].items()}
    assert seen[header.lower()] == form.format(f"[{account.key_digest}]")
    assert (seen["x-odd"], seen["accept"]) == (f"around [{account.key_digest}]!", "audio/wav")


def test_no_key_is_written_anywhere(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    account = SandboxAccount(sandbox.address)
    sandbox.control("POST", "chaos", {"share": 0})
    voice = _finish_without_callback(account)
    account.call_api("GET", "voices", headers={"X-Access-Token": account.key, "x-api-key": account.key})
    sound = account.recordings.all(voice, 1)["items"][0]["audio_src"]
    (folder / "audio").rename(folder / "gone")
    assert requests.get(sound, headers={"x-api-key": account.key}, timeout=60).status_code == 500
    told = json.dumps([sandbox.ledger(), sandbox.requests()])
    sandbox.stop()
    assert account.key_digest in told
    assert account.key not in told
    assert "Chaos with seed" in sandbox.said
    assert "FileNotFoundError" in sandbox.said
    assert account.key not in sandbox.said
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "sandbox.sqlite3" for path in files)
    assert not [path for path in files if account.key.encode() in path.read_bytes()]


def _finish_without_callback(account: SandboxAccount) -> str:
    voice = account.create_voice()
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.build_voice(voice)["status"] == "finished"
    return voice


def test_a_restart_keeps_everything(start_sandbox: StartSandbox, folder: Path) -> None:
    first = start_sandbox(folder)
    account = SandboxAccount(first.address)
    voice = _finish_without_callback(account)
    before = (account.voices.get(voice), first.ledger())
    sounds = [item["uuid"] for item in account.recordings.all(voice, 1)["items"]]
    first.kill()
    second = start_sandbox(folder)
    again = SandboxAccount(second.address, account.key)
    assert (again.voices.get(voice), second.ledger()) == before
    assert [item["uuid"] for item in again.recordings.all(voice, 1)["items"]] == sounds
    assert again.clips.create_direct("project", voice, "Still there.")["success"] is True
    assert second.stop() == 0


def test_a_training_goes_on_after_a_kill_and_calls_back(
    start_sandbox: StartSandbox, folder: Path, listener: Listener
) -> None:
    first = start_sandbox(folder, training_seconds=600.0)
    account = SandboxAccount(first.address)
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.voices.build(voice)
    until(lambda: account.voices.get(voice)["item"]["status"] == "running")
    first.kill()
    second = start_sandbox(folder)
    second.forward(600)
    assert listener.heard()["id"] == voice
    assert SandboxAccount(second.address, account.key).wait_for_end(voice)["status"] == "finished"
    assert len(second.ledger(operation="build_voice")) == 1
    second.stop()


def test_a_folder_or_a_port_in_use_is_said_plainly(start_sandbox: StartSandbox, sandbox: Sandbox, folder: Path) -> None:
    with pytest.raises(SandboxRefused, match="another sandbox already works in"):
        start_sandbox(sandbox.folder)
    with pytest.raises(SandboxRefused, match=f"Cannot listen on 127.0.0.1:{sandbox.port}: Address already"):
        start_sandbox(folder, port=sandbox.port)


def test_the_dashboards_database_is_not_touched(sandbox: Sandbox, account: SandboxAccount) -> None:
    account.create_voice()
    assert not (sandbox.folder / "dashboard").exists()


def test_work_is_due_until_its_callback_was_taken(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener
) -> None:
    def due() -> int:
        return int(sandbox.control("GET", "work")["due"])

    until(lambda: due() == 0)
    sandbox.faults({"operation": "callback", "do": "delay:3600"})
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    assert due() == 1
    assert account.voices.delete(voice)["success"]
    assert due() == 0
