"""Faults, the ledger, the request log, and what a restart leaves as it was."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import SLT, Studio, base64_wav
from tests.support.sandbox import Listener, Sandbox, SandboxRefused, until
from tests.support.wav import sample_wav

Start = Callable[..., Sandbox]


def _create(studio: Studio, name: str, **more: Any) -> requests.Response:
    body = {"name": name, "consent": base64_wav(sample_wav("consent-slt")), "voice_type": "rapid"}
    return studio.call("POST", "voices", json=body | more)


def test_after_means_done_but_not_answered(studio: Studio, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "create_voice", "nth": 2, "phase": "after_commit", "do": "drop"})
    assert _create(studio, "first").status_code == 200
    with pytest.raises(requests.ConnectionError):
        _create(studio, "second")
    assert _create(studio, "third").status_code == 200
    assert [item["name"] for item in studio.voices.all(1)["items"]] == ["third", "second", "first"]
    billed = [line["name"] for line in sandbox.ledger(operation="create_voice", account=studio.hint)]
    assert billed == ["first", "second", "third"]


def test_before_means_not_done(studio: Studio, sandbox: Sandbox) -> None:
    sandbox.faults(
        {"operation": "create_voice", "nth": 1, "do": "drop"},
        {"operation": "create_voice", "nth": 2, "do": "status:503"},
        {"operation": "create_voice", "nth": 3, "do": "status:429", "retry_after": "7"},
        {"operation": "create_voice", "nth": 4, "do": "garbage"},
        {"operation": "create_voice", "nth": 5, "do": "truncate"},
    )
    with pytest.raises(requests.ConnectionError):
        _create(studio, "dropped")
    assert (_create(studio, "down").status_code, studio.voices.all(1)["items"]) == (503, [])
    limited = _create(studio, "limited")
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "7")
    assert limited.json()["success"] is False
    assert b"\xff" in _create(studio, "garbage").content
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        _create(studio, "half")
    assert studio.voices.all(1)["items"] == []
    assert sandbox.ledger(account=studio.hint) == []


@pytest.mark.parametrize("do", ["status:500", "garbage", "truncate"])
def test_every_lost_answer_leaves_the_state_committed(studio: Studio, sandbox: Sandbox, do: str) -> None:
    sandbox.faults({"operation": "create_voice", "phase": "after_commit", "do": do})
    try:
        answer = _create(studio, "done all the same")
        assert answer.status_code == 500 or b"\xff" in answer.content
    except requests.RequestException:
        assert do == "truncate"
    assert studio.voices.all(1)["total_results"] == 1


def test_a_delay_is_waited_out(studio: Studio, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "get_voice", "do": "delay:0.4"})
    voice = studio.voice()
    began = time.monotonic()
    assert studio.voices.get(voice)["success"] is True
    assert time.monotonic() - began >= 0.4


def test_a_hang_answers_nobody_and_blocks_nobody_else(studio: Studio, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "list_voices", "nth": 1, "do": "hang"})
    url, key = f"{sandbox.address}/resemble/api/v2/voices", {"Authorization": f"Bearer {studio.key}"}
    with pytest.raises(requests.ReadTimeout):
        requests.get(url, headers=key, timeout=0.3)
    assert studio.voices.all(1)["success"] is True


def test_a_list_that_lags_hides_what_is_new(studio: Studio, sandbox: Sandbox) -> None:
    studio.voice()
    sandbox.faults({"operation": "list_voices", "nth": 1, "do": "hide:60"})
    assert studio.voices.all(1)["items"] == []
    assert len(studio.voices.all(1)["items"]) == 1


def test_a_fault_for_every_operation(studio: Studio, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "*", "do": "status:502"})
    assert studio.call("GET", "voices").status_code == 502
    assert studio.call("DELETE", "voices/x").status_code == 502
    sandbox.control("DELETE", "faults")
    assert studio.call("GET", "voices").status_code == 200


def _finish(studio: Studio, listener: Listener) -> str:
    voice = studio.voice(callback_uri=f"{listener.address}/hook")
    studio.record_samples(voice, *SLT[:3])
    studio.build(voice)
    return voice


def test_a_callback_sent_three_times(studio: Studio, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "do": "duplicate:3"})
    voice = _finish(studio, listener)
    assert [listener.heard()["id"] for _ in range(3)] == [voice] * 3


def test_a_lost_callback(studio: Studio, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "nth": 1, "do": "lose"})
    _finish(studio, listener)
    second = _finish(studio, listener)
    assert listener.heard()["id"] == second
    with pytest.raises(Empty):
        listener.posted.get_nowait()


def test_a_broken_callback(studio: Studio, sandbox: Sandbox, listener: Listener) -> None:
    sandbox.faults({"operation": "callback", "do": "broken"})
    voice = _finish(studio, listener)
    kind, text = listener.posted.get(timeout=60)
    assert kind == "application/json"
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(text)
    assert voice in text


def test_a_callback_is_tried_again_until_somebody_answers(studio: Studio, sandbox: Sandbox, listener: Listener) -> None:
    address = listener.address
    listener.close()
    voice = studio.voice(callback_uri=f"{address}/hook")
    studio.record_samples(voice, *SLT[:3])
    studio.build(voice)
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


def test_the_ledger_tells_what_was_charged_to_whom(studio: Studio, sandbox: Sandbox) -> None:
    voice = studio.voice(name="Billed")
    studio.record_samples(voice, *SLT[:3])
    studio.build(voice)
    studio.voices.delete(voice)
    lines = sandbox.ledger(voice=voice)
    told = [(line["operation"], line["name"], line["charged"]) for line in lines]
    assert told == [("create_voice", "Billed", 200.0), ("build_voice", "Billed", 0.0), ("delete_voice", "Billed", 0.0)]
    assert {line["account"] for line in lines} == {studio.hint}


def test_the_log_has_every_request_and_no_key(studio: Studio, sandbox: Sandbox) -> None:
    before = sandbox.control("GET", "requests")["count"]
    studio.voices.all(1)
    requests.get(f"{sandbox.address}/nowhere?key={studio.key}", timeout=60)
    log = sandbox.control("GET", "requests")
    listed, nowhere, _ = log["requests"][-3:]
    assert log["count"] == before + 3
    assert (listed["method"], listed["path"], listed["operation"], listed["status"]) == (
        "GET",
        "/resemble/api/v2/voices",
        "list_voices",
        200,
    )
    assert listed["headers"]["Authorization"] == f"Token token=[{studio.hint}]"
    assert (nowhere["path"], nowhere["status"]) == ("/nowhere", 404)
    assert studio.key not in str(log)


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
    sandbox: Sandbox, studio: Studio, header: str, form: str
) -> None:
    sent = {header: form.format(studio.key), "X-Odd": f"around {studio.key}!", "Accept": "audio/wav"}
    requests.get(f"{sandbox.address}/nowhere", headers=sent, timeout=60)
    seen = {name.lower(): value for name, value in sandbox.requests()[-2]["headers"].items()}
    assert seen[header.lower()] == form.format(f"[{studio.hint}]")
    assert (seen["x-odd"], seen["accept"]) == (f"around [{studio.hint}]!", "audio/wav")


def test_no_key_is_written_anywhere(start: Start, folder: Path) -> None:
    sandbox = start(folder)
    studio = Studio(sandbox.address)
    sandbox.control("POST", "chaos", {"share": 0})
    voice = _finish_without_callback(studio)
    studio.call("GET", "voices", headers={"X-Access-Token": studio.key, "x-api-key": studio.key})
    sound = studio.recordings.all(voice, 1)["items"][0]["audio_src"]
    (folder / "audio").rename(folder / "gone")
    assert requests.get(sound, headers={"x-api-key": studio.key}, timeout=60).status_code == 500
    told = json.dumps([sandbox.ledger(), sandbox.requests()])
    sandbox.stop()
    assert studio.hint in told
    assert studio.key not in told
    assert "Chaos with seed" in sandbox.said
    assert "FileNotFoundError" in sandbox.said
    assert studio.key not in sandbox.said
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.name == "sandbox.sqlite3" for path in files)
    assert not [path for path in files if studio.key.encode() in path.read_bytes()]


def _finish_without_callback(studio: Studio) -> str:
    voice = studio.voice()
    studio.record_samples(voice, *SLT[:3])
    assert studio.build(voice)["status"] == "finished"
    return voice


def test_a_restart_keeps_everything(start: Start, folder: Path) -> None:
    first = start(folder)
    studio = Studio(first.address)
    voice = _finish_without_callback(studio)
    before = (studio.voices.get(voice), first.ledger())
    sounds = [item["uuid"] for item in studio.recordings.all(voice, 1)["items"]]
    first.kill()
    second = start(folder)
    again = Studio(second.address, studio.key)
    assert (again.voices.get(voice), second.ledger()) == before
    assert [item["uuid"] for item in again.recordings.all(voice, 1)["items"]] == sounds
    assert again.clips.create_direct("project", voice, "Still there.")["success"] is True
    assert second.stop() == 0


def test_a_training_goes_on_after_a_kill_and_calls_back(start: Start, folder: Path, listener: Listener) -> None:
    first = start(folder, training_seconds=600.0)
    studio = Studio(first.address)
    voice = studio.voice(callback_uri=f"{listener.address}/hook")
    studio.record_samples(voice, *SLT[:3])
    studio.voices.build(voice)
    until(lambda: studio.voices.get(voice)["item"]["status"] == "running")
    first.kill()
    second = start(folder)
    second.forward(600)
    assert listener.heard()["id"] == voice
    assert Studio(second.address, studio.key).ended(voice)["status"] == "finished"
    assert len(second.ledger(operation="build_voice")) == 1
    second.stop()


def test_a_folder_or_a_port_in_use_is_said_plainly(start: Start, sandbox: Sandbox, folder: Path) -> None:
    with pytest.raises(SandboxRefused, match="another sandbox already works in"):
        start(sandbox.folder)
    with pytest.raises(SandboxRefused, match=f"Cannot listen on 127.0.0.1:{sandbox.port}: Address already"):
        start(folder, port=sandbox.port)


def test_the_dashboards_database_is_not_touched(sandbox: Sandbox, studio: Studio) -> None:
    studio.voice()
    assert not (sandbox.folder / "dashboard").exists()


def test_work_is_due_until_its_callback_was_taken(studio: Studio, sandbox: Sandbox, listener: Listener) -> None:
    def due() -> int:
        return int(sandbox.control("GET", "work")["due"])

    until(lambda: due() == 0)
    sandbox.faults({"operation": "callback", "do": "delay:3600"})
    voice = studio.voice(callback_uri=f"{listener.address}/hook")
    studio.record_samples(voice, *SLT[:3])
    studio.build(voice)
    assert due() == 1
    assert studio.voices.delete(voice)["success"]
    assert due() == 0
