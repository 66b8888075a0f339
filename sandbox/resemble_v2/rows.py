"""Tables for the voices and recordings of Resemble v2."""

import json
import secrets
import sqlite3
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sandbox.store import format_now

SCHEMA = """
CREATE TABLE IF NOT EXISTS resemble_v2_voice (
    uuid TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    voice_type TEXT NOT NULL,
    status TEXT NOT NULL,
    consent TEXT,
    dataset_url TEXT,
    callback_uri TEXT,
    language TEXT NOT NULL,
    description TEXT,
    issue TEXT,
    scores TEXT NOT NULL,
    dataset_analysis_failure INTEGER NOT NULL,
    ready_at REAL,
    callback_due INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS resemble_v2_voice_account ON resemble_v2_voice (account);
CREATE TABLE IF NOT EXISTS resemble_v2_recording (
    uuid TEXT PRIMARY KEY,
    voice TEXT NOT NULL REFERENCES resemble_v2_voice,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    emotion TEXT,
    fill INTEGER NOT NULL,
    is_active INTEGER NOT NULL,
    is_outlier INTEGER NOT NULL,
    is_silent INTEGER NOT NULL,
    source TEXT NOT NULL,
    file TEXT NOT NULL,
    seconds REAL NOT NULL,
    scores TEXT NOT NULL,
    created_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    UNIQUE (voice, name)
);
"""


class Status(StrEnum):
    """The vendor's statuses of a voice that the sandbox uses."""

    INITIALIZING = "initializing"
    RUNNING = "running"
    FINISHED = "finished"
    DATASET_ISSUE = "dataset_issue"
    CONSENT_VALIDATION_FAILED = "consent_validation_failed"


class Source(StrEnum):
    """Origin of a recording: a single upload, a clip of an archive, or one raw WAV."""

    UPLOAD = "upload"
    CLIP = "clip"
    RAW = "raw"


def make_id() -> str:
    """A short opaque id like the vendor's."""
    return secrets.token_hex(5)


@dataclass(frozen=True, slots=True)
class Voice:
    """`consent` is a file name; `ready_at` (epoch seconds) is set while a training is due."""

    account: str
    name: str
    voice_type: str
    uuid: str = field(default_factory=make_id)
    status: Status = Status.INITIALIZING
    consent: str | None = None
    dataset_url: str | None = None
    callback_uri: str | None = None
    language: str = "en-US"
    description: str | None = None
    issue: str | None = None
    scores: dict[str, float] = field(default_factory=dict)
    dataset_analysis_failure: bool = False
    ready_at: float | None = None
    callback_due: bool = False
    created_at: str = field(default_factory=format_now)
    updated_at: str = field(default_factory=format_now)


@dataclass(frozen=True, slots=True)
class Recording:
    """`scores` is empty until the recording is evaluated."""

    voice: str
    name: str
    text: str
    file: str
    seconds: float
    uuid: str = field(default_factory=make_id)
    emotion: str | None = None
    fill: bool = False
    is_active: bool = True
    is_outlier: bool = False
    is_silent: bool = False
    source: Source = Source.UPLOAD
    scores: dict[str, Any] = field(default_factory=dict)
    created_at: str = field(default_factory=format_now)
    updated_at: str = field(default_factory=format_now)


def _make_voice(row: sqlite3.Row) -> Voice:
    values = dict(row)
    for flag in ("dataset_analysis_failure", "callback_due"):
        values[flag] = bool(values[flag])
    return Voice(**values | {"status": Status(values["status"]), "scores": json.loads(values["scores"])})


def _make_recording(row: sqlite3.Row) -> Recording:
    values = dict(row)
    for flag in ("fill", "is_active", "is_outlier", "is_silent"):
        values[flag] = bool(values[flag])
    return Recording(**values | {"source": Source(values["source"]), "scores": json.loads(values["scores"])})


def find_voice(db: sqlite3.Connection, uuid: str) -> Voice | None:
    row = db.execute("SELECT * FROM resemble_v2_voice WHERE uuid = ?", (uuid,)).fetchone()
    return _make_voice(row) if row else None


def count_voices(db: sqlite3.Connection, account: str) -> int:
    query = "SELECT count(*) FROM resemble_v2_voice WHERE account = ?"
    return int(db.execute(query, (account,)).fetchone()[0])


