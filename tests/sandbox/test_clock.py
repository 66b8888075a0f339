"""The sandbox's clock: forty minutes pass at once, and a restart keeps what is due and how late it is."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests

from sandbox import clock, store, training
from sandbox.context import House
from sandbox.resemble_v2 import rows
from sandbox.store import Kept, Store
from sandbox.training import Training
from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount
from tests.support.sandbox import Listener, Sandbox, until

StartSandbox = Callable[..., Sandbox]
FORTY_MINUTES = 2400


def _training(account: SandboxAccount, **more: Any) -> str:
    voice = account.create_voice(**more)
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.voices.build(voice)["success"]
    return voice


def _status(account: SandboxAccount, voice: str) -> str:
    return str(account.voices.get(voice)["item"]["status"])


def test_forty_minutes_of_training_pass_at_once(start_sandbox: StartSandbox, folder: Path, listener: Listener) -> None:
    sandbox = start_sandbox(folder, training_seconds=FORTY_MINUTES)
    account = SandboxAccount(sandbox.address)
    voice = _training(account, callback_uri=f"{listener.address}/hook")
    sandbox.forward(FORTY_MINUTES - 600)
    assert (_status(account, voice), sandbox.control("GET", "work")["due"]) == ("running", 0)
    sandbox.forward(600)
    assert listener.heard() == {"ok": True, "id": voice, "status": "finished", "recordings": [], "issue": None}
    item = account.voices.get(voice)["item"]
    assert item["updated_at"] > item["created_at"]
    assert item["updated_at"][:13] == sandbox.control("GET", "clock")["now"][:13], "stamped by the pushed clock"
    sandbox.stop()


def test_a_training_comes_due_while_the_sandbox_is_dead(start_sandbox: StartSandbox, folder: Path) -> None:
    first = start_sandbox(folder, training_seconds=FORTY_MINUTES)
    account = SandboxAccount(first.address)
    voice = _training(account)
    assert first.forward(600)["ahead"] == 600
    until(lambda: _status(account, voice) == "running")
    first.kill()
    second = start_sandbox(folder, training_seconds=FORTY_MINUTES)
    assert second.control("GET", "clock")["ahead"] == 600, "else what was due in half an hour is due in forty minutes"
    again = SandboxAccount(second.address, account.key)
    assert _status(again, voice) == "running"
    second.forward(FORTY_MINUTES - 600)
    assert again.wait_for_end(voice)["status"] == "finished"
    second.kill()
    third = start_sandbox(folder)
    assert _status(SandboxAccount(third.address, account.key), voice) == "finished"
    assert third.control("GET", "work")["due"] == 0
    third.stop()


def test_a_lag_is_over_when_the_clock_says_so(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    account = SandboxAccount(sandbox.address)
    account.create_voice()
    sandbox.faults({"operation": "list_voices", "do": "hide:60"})
    assert account.voices.all(1)["items"] == []
    sandbox.forward(61)
    assert len(account.voices.all(1)["items"]) == 1
    sandbox.stop()


@pytest.mark.parametrize("forward", [-1, True, "60", None, 1e12])
def test_a_push_is_a_number_of_seconds(sandbox: Sandbox, forward: object) -> None:
    before = sandbox.control("GET", "clock")["ahead"]
    answer = requests.post(f"{sandbox.address}/__control/clock", json={"forward": forward}, timeout=60)
    assert answer.status_code == 400
    assert sandbox.control("GET", "clock")["ahead"] == before


# --- the shelf and its trainings, as a vendor's package uses them ----------------------------------------


def _opened(folder: Path) -> House:
    return House(Store(folder, store.SCHEMA + rows.SCHEMA))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house without a server; the clock of this process is set right again."""
    house = _opened(tmp_path / "house")
    yield house
    house.closing.set()
    house.store.close()
    clock.start(0)


def _kept(**more: Any) -> Kept:
    return Kept(vendor="nobody", id="v1", account="hint", name="n", status="training", **more)


def _put(house: House, kept: Kept) -> None:
    with house.store.transaction() as db:
        store.put(db, kept)


