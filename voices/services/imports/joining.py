"""Joins the parts of an upload to its file. No storage can append, so a task copies them once."""

import hashlib
import io
import logging
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO, cast

from django.core.files import File
from django.core.files.storage import Storage
from django.db import transaction

from voicehub.outbox import LeaseLost
from voicehub.storage import StoredFileLost, open_stored_file
from voices.models import ImportFile, ImportFileStatus, ImportPart, ImportStatus
from voices.models.imports import make_import_path
from voices.services.imports.rows import IS_JOINING
from voices.services.imports.uploads import BLOCK, complete_file
from voices.services.imports.work import wait_for_step

logger = logging.getLogger(__name__)
Extend = Callable[[], object]


class PartReader(io.RawIOBase):
    """The parts as one stream, with its SHA-256. A bucket reads it in threads of its own, so it asks no database."""

    def __init__(self, parts: Iterable[ImportPart]) -> None:
        self.digest, self.size, self.is_stopped = hashlib.sha256(), 0, False
        self._parts = iter(parts)
        self._current: BinaryIO | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]  # any buffer in the stubs
        if self.is_stopped:
            raise InterruptedError("Another worker joins this file.")
        block = self._read_block(len(buffer))
        buffer[: len(block)] = block
        self.digest.update(block)
        self.size += len(block)
        return len(block)

    def _read_block(self, size: int) -> bytes:
        while True:
            if self._current is None:
                part = next(self._parts, None)
                if part is None:
                    return b""
                self._current = open_stored_file(part.content)
            if block := self._current.read(size):
                return block
            self._current.close()
            self._current = None

    def close(self) -> None:
        if self._current:
            self._current.close()
        super().close()


def join_parts(file_id: str, extend: Extend) -> None:
    """Join the parts of a file that has arrived. If some of it is lost, the file waits to be uploaded again.

    Each attempt writes to a path of its own, because a worker that has lost its lease may still be writing.
    """
    rows = ImportFile.objects.filter(IS_JOINING, import_set__status__in=[ImportStatus.OPEN, ImportStatus.ADDING])
    file = rows.select_related("import_set").filter(pk=file_id).first()
    if file is None:  # joined by an earlier attempt, or removed
        return
    parts = list(file.parts.filter(size__isnull=False))
    path = f"{make_import_path(file, '')}-{uuid.uuid4().hex}"
    try:
        with PartReader(parts) as reader:
            _write_file(file, path, reader, extend)
    except StoredFileLost:
        _restart(file, parts)
    else:
        _delete_parts(parts)


def _write_file(file: ImportFile, path: str, reader: PartReader, extend: Extend) -> None:
    try:
        _save(file.file.storage, path, reader, extend)
        if reader.size != file.size:
            raise StoredFileLost("A part of the upload is shorter than it was.")
        with transaction.atomic():
            if not complete_file(file, path, reader.digest.hexdigest()):
                raise LeaseLost("The file was removed or joined meanwhile.")
    except (StoredFileLost, LeaseLost, OSError):
        file.file.storage.delete(path)
        raise


def _save(storage: Storage, path: str, reader: PartReader, extend: Extend) -> None:
    """Save in a thread, and extend the lease meanwhile: a bucket may take minutes for a large file."""
    stream = cast(BinaryIO, io.BufferedReader(reader, BLOCK))
    with ThreadPoolExecutor(1) as pool:
        try:
            wait_for_step(pool.submit(storage.save, path, File(stream)), extend)
        except LeaseLost:
            reader.is_stopped = True
            raise
    extend()


def _restart(file: ImportFile, parts: Sequence[ImportPart]) -> None:
    with transaction.atomic():
        file.parts.filter(pk__in=[part.pk for part in parts]).delete()
        if ImportFile.objects.filter(pk=file.pk, status=ImportFileStatus.UPLOADING).update(received=0):
            logger.error("Parts of the upload %s are lost. It has to be uploaded again.", file.pk)
    for part in parts:
        part.content.storage.delete(str(part.content.name))


def _delete_parts(parts: Sequence[ImportPart]) -> None:
    for part in parts:
        part.content.storage.delete(str(part.content.name))
        part.delete()
