"""An upgrade deletes no voice whose consent or contract had ended: a person decides about each."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.test_version_before import LAST_MIGRATIONS, DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

WITHDRAWN = "UPDATE consent_consent SET status = 'withdrawn'"
EXPIRED = "UPDATE consent_consent SET status = 'expired', valid_until = '2026-01-31'"
OVERDUE = "UPDATE consent_consent SET valid_until = '2026-01-31'"
SUSPENDED = "UPDATE consent_consent SET status = 'suspended'"
CONTRACT_ENDED = (
    "UPDATE consent_contract SET signed_on = '2025-01-01', starts_on = '2025-01-01', ends_on = '2026-02-28', "
    "delete_at_end = "
)
# SQL that changes the database of the version before, and the reason with which its voices wait for a decision.
ENDS = {
    WITHDRAWN: "The consent was withdrawn.",
    EXPIRED: "The consent ended.",
    OVERDUE: "The consent ended.",
    CONTRACT_ENDED + "1": "The contract ended.",
    CONTRACT_ENDED + "0": None,
    SUSPENDED: None,
    "SELECT 1": None,
}

REPORT = """
import json, django
django.setup()
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
from django.test import Client
from django.utils import timezone
from consent.services.review import expire_due_consents
from voicehub.models import Task, User
from voices.models import RemoteVoice
from voices.services.scheduled_deletion import confirm_deletion, schedule_deletions
expire_due_consents()
schedule_deletions()
marked = RemoteVoice.objects.filter(deletion_needs_confirmation=True)
user = User.objects.create_superuser("root")
client = Client(headers={"host": "testserver"})
client.force_login(user)
report = {
    "existing": RemoteVoice.objects.exclude(remote_id="").count(),
    "marked": marked.exclude(remote_id="").count(),
    "reasons": sorted(set(marked.values_list("coverage_end_reason", flat=True))),
    "days": sorted({str(day) for day in marked.values_list("coverage_ended_on", flat=True)}),
    "planned": RemoteVoice.objects.exclude(deletion_due_on=None).count(),
    "requested": RemoteVoice.objects.exclude(deletion_requested_at=None).count(),
    "listed": "Ended before the upgrade" in client.get("/deletions/").content.decode(),
}
if first := marked.exclude(remote_id="").first():
    confirm_deletion(first, user, "Confirmed.")
    tasks = Task.objects.filter(kind="delete_remote_voice", object_id=str(first.pk), status="waiting")
    report["confirmed"] = [RemoteVoice.objects.get(pk=first.pk).deletion_reason, tasks.count()]
print(json.dumps(report))
"""


@pytest.mark.parametrize("sql", list(ENDS))
def test_upgrade_plans_nothing_and_asks_a_person(tmp_path: Path, sql: str) -> None:
    data_folder = DataFolder(tmp_path, "http://127.0.0.1:1")
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database, database:
        database.execute(sql)
    data_folder.run("manage.py", "migrate", "--verbosity=0")
    report: dict[str, Any] = json.loads(data_folder.run("-c", REPORT).splitlines()[-1])
    reason = ENDS[sql]
    assert report["existing"] > 5
    assert (report["planned"], report["requested"]) == (0, 0)
    assert report["listed"] == (reason is not None)
    assert report["reasons"] == ([reason] if reason else [])
    if reason is None:
        assert report["marked"] == 0
        return
    assert report["marked"] == report["existing"]
    assert report["confirmed"] == ["Confirmed.", 1]
    if "2026-01-31" in sql:
        assert report["days"] == ["2026-01-31"]


def test_marks_are_removed_when_the_migration_is_reversed(tmp_path: Path) -> None:
    data_folder = DataFolder(tmp_path, "http://127.0.0.1:1")
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database, database:
        database.execute(WITHDRAWN)
    rows = data_folder.read_rows()
    data_folder.run("manage.py", "migrate", "--verbosity=0")
    for app, migration in LAST_MIGRATIONS:
        data_folder.run("manage.py", "migrate", app, migration, "--verbosity=0")
    assert data_folder.read_rows() == rows
