"""Many recordings are included in builds or excluded by the rules of the single switch, and checked again only once."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.voices.rows import Studio
from voicehub.models import Task
from voices.models import BuildRecording, BulkChange, InclusionSource, Recording, RecordingStatus, Voice
from voices.services.recordings.bulk import changes
from voices.services.recordings.bulk.inclusion import (
    include_recordings,
    leave_out_recordings,
    recheck_recordings,
)
from voices.services.recordings.store import ANALYZE_TASK, set_active

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def list_ids(voice: Voice) -> list[UUID]:
    return list(voice.recordings.values_list("pk", flat=True))


def read_decisions(voice: Voice) -> list[tuple[bool, str, str]]:
    return list(voice.recordings.order_by("file_name").values_list("active", "active_by", "exclusion_code"))


def mark_left_out_by_check(recording: Recording) -> None:
    fields: dict[str, Any] = {"active": False, "active_by": InclusionSource.CHECK, "exclusion_code": "silent"}
    Recording.objects.filter(pk=recording.pk).update(**fields)


def test_leaving_out_is_the_choice_of_a_person(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 3)
    result = leave_out_recordings(voice, list_ids(voice), studio.producer)
    assert result.changed == 3 and not result.skipped
    assert read_decisions(voice) == [(False, "person", "")] * 3


def test_recordings_that_a_check_left_out_stay_its_decision(studio: Studio, voice: Voice) -> None:
    first, _second = studio.make_recordings(voice, 2)
    mark_left_out_by_check(first)
    result = leave_out_recordings(voice, list_ids(voice), studio.producer)
    assert (result.changed, dict(result.skipped)) == (1, {"already excluded": 1})
    assert read_decisions(voice) == [(False, "check", "silent"), (False, "person", "")]


def test_putting_in_builds_overrides_a_check_and_skips_unusable_files(studio: Studio, voice: Voice) -> None:
    first, second, third = studio.make_recordings(voice, 3)
    mark_left_out_by_check(first)
    Recording.objects.filter(pk=second.pk).update(status=RecordingStatus.REFUSED, active=False)
    result = include_recordings(voice, list_ids(voice), studio.producer)
    assert (result.changed, dict(result.skipped)) == (1, {"not usable": 1, "already in builds": 1})
    assert read_decisions(voice) == [(True, "person", ""), (False, "", ""), (True, "", "")]
    assert third.active


def test_recording_that_no_account_can_use_stays_out(studio: Studio, voice: Voice) -> None:
    first, second = studio.make_recordings(voice, 2)
    leave_out_recordings(voice, [first.pk, second.pk], studio.producer)
    build = studio.make_build(voice, status="ready")
    BuildRecording.objects.filter(build=build, recording=first).update(has_report=True, is_outlier=True)
    result = include_recordings(voice, [first.pk, second.pk], studio.producer)
    assert (result.changed, dict(result.skipped)) == (1, {"refused by the provider": 1})
    assert voice.recordings.get(active=True) == second


def test_recordings_of_other_voices_and_deleted_ones_are_not_touched(studio: Studio, voice: Voice) -> None:
    (own,) = studio.make_recordings(voice, 1)
    (other,) = studio.make_recordings(studio.make_voice("Other", voice.talent), 1)
    result = leave_out_recordings(voice, [own.pk, other.pk, uuid4()], studio.producer)
    assert (result.changed, dict(result.skipped)) == (1, {"deleted meanwhile": 2})
    other.refresh_from_db()
    assert other.active


def test_an_action_that_changes_nothing_has_no_undo(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 2)
    assert include_recordings(voice, list_ids(voice), studio.producer).change is None
    assert not BulkChange.objects.exists()


def count_queries(voice: Voice, ids: list[UUID], studio: Studio) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        leave_out_recordings(voice, ids, studio.producer)
    return len(queries)


def test_each_chunk_needs_the_same_two_queries(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "CHUNK_SIZE", 20)
    studio.make_fileless_recordings(voice, 200)
    ids = sorted(list_ids(voice))
    one, three = count_queries(voice, ids[:20], studio), count_queries(voice, ids[20:80], studio)
    assert three - one == 2 * 2
    assert leave_out_recordings(voice, ids, studio.producer).changed == 120
    assert not voice.recordings.filter(active=True).exists()


def test_recordings_are_checked_again_once(studio: Studio, voice: Voice) -> None:
    first, second, third = studio.make_recordings(voice, 3)
    Recording.objects.filter(pk=second.pk).update(analyzed_at=None)
    Recording.objects.filter(pk=third.pk).update(status=RecordingStatus.REFUSED)
    Task.objects.all().delete()
    result = recheck_recordings(voice, list_ids(voice))
    assert (result.changed, dict(result.skipped)) == (1, {"not usable": 1, "being checked already": 1})
    again = recheck_recordings(voice, list_ids(voice))
    assert (again.changed, again.skipped["being checked already"]) == (0, 2)
    assert Task.objects.filter(kind=ANALYZE_TASK, object_id=str(voice.pk)).count() == 1
    first.refresh_from_db()
    assert first.analyzed_at is None


def test_single_switch_and_bulk_write_the_same(studio: Studio, voice: Voice) -> None:
    first, second = studio.make_recordings(voice, 2)
    set_active(first, False)
    leave_out_recordings(voice, [second.pk], studio.producer)
    assert len(set(read_decisions(voice))) == 1
