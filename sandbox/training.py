"""Training jobs: a thread waits for the clock, lets the vendor's package decide the outcome and sends the callback.

A vendor's package registers its Trainings. The stored row has the end time, so a restarted sandbox resumes the
training. A vendor with its own tables registers how to resume from them.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import Any

from sandbox import callbacks, clock, store
from sandbox.context import SandboxContext
from sandbox.store import StoredObject, format_now

logger = logging.getLogger(__name__)

ANALYSIS_LOCK = Lock()
"""Held during an analysis, as each uses a whole CPU. Any number of trainings can wait at the same time."""

DecideOutcome = Callable[[SandboxContext, StoredObject], StoredObject]
MakeCallback = Callable[[StoredObject], tuple[str, dict[str, Any]] | None]


@dataclass(frozen=True, slots=True)
class Training:
    """How a training of one kind of object ends: `decide_outcome` returns the row with its new status and details.

    `decide_outcome` is called outside any transaction, for one training at a time. Only the status and the changed
    details are saved, so that a rename during the training is not lost. `make_callback` returns the URL and body of
    the callback. `success_status` is the status that the fault `early` reports too early.
    """

    decide_outcome: DecideOutcome
    make_callback: MakeCallback | None = None
    success_status: str = "finished"


@dataclass(frozen=True, slots=True)
class VendorTables:
    """For a vendor that does not use the shared table: its schema and the functions that resume and count trainings."""

    schema: str
    resume_trainings: Callable[[SandboxContext], None]
    count_due_trainings: Callable[[SandboxContext], int]


_trainings: dict[tuple[str, str], Training] = {}
_own_tables: dict[str, VendorTables] = {}


def register_training(vendor: str, kind: str, training: Training) -> None:
    _trainings[vendor, kind] = training


def register_own_tables(vendor: str, tables: VendorTables) -> None:
    _own_tables[vendor] = tables


def start_training(context: SandboxContext, vendor: str, id: str) -> None:
    """Train the stored object in its own thread until its `ready_at`. Call this after the commit."""
    Thread(target=_run_training, args=(context, vendor, id), name=f"training {id}", daemon=True).start()


def resume_trainings(context: SandboxContext) -> None:
    """Resume the unfinished trainings and callbacks of all vendors after a restart."""
    with context.store.transaction() as db:
        unfinished = store.list_unfinished(db)
    for stored in unfinished:
        start_training(context, stored.vendor, stored.id)
    for own in _own_tables.values():
        own.resume_trainings(context)


def count_due_trainings(context: SandboxContext) -> int:
    """Number of trainings that are overdue or whose callback is not yet sent."""
    with context.store.transaction() as db:
        unfinished = store.list_unfinished(db)
    in_shared_table = sum((stored.ready_at or 0) <= clock.now() for stored in unfinished)
    return in_shared_table + sum(own.count_due_trainings(context) for own in _own_tables.values())


def _run_training(context: SandboxContext, vendor: str, id: str) -> None:
    try:
        stored = _find_object(context, vendor, id)
        if stored and stored.ready_at is not None:
            _send_early_callback(context, stored)
            clock.wait_until(stored.ready_at, context.closing)
            with ANALYSIS_LOCK:
                if not context.closing.is_set() and _is_still_due(context, stored):
                    _record_outcome(context, stored, _trainings[vendor, stored.kind].decide_outcome(context, stored))
        _send_due_callback(context, vendor, id)
    except Exception:
        if not context.closing.is_set():
            logger.exception("The training of %s %s failed", vendor, id)


def _find_object(context: SandboxContext, vendor: str, id: str) -> StoredObject | None:
    if context.closing.is_set():
        return None
    with context.store.transaction() as db:
        return store.find_object(db, vendor, id)


def _is_still_due(context: SandboxContext, stored: StoredObject) -> bool:
    """False if the object was deleted, or if its training was restarted: another thread then waits for the new time."""
    latest = _find_object(context, stored.vendor, stored.id)
    return latest is not None and latest.ready_at == stored.ready_at


def _record_outcome(context: SandboxContext, started: StoredObject, ended: StoredObject) -> None:
    """Commit the outcome, unless the object was deleted in the meantime."""
    make_callback = _trainings[started.vendor, started.kind].make_callback
    changes = {name: value for name, value in ended.details.items() if (name, value) not in started.details.items()}
    with context.store.transaction() as db:
        latest = store.find_object(db, started.vendor, started.id)
        if latest is None:
            return
        updated = replace(
            latest, status=ended.status, details=latest.details | changes, ready_at=None, updated_at=format_now()
        )
        store.save_object(db, replace(updated, callback_due=bool(make_callback and make_callback(updated))))


def _send_early_callback(context: SandboxContext, stored: StoredObject) -> None:
    """Send a callback that reports success, if the fault `early` asks for it."""
    vendor_training = _trainings[stored.vendor, stored.kind]
    if vendor_training.make_callback and (
        url_and_body := vendor_training.make_callback(replace(stored, status=vendor_training.success_status))
    ):
        callbacks.send_early_callback(context, *url_and_body)


def _send_due_callback(context: SandboxContext, vendor: str, id: str) -> None:
    """Send the callback that is due. It stays due if the sandbox stops before it is sent."""
    stored = _find_object(context, vendor, id)
    if stored is None or stored.ready_at is not None or not stored.callback_due:
        return
    make_callback = _trainings[vendor, stored.kind].make_callback
    if make_callback and (url_and_body := make_callback(stored)):
        callbacks.send_callback(context, *url_and_body)
    if context.closing.is_set():
        return
    with context.store.transaction() as db:
        latest = store.find_object(db, vendor, id)
        # A training that ended while this callback was being sent has its own callback due.
        if latest and latest.updated_at == stored.updated_at:
            store.save_object(db, replace(latest, callback_due=False))
