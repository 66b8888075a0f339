"""What the sandbox remembers: one SQLite file and the audio, in a folder of its own; no Django database."""

import fcntl
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock, local
from typing import IO, Any

from voices.sandbox import clock

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
    """Write a line of the ledger in the caller's transaction; `charged` is in the vendor's unit, see its choices."""
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
