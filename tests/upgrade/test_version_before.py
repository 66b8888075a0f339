"""A database and data folder of the previous version keep working, with builds in every status."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.sandbox import SandboxProcess
from tests.upgrade.conftest import RoundTrip, Unclear
from tests.upgrade.data_folder import DataFolder
from tests.upgrade.snapshot import ACTIVE_STATUSES, FINAL_STATUSES
from tests.voices.services.builds.build_harness import QUICK_SETTINGS
from voices.models import BuildStatus

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

# The provider lacks the voices of builds that are in training in the snapshot. It trains the other builds.
EXPECTED_STATUSES = {"queued": {"ready"}, "submitting": {"ready"}, "unconfirmed": {"ready"}, "training": {"failed"}}
ADDED_BY_THE_UPGRADE = ("consent_event", "consent_statement")


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataFolder]:
    path = tmp_path_factory.mktemp("before")
    sandbox = SandboxProcess(path / "sandbox")
    sandbox.call_control("POST", "settings", QUICK_SETTINGS)
    yield DataFolder(path, sandbox.address)
    sandbox.stop()


@pytest.fixture(scope="module")
def report(data_folder: DataFolder) -> dict[str, Any]:
    """Migrate the data folder, and return the report of a studio that then continues on it."""
    data_folder.migrate()
    data_folder.run("manage.py", "collectstatic", "--no-input", "--verbosity=0")
    report: dict[str, Any] = json.loads(data_folder.run("-m", "tests.upgrade.studio_report").splitlines()[-1])
    return report


def test_snapshot_has_build_in_every_status() -> None:
    assert {*ACTIVE_STATUSES, *FINAL_STATUSES} == set(BuildStatus.values) - {BuildStatus.WITHDRAWN}


def test_migrations_can_be_reversed_without_losing_data(round_trip: RoundTrip) -> None:
    rows, rows_again = round_trip.upgraded.read_rows(), round_trip.upgraded_again.read_rows()
    assert '"status": "generating"' in str(rows["voices_preview"]) and "encrypted_key" in rows["voices_account"][0]
    assert round_trip.reversed == round_trip.before
    # What an upgrade adds has its own ids and times.
    for table in ADDED_BY_THE_UPGRADE:
        assert len(rows_again.pop(table)) == len(rows.pop(table))
    assert rows_again == rows


def test_statement_that_a_consent_uses_is_retired_but_not_changed(round_trip: RoundTrip) -> None:
    statements = [json.loads(row) for row in round_trip.upgraded.read_rows()["consent_statement"]]
    text = round_trip.old_text
    assert {(row["version"], row["text"], row["retired"]) for row in statements if row["provider"] == "voiceai"} == {
        (1, text, 1),
        (2, text.replace("Voice AI", "Voice.ai"), 0),
    }


def test_terms_are_confirmed_only_where_the_version_before_was_clear(unclear: Unclear) -> None:
    rows = {table: list(map(json.loads, data)) for table, data in unclear.upgraded.read_rows().items()}
    countries = {row["territory"]: json.loads(row["countries"]) for row in rows["consent_contract"]}
    assert countries == {
        "Worldwide": ["worldwide"],
        " worldWIDE ": ["worldwide"],
        "Worldwide, except Japan": [],
        "Japan only": [],
    }
    assert {(row["company"], row["terms_confirmed_by_id"]) for row in rows["consent_contract"]} == {("", None)}
    assert rows["consent_contractconfirmation"] == rows["consent_languageexception"] == []
    names = {row["id"]: row["talent_name"] for row in rows["consent_consent"]}
    assert names[unclear.renamed] == "" and names[unclear.named] == "Tilda Strand"
    assert {row["countries"] for row in rows["voices_voice"]} == {'["worldwide"]'}


def test_withdrawn_builds_become_failed_when_the_migration_is_reversed(round_trip: RoundTrip, tmp_path: Path) -> None:
    folder = round_trip.upgraded.copy(tmp_path)
    with folder.open_database() as database:
        changed = database.execute("UPDATE voices_build SET status = 'withdrawn' WHERE status = 'ready'").rowcount
        (failed,) = database.execute("SELECT count(*) FROM voices_build WHERE status = 'failed'").fetchone()
    folder.migrate("voices", "0006")
    statuses = [json.loads(row)["status"] for row in folder.read_rows()["voices_build"]]
    assert changed and "withdrawn" not in statuses and statuses.count("failed") == failed + changed


def test_no_migration_is_missing(data_folder: DataFolder) -> None:
    assert "No changes detected" in data_folder.run("manage.py", "makemigrations", "--check", "--dry-run")


@pytest.mark.parametrize("key", ["pages before", "pages after"])
def test_every_page_and_file_is_served(report: dict[str, Any], key: str) -> None:
    assert len(report[key]) > 100
    assert {path: status for path, status in report[key].items() if status != 200} == {}


def test_keys_can_be_decrypted_and_audit_logs_are_intact(report: dict[str, Any]) -> None:
    assert len(report["keys"]) == len(ACTIVE_STATUSES) + len(FINAL_STATUSES)
    assert all(key.startswith("key-of-account-") for key in report["keys"])
    assert report["broken logs"] == 0


def test_builds_continue_after_upgrade(report: dict[str, Any]) -> None:
    builds = [(before, after) for before, after, _issue in report["builds"]]
    assert len(builds) == len(ACTIVE_STATUSES) + len(FINAL_STATUSES)
    assert [(before, after) for before, after in builds if after not in EXPECTED_STATUSES.get(before, {before})] == []


def test_waiting_tasks_of_every_kind_succeed(report: dict[str, Any]) -> None:
    assert report["failed tasks"] == ["submit_build: It failed."]
