"""Deletes what uploads leave in the storage, and the rows of imports that are over."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from django.core.files.storage import FileSystemStorage, Storage
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from consent.services.legal_hold import query_talents_on_hold
from voicehub.retry_policy import BROKEN_PART_AGE
from voicehub.storage import private
from voicehub.transitions import move
from voices.models import Import, ImportFile, ImportFileStatus, ImportPart, ImportStatus
from voices.models.imports import IMPORT_LIFETIME


def delete_old_uploads(extend: Callable[[], object] = bool) -> None:
    """Delete parts that broken requests or joined files leave, the files of imports that are over, and old imports.

    Nothing is deleted of talents with a legal hold. `extend` is called before each import.
    """
    _delete_parts(ImportPart.objects.filter(size=None, created_at__lt=timezone.now() - BROKEN_PART_AGE))
    _delete_parts(ImportPart.objects.exclude(file__status=ImportFileStatus.UPLOADING))
    old = query_deletable().filter(created_at__lt=timezone.now() - IMPORT_LIFETIME)
    for import_set in old.filter(status=ImportStatus.OPEN):
        move(import_set, ImportStatus.DISCARDED, finished_at=timezone.now())
    ended = Q(status__in=[ImportStatus.ADDED, ImportStatus.DISCARDED])
    for import_set in query_deletable().filter(ended, _has_files()):
        extend()
        _delete_files(import_set)
    for import_set in old.filter(ended):
        extend()
        _delete_files(import_set)
        import_set.delete()


def query_deletable() -> QuerySet[Import]:
    return Import.objects.exclude(voice__talent__in=query_talents_on_hold())


def _has_files() -> Q:
    stored = ImportFile.objects.filter(import_set=OuterRef("pk")).exclude(file="")
    parts = ImportPart.objects.filter(file__import_set=OuterRef("pk"))
    return Q(Exists(stored)) | Q(Exists(parts))


def _delete_parts(parts: QuerySet[ImportPart]) -> None:
    for part in parts.select_related("file").exclude(file__import_set__voice__talent__in=query_talents_on_hold()):
        part.content.storage.delete(str(part.content.name))
        part.delete()


def _delete_files(import_set: Import) -> None:
    """Delete the whole folder of an import, also what killed processes left there without a row."""
    storage = private()
    for name in _list_names(storage, f"imports/{import_set.pk}"):
        storage.delete(name)
    ImportPart.objects.filter(file__import_set=import_set).delete()
    import_set.files.exclude(file="").update(file="")


def _list_names(storage: Storage, folder: str) -> Iterator[str]:
    """The files below a folder, and after them the folder itself if it is one of a disk."""
    folders: list[str] = []
    files: list[str] = []
    with suppress(FileNotFoundError):
        folders, files = storage.listdir(folder)
    for name in folders:
        yield from _list_names(storage, str(PurePosixPath(folder, name)))
    yield from (str(PurePosixPath(folder, name)) for name in files)
    if isinstance(storage, FileSystemStorage):
        yield folder
