"""Every way in which the sandbox can be told to misbehave: what comes over the line, and what was done all the same."""

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
from tests.support.sandbox import PATIENCE, Listener, Sandbox, until
from tests.support.wav import sample_wav

StartSandbox = Callable[..., Sandbox]
MEBIBYTE = 1 << 20


def _list(account: SandboxAccount, **more: Any) -> requests.Response:
    return account.call_api("GET", "voices?page=1", **more)


def _create(account: SandboxAccount) -> requests.Response:
    return account.call_api("POST", "voices", json={"name": "n", "consent": encode_base64(sample_wav("consent-slt"))})


@contextmanager
def _line(account: SandboxAccount, head: str, *headers: str) -> Iterator[socket.socket]:
    """A bare connection on which this much of a request was sent."""
    lines = [f"{head} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {account.key}", *headers]
    with socket.create_connection(("127.0.0.1", int(account.address.rsplit(":", 1)[1])), timeout=PATIENCE) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        yield line


def test_a_reset_is_another_end_than_a_drop(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults(
        {"operation": "list_voices", "do": "drop", "nth": 1}, {"operation": "list_voices", "do": "reset", "nth": 2}
    )
    with _line(account, "GET /resemble/api/v2/voices") as line:
        assert line.recv(1) == b""
    with _line(account, "GET /resemble/api/v2/voices") as line, pytest.raises(ConnectionResetError):
        line.recv(1)
    assert _list(account).status_code == 200


@pytest.mark.parametrize("do", ["drop", "reset", "status:413"])
def test_during_the_body_means_after_half_of_it_and_nothing_done(
    account: SandboxAccount, sandbox: Sandbox, do: str
) -> None:
    sandbox.faults({"operation": "create_voice", "phase": "during_body", "do": do})
    body = json.dumps({"name": "half", "consent": encode_base64(sample_wav("consent-slt"))}).encode()
    half = len(body) // 2
    sizes = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    with _line(account, "POST /resemble/api/v2/voices", *sizes) as line:
        line.sendall(body[: half - 1])
        line.settimeout(0.3)
        with pytest.raises(TimeoutError):
            line.recv(1)
        line.settimeout(PATIENCE)
        line.sendall(body[half - 1 : half])
        if do == "reset":
            with pytest.raises(ConnectionResetError):
                line.recv(1)
        else:
            assert line.recv(12) == {"drop": b"", "status:413": b"HTTP/1.1 413"}[do]
    sandbox.faults()
    assert account.voices.all(1)["items"] == []
    assert sandbox.ledger(account=account.key_digest) == []


def test_a_trickle_is_the_right_answer_a_byte_at_a_time(account: SandboxAccount, sandbox: Sandbox) -> None:
    right = _list(account).content
    sandbox.faults({"operation": "list_voices", "phase": "after_commit", "do": "trickle:0.01"})
    with _line(account, "GET /resemble/api/v2/voices?page=1", "Connection: close") as line:
        pieces = list(iter(lambda: line.recv(4096), b""))
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    assert b"application/json" in head
    assert body == right
    assert len(pieces) > len(right) / 2


@pytest.mark.parametrize(
    ("do", "content_type", "prefix"),
    [("garbage", "application/json", b'{"item": \xff'), ("html", "text/html; charset=utf-8", b"<html>")],
)
@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
def test_an_answer_that_is_none(
    account: SandboxAccount, sandbox: Sandbox, do: str, content_type: str, prefix: bytes, phase: str
) -> None:
    sandbox.faults({"operation": "create_voice", "phase": phase, "do": do})
    answer = _create(account)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.content.startswith(prefix)
    assert len(account.voices.all(1)["items"]) == (phase == "after_commit")


def test_a_huge_answer_is_valid_and_larger_than_any_sound(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "list_voices", "do": "huge"})
    answer = _list(account)
    assert len(answer.content) == int(answer.headers["Content-Length"]) >= 60 * MEBIBYTE
    assert answer.json()["success"] is True


def test_an_endless_answer_does_not_end(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "list_voices", "do": "endless", "nth": 1})
    with _list(account, stream=True) as answer:
        assert "Content-Length" not in answer.headers
        assert _pulled(answer, 8 * MEBIBYTE) >= 8 * MEBIBYTE
    assert _list(account).json()["success"] is True


def test_a_bomb_is_small_until_it_is_unpacked(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "list_voices", "do": "gzip_bomb"})
    with _list(account, stream=True) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert int(answer.headers["Content-Length"]) < 2 * MEBIBYTE
        assert _pulled(answer, 200 * MEBIBYTE) >= 200 * MEBIBYTE


def _pulled(answer: requests.Response, enough: int) -> int:
    """How many bytes came, until there were enough."""
    total = 0
    for block in answer.iter_content(MEBIBYTE):
        total += len(block)
        if total >= enough:
            break
    return total


