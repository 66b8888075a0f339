"""Every fault action of the sandbox: what the client receives, and whether the sandbox executes the call."""

import json
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount, encode_base64
from tests.support.sandbox import TIMEOUT_SECONDS, CallbackServer, SandboxProcess, poll_until
from tests.support.wav import load_sample_wav

StartSandbox = Callable[..., SandboxProcess]
MEBIBYTE = 1 << 20


def _list_voices(account: SandboxAccount, **options: Any) -> requests.Response:
    return account.call_api("GET", "voices?page=1", **options)


def _create_voice(account: SandboxAccount) -> requests.Response:
    return account.call_api(
        "POST", "voices", json={"name": "n", "consent": encode_base64(load_sample_wav("consent-slt"))}
    )


@contextmanager
def _open_connection(account: SandboxAccount, head: str, *headers: str) -> Iterator[socket.socket]:
    """Open a raw connection and send the request line and the headers."""
    lines = [f"{head} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {account.key}", *headers]
    with socket.create_connection(
        ("127.0.0.1", int(account.address.rsplit(":", 1)[1])), timeout=TIMEOUT_SECONDS
    ) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        yield connection


def test_drop_closes_the_connection_and_reset_resets_it(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.set_faults(
        {"operation": "list_voices", "do": "drop", "nth": 1}, {"operation": "list_voices", "do": "reset", "nth": 2}
    )
    with _open_connection(account, "GET /resemble/api/v2/voices") as connection:
        assert connection.recv(1) == b""
    with _open_connection(account, "GET /resemble/api/v2/voices") as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)
    assert _list_voices(account).status_code == 200


@pytest.mark.parametrize("do", ["drop", "reset", "status:413"])
def test_during_body_fault_acts_after_half_the_body_and_before_the_call(
    account: SandboxAccount, sandbox: SandboxProcess, do: str
) -> None:
    sandbox.set_faults({"operation": "create_voice", "phase": "during_body", "do": do})
    body = json.dumps({"name": "half", "consent": encode_base64(load_sample_wav("consent-slt"))}).encode()
    half = len(body) // 2
    sizes = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    with _open_connection(account, "POST /resemble/api/v2/voices", *sizes) as connection:
        connection.sendall(body[: half - 1])
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(TIMEOUT_SECONDS)
        connection.sendall(body[half - 1 : half])
        if do == "reset":
            with pytest.raises(ConnectionResetError):
                connection.recv(1)
        else:
            assert connection.recv(12) == {"drop": b"", "status:413": b"HTTP/1.1 413"}[do]
    sandbox.set_faults()
    assert account.voices.all(1)["items"] == []
    assert sandbox.read_ledger(account=account.key_digest) == []


def test_trickle_sends_the_unchanged_response_byte_by_byte(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    original = _list_voices(account).content
    sandbox.set_faults({"operation": "list_voices", "phase": "after_commit", "do": "trickle:0.01"})
    with _open_connection(account, "GET /resemble/api/v2/voices?page=1", "Connection: close") as connection:
        pieces = list(iter(lambda: connection.recv(4096), b""))
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    assert b"application/json" in head
    assert body == original
    assert len(pieces) > len(original) / 2


@pytest.mark.parametrize(
    ("do", "content_type", "prefix"),
    [("garbage", "application/json", b'{"item": \xff'), ("html", "text/html; charset=utf-8", b"<html>")],
)
@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
def test_garbage_and_html_replace_the_response(
    account: SandboxAccount, sandbox: SandboxProcess, do: str, content_type: str, prefix: bytes, phase: str
) -> None:
    sandbox.set_faults({"operation": "create_voice", "phase": phase, "do": do})
    response = _create_voice(account)
    assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
    assert response.content.startswith(prefix)
    assert len(account.voices.all(1)["items"]) == (phase == "after_commit")


def test_huge_response_is_valid_json_of_at_least_60_mib(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "list_voices", "do": "huge"})
    response = _list_voices(account)
    assert len(response.content) == int(response.headers["Content-Length"]) >= 60 * MEBIBYTE
    assert response.json()["success"] is True


