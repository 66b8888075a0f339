"""What an earlier version knows of files at AudioStack becomes rows, so that they can be deleted."""

import json

import pytest

from tests.upgrade.conftest import RoundTrip, Unclear
from tests.upgrade.data_folder import DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]


def read_files(folder: DataFolder) -> list[tuple[str, str, bool]]:
    with folder.open_database() as database:
        return list(
            database.execute("SELECT remote_id, kind, recording_id IS NOT NULL FROM voices_remotefile ORDER BY 1")
        )


def test_known_uploads_become_rows_and_the_migration_is_reversible(round_trip: RoundTrip) -> None:
    expected = [("f-logged", "consent", False), ("f-pending", "consent", False), ("r-1", "recording", True)]
    assert read_files(round_trip.upgraded) == expected
    rows = round_trip.upgraded.read_rows()["voices_remotefile"]
    assert all(json.loads(row)["deletion_requested_at"] is None for row in rows)
    assert round_trip.reversed == round_trip.before
    assert read_files(round_trip.upgraded_again) == expected


def test_pending_upload_under_a_lost_key_is_left_out(unclear: Unclear) -> None:
    assert read_files(unclear.upgraded) == [("f-logged", "consent", False), ("r-1", "recording", True)]


def test_recordings_of_deleted_voices_are_marked(before_long_recordings: DataFolder) -> None:
    (row,) = before_long_recordings.read_rows()["voices_remoterecording"]
    assert json.loads(row)["deleted_at"] == "2026-11-28 04:00:00"
