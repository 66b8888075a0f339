"""Databases in which a talent has several approved consents for one provider and purpose: the newest approval stays."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade.conftest import RoundTrip
from tests.upgrade.data_folder import DataFolder
from tests.upgrade.unusual_rows import NEWEST, OLDEST

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

CHECK_LOGS = "from consent.services.audit_log import find_broken_logs; print('broken', len(list(find_broken_logs())))"


def read_consents(folder: DataFolder) -> dict[str, dict[str, Any]]:
    rows = (json.loads(row) for row in folder.read_rows()["consent_consent"])
    return {row["id"]: row for row in rows}


def test_newest_approval_stays_and_the_older_ones_are_replaced(round_trip: RoundTrip) -> None:
    folder, original = round_trip.upgraded, round_trip.approval
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
    assert round_trip.reversed == round_trip.before
    assert read_consents(round_trip.upgraded_again)[OLDEST]["replaced_by_id"] == NEWEST


def test_later_entry_of_the_audit_log_is_never_removed(round_trip: RoundTrip, tmp_path: Path) -> None:
    """The entry of the migration stays when another entry follows it. The version before knows the consent as ended."""
    folder, original = round_trip.upgraded.copy(tmp_path), round_trip.approval
    add_event = (
        "from consent.models import Consent, EventKind; from consent.services.audit_log import record_event; "
        f"record_event(Consent.objects.get(pk='{original}'), EventKind.MAILED, None)"
    )
    folder.run("manage.py", "shell", "--no-imports", "-c", add_event)
    before = folder.read_rows()["consent_event"]
    folder.migrate("consent", "0008")
    after = folder.read_rows()["consent_event"]
    removed = [json.loads(row)["consent_id"] for row in set(before) - set(after)]
    assert removed == [OLDEST]
    assert read_consents(folder)[original]["status"] == "expired"
