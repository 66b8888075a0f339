"""An upgrade shows on Today what was on it, and floods it with no failed build that had left it before."""

import json
from typing import Any

import pytest

from tests.upgrade.conftest import Rows, Unclear

pytestmark = [pytest.mark.processes, pytest.mark.one_database]


def read_builds(rows: Rows) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in map(json.loads, rows["voices_build"])}


def test_only_failed_builds_that_today_had_left_out_are_marked(unclear: Unclear) -> None:
    """Three builds of one voice: a failed one, a failed one, and a newest one. The other voices have one build each."""
    before, builds = read_builds(unclear.before), read_builds(unclear.upgraded.read_rows())
    first, second, newest = unclear.builds
    marks = [(builds[pk]["seen_at"], builds[pk]["seen_by_id"]) for pk in unclear.builds]
    assert marks == [(before[second]["created_at"], None), (before[newest]["created_at"], None), (None, None)]
    assert "Before the upgrade" in builds[first]["seen_note"] and builds[newest]["seen_note"] == ""
    others = set(builds) - set(unclear.builds)
    assert len(others) > 5 and all(builds[pk]["seen_at"] is None for pk in others)
