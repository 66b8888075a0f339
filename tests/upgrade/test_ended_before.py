"""An upgrade deletes no voice whose consent or contract had ended: a person decides about each."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.data_folder import DataFolder

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

WITHDRAWN = "UPDATE consent_consent SET status = 'withdrawn'"

REPORT = """
import json, django
django.setup()
from consent.services.expiry import expire_due_consents
from voicehub.models import Task, User
from voices.models import RemoteVoice
from voices.services.deletion_lists import load_open_deletions
from voices.services.scheduled_deletion import confirm_deletion, schedule_deletions
expire_due_consents()
schedule_deletions()
marked = RemoteVoice.objects.filter(deletion_needs_confirmation=True)
user = User.objects.create_superuser("root")
report = {
    "existing": RemoteVoice.objects.exclude(remote_id="").count(),
    "marked": marked.exclude(remote_id="").count(),
    "reasons": sorted(set(marked.values_list("coverage_end_reason", flat=True))),
    "planned": RemoteVoice.objects.exclude(deletion_due_on=None).count(),
    "requested": RemoteVoice.objects.exclude(deletion_requested_at=None).count(),
    "listed": len(load_open_deletions().to_decide),
}
if first := marked.exclude(remote_id="").first():
    confirm_deletion(first, user, "Confirmed.")
    tasks = Task.objects.filter(kind="delete_remote_voice", object_id=str(first.pk), status="waiting")
    report["confirmed"] = [RemoteVoice.objects.get(pk=first.pk).deletion_reason, tasks.count()]
print(json.dumps(report))
"""


def test_upgrade_deletes_nothing_and_asks_a_person(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    data_folder = DataFolder(tmp_path)
    with data_folder.open_database() as database:
        database.execute(WITHDRAWN)
    rows = data_folder.read_rows()
    data_folder.migrate()
    reversed_folder = data_folder.copy(tmp_path_factory.mktemp("reversed"))
    reversed_folder.migrate_back()
    assert reversed_folder.read_rows() == rows
    report: dict[str, Any] = json.loads(data_folder.run("-c", REPORT).splitlines()[-1])
    assert report["existing"] > 5 and report["marked"] == report["existing"]
    assert report["listed"] >= report["existing"]
    assert report["reasons"] == ["The consent was withdrawn."]
    assert (report["planned"], report["requested"]) == (0, 0)
    assert report["confirmed"] == ["Confirmed.", 1]
