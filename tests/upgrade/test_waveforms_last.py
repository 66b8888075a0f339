"""The waveforms of clips move to the end of their table, with their values, and back."""

import sqlite3
from pathlib import Path

import pytest

from tests.upgrade.data_folder import DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

BEFORE, AFTER = "0038", "0039"
# Django moves the column of a key to the same table behind renamed ones. The counts of an import do not read it.
LAST = {"peaks", "fine_peaks", "twin_id"}
WAVEFORMS = {"peaks": "[0.25, 0.5]", "fine_peaks": "[0.25, 0.5, 0.75]"}


def list_columns(database: sqlite3.Connection, table: str = "voices_importclip") -> dict[str, tuple[str, bool]]:
    """By name, the type of a column and whether it must have a value."""
    return {row[1]: (row[2], bool(row[3])) for row in database.execute(f"PRAGMA table_info({table})")}


def insert_row(database: sqlite3.Connection, table: str, **values: object) -> None:
    """Columns without a value are empty: null, no text or 0."""
    columns = list_columns(database, table)
    empty = {
        name: ("" if kind.startswith(("varchar", "text")) else 0) if is_needed else None
        for name, (kind, is_needed) in columns.items()
    }
    row = empty | values
    marks = ", ".join("?" * len(row))
    query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - fixed names
    database.execute(query, list(row.values()))


def insert_clip(database: sqlite3.Connection) -> None:
    voice, user = database.execute("SELECT id, created_by_id FROM voices_voice LIMIT 1").fetchone()
    day = "2026-11-30 00:00:00"
    insert_row(database, "voices_import", id="1" * 32, voice_id=voice, by_id=user, status="open", created_at=day)
    insert_row(
        database, "voices_importfile", id="2" * 32, import_set_id="1" * 32, name="a.wav", status="checked",
        kind="audio", created_at=day, findings="[]",
    )  # fmt: skip
    insert_row(
        database, "voices_importclip", id="3" * 32, import_set_id="1" * 32, source_id="2" * 32, name="a.wav",
        status="ready", findings="[]", levels="{}", recipe="{}", **WAVEFORMS,
    )  # fmt: skip


def read_waveforms(folder: DataFolder) -> dict[str, str]:
    with folder.open_database() as database:
        (row,) = database.execute("SELECT peaks, fine_peaks FROM voices_importclip").fetchall()
    return dict(zip(WAVEFORMS, row, strict=True))


def test_waveforms_move_with_their_values_and_back(before_long_recordings: DataFolder, tmp_path: Path) -> None:
    folder = before_long_recordings.copy(tmp_path)
    folder.migrate("voices", BEFORE)
    with folder.open_database() as database:
        insert_clip(database)
        assert set(list(list_columns(database))[-3:]) != LAST
    folder.migrate("voices", AFTER)
    assert read_waveforms(folder) == WAVEFORMS
    with folder.open_database() as database:
        assert set(list(list_columns(database))[-3:]) == LAST
    folder.migrate("voices", BEFORE)
    assert read_waveforms(folder) == WAVEFORMS