def test_endless_response_has_no_length_and_continues(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "list_voices", "do": "endless", "nth": 1})
    with _list_voices(account, stream=True) as response:
        assert "Content-Length" not in response.headers
        assert _read_up_to(response, 8 * MEBIBYTE) >= 8 * MEBIBYTE
    assert _list_voices(account).json()["success"] is True


def test_gzip_bomb_is_small_until_it_is_decompressed(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "list_voices", "do": "gzip_bomb"})
    with _list_voices(account, stream=True) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert int(response.headers["Content-Length"]) < 2 * MEBIBYTE
        assert _read_up_to(response, 200 * MEBIBYTE) >= 200 * MEBIBYTE


def _read_up_to(response: requests.Response, byte_limit: int) -> int:
    """Read until `byte_limit` bytes or the end is reached. Return the number of bytes read."""
    total = 0
    for block in response.iter_content(MEBIBYTE):
        total += len(block)
        if total >= byte_limit:
            break
    return total


def test_hanging_and_endless_responses_end_with_the_sandbox(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    account = SandboxAccount(sandbox.address)
    sandbox.set_faults(
        {"operation": "list_voices", "do": "hang"},
        {"operation": "get_voice", "do": "endless"},
        {"operation": "delete_voice", "do": "trickle:100"},
        {"operation": "update_voice", "do": "delay:100"},
    )
    calls = [("GET", "voices"), ("GET", "voices/x"), ("DELETE", "voices/x"), ("PUT", "voices/x")]

    def send_call(call: tuple[str, str]) -> int:
        try:
            return account.call_api(*call, json={}).status_code
        except requests.RequestException:
            return 0

    with ThreadPoolExecutor(len(calls)) as pool:
        responses = [pool.submit(send_call, call) for call in calls]
        poll_until(
            lambda: len({entry["operation"] for entry in sandbox.list_requests() if entry["operation"]}) == len(calls)
        )
        assert not any(response.done() for response in responses)
        assert sandbox.stop() == 0
        assert [response.result(TIMEOUT_SECONDS) for response in responses[:3]] == [0, 200, 0], (
            "an endless response announces no length, so its end is no error"
        )


def test_redirect_has_the_location_of_the_rule(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "list_voices", "do": "redirect", "to": "http://127.0.0.2:9/elsewhere"})
    response = _list_voices(account, allow_redirects=False)
    assert (response.status_code, response.headers["Location"]) == (302, "http://127.0.0.2:9/elsewhere")


def test_response_with_wrong_types_is_valid_json(account: SandboxAccount, sandbox: SandboxProcess) -> None:
    voice = account.create_voice()
    original = account.call_api("GET", f"voices/{voice}").json()
    for phase, do, altered in (
        ("before_commit", "wrong_type", [{"success": True, "item": {}}]),
        ("after_commit", "wrong_type", [original]),
    ):
        sandbox.set_faults({"operation": "get_voice", "do": do, "phase": phase})
        assert account.call_api("GET", f"voices/{voice}").json() == altered
    sandbox.set_faults({"operation": "get_voice", "do": "wrong_type:2", "phase": "after_commit"})
    altered = account.call_api("GET", f"voices/{voice}").json()
    assert altered.keys() == original.keys()
    assert altered["success"] == "True"
    assert altered["item"].keys() == original["item"].keys()
    assert all(type(value) is not type(original["item"][name]) for name, value in _list_scalars(altered["item"]))


def _list_scalars(item: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in item.items() if not isinstance(value, dict | list)]


def test_ignored_call_gets_a_success_response_and_is_not_executed(
    account: SandboxAccount, sandbox: SandboxProcess
) -> None:
    voice = account.create_voice()
    recording = account.upload_recording(voice, load_sample_wav(SLT_CLIPS[0]), "one")
    audio_url = account.recordings.get(voice, recording)["item"]["audio_src"]
    before = sandbox.read_ledger(account=account.key_digest)
    ignored = ("delete_voice", "delete_recording", "create_voice", "update_voice")
    sandbox.set_faults(*({"operation": name, "do": "ignore", "nth": 1} for name in ignored))
    assert account.call_api("DELETE", f"voices/{voice}").json()["success"] is True
    assert account.call_api("DELETE", f"voices/{voice}/recordings/{recording}").json()["success"] is True
    assert account.call_api("PUT", f"voices/{voice}", json={"name": "new"}).json()["item"]["name"] == "new"
    assert _create_voice(account).json()["item"]["uuid"]
    assert [(item["uuid"], item["name"]) for item in account.voices.all(1)["items"]] == [(voice, "Demo")]
    assert requests.get(audio_url, timeout=60).content == load_sample_wav(SLT_CLIPS[0])
    assert sandbox.read_ledger(account=account.key_digest) == before
    assert account.call_api("DELETE", f"voices/{voice}").json()["success"] is True
    assert account.voices.all(1)["items"] == []
    assert requests.get(audio_url, timeout=60).status_code == 404


