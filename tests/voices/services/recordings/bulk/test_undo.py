"""An action is undone once, within an hour, by the person who did it, and only where nothing changed since."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from voicehub.edit_versions import make_version
from voicehub.models import Task, User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import UNDO_TIME
from voices.models import BulkChange, InclusionSource, Recording, Voice
from voices.services.recordings.bulk.changes import FINISH_TASK
from voices.services.recordings.bulk.inclusion import include_recordings, leave_out_recordings
from voices.services.recordings.bulk.table_preview import preview_table
from voices.services.recordings.bulk.transcripts import apply_transcripts
from voices.services.recordings.bulk.undo import undo_change, undo_changes
from voices.services.recordings.inclusion import leave_out
from voices.services.recordings.store import COMPARE_TASK, save_transcript, set_active, set_transcript, switch_active

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def leave_out_all(voice: Voice, by: User) -> BulkChange:
    change = leave_out_recordings(voice, list(voice.recordings.values_list("pk", flat=True)), by).change
    assert change
    return change


def read_decisions(voice: Voice) -> list[tuple[bool, str, str]]:
    return list(voice.recordings.order_by("file_name").values_list("active", "active_by", "exclusion_code"))


def test_undo_puts_back_every_earlier_decision(studio: Studio, voice: Voice) -> None:
    recordings = studio.make_recordings(voice, 4)
    set_active(recordings[0], True)
    for recording, code in zip(recordings[1:3], ("silent", "noisy"), strict=True):
        Recording.objects.filter(pk=recording.pk).update(
            active=False, active_by=InclusionSource.CHECK, exclusion_code=code
        )
    before = read_decisions(voice)
    left_out = leave_out_all(voice, studio.producer)
    included = include_recordings(voice, [one.pk for one in recordings], studio.producer).change
    assert included
    assert undo_change(included.pk, voice, studio.producer).restored == 4
    assert undo_change(left_out.pk, voice, studio.producer).restored == 2
    assert read_decisions(voice) == before


def test_later_change_of_a_person_stands(studio: Studio, voice: Voice) -> None:
    first, second, third = studio.make_recordings(voice, 3)
    change = leave_out_all(voice, studio.producer)
    set_active(first, True)
    second.delete()
    result = undo_change(change.pk, voice, studio.producer)
    assert (result.restored, result.left_alone) == (1, 2)
    first.refresh_from_db()
    third.refresh_from_db()
    assert (first.active, first.active_by) == (True, InclusionSource.PERSON)
    assert (third.active, third.active_by) == (True, InclusionSource.UNDECIDED)


def test_later_equal_decision_of_another_person_stands(studio: Studio, voice: Voice, engineer: User) -> None:
    first, second = studio.make_recordings(voice, 2)
    change = leave_out_all(voice, studio.producer)
    include_recordings(voice, [first.pk], engineer)
    leave_out_recordings(voice, [first.pk], engineer)
    result = undo_change(change.pk, voice, studio.producer)
    assert (result.restored, result.left_alone) == (1, 1)
    assert list(voice.recordings.filter(active=False)) == [first]


def test_later_equal_transcript_of_another_person_stands(studio: Studio, voice: Voice, engineer: User) -> None:
    (row,) = studio.make_recordings(voice, 1, transcript="One.")
    change = set_texts(voice, "Two.", studio.producer)
    set_texts(voice, "Three.", engineer)
    last = set_texts(voice, "Two.", engineer)
    assert undo_change(change.pk, voice, studio.producer).restored == 0
    row.refresh_from_db()
    assert row.transcript == "Two."
    assert undo_change(last.pk, voice, engineer).restored == 1


def test_later_equal_choice_by_the_switch_of_a_recording_stands(studio: Studio, voice: Voice) -> None:
    again, back_and_forth, untouched = studio.make_recordings(voice, 3)
    change = leave_out_all(voice, studio.producer)
    switch_active(again, False, was_active=False)
    switch_active(back_and_forth, True, was_active=False)
    switch_active(back_and_forth, False, was_active=True)
    result = undo_change(change.pk, voice, studio.producer)
    assert (result.restored, result.left_alone) == (1, 2)
    assert list(voice.recordings.filter(active=True)) == [untouched]


def test_later_equal_transcript_of_one_recording_stands(studio: Studio, voice: Voice) -> None:
    kept, restored = studio.make_recordings(voice, 2, transcript="One.")
    change = set_texts(voice, "Two.", studio.producer)
    save_transcript(kept, "Two.", make_version("Two."))
    result = undo_change(change.pk, voice, studio.producer)
    assert (result.restored, result.left_alone) == (1, 1)
    texts = {row: row.transcript for row in voice.recordings.all()}
    assert texts == {kept: "Two.", restored: "One."}


def test_choice_before_the_change_does_not_stop_its_undo(studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    set_active(row, True)
    set_transcript(row, "One.")
    text, left_out = set_texts(voice, "Two.", studio.producer), leave_out_all(voice, studio.producer)
    assert [undo_change(one.pk, voice, studio.producer).restored for one in (left_out, text)] == [1, 1]
    row.refresh_from_db()
    assert (row.active, row.transcript) == (True, "One.")


def test_choice_between_two_changes_stands_when_both_are_undone(studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    first = leave_out_all(voice, studio.producer)
    switch_active(row, False, was_active=False)
    second = include_recordings(voice, [row.pk], studio.producer).change
    assert second and undo_change(second.pk, voice, studio.producer).restored == 1
    assert undo_change(first.pk, voice, studio.producer).left_alone == 1
    assert not voice.recordings.get().active


def test_recording_left_out_for_a_build_stays_out_when_both_changes_are_undone(studio: Studio, voice: Voice) -> None:
    (row,) = studio.make_recordings(voice, 1)
    first = leave_out_all(voice, studio.producer)
    second = include_recordings(voice, [row.pk], studio.producer).change
    assert second and leave_out(voice.recordings.all()) == 1
    assert [undo_change(one.pk, voice, studio.producer).left_alone for one in (second, first)] == [1, 1]
    assert not voice.recordings.get().active


def set_texts(voice: Voice, text: str, by: User) -> BulkChange:
    table = "".join(f"{row.file_name}|{text}\n" for row in voice.recordings.all())
    change = preview_table(voice, list(voice.recordings.values_list("pk", flat=True)), table.encode(), by).change
    assert change and apply_transcripts(change.pk, voice, by).changed
    return change


def test_change_of_another_person_is_undone_with_none(studio: Studio, voice: Voice, engineer: User) -> None:
    first, second = studio.make_recordings(voice, 2)
    changes = [
        leave_out_recordings(voice, [row.pk], by).change for row, by in ((first, engineer), (second, studio.producer))
    ]
    with pytest.raises(ActionRefused, match=f"Only {engineer}"):
        undo_changes([change.pk for change in changes if change], voice, studio.producer)
    assert not voice.recordings.filter(active=True).exists()


def test_action_is_undone_only_once(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 1)
    change = leave_out_all(voice, studio.producer)
    undo_change(change.pk, voice, studio.producer)
    leave_out_all(voice, studio.producer)
    with pytest.raises(ActionRefused, match="already undone"):
        undo_change(change.pk, voice, studio.producer)
    assert not voice.recordings.filter(active=True).exists()


def test_several_changes_are_undone_together_or_not_at_all(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 3)
    before, left_out = read_decisions(voice), leave_out_all(voice, studio.producer)
    some = list(voice.recordings.values_list("pk", flat=True))[:2]
    included = include_recordings(voice, some, studio.producer).change
    assert included
    after = read_decisions(voice)
    BulkChange.objects.filter(pk=left_out.pk).update(undone_at=timezone.now())
    with pytest.raises(ActionRefused, match="already undone"):
        undo_changes([left_out.pk, included.pk], voice, studio.producer)
    assert read_decisions(voice) == after and not BulkChange.objects.get(pk=included.pk).undone_at
    BulkChange.objects.update(undone_at=None)
    result = undo_changes([left_out.pk, included.pk], voice, studio.producer)
    assert (result.restored, result.left_alone, read_decisions(voice)) == (5, 0, before)


def test_only_the_person_who_did_it_can_undo(studio: Studio, voice: Voice, engineer: User) -> None:
    studio.make_recordings(voice, 1)
    change = leave_out_all(voice, studio.producer)
    with pytest.raises(ActionRefused, match=f"Only {studio.producer}, who started this, can do it"):
        undo_change(change.pk, voice, engineer)
    assert not voice.recordings.filter(active=True).exists()


def test_undo_ends_after_its_time(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 1)
    change = leave_out_all(voice, studio.producer)
    BulkChange.objects.update(applied_at=timezone.now() - UNDO_TIME)
    with pytest.raises(ActionRefused, match="the time limit is one hour"):
        undo_change(change.pk, voice, studio.producer)


def test_unknown_id_and_id_of_another_voice_are_refused(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 1)
    change = leave_out_all(voice, studio.producer)
    other = studio.make_voice("Other", voice.talent)
    for pk, of_voice in ((uuid4(), voice), (change.pk, other)):
        with pytest.raises(ActionRefused, match="Nothing was changed"):
            undo_change(pk, of_voice, studio.producer)
    assert not voice.recordings.filter(active=True).exists()


def test_damaged_rows_restore_what_is_readable(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 2)
    change = leave_out_all(voice, studio.producer)
    good, bad = change.changes
    damaged = [good, {**bad, "before": "check:"}, {**bad, "id": "none"}, {"id": 5}, "text"]
    BulkChange.objects.update(changes=damaged)
    assert undo_change(change.pk, voice, studio.producer).restored == 1


def test_checks_judge_again_what_they_passed_over(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 2)
    for is_checked in (False, True):
        Task.objects.all().delete()
        change = leave_out_all(voice, studio.producer)
        if is_checked:
            voice.recordings.update(checked_at=timezone.now())
        undo_change(change.pk, voice, studio.producer)
        assert Task.objects.filter(kind=COMPARE_TASK).exists() == is_checked


def test_row_with_earlier_states_is_deleted_when_undo_is_over(studio: Studio, voice: Voice) -> None:
    studio.make_recordings(voice, 1)
    change = leave_out_all(voice, studio.producer)
    Task.objects.update(due_at=timezone.now())
    run_due_tasks(FINISH_TASK, rounds=2)
    assert BulkChange.objects.exists()
    task = Task.objects.get(kind=FINISH_TASK, object_id=str(change.pk))
    assert timedelta(minutes=59) < task.due_at - timezone.now() <= UNDO_TIME
    BulkChange.objects.update(applied_at=timezone.now() - UNDO_TIME)
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now())
    run_due_tasks(FINISH_TASK)
    assert not BulkChange.objects.exists()
