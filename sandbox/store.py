"""What the sandbox remembers: one SQLite file and the audio, in a folder of its own; no Django database.

What most vendors keep goes into one table, `shelf`: whatever a vendor has beyond a name and a status is JSON in
`details`. The functions on it work in the caller's transaction (`house.store.transaction()`).
"""

import fcntl
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock, local
from typing import IO, Any

from sandbox import clock

BASIS = """
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
    """Another sandbox holds this folder."""


def now() -> str:
    """The time of the sandbox's clock as the vendors write it: UTC with milliseconds."""
    return written(clock.now())


def written(at: float) -> str:
    """Epoch seconds as the vendors write a time; such texts sort as the times do."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """One connection that all threads share behind a lock; what a transaction wrote is there after a kill."""

    def __init__(self, folder: Path, schema: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._claim = _claimed(folder / "lock")
        self._audio = folder / "audio"
        self._lock = RLock()
        self._here = local()
        self._db = sqlite3.connect(folder / "sandbox.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(BASIS + schema)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is committed together, or nothing of it; other threads wait."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("ROLLBACK" if self._pretends() else "COMMIT")

    @contextmanager
    def pretence(self) -> Iterator[None]:
        """Inside, this thread writes and deletes nothing for good, and is not told."""
        self._here.pretends = True
        try:
            yield
        finally:
            self._here.pretends = False

    def _pretends(self) -> bool:
        return getattr(self._here, "pretends", False)

    def audio(self, voice: str, file: str) -> Path:
        """Where a file of a voice lies; the voice's folder is made if need be."""
        folder = self._audio / voice
        folder.mkdir(parents=True, exist_ok=True)
        return folder / file

    def forget_audio(self, voice: str, file: str = "") -> None:
        """Delete one file of a voice, or all of them."""
        if self._pretends():
            return
        if file:
            self.audio(voice, file).unlink(missing_ok=True)
        else:
            shutil.rmtree(self._audio / voice, ignore_errors=True)

    def ledger(self) -> list[dict[str, Any]]:
        with self.transaction() as db:
            return [dict(row) for row in db.execute("SELECT * FROM ledger ORDER BY number")]

    def ahead(self) -> float:
        """By how many seconds the clock had been pushed when it was last written down."""
        with self.transaction() as db:
            row = db.execute("SELECT ahead FROM clock").fetchone()
        return float(row["ahead"]) if row else 0.0

    def remember_ahead(self, seconds: float) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM clock")
            db.execute("INSERT INTO clock (ahead) VALUES (?)", (seconds,))

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._claim.close()


def bill(db: sqlite3.Connection, *, account: str, operation: str, name: str, voice: str, charged: float = 0.0) -> None:
    """Write a line of the ledger in the caller's transaction; `charged` is in the vendor's unit, see its constants."""
    db.execute(
        "INSERT INTO ledger (at, account, operation, name, voice, charged) VALUES (?, ?, ?, ?, ?, ?)",
        (now(), account, operation, name, voice, charged),
    )


def _claimed(path: Path) -> IO[str]:
    """The lock file, held until it is closed or the process ends."""
    claim = path.open("w")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.close()
        raise FolderInUse(f"another sandbox already works in {path.parent}") from None
    return claim


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
