"""The sandbox's clock: a test can forward it, and a restart keeps its offset and the work that is due."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests

from sandbox import clock, store, training
from sandbox.context import SandboxContext
from sandbox.resemble_v2 import rows
from sandbox.store import Store, StoredObject
from sandbox.training import Training
from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount
from tests.support.sandbox import CallbackServer, SandboxProcess, poll_until

StartSandbox = Callable[..., SandboxProcess]
FORTY_MINUTES = 2400


def _start_training(account: SandboxAccount, **options: Any) -> str:
    voice = account.create_voice(**options)
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.voices.build(voice)["success"]
    return voice


def _fetch_status(account: SandboxAccount, voice: str) -> str:
    return str(account.voices.get(voice)["item"]["status"])


def test_training_of_forty_minutes_ends_when_the_clock_is_forwarded(
    start_sandbox: StartSandbox, folder: Path, listener: CallbackServer
) -> None:
    sandbox = start_sandbox(folder, training_seconds=FORTY_MINUTES)
    account = SandboxAccount(sandbox.address)
    voice = _start_training(account, callback_uri=f"{listener.address}/hook")
    sandbox.forward_clock(FORTY_MINUTES - 600)
    assert (_fetch_status(account, voice), sandbox.call_control("GET", "work")["due"]) == ("running", 0)
    sandbox.forward_clock(600)
    assert listener.wait_for_callback() == {
        "ok": True,
        "id": voice,
        "status": "finished",
        "recordings": [],
        "issue": None,
    }
    item = account.voices.get(voice)["item"]
    assert item["updated_at"] > item["created_at"]
    assert item["updated_at"][:13] == sandbox.call_control("GET", "clock")["now"][:13], (
        "the time is that of the forwarded clock"
    )
    sandbox.stop()


def test_training_becomes_due_while_the_sandbox_is_stopped(start_sandbox: StartSandbox, folder: Path) -> None:
    first = start_sandbox(folder, training_seconds=FORTY_MINUTES)
    account = SandboxAccount(first.address)
    voice = _start_training(account)
    assert first.forward_clock(600)["ahead"] == 600
    poll_until(lambda: _fetch_status(account, voice) == "running")
    first.kill()
    second = start_sandbox(folder, training_seconds=FORTY_MINUTES)
    assert second.call_control("GET", "clock")["ahead"] == 600, (
        "without the offset, the training would be due in 40 minutes instead of 30"
    )
    same_account = SandboxAccount(second.address, account.key)
    assert _fetch_status(same_account, voice) == "running"
    second.forward_clock(FORTY_MINUTES - 600)
    assert same_account.wait_for_end(voice)["status"] == "finished"
    second.kill()
    third = start_sandbox(folder)
    assert _fetch_status(SandboxAccount(third.address, account.key), voice) == "finished"
    assert third.call_control("GET", "work")["due"] == 0
    third.stop()


def test_hide_fault_ends_when_the_clock_is_forwarded(start_sandbox: StartSandbox, folder: Path) -> None:
    sandbox = start_sandbox(folder)
    account = SandboxAccount(sandbox.address)
    account.create_voice()
    sandbox.set_faults({"operation": "list_voices", "do": "hide:60"})
    assert account.voices.all(1)["items"] == []
    sandbox.forward_clock(61)
    assert len(account.voices.all(1)["items"]) == 1
    sandbox.stop()


@pytest.mark.parametrize("forward", [-1, True, "60", None, 1e12])
def test_clock_step_that_is_no_valid_number_is_refused(sandbox: SandboxProcess, forward: object) -> None:
    before = sandbox.call_control("GET", "clock")["ahead"]
    response = requests.post(f"{sandbox.address}/__control/clock", json={"forward": forward}, timeout=60)
    assert response.status_code == 400
    assert sandbox.call_control("GET", "clock")["ahead"] == before


# --- the object store and trainings, called directly as a vendor's package does ---------------------------------


def _open_context(folder: Path) -> SandboxContext:
    return SandboxContext(Store(folder, store.SCHEMA + rows.SCHEMA))


@pytest.fixture
def context(tmp_path: Path) -> Iterator[SandboxContext]:
    """A sandbox context without a server. The clock of this process is reset afterwards."""
    context = _open_context(tmp_path / "context")
    yield context
    context.closing.set()
    context.store.close()
    clock.set_offset(0)


def _make_object(**options: Any) -> StoredObject:
    return StoredObject(vendor="vendor", id="v1", account="hint", name="n", status="training", **options)


def _put_object(context: SandboxContext, stored: StoredObject) -> None:
    with context.store.transaction() as db:
        store.save_object(db, stored)


def _get_object(context: SandboxContext, id: str = "v1") -> StoredObject | None:
    with context.store.transaction() as db:
        return store.find_object(db, "vendor", id)


def test_stored_object_is_read_back_unchanged(context: SandboxContext) -> None:
    stored = _make_object(details={"files": ["a", "ü"], "public": False}, ready_at=12.5, callback_due=True, kind="file")
    _put_object(context, stored)
    _put_object(context, replace(_make_object(), id="v0"))
    assert _get_object(context) == stored
    with context.store.transaction() as db:
        assert store.list_unfinished(db) == [stored]
        assert [item.id for item in store.list_objects(db, "vendor", "hint")] == ["v0"]
        assert [item.id for item in store.list_objects(db, "vendor", "hint", "file")] == ["v1"]
        assert store.list_objects(db, "vendor", "other") == store.list_objects(db, "other", "hint") == []
        store.delete_object(db, "vendor", "v1")
    assert _get_object(context) is None


def test_changed_object_keeps_its_position_in_the_list(context: SandboxContext) -> None:
    for id in ("a", "b"):
        _put_object(context, replace(_make_object(), id=id))
    _put_object(context, replace(_make_object(), id="a", status="done"))
    with context.store.transaction() as db:
        assert [(item.id, item.status) for item in store.list_objects(db, "vendor", "hint")] == [
            ("a", "done"),
            ("b", "training"),
        ]


def _end_training(_context: SandboxContext, stored: StoredObject) -> StoredObject:
    return replace(stored, status="done", details=stored.details | {"score": 0.5})


def test_training_ends_by_the_sandbox_clock_and_keeps_concurrent_changes(context: SandboxContext) -> None:
    training.register_training("vendor", "voice", Training(_end_training))
    _put_object(context, _make_object(ready_at=clock.now() + FORTY_MINUTES, details={"public": False}))
    training.start_training(context, "vendor", "v1")
    assert training.count_due_trainings(context) == 0
    _put_object(context, replace(_get_object(context) or _make_object(), name="renamed", details={"public": True}))
    clock.advance(FORTY_MINUTES)
    poll_until(
        lambda: training.count_due_trainings(context) == 0 and (_get_object(context) or _make_object()).status == "done"
    )
    ended = _get_object(context)
    assert ended
    assert (ended.name, ended.details, ended.ready_at) == ("renamed", {"public": True, "score": 0.5}, None)


def test_restarted_training_ends_once_and_at_its_new_time(context: SandboxContext) -> None:
    ended: list[float | None] = []

    def record_and_end(_context: SandboxContext, stored: StoredObject) -> StoredObject:
        ended.append(stored.ready_at)
        return _end_training(context, stored)

    training.register_training("vendor", "voice", Training(record_and_end))
    end_time = clock.now() + FORTY_MINUTES
    for ready_at in (end_time - 600, end_time):
        _put_object(context, _make_object(ready_at=ready_at))
        training.start_training(context, "vendor", "v1")
    clock.advance(FORTY_MINUTES)
    poll_until(lambda: (_get_object(context) or _make_object()).status == "done")
    assert ended == [end_time]


def test_training_does_not_restore_a_deleted_object(context: SandboxContext) -> None:
    deletion_done = Event()

    def delete_and_end(context: SandboxContext, stored: StoredObject) -> StoredObject:
        with context.store.transaction() as db:
            store.delete_object(db, "vendor", stored.id)
        deletion_done.set()
        return _end_training(context, stored)

    training.register_training("vendor", "voice", Training(delete_and_end))
    _put_object(context, _make_object(ready_at=clock.now()))
    training.start_training(context, "vendor", "v1")
    assert deletion_done.wait(60)
    with training.ANALYSIS_LOCK:  # waits until the training has ended
        assert _get_object(context) is None


def test_stored_training_continues_after_a_restart_and_calls_back(tmp_path: Path, listener: CallbackServer) -> None:
    def build_callback(stored: StoredObject) -> tuple[str, dict[str, Any]] | None:
        return f"{listener.address}/hook", {"id": stored.id, "status": stored.status}

    training.register_training("vendor", "voice", Training(_end_training, build_callback))
    first = _open_context(tmp_path)
    _put_object(first, _make_object(ready_at=clock.now()))
    first.closing.set()
    training.start_training(first, "vendor", "v1")
    first.store.close()
    second = _open_context(tmp_path)
    try:
        training.resume_trainings(second)
        assert listener.wait_for_callback() == {"id": "v1", "status": "done"}
        poll_until(lambda: training.count_due_trainings(second) == 0)
        assert (_get_object(second) or _make_object()).callback_due is False
    finally:
        second.closing.set()
        second.store.close()
