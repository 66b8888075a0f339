"""One table for what vendors keep: whatever a vendor has beyond a name and a status goes into `details`.

All functions work in the caller's transaction (`house.store.transaction()`).
"""

import json
import sqlite3
from dataclasses import asdict, dataclass, field
from typing import Any

from voices.sandbox.state import now

SCHEMA = """
CREATE TABLE IF NOT EXISTS shelf (
    vendor TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    details TEXT NOT NULL,
    ready_at REAL,
    callback_due INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (vendor, id)
);
CREATE INDEX IF NOT EXISTS shelf_account ON shelf (vendor, account);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A thing of a vendor. Its id is unique among all kinds and accounts of the vendor; `account` is the hint.

    `ready_at` (epoch seconds of the sandbox's clock) is set while a training is due, `details` is anything JSON.
    """

    vendor: str
    id: str
    account: str
    name: str
    status: str
    kind: str = "voice"
    details: dict[str, Any] = field(default_factory=dict)
    ready_at: float | None = None
    callback_due: bool = False
    created_at: str = field(default_factory=now)
    updated_at: str = field(default_factory=now)


def put(db: sqlite3.Connection, kept: Kept) -> None:
    """Keep it, in place of what had its id; its kind, account and creation stay as they were."""
    db.execute(
        "INSERT INTO shelf (vendor, kind, id, account, name, status, details, ready_at, callback_due, created_at,"
        " updated_at) VALUES (:vendor, :kind, :id, :account, :name, :status, :details, :ready_at, :callback_due,"
        " :created_at, :updated_at) ON CONFLICT (vendor, id) DO UPDATE SET name = :name, status = :status,"
        " details = :details, ready_at = :ready_at, callback_due = :callback_due, updated_at = :updated_at",
        asdict(kept) | {"details": json.dumps(kept.details)},
    )


def get(db: sqlite3.Connection, vendor: str, id: str) -> Kept | None:
    """Whatever has this id at the vendor, of any kind and any account: the caller asks whose it is."""
    row = db.execute("SELECT * FROM shelf WHERE vendor = ? AND id = ?", (vendor, id)).fetchone()
    return _kept(row) if row else None


def all_of(db: sqlite3.Connection, vendor: str, account: str, kind: str = "voice") -> list[Kept]:
    """An account's things of a kind, oldest first."""
    query = "SELECT * FROM shelf WHERE vendor = ? AND account = ? AND kind = ? ORDER BY rowid"
    return [_kept(row) for row in db.execute(query, (vendor, account, kind))]


def remove(db: sqlite3.Connection, vendor: str, id: str) -> None:
    db.execute("DELETE FROM shelf WHERE vendor = ? AND id = ?", (vendor, id))


def unfinished(db: sqlite3.Connection) -> list[Kept]:
    """What has a training or a callback still due, of all vendors."""
    query = "SELECT * FROM shelf WHERE ready_at IS NOT NULL OR callback_due ORDER BY rowid"
    return [_kept(row) for row in db.execute(query)]


def _kept(row: sqlite3.Row) -> Kept:
    values = dict(row)
    return Kept(**values | {"details": json.loads(values["details"]), "callback_due": bool(values["callback_due"])})
