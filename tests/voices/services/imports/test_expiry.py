"""What uploads leave in the storage is deleted: broken requests, joined parts, and imports that are over."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from tests.voices.services.imports.test_uploads import get_folder, list_stored, load
from tests.voices.uploads import read_stored
from voicehub import outbox
from voicehub.models import Task
from voicehub.retry_policy import BROKEN_PART_AGE, UPLOAD_SWEEP_INTERVAL
from voices.models import Import, ImportFile, ImportPart, ImportStatus
from voices.models.imports import IMPORT_LIFETIME
from voices.services.imports.expiry import delete_old_uploads
from voices.services.imports.rows import create_import
from voices.services.imports.uploads import JOIN_TASK, append_part, create_upload

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def import_set(studio: Studio) -> Import:
    """An import with a complete file, one that has half arrived, and one that has not begun."""
    import_set = create_import(studio.make_voice(), studio.producer)
    for name, content in (("whole.wav", b"123456"), ("half.wav", b"123"), ("none.wav", b"")):
        append_part(load(create_upload(import_set, name, 6)), 0, io.BytesIO(content))
    assert len(list_stored(import_set)) == 2
    return import_set


def test_open_import_is_kept_for_its_lifetime(import_set: Import) -> None:
    Import.objects.update(created_at=timezone.now() - IMPORT_LIFETIME + timedelta(minutes=1))
    delete_old_uploads()
    assert len(list_stored(import_set)) == 2 and ImportFile.objects.count() == 3
    append_part(ImportFile.objects.select_related("import_set").get(name="half.wav"), 3, io.BytesIO(b"456"))
    run_due_tasks(JOIN_TASK)
    assert read_stored(ImportFile.objects.get(name="half.wav")) == b"123456"


@pytest.mark.parametrize("status", [ImportStatus.ADDED, ImportStatus.DISCARDED])
def test_files_of_an_import_that_is_over_are_deleted_and_its_rows_stay(import_set: Import, status: str) -> None:
    Import.objects.update(status=status)
    delete_old_uploads()
    assert not get_folder(import_set).exists()
    assert not ImportPart.objects.exists()
    assert set(ImportFile.objects.values_list("name", "file")) == {
        ("whole.wav", ""),
        ("half.wav", ""),
        ("none.wav", ""),
    }
    delete_old_uploads()
    Import.objects.update(created_at=timezone.now() - IMPORT_LIFETIME - timedelta(minutes=1))
    delete_old_uploads()
    assert not Import.objects.exists() and not ImportFile.objects.exists()


def test_expired_import_is_deleted_with_its_files(import_set: Import) -> None:
    Import.objects.update(created_at=timezone.now() - IMPORT_LIFETIME - timedelta(minutes=1))
    delete_old_uploads()
    assert not get_folder(import_set).exists() and not Import.objects.exists()


def test_import_that_is_being_added_keeps_its_files(import_set: Import) -> None:
    Import.objects.update(status=ImportStatus.ADDING, created_at=timezone.now() - 2 * IMPORT_LIFETIME)
    delete_old_uploads()
    assert len(list_stored(import_set)) == 2 and Import.objects.get().status == "adding"


def test_file_that_a_killed_process_left_goes_with_the_import(import_set: Import) -> None:
    (get_folder(import_set) / "stray").mkdir()
    (get_folder(import_set) / "stray" / "file-of-no-row").write_bytes(b"123")
    Import.objects.update(status=ImportStatus.DISCARDED)
    delete_old_uploads()
    assert not get_folder(import_set).exists()


def test_part_of_a_broken_request_is_deleted_after_an_hour(import_set: Import) -> None:
    file = ImportFile.objects.get(name="half.wav")
    part = ImportPart(file=file, start=3)
    part.content.save("", io.BytesIO(b"4"))  # type: ignore[arg-type]  # a file
    delete_old_uploads()
    assert len(list_stored(import_set)) == 3
    ImportPart.objects.filter(pk=part.pk).update(created_at=timezone.now() - BROKEN_PART_AGE - timedelta(minutes=1))
    ImportPart.objects.filter(size__isnull=False).update(created_at=timezone.now() - timedelta(days=5))
    delete_old_uploads()
    assert len(list_stored(import_set)) == 2 and ImportPart.objects.get().start == 0


def test_parts_of_a_joined_file_are_deleted(import_set: Import) -> None:
    """A worker that was killed right after joining has left them."""
    part = ImportPart(file=ImportFile.objects.get(name="whole.wav"), start=0, size=6)
    part.content.save("", io.BytesIO(b"123456"))  # type: ignore[arg-type]  # a file
    delete_old_uploads()
    assert len(list_stored(import_set)) == 2
    assert read_stored(ImportFile.objects.get(name="whole.wav")) == b"123456"


def test_nothing_is_deleted_of_a_talent_with_a_legal_hold(import_set: Import) -> None:
    talent = import_set.voice.talent
    talent.legal_hold_at, talent.legal_hold_by, talent.legal_hold_reason = timezone.now(), import_set.by, "A dispute."
    talent.save()
    for status in (ImportStatus.DISCARDED, ImportStatus.OPEN):
        Import.objects.update(status=status, created_at=timezone.now() - 2 * IMPORT_LIFETIME)
        ImportPart.objects.update(size=None, created_at=timezone.now() - timedelta(days=30))
        delete_old_uploads()
        assert len(list_stored(import_set)) == 2 and Import.objects.get().status == status


def test_sweep_repeats_every_hour(import_set: Import) -> None:
    Import.objects.update(status=ImportStatus.DISCARDED)
    outbox.enqueue_task("delete_old_uploads", "all")
    run_due_tasks("delete_old_uploads")
    task = Task.objects.get(kind="delete_old_uploads")
    assert task.status == "waiting" and task.due_at > timezone.now() + UPLOAD_SWEEP_INTERVAL - timedelta(minutes=5)
    assert list_stored(import_set) == []
