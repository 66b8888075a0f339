"""Files of imports are deleted once nothing needs them, and those of recordings never."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from consent.services.legal_hold import release_hold, set_hold
from tests.support.task_runner import run_due_tasks
from tests.support.zips import ZipMember, build_zip
from tests.voices.import_rows import add, make_checked_import, make_import
from tests.voices.rows import Studio, make_clip
from voicehub import outbox
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEGAL_HOLD_RETRY
from voicehub.storage import private
from voices.models import Import, ImportPart, ImportStatus, ImportText, Voice
from voices.models.imports import IMPORT_LIFETIME
from voices.services.imports.add import start_adding
from voices.services.imports.clear import CLEAR_TASK, EXPIRE_TASK, discard_import
from voices.services.imports.expiry import SWEEP_TASK
from voices.services.imports.rows import CHECK_TASK

pytestmark = pytest.mark.django_db


@pytest.fixture
def voice(studio: Studio) -> Voice:
    return studio.make_voice()


@pytest.fixture
def import_set(studio: Studio, voice: Voice) -> Import:
    rows = b"".join(b"none-%d|Some words that nothing has.\n" % number for number in range(400))
    packed = build_zip(ZipMember(b"b.wav", make_clip(2)), ZipMember(b"metadata.csv", b"b|Words.\n" + rows))
    files = {"a.wav": make_clip(1), "copy.wav": make_clip(1), "x.zip": packed, "list.csv": b"a|Words.\n" + rows}
    made = make_checked_import(voice, studio.producer, files)
    part = ImportPart(file=made.files.all()[0], start=0)
    part.content.name = private().save(f"imports/{made.pk}/0.part", ContentFile(b"part"))
    part.save(force_insert=True)
    return made


def list_stored(import_set: Import) -> list[Path]:
    roots = [
        Path(private().path(f"imports/{import_set.pk}")),
        Path(private().path(f"recordings/{import_set.voice_id}")),
    ]
    return sorted(path for root in roots for path in root.rglob("*") if path.is_file())


def age(import_set: Import, by: timedelta) -> None:
    Import.objects.filter(pk=import_set.pk).update(created_at=timezone.now() - by)


def expire() -> None:
    outbox.enqueue_task(EXPIRE_TASK, "all")
    run_due_tasks(EXPIRE_TASK, once=EXPIRE_TASK)
    run_due_tasks(CLEAR_TASK)


def test_discarding_deletes_every_file_and_row(import_set: Import) -> None:
    assert len(list_stored(import_set)) == 9
    discard_import(import_set)
    run_due_tasks(CLEAR_TASK)
    assert list_stored(import_set) == []
    assert not import_set.files.exists() and not import_set.clips.exists() and not import_set.lines.exists()
    assert Import.objects.get().status == ImportStatus.DISCARDED


def test_adding_deletes_the_uploads_and_keeps_the_recordings(import_set: Import) -> None:
    start_adding(import_set, import_set.by)
    add(import_set)
    run_due_tasks(CLEAR_TASK)
    recordings = import_set.voice.recordings.all()
    assert list_stored(import_set) == sorted(Path(row.file.path) for row in recordings) and len(recordings) == 2
    # The report stays.
    assert import_set.clips.count() == 3 and import_set.lines.count() == 800
    assert not any(text.content or text.data for text in ImportText.objects.all())


def test_old_import_is_deleted_with_its_files(import_set: Import) -> None:
    age(import_set, IMPORT_LIFETIME - timedelta(hours=1))
    expire()
    assert len(list_stored(import_set)) == 9
    age(import_set, IMPORT_LIFETIME + timedelta(hours=1))
    expire()
    assert list_stored(import_set) == []
    expire()
    assert not Import.objects.exists()


def test_report_of_an_added_import_expires_and_its_recordings_stay(import_set: Import) -> None:
    start_adding(import_set, import_set.by)
    add(import_set)
    run_due_tasks(CLEAR_TASK)
    age(import_set, IMPORT_LIFETIME + timedelta(hours=1))
    expire()
    assert not Import.objects.exists()
    recordings = import_set.voice.recordings.all()
    assert len(recordings) == 2 and all(row.file.storage.exists(str(row.file.name)) for row in recordings)


def test_import_that_is_being_added_does_not_expire(import_set: Import) -> None:
    start_adding(import_set, import_set.by)
    age(import_set, 2 * IMPORT_LIFETIME)
    expire()
    add(import_set)
    assert import_set.status == ImportStatus.ADDED


def test_files_are_deleted_after_a_running_check_ended(studio: Studio, voice: Voice) -> None:
    import_set = make_import(voice, studio.producer, {"a.wav": make_clip(1)})
    running = Task.objects.filter(kind=CHECK_TASK)
    running.update(lease_until=timezone.now() + timedelta(minutes=1))
    discard_import(import_set)
    run_due_tasks(CLEAR_TASK)
    assert len(list_stored(import_set)) == 1
    running.update(lease_until=None)
    Task.objects.filter(kind=CLEAR_TASK).update(due_at=timezone.now())
    run_due_tasks(CLEAR_TASK)
    assert list_stored(import_set) == []


def test_legal_hold_keeps_the_files(studio: Studio, import_set: Import) -> None:
    set_hold(import_set.voice.talent, studio.producer, "A dispute about the recordings.")
    with pytest.raises(ActionRefused):
        discard_import(import_set)
    age(import_set, 2 * IMPORT_LIFETIME)
    expire()
    assert len(list_stored(import_set)) == 9 and Import.objects.get().status == ImportStatus.OPEN


def test_legal_hold_set_after_the_import_was_discarded_keeps_the_files(studio: Studio, import_set: Import) -> None:
    discard_import(import_set)
    talent = import_set.voice.talent
    set_hold(talent, studio.producer, "A dispute about the recordings.")
    run_due_tasks(CLEAR_TASK)
    assert len(list_stored(import_set)) == 9 and import_set.files.count() == 4
    waiting = Task.objects.get(kind=CLEAR_TASK, status="waiting")
    assert waiting.due_at > timezone.now() + LEGAL_HOLD_RETRY - timedelta(minutes=5)
    release_hold(talent, studio.producer, "It is settled.")
    run_due_tasks(CLEAR_TASK)
    assert list_stored(import_set) == [], "it does not wait for the next attempt"


def test_release_of_a_legal_hold_expires_old_imports_and_broken_uploads_at_once(
    studio: Studio, import_set: Import
) -> None:
    talent = import_set.voice.talent
    set_hold(talent, studio.producer, "A dispute about the recordings.")
    age(import_set, 2 * IMPORT_LIFETIME)
    expire()
    outbox.enqueue_task(SWEEP_TASK, "all")
    run_due_tasks(SWEEP_TASK, once=SWEEP_TASK)
    assert ImportPart.objects.exists() and len(list_stored(import_set)) == 9
    release_hold(talent, studio.producer, "It is settled.")
    run_due_tasks(SWEEP_TASK, once=SWEEP_TASK)
    assert not ImportPart.objects.exists()
    run_due_tasks(EXPIRE_TASK, once=EXPIRE_TASK)
    run_due_tasks(CLEAR_TASK)
    assert list_stored(import_set) == []


def test_release_of_a_legal_hold_starts_no_task_of_another_talent(studio: Studio, import_set: Import) -> None:
    other = make_checked_import(
        studio.make_voice(talent=studio.make_talent("Other")), studio.producer, {"a.wav": make_clip(5)}
    )
    for one in (import_set, other):
        discard_import(one)
        set_hold(one.voice.talent, studio.producer, "A dispute.")
    run_due_tasks(CLEAR_TASK)
    release_hold(other.voice.talent, studio.producer, "It is settled.")
    now = timezone.now()
    due = Task.objects.filter(kind=CLEAR_TASK, status="waiting", due_at__lte=now).values_list("object_id", flat=True)
    assert list(due) == [str(other.pk)]


@pytest.mark.django_db(transaction=True)
def test_old_import_expires_in_a_transaction_of_its_own_and_one_with_a_legal_hold_stays(studio: Studio) -> None:
    """A worker opens no transaction around its task."""
    held_voice, voice = (studio.make_voice(talent=studio.make_talent(name)) for name in ("Held", "Free"))
    held = make_import(held_voice, studio.producer, {"a.wav": make_clip(1)})
    set_hold(held_voice.talent, studio.producer, "A dispute.")
    old = make_import(voice, studio.producer, {"a.wav": make_clip(1)})
    for import_set in (held, old):
        age(import_set, 2 * IMPORT_LIFETIME)
    expire()
    assert Task.objects.get(kind=EXPIRE_TASK).reason == ""
    assert Import.objects.get(pk=held.pk).status == ImportStatus.OPEN and len(list_stored(held)) == 1
    assert Import.objects.get(pk=old.pk).status == ImportStatus.DISCARDED and list_stored(old) == []
