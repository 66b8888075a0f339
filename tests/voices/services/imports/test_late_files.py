"""Files that arrive while an import is added: none is lost, whichever task comes first."""

import io

import pytest

from tests.support.task_runner import run_due_tasks
from tests.voices.import_rows import add, add_files, check, make_checked_import
from tests.voices.rows import Studio, make_clip, make_upload
from voicehub.models import Task, TaskStatus, User
from voicehub.outbox import PermanentFailure
from voicehub.refusals import ActionRefused
from voices.models import Import, ImportFile, ImportStatus, Voice
from voices.services.imports import check as check_service
from voices.services.imports import uploads
from voices.services.imports.add import handle_add_failure, start_adding
from voices.services.imports.check import handle_check_failure
from voices.services.imports.choices import restore_zeros
from voices.services.imports.clear import CLEAR_TASK, discard_import
from voices.services.imports.rows import ADD_TASK, CHECK_TASK
from voices.services.imports.uploads import (
    JOIN_TASK,
    OffsetConflict,
    append_part,
    complete_file,
    create_upload,
    store_whole_file,
)
from voices.services.imports.work import start_work
from voices.services.recordings.store import ANALYZE_TASK

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def import_set(studio: Studio, voice: Voice) -> Import:
    return make_checked_import(voice, studio.producer, {"a.wav": make_clip(1), "list.csv": b"a|Words.\n"})


def upload_in_parts(import_set: Import, data: bytes) -> ImportFile:
    """A file whose two parts have arrived, and whose task has not run."""
    file = create_upload(import_set, "b.wav", len(data))
    for start, end in ((0, 1000), (1000, len(data))):
        row = ImportFile.objects.select_related("import_set").get(pk=file.pk)
        append_part(row, start, io.BytesIO(data[start:end]))
    return file


def is_waiting(kind: str) -> bool:
    return Task.objects.filter(kind=kind, status=TaskStatus.WAITING).exists()


def test_file_that_is_not_joined_is_waited_for(studio: Studio, import_set: Import) -> None:
    upload_in_parts(import_set, make_clip(2))
    with pytest.raises(ActionRefused, match="still being checked"):
        start_adding(import_set, studio.producer)
    run_due_tasks(JOIN_TASK)
    check(import_set)
    assert start_adding(import_set, studio.producer) == 2


def test_file_that_is_not_uploaded_completely_is_not_waited_for(studio: Studio, import_set: Import) -> None:
    import_set.files.create(name="b.wav", size=9, received=8)
    import_set.files.create(name="empty.wav", size=0)
    assert start_adding(import_set, studio.producer) == 1


@pytest.mark.parametrize("is_joined", [True, False])
def test_import_with_a_late_file_is_open_again(studio: Studio, import_set: Import, is_joined: bool) -> None:
    start_adding(import_set, studio.producer)
    Import.objects.update(status=ImportStatus.OPEN)  # as the request that adds the last part has read it
    upload_in_parts(Import.objects.get(), make_clip(2))
    Import.objects.update(status=ImportStatus.ADDING)
    if is_joined:
        run_due_tasks(JOIN_TASK)
    check(import_set)  # too early: it is being added
    add(import_set)
    assert import_set.status == ImportStatus.OPEN and import_set.work_started_at is None
    assert is_waiting(CHECK_TASK) and is_waiting(ANALYZE_TASK) and not is_waiting(CLEAR_TASK)
    run_due_tasks(JOIN_TASK)
    check(import_set)
    assert start_adding(import_set, studio.producer) == 1
    add(import_set)
    assert import_set.status == ImportStatus.ADDED and import_set.voice.recordings.count() == 2


def test_failed_adding_has_late_files_checked(studio: Studio, import_set: Import) -> None:
    start_adding(import_set, studio.producer)
    handle_add_failure(str(import_set.pk))
    assert not is_waiting(CHECK_TASK)
    start_adding(Import.objects.get(), studio.producer)
    add_files(import_set, {"b.wav": make_clip(2)})
    check(import_set)
    handle_add_failure(str(import_set.pk))
    assert is_waiting(CHECK_TASK) and Import.objects.get().status == ImportStatus.OPEN


def test_part_and_file_of_an_import_that_is_over_do_not_count(
    studio: Studio, import_set: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = create_upload(import_set, "b.wav", 4)
    row = ImportFile.objects.select_related("import_set").get(pk=file.pk)
    discard_import(import_set)
    with pytest.raises(OffsetConflict):
        append_part(row, 0, io.BytesIO(b"1234"))
    assert not complete_file(row, "imports/x", "")
    monkeypatch.setattr(uploads, "require_usable", lambda import_set: None)  # it was open a moment before
    with pytest.raises(ActionRefused, match="meanwhile"):
        store_whole_file(import_set, make_upload("c.wav", make_clip(3)))
    assert not import_set.files.filter(name="c.wav").exists()


def test_match_that_waits_is_waited_for(studio: Studio, import_set: Import) -> None:
    restore_zeros(import_set.files.get(name="list.csv").texts.get())
    Import.objects.update(work_started_at=None)
    with pytest.raises(ActionRefused, match="still being checked"):
        start_adding(import_set, studio.producer)
    check(import_set)
    start_work(import_set)
    with pytest.raises(ActionRefused, match="still being checked"):
        start_adding(import_set, studio.producer)


def test_files_of_a_failed_check_are_not_left_out(studio: Studio, import_set: Import) -> None:
    add_files(import_set, {"b.wav": make_clip(2)})
    Task.objects.filter(kind=CHECK_TASK).update(status=TaskStatus.FAILED)
    handle_check_failure(str(import_set.pk))
    with pytest.raises(ActionRefused, match="check of the files failed"):
        start_adding(import_set, studio.producer)


def test_permission_is_that_of_the_person_who_adds(studio: Studio, voice: Voice) -> None:
    uploader = User.objects.create(username="Left the studio")
    (earlier,) = studio.make_recordings(voice, 1, transcript="Old words.")
    files = {"a.wav": make_clip(11), "fix.csv": f"{earlier.file_name}|New words.\n".encode()}
    import_set = make_checked_import(voice, uploader, files)
    start_adding(import_set, studio.producer)
    add(import_set)
    assert (import_set.status, import_set.added_by) == (ImportStatus.ADDED, studio.producer)
    assert voice.recordings.get(file_name="a.wav").uploaded_by == uploader
    assert voice.bulk_changes.get().by == studio.producer
    again = make_checked_import(voice, studio.producer, {"c.wav": make_clip(13)})
    start_adding(again, uploader)
    add(again)
    assert again.status == ImportStatus.OPEN
    assert Task.objects.get(kind=ADD_TASK, object_id=str(again.pk)).reason.startswith("Left the studio")
    assert not is_waiting(ADD_TASK)


def test_failed_check_is_not_at_work(studio: Studio, import_set: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(import_set: Import) -> None:
        raise PermanentFailure("The texts cannot be stored.")

    monkeypatch.setattr(check_service, "match_texts", fail)
    add_files(import_set, {"b.wav": make_clip(2)})
    check(import_set)
    assert Task.objects.filter(kind=CHECK_TASK, status=TaskStatus.FAILED).exists()
    assert import_set.work_started_at is None
    assert start_adding(import_set, studio.producer) == 2
