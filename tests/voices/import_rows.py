"""Imports with uploaded files, as the page for uploads leaves them."""

from collections.abc import Mapping

from django.core.files.base import ContentFile
from django.db import transaction

from tests.support.task_runner import run_due_tasks
from voicehub import outbox
from voicehub.models import User
from voices.models import Import, ImportFile, ImportFileStatus, ImportStatus, Voice
from voices.services.imports.add import start_adding
from voices.services.imports.room import create_import, insert_file
from voices.services.imports.rows import ADD_TASK, CHECK_TASK, lock_import


def make_import(voice: Voice, by: User, files: Mapping[str, bytes]) -> Import:
    """An import with these uploaded files, by name. A task is due that checks them."""
    import_set = create_import(voice, by)
    add_files(import_set, files)
    return import_set


def add_files(import_set: Import, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        file = ImportFile(import_set=import_set, name=name, size=len(data), received=len(data))
        file.status = ImportFileStatus.UPLOADED
        file.file.save("file", ContentFile(data), save=False)
        with transaction.atomic():
            insert_file(lock_import(import_set), file)
    outbox.enqueue_task(CHECK_TASK, import_set.pk)


def make_checked_import(voice: Voice, by: User, files: Mapping[str, bytes]) -> Import:
    import_set = make_import(voice, by, files)
    check(import_set)
    return import_set


def check(import_set: Import) -> None:
    run_due_tasks(CHECK_TASK)
    import_set.refresh_from_db()


def add(import_set: Import) -> None:
    run_due_tasks(ADD_TASK)
    import_set.refresh_from_db()


def make_added_import(voice: Voice, by: User, files: Mapping[str, bytes]) -> Import:
    """An import of these files whose clips were added to the voice."""
    import_set = make_checked_import(voice, by, files)
    start_adding(import_set, by)
    add(import_set)
    assert import_set.status == ImportStatus.ADDED
    return import_set