def _get(house: House, id: str = "v1") -> Kept | None:
    with house.store.transaction() as db:
        return store.get(db, "nobody", id)


def test_what_is_kept_comes_back_as_it_was(house: House) -> None:
    kept = _kept(details={"files": ["a", "ü"], "public": False}, ready_at=12.5, callback_due=True, kind="file")
    _put(house, kept)
    _put(house, replace(_kept(), id="v0"))
    assert _get(house) == kept
    with house.store.transaction() as db:
        assert store.unfinished(db) == [kept]
        assert [one.id for one in store.all_of(db, "nobody", "hint")] == ["v0"]
        assert [one.id for one in store.all_of(db, "nobody", "hint", "file")] == ["v1"]
        assert store.all_of(db, "nobody", "other") == store.all_of(db, "other", "hint") == []
        store.remove(db, "nobody", "v1")
    assert _get(house) is None


def test_a_change_keeps_the_place_in_the_list(house: House) -> None:
    for id in ("a", "b"):
        _put(house, replace(_kept(), id=id))
    _put(house, replace(_kept(), id="a", status="done"))
    with house.store.transaction() as db:
        assert [(one.id, one.status) for one in store.all_of(db, "nobody", "hint")] == [
            ("a", "done"),
            ("b", "training"),
        ]


def _ends(_house: House, kept: Kept) -> Kept:
    return replace(kept, status="done", details=kept.details | {"score": 0.5})


def test_a_training_ends_by_the_clock_and_keeps_what_was_changed_meanwhile(house: House) -> None:
    training.register("nobody", "voice", Training(_ends))
    _put(house, _kept(ready_at=clock.now() + FORTY_MINUTES, details={"public": False}))
    training.start(house, "nobody", "v1")
    assert training.due(house) == 0
    _put(house, replace(_get(house) or _kept(), name="renamed", details={"public": True}))
    clock.forward(FORTY_MINUTES)
    until(lambda: training.due(house) == 0 and (_get(house) or _kept()).status == "done")
    ended = _get(house)
    assert ended
    assert (ended.name, ended.details, ended.ready_at) == ("renamed", {"public": True, "score": 0.5}, None)


def test_a_training_begun_anew_ends_once_and_at_its_new_time(house: House) -> None:
    ended: list[float | None] = []

    def counted(_house: House, kept: Kept) -> Kept:
        ended.append(kept.ready_at)
        return _ends(house, kept)

    training.register("nobody", "voice", Training(counted))
    later = clock.now() + FORTY_MINUTES
    for ready_at in (later - 600, later):
        _put(house, _kept(ready_at=ready_at))
        training.start(house, "nobody", "v1")
    clock.forward(FORTY_MINUTES)
    until(lambda: (_get(house) or _kept()).status == "done")
    assert ended == [later]


def test_a_deleted_thing_is_not_brought_back_by_its_training(house: House) -> None:
    heard = Event()

    def deleting(house: House, kept: Kept) -> Kept:
        with house.store.transaction() as db:
            store.remove(db, "nobody", kept.id)
        heard.set()
        return _ends(house, kept)

    training.register("nobody", "voice", Training(deleting))
    _put(house, _kept(ready_at=clock.now()))
    training.start(house, "nobody", "v1")
    assert heard.wait(60)
    with training.ONE_AT_A_TIME:  # it is through
        assert _get(house) is None


def test_what_is_on_the_shelf_goes_on_after_a_restart_and_calls_back(tmp_path: Path, listener: Listener) -> None:
    def callback(kept: Kept) -> tuple[str, dict[str, Any]] | None:
        return f"{listener.address}/hook", {"id": kept.id, "status": kept.status}

    training.register("nobody", "voice", Training(_ends, callback))
    first = _opened(tmp_path)
    _put(first, _kept(ready_at=clock.now()))
    first.closing.set()
    training.start(first, "nobody", "v1")
    first.store.close()
    second = _opened(tmp_path)
    try:
        training.resume(second)
        assert listener.heard() == {"id": "v1", "status": "done"}
        until(lambda: training.due(second) == 0)
        assert (_get(second) or _kept()).callback_due is False
    finally:
        second.closing.set()
        second.store.close()