@pytest.mark.parametrize(
    "rule",
    [
        {"operation": "list_voices", "do": "redirect"},
        {"operation": "list_voices", "do": "redirect", "to": "ftp://elsewhere"},
        {"operation": "list_voices", "do": "garbage", "phase": "during_body"},
        {"operation": "list_voices", "do": "lose"},
        {"operation": "callback", "do": "truncate"},
        {"operation": "*", "do": "early"},
        {"operation": "list_voices", "do": "drop", "nth": True},
        {"operation": "list_vioces", "do": "drop"},
    ],
)
def test_rule_that_cannot_apply_is_refused(sandbox: SandboxProcess, rule: dict[str, object]) -> None:
    response = requests.post(f"{sandbox.address}/__control/faults", json={"rules": [rule]}, timeout=60)
    assert response.status_code == 400
    assert sandbox.call_control("GET", "faults")["rules"] == []


# --- callbacks --------------------------------------------------------------------------------------------


def _start_build(account: SandboxAccount, listener: CallbackServer, *samples: str) -> str:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *samples)
    assert account.voices.build(voice)["success"]
    return voice


def test_reordered_callback_arrives_after_the_next_callback(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.set_faults({"operation": "callback", "do": "reorder"})
    first = _start_build(account, listener, *SLT_CLIPS[:3])
    account.wait_for_end(first)
    second = _start_build(account, listener, *SLT_CLIPS[:3])
    assert [listener.wait_for_callback()["id"], listener.wait_for_callback()["id"]] == [second, first]
    poll_until(lambda: sandbox.call_control("GET", "work")["due"] == 0)


def test_early_callback_reports_finished_during_training(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 2400})
    sandbox.set_faults({"operation": "callback", "do": "early", "nth": 1})
    voice = _start_build(account, listener, *SLT_CLIPS[:2], "rms-silent")
    early = listener.wait_for_callback()
    assert (early["id"], early["status"], early["ok"]) == (voice, "finished", True)
    assert account.voices.get(voice)["item"]["status"] == "running"
    sandbox.forward_clock(2400)
    real = listener.wait_for_callback()
    assert (real["id"], real["status"], real["ok"]) == (voice, "dataset_issue", False)


def test_forged_callback_arrives_before_the_real_one(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.set_faults({"operation": "callback", "do": "forge"})
    voice = _start_build(account, listener, *SLT_CLIPS[:2], "rms-silent")
    forged, real = listener.wait_for_callback(), listener.wait_for_callback()
    assert forged["status"] == "finished"
    assert forged["id"] != voice
    assert (real["id"], real["status"]) == (voice, "dataset_issue")


def test_oversize_callback_is_valid_json(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.set_faults({"operation": "callback", "do": "oversize"})
    voice = _start_build(account, listener, *SLT_CLIPS[:3])
    _, body = listener.callbacks.get(timeout=TIMEOUT_SECONDS)
    assert len(body) > 64 * 1024
    assert json.loads(body)["id"] == voice


def test_delayed_callback_arrives_when_the_clock_is_forwarded(
    account: SandboxAccount, sandbox: SandboxProcess, listener: CallbackServer
) -> None:
    sandbox.set_faults({"operation": "callback", "do": "delay:3600"})
    voice = _start_build(account, listener, *SLT_CLIPS[:3])
    account.wait_for_end(voice)
    assert listener.callbacks.empty()
    poll_until(lambda: sandbox.call_control("GET", "work")["due"] == 1)
    sandbox.forward_clock(3600)
    assert listener.wait_for_callback()["id"] == voice
