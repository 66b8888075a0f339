"""An upgrade shows on Today what was on it, and floods it with no failed build that had left it before."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.data_folder import DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]


def read_builds(folder: DataFolder) -> list[dict[str, Any]]:
    rows = [json.loads(row) for row in folder.read_rows()["voices_build"]]
    return sorted(rows, key=lambda row: str(row["created_at"]))


def test_only_failed_builds_that_today_had_left_out_are_marked(tmp_path: Path) -> None:
    """Three builds of one voice: a failed one, a failed one, and a newest one. The other voices have one build each."""
    folder = DataFolder(tmp_path)
    first, second, newest, *others = read_builds(folder)
    with folder.open_database() as database:
        voices = [voice for (voice,) in database.execute("SELECT id FROM voices_voice")]
        assert len(voices) >= 1
        statement = "UPDATE voices_build SET status = ?, finished_at = created_at, voice_id = ? WHERE id = ?"
        for build, status in ((first, "failed"), (second, "dataset_issue"), (newest, "failed")):
            database.execute(statement, (status, newest["voice_id"], build["id"]))
        for build in others:
            database.execute("DELETE FROM voices_buildrecording WHERE build_id = ?", (build["id"],))
            database.execute(
                "UPDATE voices_build SET status = 'ready', finished_at = created_at WHERE id = ?", (build["id"],)
            )
    with folder.open_database() as database:
        copy = "UPDATE voices_build SET created_at = '2020-01-01 00:00:00' WHERE id NOT IN (?, ?, ?)"
        database.execute(copy, (first["id"], second["id"], newest["id"]))
    folder.migrate()
    builds = {build["id"]: build for build in read_builds(folder)}
    marks = [(builds[row["id"]]["seen_at"], builds[row["id"]]["seen_by_id"]) for row in (first, second, newest)]
    assert marks == [(second["created_at"], None), (newest["created_at"], None), (None, None)]
    assert "Before the upgrade" in builds[first["id"]]["seen_note"] and builds[newest["id"]]["seen_note"] == ""
    assert all(builds[row["id"]]["seen_at"] is None for row in others)
