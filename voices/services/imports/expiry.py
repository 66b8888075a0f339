"""Deletes what uploads leave in the storage: the parts of broken requests and of joined files, and whole folders."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from django.core.files.storage import FileSystemStorage, Storage
from django.db.models import Q
from django.utils import timezone

from consent.services.legal_hold import query_talents_on_hold
from voicehub.retry_policy import BROKEN_PART_AGE
from voicehub.storage import list_folder, private
from voices.models import Import, ImportFileStatus, ImportPart

SWEEP_TASK = "delete_old_uploads"


def delete_old_uploads() -> None:
    """Delete the parts that belong to no upload, except those of talents with a legal hold.

    The uploads of imports that are over are deleted with these (voices.services.imports.clear).
    """
    is_broken = Q(size=None, created_at__lt=timezone.now() - BROKEN_PART_AGE)
    is_joined = ~Q(file__status=ImportFileStatus.UPLOADING)
    held = query_talents_on_hold()
    parts = ImportPart.objects.filter(is_broken | is_joined).exclude(file__import_set__voice__talent__in=held)
    for part in parts.select_related("file"):
        part.content.storage.delete(str(part.content.name))
        part.delete()


def delete_folder(import_set: Import) -> None:
    """Delete the folder of an import, also what killed processes left there without a row."""
    storage = private()
    for name in _list_names(storage, f"imports/{import_set.pk}"):
        storage.delete(name)


def _list_names(storage: Storage, folder: str) -> Iterator[str]:
    """The files below a folder, and after them the folder itself if it is one of a disk."""
    folders, files = list_folder(storage, folder)
    for name in folders:
        yield from _list_names(storage, str(PurePosixPath(folder, name)))
    yield from (str(PurePosixPath(folder, name)) for name in files)
    if isinstance(storage, FileSystemStorage):
        yield folder