def test_hanging_and_endless_answers_end_with_the_sandbox(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    account = SandboxAccount(sandbox.address)
    sandbox.faults(
        {"operation": "list_voices", "do": "hang"},
        {"operation": "get_voice", "do": "endless"},
        {"operation": "delete_voice", "do": "trickle:100"},
        {"operation": "update_voice", "do": "delay:100"},
    )
    calls = [("GET", "voices"), ("GET", "voices/x"), ("DELETE", "voices/x"), ("PUT", "voices/x")]

    def attempt(call: tuple[str, str]) -> int:
        try:
            return account.call_api(*call, json={}).status_code
        except requests.RequestException:
            return 0

    with ThreadPoolExecutor(len(calls)) as pool:
        answers = [pool.submit(attempt, call) for call in calls]
        until(lambda: len({seen["operation"] for seen in sandbox.requests() if seen["operation"]}) == len(calls))
        assert not any(answer.done() for answer in answers)
        assert sandbox.stop() == 0
        assert [answer.result(PATIENCE) for answer in answers[:3]] == [0, 200, 0], (
            "endless has no length to fall short of"
        )


def test_a_redirect_leads_where_the_rule_says(account: SandboxAccount, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "list_voices", "do": "redirect", "to": "http://127.0.0.2:9/elsewhere"})
    answer = _list(account, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://127.0.0.2:9/elsewhere")


def test_wrong_types_are_valid_json(account: SandboxAccount, sandbox: Sandbox) -> None:
    voice = account.create_voice()
    right = account.call_api("GET", f"voices/{voice}").json()
    for phase, do, wrong in (
        ("before_commit", "wrong_type", [{"success": True, "item": {}}]),
        ("after_commit", "wrong_type", [right]),
    ):
        sandbox.faults({"operation": "get_voice", "do": do, "phase": phase})
        assert account.call_api("GET", f"voices/{voice}").json() == wrong
    sandbox.faults({"operation": "get_voice", "do": "wrong_type:2", "phase": "after_commit"})
    wrong = account.call_api("GET", f"voices/{voice}").json()
    assert wrong.keys() == right.keys()
    assert wrong["success"] == "True"
    assert wrong["item"].keys() == right["item"].keys()
    assert all(type(value) is not type(right["item"][name]) for name, value in _leaves(wrong["item"]))


def _leaves(item: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in item.items() if not isinstance(value, dict | list)]


def test_what_is_ignored_is_answered_and_not_done(account: SandboxAccount, sandbox: Sandbox) -> None:
    voice = account.create_voice()
    recording = account.upload_recording(voice, sample_wav(SLT_CLIPS[0]), "one")
    sound = account.recordings.get(voice, recording)["item"]["audio_src"]
    before = sandbox.ledger(account=account.key_digest)
    ignored = ("delete_voice", "delete_recording", "create_voice", "update_voice")
    sandbox.faults(*({"operation": name, "do": "ignore", "nth": 1} for name in ignored))
    assert account.call_api("DELETE", f"voices/{voice}").json()["success"] is True
    assert account.call_api("DELETE", f"voices/{voice}/recordings/{recording}").json()["success"] is True
    assert account.call_api("PUT", f"voices/{voice}", json={"name": "new"}).json()["item"]["name"] == "new"
    assert _create(account).json()["item"]["uuid"]
    assert [(item["uuid"], item["name"]) for item in account.voices.all(1)["items"]] == [(voice, "Demo")]
    assert requests.get(sound, timeout=60).content == sample_wav(SLT_CLIPS[0])
    assert sandbox.ledger(account=account.key_digest) == before
    assert account.call_api("DELETE", f"voices/{voice}").json()["success"] is True
    assert account.voices.all(1)["items"] == []
    assert requests.get(sound, timeout=60).status_code == 404


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
def test_what_cannot_happen_is_no_rule(sandbox: Sandbox, rule: dict[str, object]) -> None:
    answer = requests.post(f"{sandbox.address}/__control/faults", json={"rules": [rule]}, timeout=60)
    assert answer.status_code == 400
    assert sandbox.control("GET", "faults")["rules"] == []


# --- callbacks --------------------------------------------------------------------------------------------


def _begin(account: SandboxAccount, listener: Listener, *samples: str) -> str:
    voice = account.create_voice(callback_uri=f"{listener.address}/hook")
    account.upload_samples(voice, *samples)
    assert account.voices.build(voice)["success"]
    return voice


def test_a_callback_is_overtaken_by_the_next(account: SandboxAccount, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "do": "reorder"})
    first = _begin(account, listener, *SLT_CLIPS[:3])
    account.wait_for_end(first)
    second = _begin(account, listener, *SLT_CLIPS[:3])
    assert [listener.heard()["id"], listener.heard()["id"]] == [second, first]
    until(lambda: sandbox.control("GET", "work")["due"] == 0)


def test_an_early_callback_says_finished_of_what_is_not(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 2400})
    sandbox.faults({"operation": "callback", "do": "early", "nth": 1})
    voice = _begin(account, listener, *SLT_CLIPS[:2], "rms-silent")
    early = listener.heard()
    assert (early["id"], early["status"], early["ok"]) == (voice, "finished", True)
    assert account.voices.get(voice)["item"]["status"] == "running"
    sandbox.forward(2400)
    true = listener.heard()
    assert (true["id"], true["status"], true["ok"]) == (voice, "dataset_issue", False)


def test_a_forged_callback_comes_before_the_true_one(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.faults({"operation": "callback", "do": "forge"})
    voice = _begin(account, listener, *SLT_CLIPS[:2], "rms-silent")
    forged, true = listener.heard(), listener.heard()
    assert forged["status"] == "finished"
    assert forged["id"] != voice
    assert (true["id"], true["status"]) == (voice, "dataset_issue")


def test_an_oversize_callback_is_valid(account: SandboxAccount, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "do": "oversize"})
    voice = _begin(account, listener, *SLT_CLIPS[:3])
    _, text = listener.posted.get(timeout=PATIENCE)
    assert len(text) > 64 * 1024
    assert json.loads(text)["id"] == voice


def test_a_late_callback_comes_when_the_clock_says_so(
    account: SandboxAccount, sandbox: Sandbox, listener: Listener
) -> None:
    sandbox.faults({"operation": "callback", "do": "delay:3600"})
    voice = _begin(account, listener, *SLT_CLIPS[:3])
    account.wait_for_end(voice)
    assert listener.posted.empty()
    until(lambda: sandbox.control("GET", "work")["due"] == 1)
    sandbox.forward(3600)
    assert listener.heard()["id"] == voice
