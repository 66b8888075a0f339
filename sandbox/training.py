"""The life of a training: a thread that waits by the clock, lets the vendor's package judge, and calls back.

A vendor's package declares how its things end. The row on the shelf says until when the training lasts, so a
sandbox that starts again goes on with it. A vendor with tables of its own declares how to go on there.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock, Thread
from typing import Any

from sandbox import callbacks, clock, store
from sandbox.context import House
from sandbox.store import Kept, now

logger = logging.getLogger(__name__)

ONE_AT_A_TIME = Lock()
"""Listening takes a processor; waiting does not."""

Outcome = Callable[[House, Kept], Kept]
Callback = Callable[[Kept], tuple[str, dict[str, Any]] | None]


@dataclass(frozen=True, slots=True)
class Training:
    """How a training of one kind of thing ends: `outcome` gives the row with its new status and details.

    It is called outside any transaction and one at a time. Only the status and the details that it changed are
    taken over, so what was renamed meanwhile stays so. `callback` gives address and body of what then is posted;
    `finished` is the status of success, which a callback may be made to say too early.
    """

    outcome: Outcome
    callback: Callback | None = None
    finished: str = "finished"


@dataclass(frozen=True, slots=True)
class OwnTables:
    """Of a vendor that does not use the shelf: `resume` goes on after a start, `due` counts what is past its time."""

    schema: str
    resume: Callable[[House], None]
    due: Callable[[House], int]


_trainings: dict[tuple[str, str], Training] = {}
_own_tables: dict[str, OwnTables] = {}


def register(vendor: str, kind: str, how: Training) -> None:
    _trainings[vendor, kind] = how


def register_own_tables(vendor: str, tables: OwnTables) -> None:
    _own_tables[vendor] = tables


def start(house: House, vendor: str, id: str) -> None:
    """Train what has this id on the shelf, in a thread of its own, until its `ready_at`; call it after the commit."""
    Thread(target=_train, args=(house, vendor, id), name=f"training {id}", daemon=True).start()


def resume(house: House) -> None:
    """Go on with the trainings and callbacks of all vendors that an earlier run of the sandbox left."""
    with house.store.transaction() as db:
        left = store.unfinished(db)
    for kept in left:
        start(house, kept.vendor, kept.id)
    for own in _own_tables.values():
        own.resume(house)


def due(house: House) -> int:
    """How many trainings are past their time, or ended with a callback that is still on its way."""
    with house.store.transaction() as db:
        unfinished = store.unfinished(db)
    mine = sum((kept.ready_at or 0) <= clock.now() for kept in unfinished)
    return mine + sum(own.due(house) for own in _own_tables.values())


def _train(house: House, vendor: str, id: str) -> None:
    try:
        kept = _looked_up(house, vendor, id)
        if kept and kept.ready_at is not None:
            _call_back_early(house, kept)
            clock.wait(kept.ready_at, house.closing)
            with ONE_AT_A_TIME:
                if not house.closing.is_set() and _is_still_due(house, kept):
                    _settle(house, kept, _trainings[vendor, kept.kind].outcome(house, kept))
        _call_back(house, vendor, id)
    except Exception:
        if not house.closing.is_set():
            logger.exception("The training of %s %s broke", vendor, id)


def _looked_up(house: House, vendor: str, id: str) -> Kept | None:
    if house.closing.is_set():
        return None
    with house.store.transaction() as db:
        return store.get(db, vendor, id)


def _is_still_due(house: House, kept: Kept) -> bool:
    """Not if it was deleted meanwhile, or begun anew: then another thread waits for its new time."""
    latest = _looked_up(house, kept.vendor, kept.id)
    return latest is not None and latest.ready_at == kept.ready_at


def _settle(house: House, begun: Kept, ended: Kept) -> None:
    """Commit how it ended, unless it was deleted meanwhile."""
    callback = _trainings[begun.vendor, begun.kind].callback
    news = {name: value for name, value in ended.details.items() if (name, value) not in begun.details.items()}
    with house.store.transaction() as db:
        latest = store.get(db, begun.vendor, begun.id)
        if latest is None:
            return
        settled = replace(latest, status=ended.status, details=latest.details | news, ready_at=None, updated_at=now())
        store.put(db, replace(settled, callback_due=bool(callback and callback(settled))))


def _call_back_early(house: House, kept: Kept) -> None:
    """What says that it is over, where the fault script wants that."""
    how = _trainings[kept.vendor, kept.kind]
    if how.callback and (post := how.callback(replace(kept, status=how.finished))):
        callbacks.send_early(house, *post)


def _call_back(house: House, vendor: str, id: str) -> None:
    """Send the callback that is due. A sandbox that stops before it is through sends it again."""
    kept = _looked_up(house, vendor, id)
    if kept is None or kept.ready_at is not None or not kept.callback_due:
        return
    callback = _trainings[vendor, kept.kind].callback
    if callback and (post := callback(kept)):
        callbacks.send(house, *post)
    if house.closing.is_set():
        return
    with house.store.transaction() as db:
        latest = store.get(db, vendor, id)
        # A training that ended while this callback was on its way owes one of its own.
        if latest and latest.updated_at == kept.updated_at:
            store.put(db, replace(latest, callback_due=False))
