"""What an earlier version knows of files at AudioStack becomes rows, so that they can be deleted."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.support.session import FIELD_KEY
from tests.upgrade.test_version_before import DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]


def prepare_uploads(folder: DataFolder, key: str) -> None:
    """Turn the account with a sent recording into one at AudioStack, with a pending upload and a logged one."""
    with closing(sqlite3.connect(folder.path / "db.sqlite3")) as database, database:
        ((account, remote, reference),) = database.execute(
            "SELECT v.account_id, v.id, v.reference FROM voices_remotevoice v"
            " JOIN voices_remoterecording r ON r.remote_voice_id = v.id"
        )
        database.execute("UPDATE voices_account SET provider = 'audiostack' WHERE id = ?", (account,))
        ((build,),) = database.execute("SELECT id FROM voices_build WHERE remote_voice_id = ?", (remote,))
        pending = {"reference": reference, "key": "consent", "file_id": "f-pending", "url": "x", "content_type": "y"}
        dashed = f"{build[:8]}-{build[8:12]}-{build[12:16]}-{build[16:20]}-{build[20:]}"
        state = Fernet(key).encrypt(f"build:{dashed}\n{json.dumps(pending)}".encode()).decode()
        database.execute("UPDATE voices_build SET kept = ? WHERE id = ?", (state, build))
        for text in (
            json.dumps({"fileId": "f-logged", "fileName": f"{reference}-consent.wav", "uploadUrl": "https://host/…"}),
            json.dumps({"fileId": "f-foreign", "fileName": "vh-000000000000-consent.wav"}),
            json.dumps({"fileId": "f-nameless"}),
            '{"fileId": "cut off',
        ):
            database.execute(
                "INSERT INTO voices_accountcall (at, operation, status, said, account_id)"
                " VALUES ('2026-11-28 03:00:00', 'announce file', 200, ?, ?)",
                (text, account),
            )


def read_files(folder: DataFolder) -> list[tuple[str, str, bool]]:
    with closing(sqlite3.connect(folder.path / "db.sqlite3")) as database:
        return list(
            database.execute("SELECT remote_id, kind, recording_id IS NOT NULL FROM voices_remotefile ORDER BY 1")
        )


def test_known_uploads_become_rows_and_the_migration_is_reversible(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, "http://127.0.0.1:1")
    prepare_uploads(folder, FIELD_KEY)
    rows = folder.read_rows()
    folder.run("manage.py", "migrate", "--verbosity=0")
    expected = [("f-logged", "consent", False), ("f-pending", "consent", False), ("r-1", "recording", True)]
    assert read_files(folder) == expected
    migrated = folder.read_rows()
    assert all(json.loads(row)["deletion_requested_at"] is None for row in migrated["voices_remotefile"])
    folder.migrate_back()
    assert folder.read_rows() == rows
    folder.run("manage.py", "migrate", "--verbosity=0")
    assert read_files(folder) == expected


def test_pending_upload_under_a_lost_key_is_left_out(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, "http://127.0.0.1:1")
    prepare_uploads(folder, Fernet.generate_key().decode())
    folder.run("manage.py", "migrate", "--verbosity=0")
    assert read_files(folder) == [("f-logged", "consent", False), ("r-1", "recording", True)]


def test_recordings_of_deleted_voices_are_marked(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, "http://127.0.0.1:1")
    with closing(sqlite3.connect(folder.path / "db.sqlite3")) as database, database:
        database.execute("UPDATE voices_remotevoice SET deleted_at = '2026-11-28 04:00:00'")
    folder.run("manage.py", "migrate", "--verbosity=0")
    (row,) = folder.read_rows()["voices_remoterecording"]
    assert json.loads(row)["deleted_at"] == "2026-11-28 04:00:00"
