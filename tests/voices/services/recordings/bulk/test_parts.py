"""A large table of transcripts: its first part is set at once, a task sets the others, and undo restores them all."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from consent.models import Consent
from consent.services.review import withdraw_consent
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from voicehub.models import Task, TaskStatus, User
from voicehub.outbox import Lease
from voicehub.retry_policy import UNDO_TIME
from voices.models import BulkChange, Recording, Voice
from voices.services.recordings.bulk import parts, table_task
from voices.services.recordings.bulk.changes import FINISH_TASK
from voices.services.recordings.bulk.parts import SET_TEXTS_TASK, list_due, load_tables
from voices.services.recordings.bulk.table_preview import preview_table
from voices.services.recordings.bulk.transcripts import apply_transcripts
from voices.services.recordings.bulk.undo import undo_change
from voices.services.recordings.repairs import repair_transcripts
from voices.services.recordings.store import COMPARE_TASK, set_transcript

pytestmark = pytest.mark.django_db

COUNT = 10
OLD, NEW = "The north wind.", "The south wind."


@pytest.fixture
def voice(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Voice:
    """A voice with ten recordings. A part of a table has three of them."""
    monkeypatch.setattr(parts, "PART_SIZE", 3)
    voice = studio.make_voice()
    studio.make_fileless_recordings(voice, COUNT)
    voice.recordings.update(transcript=OLD)
    Task.objects.all().delete()
    return voice


def preview(voice: Voice, by: User) -> BulkChange:
    ids = list(voice.recordings.values_list("pk", flat=True))
    table = "\n".join(f"{name}|{NEW}" for name in voice.recordings.values_list("file_name", flat=True))
    change = preview_table(voice, ids, table.encode(), by).change
    assert change
    return change


def apply(voice: Voice, by: User) -> BulkChange:
    change = preview(voice, by)
    apply_transcripts(change.pk, voice, by)
    return change


def count_texts(voice: Voice, text: str = NEW) -> int:
    return voice.recordings.filter(transcript=text).count()


def read_failure() -> str:
    return Task.objects.get(kind=SET_TEXTS_TASK, status=TaskStatus.FAILED).reason


def test_first_part_is_set_at_once_and_the_others_by_a_task(studio: Studio, voice: Voice) -> None:
    result = apply_transcripts(preview(voice, studio.producer).pk, voice, studio.producer)
    assert (result.changed, result.following, count_texts(voice)) == (3, 7, 3)
    assert not Task.objects.filter(kind=COMPARE_TASK).exists()
    assert run_due_tasks(SET_TEXTS_TASK) == 1
    assert count_texts(voice) == COUNT
    assert Task.objects.filter(kind=COMPARE_TASK, object_id=str(voice.pk)).count() == 1
    assert voice.recordings.filter(checked_at=None).count() == 0
    assert not list_due(load_tables(voice)[0])


def test_small_table_needs_no_task(studio: Studio, voice: Voice) -> None:
    voice.recordings.filter(pk__in=voice.recordings.values("pk")[3:]).update(transcript=NEW)
    result = apply_transcripts(preview(voice, studio.producer).pk, voice, studio.producer)
    assert (result.changed, result.following, count_texts(voice)) == (3, 0, COUNT)
    assert not Task.objects.filter(kind=SET_TEXTS_TASK).exists()
    assert Task.objects.filter(kind=COMPARE_TASK).exists()


def test_undo_restores_every_part(studio: Studio, voice: Voice) -> None:
    change = apply(voice, studio.producer)
    run_due_tasks(SET_TEXTS_TASK)
    first = change.changes[0]["id"]
    for row in voice.recordings.exclude(pk=first)[:1]:
        set_transcript(row, "By hand.")
    result = undo_change(change.pk, voice, studio.producer)
    assert result.restored + result.left_alone == 3 and result.following == 7
    run_due_tasks(SET_TEXTS_TASK)
    assert (count_texts(voice, OLD), count_texts(voice, "By hand.")) == (COUNT - 1, 1)
    assert not list_due(load_tables(voice)[0])


def test_undo_while_parts_are_left_sets_no_more_of_them(studio: Studio, voice: Voice) -> None:
    change = apply(voice, studio.producer)
    undo_change(change.pk, voice, studio.producer)
    assert run_due_tasks(SET_TEXTS_TASK) == 1
    assert count_texts(voice, OLD) == COUNT


class KilledAt:
    """A lease whose worker is killed before a part."""

    def __init__(self, part: int) -> None:
        self.left = part

    def extend(self) -> None:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1


def run_until_killed(voice: Voice, part: int) -> None:
    lease: Any = KilledAt(part)
    with pytest.raises(KeyboardInterrupt):
        table_task.finish_tables(str(voice.pk), lease)


def test_killed_worker_loses_and_repeats_nothing(studio: Studio, voice: Voice) -> None:
    change = apply(voice, studio.producer)
    run_until_killed(voice, 1)
    assert count_texts(voice) == 6
    second = load_tables(voice)[0][1]
    by_hand = Recording.objects.get(pk=second.changes[0]["id"])
    set_transcript(by_hand, OLD)
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice) == COUNT - 1 and Recording.objects.get(pk=by_hand.pk).transcript == OLD
    undo_change(change.pk, voice, studio.producer)
    run_until_killed(voice, 1)
    assert count_texts(voice, OLD) == 6
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice, OLD) == COUNT


def test_person_without_the_permission_changes_no_more(studio: Studio, voice: Voice) -> None:
    apply(voice, studio.producer)
    studio.producer.groups.set([Group.objects.get(name="viewer")])
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice) == 3
    assert read_failure() == (
        f"7 transcripts of a table were not set: {studio.producer} no longer has permission to change these recordings."
    )
    assert [len(parts) for parts in load_tables(voice)] == [1]


def test_recordings_that_are_closed_meanwhile_stay(studio: Studio, voice: Voice, engineer: User) -> None:
    change = apply(voice, engineer)
    withdraw_consent(Consent.objects.get(talent=voice.talent), studio.producer, "The talent changed their mind.")
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice) == 3 and "7 transcripts of a table were not set" in read_failure()
    assert BulkChange.objects.get().pk == change.pk


def test_table_of_another_person_is_set_all_the_same(studio: Studio, voice: Voice, engineer: User) -> None:
    change = apply(voice, engineer)
    engineer.groups.clear()
    apply(voice, studio.producer)
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice) == COUNT and f"{engineer} no longer has permission" in read_failure()
    assert BulkChange.objects.filter(pk=change.pk).exists()


def test_table_is_deleted_when_undo_is_over_and_all_of_it_is_set(studio: Studio, voice: Voice) -> None:
    change = apply(voice, studio.producer)
    past = timezone.now() - UNDO_TIME
    BulkChange.objects.filter(pk=change.pk).update(applied_at=past)
    Task.objects.filter(kind=FINISH_TASK).update(due_at=past)
    assert run_due_tasks(FINISH_TASK) == 1
    assert BulkChange.objects.count() == 4
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice) == COUNT
    Task.objects.filter(kind=FINISH_TASK).update(due_at=past)
    run_due_tasks(FINISH_TASK)
    assert not BulkChange.objects.exists()


def test_preview_that_is_never_applied_is_deleted_whole(studio: Studio, voice: Voice) -> None:
    preview(voice, studio.producer)
    BulkChange.objects.update(created_at=timezone.now() - UNDO_TIME)
    Task.objects.filter(kind=FINISH_TASK).update(due_at=timezone.now())
    run_due_tasks(FINISH_TASK)
    assert not BulkChange.objects.exists() and count_texts(voice) == 0


def test_two_tables_are_two(studio: Studio, voice: Voice) -> None:
    """A table that is previewed but not applied does not become part of another one."""
    preview(voice, studio.producer)
    change = apply(voice, studio.producer)
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice) == COUNT
    assert [len(one) for one in load_tables(voice)] == [4, 4]
    undo_change(change.pk, voice, studio.producer)
    run_due_tasks(SET_TEXTS_TASK)
    assert count_texts(voice, OLD) == COUNT


def test_repairs_of_many_transcripts_are_done_in_parts(studio: Studio, voice: Voice) -> None:
    for row in voice.recordings.all():
        set_transcript(row, "The  <b>north</b> wind.")
    Task.objects.all().delete()
    result = repair_transcripts(voice, studio.producer)
    assert (result.changed, result.following) == (3, 7)
    run_due_tasks(SET_TEXTS_TASK)
    assert not voice.recordings.filter(transcript__contains="<b>").exists()


def test_lease_is_extended_before_each_part(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(Lease, "extend", lambda _lease: calls.append("extend"))
    apply(voice, studio.producer)
    run_due_tasks(SET_TEXTS_TASK)
    assert len(calls) == 3
