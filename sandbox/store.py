"""The sandbox's storage: one SQLite file and audio files in one folder, without the Django database.

Most vendors store their objects in one table, `shelf`. Everything beyond a name and a status is JSON in `details`.
The functions on that table run in the caller's transaction (`context.store.transaction()`).
"""

import fcntl
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from threading import RLock, local
from typing import IO, Any

from sandbox import clock

BASE_SCHEMA = """
CREATE TABLE IF NOT EXISTS ledger (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    operation TEXT NOT NULL,
    name TEXT NOT NULL,
    voice TEXT NOT NULL,
    charged REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS clock (ahead REAL NOT NULL);
"""


class FolderInUse(Exception):
    """Another sandbox has locked this folder."""


def format_now() -> str:
    """The time of the sandbox's clock in the vendors' format: UTC with milliseconds."""
    return format_time(clock.now())


def format_time(at: float) -> str:
    """Epoch seconds in the vendors' format, which sorts by time."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """One SQLite connection that all threads share behind a lock. Committed data survives a kill."""

    def __init__(self, folder: Path, schema: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder_lock = _lock_folder(folder / "lock")
        self._audio = folder / "audio"
        self._lock = RLock()
        self._thread_state = local()
        self._db = sqlite3.connect(folder / "sandbox.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(BASE_SCHEMA + schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all changes made inside the block, or none of them. Other threads wait."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("ROLLBACK" if self._is_dry_run() else "COMMIT")

    @contextmanager
    def dry_run(self) -> Iterator[None]:
        """Roll back every transaction of this thread and delete no audio, without an error."""
        self._thread_state.is_dry_run = True
        try:
            yield
        finally:
            self._thread_state.is_dry_run = False

    def _is_dry_run(self) -> bool:
        return getattr(self._thread_state, "is_dry_run", False)

    def get_audio_path(self, voice: str, file: str) -> Path:
        """Path of a voice's file. Creates the voice's folder if needed."""
        folder = self._audio / voice
        folder.mkdir(parents=True, exist_ok=True)
        return folder / file

    def delete_audio(self, voice: str, file: str = "") -> None:
        """Delete one file of a voice, or without `file` all of its files."""
        if self._is_dry_run():
            return
        if file:
            self.get_audio_path(voice, file).unlink(missing_ok=True)
        else:
            shutil.rmtree(self._audio / voice, ignore_errors=True)

    def list_ledger(self) -> list[dict[str, Any]]:
        with self.transaction() as db:
            return [dict(row) for row in db.execute("SELECT * FROM ledger ORDER BY number")]

    def load_clock_offset(self) -> float:
        """Seconds that the clock was ahead when the offset was last saved."""
        with self.transaction() as db:
            row = db.execute("SELECT ahead FROM clock").fetchone()
        return float(row["ahead"]) if row else 0.0

    def save_clock_offset(self, seconds: float) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM clock")
            db.execute("INSERT INTO clock (ahead) VALUES (?)", (seconds,))

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._folder_lock.close()


def record_ledger_entry(
    db: sqlite3.Connection, *, account: str, operation: str, name: str, voice: str, charged: float = 0.0
) -> None:
    """Add a ledger entry in the caller's transaction. `charged` is in the vendor's unit (see its `constants.py`)."""
    db.execute(
        "INSERT INTO ledger (at, account, operation, name, voice, charged) VALUES (?, ?, ?, ?, ?, ?)",
        (format_now(), account, operation, name, voice, charged),
    )


def sum_charges(
    db: sqlite3.Connection, account: str, operations: tuple[str, ...], first: date = date.min, last: date = date.max
) -> float:
    """All charges of the account for these operations from the first to the last day."""
    query = (
        "SELECT total(charged) FROM ledger WHERE account = ? AND substr(at, 1, 10) BETWEEN ? AND ?"
        " AND operation IN (SELECT value FROM json_each(?))"
    )
    return float(db.execute(query, (account, str(first), str(last), json.dumps(operations))).fetchone()[0])


def _lock_folder(path: Path) -> IO[str]:
    """Lock the folder and return the lock file. The lock lasts until the file is closed or the process ends."""
    lock_file = path.open("w")
    try:
        fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock_file.close()
        raise FolderInUse(
            f"Another sandbox already uses {path.parent}. Stop it or choose another --data folder."
        ) from None
    return lock_file


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
class StoredObject:
    """An object of a vendor. Its id is unique across the vendor's kinds and accounts; `account` is the key's hint.

    `ready_at` (epoch seconds of the sandbox's clock) is set while a training is due. `details` is any JSON object.
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
    created_at: str = field(default_factory=format_now)
    updated_at: str = field(default_factory=format_now)


def save_object(db: sqlite3.Connection, stored: StoredObject) -> None:
    """Insert or update an object by id. An update leaves kind, account and creation time unchanged."""
    db.execute(
        "INSERT INTO shelf (vendor, kind, id, account, name, status, details, ready_at, callback_due, created_at,"
        " updated_at) VALUES (:vendor, :kind, :id, :account, :name, :status, :details, :ready_at, :callback_due,"
        " :created_at, :updated_at) ON CONFLICT (vendor, id) DO UPDATE SET name = :name, status = :status,"
        " details = :details, ready_at = :ready_at, callback_due = :callback_due, updated_at = :updated_at",
        asdict(stored) | {"details": json.dumps(stored.details)},
    )


def find_object(db: sqlite3.Connection, vendor: str, id: str) -> StoredObject | None:
    """The vendor's object with this id, of any kind and account. The caller must check the owner."""
    row = db.execute("SELECT * FROM shelf WHERE vendor = ? AND id = ?", (vendor, id)).fetchone()
    return _make_object(row) if row else None


def list_objects(db: sqlite3.Connection, vendor: str, account: str, kind: str = "voice") -> list[StoredObject]:
    """An account's objects of one kind, oldest first."""
    query = "SELECT * FROM shelf WHERE vendor = ? AND account = ? AND kind = ? ORDER BY rowid"
    return [_make_object(row) for row in db.execute(query, (vendor, account, kind))]


def delete_object(db: sqlite3.Connection, vendor: str, id: str) -> None:
    db.execute("DELETE FROM shelf WHERE vendor = ? AND id = ?", (vendor, id))


def list_unfinished(db: sqlite3.Connection) -> list[StoredObject]:
    """Objects of all vendors with a training or a callback still due."""
    query = "SELECT * FROM shelf WHERE ready_at IS NOT NULL OR callback_due ORDER BY rowid"
    return [_make_object(row) for row in db.execute(query)]


def _make_object(row: sqlite3.Row) -> StoredObject:
    values = dict(row)
    return StoredObject(
        **values | {"details": json.loads(values["details"]), "callback_due": bool(values["callback_due"])}
    )
