"""Faults, the ledger, the request log, and the data that a restart keeps."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount, encode_base64
from tests.support.sandbox import CallbackServer, SandboxProcess, SandboxStartError, poll_until
from tests.support.wav import load_sample_wav

StartSandbox = Callable[..., SandboxProcess]


def _create_voice(account: SandboxAccount, name: str, **options: Any) -> requests.Response:
    body = {"name": name, "consent": encode_base64(load_sample_wav("consent-slt")), "voice_type": "rapid"}
    return account.call_api("POST", "voices", json=body | options)


def test_after_commit_fault_drops_the_response_of_an_executed_call(
    account: SandboxAccount, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults({"operation": "create_voice", "nth": 2, "phase": "after_commit", "do": "drop"})
    assert _create_voice(account, "first").status_code == 200
    with pytest.raises(requests.ConnectionError):
        _create_voice(account, "second")
    assert _create_voice(account, "third").status_code == 200
    assert [item["name"] for item in account.voices.all(1)["items"]] == ["third", "second", "first"]
    billed_names = [line["name"] for line in sandbox.read_ledger(operation="create_voice", account=account.key_digest)]
    assert billed_names == ["first", "second", "third"]


def test_before_commit_fault_prevents_the_execution_of_the_call(
    account: SandboxAccount, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults(
        {"operation": "create_voice", "nth": 1, "do": "drop"},
        {"operation": "create_voice", "nth": 2, "do": "status:503"},
        {"operation": "create_voice", "nth": 3, "do": "status:429", "retry_after": "7"},
        {"operation": "create_voice", "nth": 4, "do": "garbage"},
        {"operation": "create_voice", "nth": 5, "do": "truncate"},
    )
    with pytest.raises(requests.ConnectionError):
        _create_voice(account, "dropped")
    assert (_create_voice(account, "down").status_code, account.voices.all(1)["items"]) == (503, [])
    rate_limited_response = _create_voice(account, "limited")
    assert (rate_limited_response.status_code, rate_limited_response.headers["Retry-After"]) == (429, "7")
    assert rate_limited_response.json()["success"] is False
    assert b"\xff" in _create_voice(account, "garbage").content
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _create_voice(account, "half")
    assert account.voices.all(1)["items"] == []
    assert sandbox.read_ledger(account=account.key_digest) == []


@pytest.mark.parametrize("do", ["status:500", "garbage", "truncate"])
def test_after_commit_fault_leaves_the_voice_created(account: SandboxAccount, sandbox: SandboxProcess, do: str) -> None:
    sandbox.set_faults({"operation": "create_voice", "phase": "after_commit", "do": do})
    try:
        response = _create_voice(account, "committed")
        assert response.status_code == 500 or b"\xff" in response.content
    except requests.RequestException:
        assert do == "truncate"
    assert account.voices.all(1)["total_results"] == 1


def test_delay_fault_delays_the_response(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "get_voice", "do": "delay:0.4"})
    voice = account.create_voice()
    started_at = time.monotonic()
    assert account.voices.get(voice)["success"] is True
    assert time.monotonic() - started_at >= 0.4


def test_hanging_call_gets_no_response_and_blocks_no_other_call(
    account: SandboxAccount, sandbox: SandboxProcess
) -> None:
    sandbox.set_faults({"operation": "list_voices", "nth": 1, "do": "hang"})
    url, key = f"{sandbox.address}/resemble/api/v2/voices", {"Authorization": f"Bearer {account.key}"}
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, headers=key, timeout=0.3)
    assert account.voices.all(1)["success"] is True


def test_hide_fault_leaves_new_voices_out_of_the_list(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    account.create_voice()
    sandbox.set_faults({"operation": "list_voices", "nth": 1, "do": "hide:60"})
    assert account.voices.all(1)["items"] == []
    assert len(account.voices.all(1)["items"]) == 1


def test_wildcard_fault_applies_to_every_operation(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "*", "do": "status:502"})
    assert account.call_api("GET", "voices").status_code == 502
    assert account.call_api("DELETE", "voices/x").status_code == 502
    sandbox.call_control("DELETE", "faults")
    assert account.call_api("GET", "voices").status_code == 200


def _finish_voice(account: SandboxAccount, listener: CallbackServer) -> str:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    return voice


def test_duplicated_callback_arrives_three_times(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.set_faults({"operation": "callback", "do": "duplicate:3"})
    voice = _finish_voice(account, listener)
    assert [listener.wait_for_callback()["id"] for _ in range(3)] == [voice] * 3


def test_lost_callback_does_not_arrive(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.set_faults({"operation": "callback", "nth": 1, "do": "lose"})
    _finish_voice(account, listener)
    second = _finish_voice(account, listener)
    assert listener.wait_for_callback()["id"] == second
    with pytest.raises(Empty):
        listener.callbacks.get_nowait()


def test_broken_callback_is_invalid_json(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.set_faults({"operation": "callback", "do": "broken"})
    voice = _finish_voice(account, listener)
    content_type, text = listener.callbacks.get(timeout=60)
    assert content_type == "application/json"
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(text)
    assert voice in text


def test_callback_is_retried_until_it_is_accepted(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    address = listener.address
    listener.close()
    voice = account.create_voice(callback_uri=f"{address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    second_listener = CallbackServer(int(address.rsplit(":", 1)[1]))
    try:
        assert second_listener.wait_for_callback()["id"] == voice
    finally:
        second_listener.close()


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
def test_request_with_one_invalid_rule_is_refused_completely(sandbox: SandboxProcess, rule: object) -> None:
    valid_rule = {"operation": "list_voices", "do": "drop"}
    response = requests.post(f"{sandbox.address}/__control/faults", json={"rules": [valid_rule, rule]}, timeout=60)
    assert response.status_code == 400
    assert sandbox.call_control("GET", "faults")["rules"] == []


@pytest.mark.parametrize("change", [{"speed": 1}, {"training_seconds": "long"}, {"callback_recordings": 1}])
def test_invalid_settings_are_refused(sandbox: SandboxProcess, change: dict[str, object]) -> None:
    before = sandbox.call_control("GET", "settings")
    response = requests.post(f"{sandbox.address}/__control/settings", json=change, timeout=60)
    assert response.status_code == 400
    assert sandbox.call_control("GET", "settings") == before


def test_control_request_from_another_origin_is_refused(sandbox: SandboxProcess) -> None:
    headers = {"Origin": "http://evil.example"}
    response = requests.delete(f"{sandbox.address}/__control/faults", headers=headers, timeout=60)
    assert response.status_code == 403


def test_ledger_lists_charges_by_account(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    voice = account.create_voice(name="Billed")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    account.voices.delete(voice)
    lines = sandbox.read_ledger(voice=voice)
    charges = [(line["operation"], line["name"], line["charged"]) for line in lines]
    assert charges == [
        ("create_voice", "Billed", 200.0),
        ("build_voice", "Billed", 0.0),
        ("delete_voice", "Billed", 0.0),
    ]
    assert {line["account"] for line in lines} == {account.key_digest}


def test_request_log_has_every_request_and_no_key(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    before = sandbox.call_control("GET", "requests")["count"]
    account.voices.all(1)
    requests.get(f"{sandbox.address}/nowhere?key={account.key}", timeout=60)
    request_log = sandbox.call_control("GET", "requests")
    list_entry, unknown_entry, _ = request_log["requests"][-3:]
    assert request_log["count"] == before + 3
    assert (list_entry["method"], list_entry["path"], list_entry["operation"], list_entry["status"]) == (
        "GET",
        "/resemble/api/v2/voices",
        "list_voices",
        200,
    )
    assert list_entry["headers"]["Authorization"] == f"Token token=[{account.key_digest}]"
    assert (unknown_entry["path"], unknown_entry["status"]) == ("/nowhere", 404)
    assert account.key not in str(request_log)
    number = list_entry["number"]
    assert sandbox.list_requests(account=account.key_digest, after=number - 1) == [list_entry]
    assert sandbox.list_requests(account=account.key_digest, after=number) == []
    assert sandbox.list_requests(after=number)[0] == unknown_entry
    response = requests.get(f"{sandbox.address}/__control/requests?after=now", timeout=60)
    assert (response.status_code, "after must be" in response.text) == (400, True)


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
def test_request_log_replaces_the_key_by_its_digest_in_every_header(
    sandbox: SandboxProcess, account: SandboxAccount, header: str, form: str
) -> None:
    headers = {header: form.format(account.key), "X-Odd": f"around {account.key}!", "Accept": "audio/wav"}
    requests.get(f"{sandbox.address}/nowhere", headers=headers, timeout=60)
    logged_headers = {name.lower(): value for name, value in sandbox.list_requests()[-2]["headers"].items()}
    assert logged_headers[header.lower()] == form.format(f"[{account.key_digest}]")
    assert (logged_headers["x-odd"], logged_headers["accept"]) == (f"around [{account.key_digest}]!", "audio/wav")


def test_key_is_not_in_the_logs_output_or_files(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    account = SandboxAccount(sandbox.address)
    sandbox.call_control("POST", "chaos", {"share": 0})
    voice = _finish_voice_without_callback(account)
    account.call_api("GET", "voices", headers={"X-Access-Token": account.key, "x-api-key": account.key})
    audio_url = account.recordings.all(voice, 1)["items"][0]["audio_src"]
    (folder / "audio").rename(folder / "gone")
    assert requests.get(audio_url, headers={"x-api-key": account.key}, timeout=60).status_code == 500
    logs = json.dumps([sandbox.read_ledger(), sandbox.list_requests()])
    sandbox.stop()
    assert account.key_digest in logs
    assert account.key not in logs
    assert "Chaos with seed" in sandbox.output
    assert "FileNotFoundError" in sandbox.output
    assert account.key not in sandbox.output
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "sandbox.sqlite3" for path in files)
    assert not [path for path in files if account.key.encode() in path.read_bytes()]


def _finish_voice_without_callback(account: SandboxAccount) -> str:
    voice = account.create_voice()
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.build_voice(voice)["status"] == "finished"
    return voice


def test_restart_keeps_voices_recordings_and_ledger(start_sandbox: StartSandbox, folder: Path) -> None:
    first = start_sandbox(folder)
    account = SandboxAccount(first.address)
    voice = _finish_voice_without_callback(account)
    before = (account.voices.get(voice), first.read_ledger())
    recording_ids = [item["uuid"] for item in account.recordings.all(voice, 1)["items"]]
    first.kill()
    second = start_sandbox(folder)
    same_account = SandboxAccount(second.address, account.key)
    assert (same_account.voices.get(voice), second.read_ledger()) == before
    assert [item["uuid"] for item in same_account.recordings.all(voice, 1)["items"]] == recording_ids
    assert same_account.clips.create_direct("project", voice, "Hello again.")["success"] is True
    assert second.stop() == 0


def test_training_continues_after_a_kill_and_calls_back(
    start_sandbox: StartSandbox, folder: Path, listener: CallbackServer
) -> None:
    first = start_sandbox(folder, training_seconds=600.0)
    account = SandboxAccount(first.address)
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.voices.build(voice)
    poll_until(lambda: account.voices.get(voice)["item"]["status"] == "running")
    first.kill()
    second = start_sandbox(folder)
    second.forward_clock(600)
    assert listener.wait_for_callback()["id"] == voice
    assert SandboxAccount(second.address, account.key).wait_for_end(voice)["status"] == "finished"
    assert len(second.read_ledger(operation="build_voice")) == 1
    second.stop()


def test_sandbox_does_not_start_with_a_folder_or_port_in_use(
    start_sandbox: StartSandbox, sandbox: SandboxProcess, folder: Path
) -> None:
    with pytest.raises(SandboxStartError, match="Another sandbox already uses"):
        start_sandbox(sandbox.folder)
    with pytest.raises(SandboxStartError, match=f"Cannot listen on 127.0.0.1:{sandbox.port}: Address already"):
        start_sandbox(folder, port=sandbox.port)


def test_sandbox_does_not_create_the_dashboard_data_folder(sandbox: SandboxProcess, account: SandboxAccount) -> None:
    account.create_voice()
    assert not (sandbox.folder / "dashboard").exists()


def test_undelivered_callback_is_due_work_until_its_voice_is_deleted(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    def count_due_work() -> int:
        return int(sandbox.call_control("GET", "work")["due"])

    poll_until(lambda: count_due_work() == 0)
    sandbox.set_faults({"operation": "callback", "do": "delay:3600"})
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *SLT_CLIPS[:3])
    account.build_voice(voice)
    assert count_due_work() == 1
    assert account.voices.delete(voice)["success"]
    assert count_due_work() == 0
