"""Recordings that the version before refused for their length alone become usable, and stay out of builds."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.data_folder import DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

NOISY = {"severity": "look", "code": "noisy", "text": "Noise.", "advice": "Listen.", "at": None}
BEFORE, AFTER = "0037", "0038"
# By name: the duration, the status, and the findings, without that about the length.
ROWS: dict[str, tuple[float, str, list[Any]]] = {
    "long": (600.5, "refused", [NOISY]),
    "over_two_hours": (7200.5, "refused", []),
    "damaged": (600.5, "refused", [{**NOISY, "severity": "refused", "code": "nothing_to_cut"}]),
    "split": (600.5, "split", []),
}
TOO_LONG = {
    "severity": "refused",
    "code": "too_long",
    "text": "It lasts 600.5 seconds; at most 60 are allowed.",
    "advice": "Split it at a pause.",
    "at": None,
}


def insert_rows(database: sqlite3.Connection) -> None:
    columns = [row[1] for row in database.execute("PRAGMA table_info(voices_recording)")]
    for number, (name, (seconds, status, findings)) in enumerate(ROWS.items()):
        stored = [TOO_LONG | {"text": f"It lasts {seconds:.1f} seconds; at most 60 are allowed."}, *findings]
        values: dict[str, Any] = {
            "id": f"{number:032}", "file_name": name, "sha256": f"{number:064}", "status": status, "active": 0,
            "active_by": "", "exclusion_code": "", "seconds": seconds, "findings": json.dumps(stored),
            "analyzed_at": None, "checked_at": None, "worst_severity": 3, "warning_codes": None,
        }  # fmt: skip
        chosen = ", ".join("?" if column in values else column for column in columns)
        arguments = [values[column] for column in columns if column in values]
        query = f"INSERT INTO voices_recording SELECT {chosen} FROM voices_recording LIMIT 1"  # noqa: S608 - fixed
        database.execute(query, arguments)
    damaged = "UPDATE voices_recording SET findings = '{\"no\": 1}' WHERE file_name = 'damaged'"
    database.execute(f"INSERT INTO voices_recording SELECT * FROM ({_copy(columns, 'unreadable')})")  # noqa: S608
    database.execute(damaged.replace("damaged", "unreadable"))


def _copy(columns: list[str], name: str) -> str:
    values = {"id": "'f' || substr(id, 2)", "file_name": f"'{name}'", "sha256": "'f' || substr(sha256, 2)"}
    chosen = ", ".join(values.get(column, column) for column in columns)
    return f"SELECT {chosen} FROM voices_recording WHERE file_name = 'damaged'"  # noqa: S608 - fixed


def read_recordings(folder: DataFolder) -> dict[str, dict[str, Any]]:
    rows = map(json.loads, folder.read_rows()["voices_recording"])
    return {row["file_name"]: row for row in rows}


@pytest.fixture(scope="module")
def before(before_long_recordings: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = before_long_recordings.copy(tmp_path_factory.mktemp("long"))
    with folder.open_database() as database:
        insert_rows(database)
    return folder


@pytest.fixture(scope="module")
def upgraded(before: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    folder = before.copy(tmp_path_factory.mktemp("upgraded-long"))
    folder.migrate("voices", AFTER)
    return folder


def test_only_recordings_that_were_too_long_and_no_more_become_usable(upgraded: DataFolder) -> None:
    rows = read_recordings(upgraded)
    statuses = {name: rows[name]["status"] for name in (*ROWS, "unreadable")}
    assert statuses == {
        "long": "accepted", "over_two_hours": "refused", "damaged": "refused", "split": "split", "unreadable": "refused"
    }  # fmt: skip
    long = rows["long"]
    findings = json.loads(long["findings"])
    assert [(one["severity"], one["code"]) for one in findings] == [("look", "long"), ("look", "noisy")]
    text = "It lasts 10 min 0 s. Some providers take at most 60 seconds in one recording."
    assert findings[0]["text"] == text and (long["worst_severity"], long["warning_codes"]) == (2, "long noisy")
    assert (long["active"], long["active_by"], long["exclusion_code"]) == (0, "check", "long")


def test_their_analysis_is_enqueued_once(upgraded: DataFolder) -> None:
    voice = read_recordings(upgraded)["long"]["voice_id"]
    tasks = [json.loads(row) for row in upgraded.read_rows()["voicehub_task"]]
    found = [
        task for task in tasks if task["kind"] == "examine_recordings" and task["object_id"].replace("-", "") == voice
    ]
    assert [task["status"] for task in found] == ["waiting"]


def test_migration_can_be_reversed(before: DataFolder, upgraded: DataFolder, tmp_path: Path) -> None:
    again = upgraded.copy(tmp_path)
    again.migrate("voices", BEFORE)
    first, second = before.read_rows()["voices_recording"], again.read_rows()["voices_recording"]
    # The quality by which builds choose is computed again where it is needed.
    expected = [json.loads(row) | {"selection_quality": None} for row in first]
    assert [json.loads(row) | {"selection_quality": None} for row in second] == expected


def test_text_of_the_migration_is_that_of_the_finding(upgraded: DataFolder) -> None:
    from audio.findings.findings import make_finding

    stored = json.loads(read_recordings(upgraded)["long"]["findings"])[0]
    assert stored == make_finding("long", minutes=10, seconds=0, limit=60.0).as_dict()
