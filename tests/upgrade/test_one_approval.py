"""Databases in which a talent has several approved consents for one provider and purpose: the newest approval stays."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.test_version_before import DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

CHECK_LOGS = "from consent.services.audit_log import find_broken_logs; print('broken', len(list(find_broken_logs())))"
NEWEST, OLDEST = "0" * 31 + "1", "0" * 31 + "2"


def insert_row(database: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - names of the schema
    database.execute(statement, list(row.values()))


def copy_approval(folder: DataFolder) -> str:
    """Copy an approved consent twice, with a later and an earlier approval. Return the id of the original."""
    with closing(sqlite3.connect(folder.path / "db.sqlite3")) as database, database:
        database.row_factory = sqlite3.Row
        original = dict(database.execute("SELECT * FROM consent_consent WHERE status = 'approved' LIMIT 1").fetchone())
        newest = {"id": NEWEST, "approved_at": "2099-01-01 09:00:00", "created_at": "2024-05-01 09:00:00"}
        oldest = {"id": OLDEST, "status": "suspended", "approved_at": "2024-05-01 09:00:00"}
        insert_row(database, "consent_consent", original | newest)
        insert_row(database, "consent_consent", original | oldest)
    return str(original["id"])


def read_consents(folder: DataFolder) -> dict[str, dict[str, Any]]:
    rows = (json.loads(row) for row in folder.read_rows()["consent_consent"])
    return {row["id"]: row for row in rows}


def test_newest_approval_stays_and_the_older_ones_are_replaced(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path, "http://127.0.0.1:1")
    original = copy_approval(folder)
    rows = folder.read_rows()
    folder.run("manage.py", "migrate", "--verbosity=0")
    consents = read_consents(folder)
    assert consents[NEWEST]["status"] == "approved" and consents[NEWEST]["replaced_by_id"] is None
    for older in (original, OLDEST):
        assert (consents[older]["status"], consents[older]["replaced_by_id"]) == ("replaced", NEWEST)
    events = [json.loads(row) for row in folder.read_rows()["consent_event"]]
    written = [event for event in events if event["kind"] == "replaced"]
    assert {(event["consent_id"], event["actor_id"], event["actor_name"]) for event in written} == {
        (original, None, "VoiceHub"),
        (OLDEST, None, "VoiceHub"),
    }
    assert "broken 0" in folder.run("manage.py", "shell", "--no-imports", "-c", CHECK_LOGS)
    folder.migrate_back()
    assert folder.read_rows() == rows
    folder.run("manage.py", "migrate", "--verbosity=0")
    assert read_consents(folder)[OLDEST]["replaced_by_id"] == NEWEST


def test_later_entry_of_the_audit_log_is_never_removed(tmp_path: Path) -> None:
    """The entry of the migration stays when another entry follows it. The version before knows the consent as ended."""
    folder = DataFolder(tmp_path, "http://127.0.0.1:1")
    original = copy_approval(folder)
    folder.run("manage.py", "migrate", "--verbosity=0")
    add_event = (
        "from consent.models import Consent, EventKind; from consent.services.audit_log import record_event; "
        f"record_event(Consent.objects.get(pk='{original}'), EventKind.MAILED, None)"
    )
    folder.run("manage.py", "shell", "--no-imports", "-c", add_event)
    before = folder.read_rows()["consent_event"]
    folder.run("manage.py", "migrate", "consent", "0008", "--verbosity=0")
    after = folder.read_rows()["consent_event"]
    removed = [json.loads(row)["consent_id"] for row in set(before) - set(after)]
    assert removed == [OLDEST]
    assert read_consents(folder)[original]["status"] == "expired"
