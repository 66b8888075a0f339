"""Many recordings are deleted by the rules of a single deletion, and their files by a task."""

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from consent.services.legal_hold import set_hold
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voicehub.storage import private
from voices.models import BulkChange, Recording, RecordingStatus, RemoteFile, Voice
from voices.services.recordings.bulk import deletion
from voices.services.recordings.bulk.changes import FINISH_TASK
from voices.services.recordings.bulk.deletion import delete_recordings, plan_deletion
from voices.services.recordings.bulk.undo import undo_change
from voices.services.recordings.store import COMPARE_TASK

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


def test_files_are_deleted_by_a_task_in_batches(studio: Studio, voice: Voice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletion, "FILES_BATCH_SIZE", 2)
    recordings = studio.make_recordings(voice, 4)
    names = [str(one.file.name) for one in recordings]
    kept = recordings.pop()
    assert delete_recordings(voice, [one.pk for one in recordings], studio.producer).changed == 3
    assert list(voice.recordings.all()) == [kept]
    assert all(private().exists(name) for name in names)
    assert run_due_tasks(FINISH_TASK) == 2
    assert [private().exists(name) for name in names] == [False, False, False, True]
    assert not BulkChange.objects.exists()
    assert Task.objects.filter(kind=COMPARE_TASK, object_id=str(voice.pk)).exists()


def test_converted_files_are_deleted_too(studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    name = private().save(f"recordings/{voice.pk}/{recording.pk}.made.wav", ContentFile(b"RIFF"))
    Recording.objects.filter(pk=recording.pk).update(wav=name)
    delete_recordings(voice, [recording.pk], studio.producer)
    run_due_tasks(FINISH_TASK)
    assert not private().exists(name)


def test_recordings_that_a_build_or_a_clip_needs_stay(studio: Studio, voice: Voice) -> None:
    built = studio.make_recordings(voice, 1)[0]
    studio.make_build(voice, status="ready")
    source, clip, splitting, sent, free = studio.make_recordings(voice, 5)
    Recording.objects.filter(pk=clip.pk).update(source=source)
    Recording.objects.filter(pk=splitting.pk).update(status=RecordingStatus.SPLITTING)
    RemoteFile.objects.create(
        account=studio.account,
        remote_voice=voice.remote_voices.get(),
        kind="recording",
        recording=sent,
        announced_at=timezone.now(),
    )
    ids = [one.pk for one in (built, source, splitting, sent, free, clip)]
    deletable, plan = plan_deletion(voice, ids)
    skipped = {"used in a build": 2, "source of clips": 1, "being split": 1}
    assert set(deletable) == {free.pk, clip.pk} and dict(plan.skipped) == skipped
    assert voice.recordings.count() == 6
    result = delete_recordings(voice, ids, studio.producer)
    assert (result.changed, dict(result.skipped)) == (2, skipped)
    assert set(voice.recordings.all()) == {built, source, splitting, sent}


def test_legal_hold_stops_the_whole_deletion(studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    set_hold(voice.talent, studio.producer, "A court order.")
    with pytest.raises(ActionRefused, match="A court order"):
        delete_recordings(voice, [recording.pk], studio.producer)
    assert voice.recordings.exists() and not BulkChange.objects.exists()


def test_recordings_of_other_voices_stay(studio: Studio, voice: Voice) -> None:
    (other,) = studio.make_recordings(studio.make_voice("Other", voice.talent), 1)
    assert delete_recordings(voice, [other.pk], studio.producer).changed == 0
    assert Recording.objects.filter(pk=other.pk).exists()


def test_deletion_has_no_undo(studio: Studio, voice: Voice) -> None:
    (recording,) = studio.make_recordings(voice, 1)
    result = delete_recordings(voice, [recording.pk], studio.producer)
    assert result.change is None
    with pytest.raises(ActionRefused, match="Nothing was changed"):
        undo_change(BulkChange.objects.get().pk, voice, studio.producer)


def test_thousands_of_recordings_are_deleted(studio: Studio, voice: Voice) -> None:
    studio.make_fileless_recordings(voice, 1200)
    ids = list(voice.recordings.values_list("pk", flat=True))
    assert delete_recordings(voice, ids, studio.producer).changed == 1200
    assert not voice.recordings.exists()
