"""What uploads leave in the storage is deleted: broken requests, joined parts, and imports that are over."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
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
from voices.services.imports.clear import CLEAR_TASK, EXPIRE_TASK, discard_import
from voices.services.imports.expiry import delete_old_uploads
from voices.services.imports.room import create_import
from voices.services.imports.uploads import JOIN_TASK, append_part, create_upload

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def import_set(studio: Studio) -> Import:
    """An import with a complete file, one that has half arrived, and one that has not begun."""
    import_set = create_import(studio.make_voice(talent=studio.make_talent()), studio.producer)
    for name, content in (("whole.wav", b"123456"), ("half.wav", b"123"), ("none.wav", b"")):
        append_part(load(create_upload(import_set, name, 6)), 0, io.BytesIO(content))
    assert len(list_stored(import_set)) == 2
    return import_set


def run_hourly_tasks() -> None:
    for kind in (EXPIRE_TASK, "delete_old_uploads"):
        outbox.enqueue_task(kind, "all")
    run_due_tasks(EXPIRE_TASK, "delete_old_uploads", CLEAR_TASK)


def test_open_import_is_kept_for_its_lifetime(import_set: Import) -> None:
    Import.objects.update(created_at=timezone.now() - IMPORT_LIFETIME + timedelta(minutes=1))
    run_hourly_tasks()
    assert len(list_stored(import_set)) == 2 and ImportFile.objects.count() == 3
    append_part(ImportFile.objects.select_related("import_set").get(name="half.wav"), 3, io.BytesIO(b"456"))
    run_due_tasks(JOIN_TASK)
    assert read_stored(ImportFile.objects.get(name="half.wav")) == b"123456"


@pytest.mark.parametrize("is_discarded", [True, False])
def test_import_that_is_discarded_or_expired_leaves_no_upload(import_set: Import, is_discarded: bool) -> None:
    """Also none of a process that was killed, and that no row names."""
    (get_folder(import_set) / "stray").mkdir()
    (get_folder(import_set) / "stray" / "file-of-no-row").write_bytes(b"123")
    if is_discarded:
        discard_import(import_set)
    else:
        Import.objects.update(created_at=timezone.now() - IMPORT_LIFETIME - timedelta(minutes=1))
    run_hourly_tasks()
    assert not get_folder(import_set).exists() and not ImportPart.objects.exists()


def test_part_of_a_broken_request_is_deleted_after_an_hour(import_set: Import) -> None:
    file = ImportFile.objects.get(name="half.wav")
    part = ImportPart(file=file, start=3)
    part.content.save("", ContentFile(b"4"))
    delete_old_uploads()
    assert len(list_stored(import_set)) == 3
    ImportPart.objects.filter(pk=part.pk).update(created_at=timezone.now() - BROKEN_PART_AGE - timedelta(minutes=1))
    ImportPart.objects.filter(size__isnull=False).update(created_at=timezone.now() - timedelta(days=5))
    delete_old_uploads()
    assert len(list_stored(import_set)) == 2 and ImportPart.objects.get().start == 0


def test_parts_of_a_joined_file_are_deleted(import_set: Import) -> None:
    """A worker that was killed right after joining has left them."""
    part = ImportPart(file=ImportFile.objects.get(name="whole.wav"), start=0, size=6)
    part.content.save("", ContentFile(b"123456"))
    delete_old_uploads()
    assert len(list_stored(import_set)) == 2
    assert read_stored(ImportFile.objects.get(name="whole.wav")) == b"123456"


def test_nothing_is_deleted_of_a_talent_with_a_legal_hold(import_set: Import) -> None:
    talent = import_set.voice.talent
    talent.legal_hold_at, talent.legal_hold_by, talent.legal_hold_reason = timezone.now(), import_set.by, "A dispute."
    talent.save()
    Import.objects.update(created_at=timezone.now() - 2 * IMPORT_LIFETIME)
    ImportPart.objects.update(size=None, created_at=timezone.now() - timedelta(days=30))
    run_hourly_tasks()
    assert len(list_stored(import_set)) == 2 and Import.objects.get().status == ImportStatus.OPEN


def test_sweep_repeats_every_hour(import_set: Import) -> None:
    run_hourly_tasks()
    task = Task.objects.get(kind="delete_old_uploads")
    assert task.status == "waiting" and task.due_at > timezone.now() + UPLOAD_SWEEP_INTERVAL - timedelta(minutes=5)