def list_voices(db: sqlite3.Connection, account: str, page: int, size: int) -> list[Voice]:
    """One page of an account's voices, newest first."""
    query = "SELECT * FROM resemble_v2_voice WHERE account = ? ORDER BY rowid DESC LIMIT ? OFFSET ?"
    return [_make_voice(row) for row in db.execute(query, (account, size, (page - 1) * size))]


def list_unfinished_voices(db: sqlite3.Connection) -> list[Voice]:
    """Voices with a training or a callback still due, for a restart."""
    query = "SELECT * FROM resemble_v2_voice WHERE ready_at IS NOT NULL OR callback_due"
    return [_make_voice(row) for row in db.execute(query)]


def save_voice(db: sqlite3.Connection, voice: Voice) -> None:
    values = asdict(voice) | {"status": voice.status.value, "scores": json.dumps(voice.scores)}
    db.execute(
        "INSERT INTO resemble_v2_voice VALUES (:uuid, :account, :name, :voice_type, :status, :consent,"
        " :dataset_url, :callback_uri, :language, :description, :issue, :scores, :dataset_analysis_failure,"
        " :ready_at, :callback_due, :created_at, :updated_at)"
        " ON CONFLICT (uuid) DO UPDATE SET name = :name, voice_type = :voice_type, status = :status,"
        " consent = :consent, dataset_url = :dataset_url, callback_uri = :callback_uri, language = :language,"
        " description = :description, issue = :issue, scores = :scores,"
        " dataset_analysis_failure = :dataset_analysis_failure, ready_at = :ready_at,"
        " callback_due = :callback_due, updated_at = :updated_at",
        values,
    )


def delete_voice(db: sqlite3.Connection, uuid: str) -> None:
    db.execute("DELETE FROM resemble_v2_recording WHERE voice = ?", (uuid,))
    db.execute("DELETE FROM resemble_v2_voice WHERE uuid = ?", (uuid,))


def find_recording(db: sqlite3.Connection, voice: str, uuid: str) -> Recording | None:
    query = "SELECT * FROM resemble_v2_recording WHERE voice = ? AND uuid = ?"
    row = db.execute(query, (voice, uuid)).fetchone()
    return _make_recording(row) if row else None


def count_recordings(db: sqlite3.Connection, voice: str) -> int:
    query = "SELECT count(*) FROM resemble_v2_recording WHERE voice = ?"
    return int(db.execute(query, (voice,)).fetchone()[0])


def list_recordings(db: sqlite3.Connection, voice: str, page: int = 1, size: int = -1) -> list[Recording]:
    """One page of a voice's recordings in upload order; without `size`, all recordings."""
    query = "SELECT * FROM resemble_v2_recording WHERE voice = ? ORDER BY rowid LIMIT ? OFFSET ?"
    return [_make_recording(row) for row in db.execute(query, (voice, size, max(0, (page - 1) * size)))]


def save_recording(db: sqlite3.Connection, recording: Recording) -> None:
    """Insert or update a recording. Raises sqlite3.IntegrityError if the voice has another with this name."""
    values = asdict(recording) | {"source": recording.source.value, "scores": json.dumps(recording.scores)}
    db.execute(
        "INSERT INTO resemble_v2_recording VALUES (:uuid, :voice, :name, :text, :emotion, :fill, :is_active,"
        " :is_outlier, :is_silent, :source, :file, :seconds, :scores, :created_at, :updated_at)"
        " ON CONFLICT (uuid) DO UPDATE SET name = :name, text = :text, emotion = :emotion, fill = :fill,"
        " is_active = :is_active, is_outlier = :is_outlier, is_silent = :is_silent, scores = :scores,"
        " updated_at = :updated_at",
        values,
    )


def delete_recording(db: sqlite3.Connection, uuid: str) -> None:
    db.execute("DELETE FROM resemble_v2_recording WHERE uuid = ?", (uuid,))


def delete_dataset_recordings(db: sqlite3.Connection, voice: str) -> None:
    """Delete the recordings of a dataset before it is read again."""
    query = "DELETE FROM resemble_v2_recording WHERE voice = ? AND source != ?"
    db.execute(query, (voice, Source.UPLOAD.value))
