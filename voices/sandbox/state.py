"""What the sandbox remembers: one SQLite file and the audio, in a folder of its own; no Django database."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import IO, Any

LEDGER = """
CREATE TABLE IF NOT EXISTS ledger (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    account TEXT NOT NULL,
    operation TEXT NOT NULL,
    name TEXT NOT NULL,
    voice TEXT NOT NULL,
    charged REAL NOT NULL
);
"""


class FolderInUse(Exception):
    """Another sandbox holds this folder."""


def now() -> str:
    """The time as the vendors write it: UTC with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """One connection that all threads share behind a lock; what a transaction wrote is there after a kill."""

    def __init__(self, folder: Path, schema: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._claim = _claimed(folder / "lock")
        self._audio = folder / "audio"
        self._lock = RLock()
        self._db = sqlite3.connect(folder / "sandbox.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(LEDGER + schema)

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
            self._db.execute("COMMIT")

    def audio(self, voice: str, file: str) -> Path:
        """Where a file of a voice lies; the voice's folder is made if need be."""
        folder = self._audio / voice
        folder.mkdir(parents=True, exist_ok=True)
        return folder / file

    def forget_audio(self, voice: str) -> None:
        shutil.rmtree(self._audio / voice, ignore_errors=True)

    def ledger(self) -> list[dict[str, Any]]:
        with self.transaction() as db:
            return [dict(row) for row in db.execute("SELECT * FROM ledger ORDER BY number")]

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._claim.close()


def bill(db: sqlite3.Connection, *, account: str, operation: str, name: str, voice: str, charged: float = 0.0) -> None:
    """Write a line of the ledger in the caller's transaction; `charged` is in US cents."""
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
