"""Joining: attempts that break leave nothing behind, and a file with a lost part is uploaded again."""

import io
import threading
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage

from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from tests.voices.services.imports.test_uploads import list_stored, load
from tests.voices.uploads import read_stored
from voicehub.models import Task, TaskStatus
from voicehub.outbox import LeaseLost
from voicehub.storage import open_stored_file
from voices.models import Import, ImportFile, ImportPart
from voices.services.imports import joining, uploads, work
from voices.services.imports.joining import join_parts
from voices.services.imports.room import create_import
from voices.services.imports.rows import CHECK_TASK
from voices.services.imports.uploads import JOIN_TASK, append_part, create_upload, terminate_upload

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def import_set(studio: Studio) -> Import:
    return create_import(studio.make_voice(), studio.producer)


@pytest.fixture
def file(import_set: Import, monkeypatch: pytest.MonkeyPatch) -> ImportFile:
    """A file that has arrived in three parts."""
    monkeypatch.setattr(uploads, "IMPORT_PART_BYTES", 3)
    file = create_upload(import_set, "a.wav", 9)
    for offset in (0, 3, 6):
        append_part(load(file), offset, io.BytesIO(b"123456789"[offset : offset + 3]))
    return file


def do_nothing() -> None:
    """The lease of a task that is alone."""


def test_parts_wait_for_the_task_and_the_check_comes_after_it(file: ImportFile) -> None:
    assert load(file).status == "uploading" and not Task.objects.filter(kind=CHECK_TASK).exists()
    assert ImportPart.objects.count() == 3
    run_due_tasks(JOIN_TASK)
    assert load(file).status == "uploaded" and Task.objects.filter(kind=CHECK_TASK).exists()
    join_parts(str(file.pk), do_nothing)  # the task runs again after a worker was killed
    assert read_stored(file) == b"123456789" and Task.objects.filter(kind=CHECK_TASK).count() == 1


class Pause:
    """Lets the copying of a part wait until the lease has been extended that many times."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, extensions: int) -> None:
        self.calls, self._extensions, self._go_on = 0, extensions, threading.Event()
        monkeypatch.setattr(work, "EXTEND_SECONDS", 0.001)
        monkeypatch.setattr(joining, "open_stored_file", self._open)

    def _open(self, file: Any) -> Any:
        if file.instance.start == 3:
            assert self._go_on.wait(60)
        return open_stored_file(file)

    def count(self) -> None:
        self.calls += 1
        if self.calls == self._extensions:
            self._go_on.set()


def test_lease_is_extended_while_the_storage_is_slow(file: ImportFile, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = Pause(monkeypatch, 5)
    join_parts(str(file.pk), pause.count)
    assert pause.calls >= 5 and read_stored(file) == b"123456789"


@pytest.mark.parametrize("is_stopped_early", [True, False])
def test_attempt_that_loses_its_lease_leaves_nothing(
    file: ImportFile, import_set: Import, monkeypatch: pytest.MonkeyPatch, is_stopped_early: bool
) -> None:
    pause = Pause(monkeypatch, 1)

    def extend() -> None:
        pause.count()
        if is_stopped_early or read_is_over():
            raise LeaseLost

    def read_is_over() -> bool:
        return any(path.name.startswith("file-") and path.stat().st_size == 9 for path in list_stored(import_set))

    with pytest.raises(LeaseLost):
        join_parts(str(file.pk), extend)
    assert len(list_stored(import_set)) == 3 and load(file).status == "uploading"
    join_parts(str(file.pk), do_nothing)
    assert read_stored(file) == b"123456789" and len(list_stored(import_set)) == 1


def test_file_that_another_worker_joined_meanwhile_stays(file: ImportFile, import_set: Import) -> None:
    calls: list[int] = []

    def extend() -> None:
        calls.append(1)
        if len(calls) == 1:
            join_parts(str(file.pk), do_nothing)

    with pytest.raises(LeaseLost):
        join_parts(str(file.pk), extend)
    assert read_stored(file) == b"123456789" and len(list_stored(import_set)) == 1


def test_file_that_was_removed_meanwhile_is_not_stored(file: ImportFile, import_set: Import) -> None:
    with pytest.raises(LeaseLost):
        join_parts(str(file.pk), lambda: terminate_upload(load(file)))
    assert list_stored(import_set) == [] and not ImportFile.objects.exists()


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_file_with_a_damaged_part_is_uploaded_again(file: ImportFile, import_set: Import, damage: str) -> None:
    part = file.parts.get(start=3)
    path = next(path for path in list_stored(import_set) if str(part.pk) in path.name)
    path.unlink() if damage == "missing" else path.write_bytes(b"4")
    run_due_tasks(JOIN_TASK)
    assert (load(file).received, load(file).status) == (0, "uploading")
    assert list_stored(import_set) == [] and not ImportPart.objects.exists()
    append_part(load(file), 0, io.BytesIO(b"123456789"))
    assert read_stored(file) == b"123456789"


def test_full_disk_keeps_the_parts_for_the_next_attempt(
    file: ImportFile, import_set: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = FileSystemStorage._save  # type: ignore[attr-defined]  # not in the stubs

    def fill(self: Any, name: str, content: Any) -> str:
        save(self, name, content)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(FileSystemStorage, "_save", fill)
        run_due_tasks(JOIN_TASK)
    assert len(list_stored(import_set)) == 3 and load(file).status == "uploading"
    task = Task.objects.get(kind=JOIN_TASK)
    assert task.status == TaskStatus.WAITING and "No space left" in task.reason
    join_parts(str(file.pk), do_nothing)
    assert read_stored(file) == b"123456789"
