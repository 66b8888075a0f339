"""Resumable uploads of the files of an import: each request adds a part, and the last one completes its file.

The parts are in the private storage, so that any web server can continue an upload.
"""

import hashlib
import tempfile
from contextlib import suppress
from typing import BinaryIO, Protocol

from botocore.exceptions import BotoCoreError
from django.core.files.base import ContentFile, File
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from voicehub import outbox
from voicehub.name_fields import remove_bidi_controls
from voicehub.refusals import ActionRefused
from voicehub.storage import (
    StorageUnavailable,
    StoredFileLost,
    explain_storage_errors,
    hash_file,
    open_stored_file,
)
from voicehub.transitions import move
from voicehub.upload_limits import IMPORT_PART_BYTES
from voices.models import Import, ImportFile, ImportFileStatus, ImportPart, ImportStatus
from voices.models.imports import NAME_LENGTH, make_import_path, make_part_path
from voices.services.imports.room import delete_file, insert_file, require_size
from voices.services.imports.rows import CHECK_TASK, lock_import, require_open

BLOCK = 64 << 10
JOIN_TASK = "join_import_file"
EXPIRED = "This upload has expired. Upload the files again."


class UploadExpired(ActionRefused):
    """The import is too old to be continued."""


class OffsetConflict(Exception):
    """The part does not begin where the stored parts end: another request was faster, or an answer was lost."""


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def require_usable(import_set: Import) -> None:
    """Raise ActionRefused if no more files can be uploaded to this import."""
    require_open(import_set)
    if import_set.expires_at <= timezone.now():
        raise UploadExpired(EXPIRED)


def _lock_usable(import_set: Import) -> Import:
    locked = Import.objects.select_for_update().filter(pk=import_set.pk).first()
    if locked is None:
        raise UploadExpired(EXPIRED)
    require_usable(locked)
    return locked


def clean_path(name: str) -> str:
    """The path of a file as it is stored: folders divided by slashes, without what would lead out of them."""
    visible = "".join(one if one.isprintable() else " " for one in remove_bidi_controls(name)).replace("\\", "/")
    parts = [part.strip() for part in visible.split("/")]
    return "/".join(part for part in parts if part not in {"", ".", ".."})[-NAME_LENGTH:] or "file"


def create_upload(import_set: Import, name: str, size: int, *, metadata: str = "", key: str = "") -> ImportFile:
    """The row of a new file, or that of an earlier request with the same key. Raises ActionRefused, UploadTooLarge.

    `metadata` is the header of its request. A file without content is complete at once.
    """
    name = clean_path(name)
    with transaction.atomic():
        locked = _lock_usable(import_set)
        file = import_set.files.filter(upload_key=key).first() if key else None
        if file is None:
            require_size(name, size)
            file = ImportFile(import_set=import_set, name=name, size=size, metadata=metadata, upload_key=key)
            insert_file(locked, file)
    return _complete_empty(file)


def _complete_empty(file: ImportFile) -> ImportFile:
    if file.size == 0 and file.status == ImportFileStatus.UPLOADING:
        name = file.file.storage.save(make_import_path(file, ""), ContentFile(b""))
        with transaction.atomic():
            complete_file(file, name, hashlib.sha256(b"").hexdigest())
    return file


def store_whole_file(import_set: Import, file: "File[bytes]") -> ImportFile:
    """Store a file of a form, as complete. Raises ActionRefused, UploadTooLarge."""
    row = ImportFile(import_set=import_set, name=clean_path(file.name or ""), size=file.size or 0)
    require_size(row.name, row.size)
    sha256 = hash_file(file)
    with transaction.atomic():
        locked = _lock_usable(import_set)
        insert_file(locked, row)
    stored = row.file.storage.save(make_import_path(row, ""), file)
    with transaction.atomic():
        is_complete = complete_file(row, stored, sha256)
    if not is_complete:
        row.file.storage.delete(stored)
        with transaction.atomic():
            delete_file(row)
        raise ActionRefused("This import was added or discarded meanwhile. Start another one.")
    return row


def complete_file(file: ImportFile, name: str, sha256: str) -> bool:
    """Mark a file as uploaded and have its import checked. Needs a transaction.

    False if it was completed before, or if its import is over. An import that is being added is open again afterwards.
    """
    if lock_import(file.import_set).status not in {ImportStatus.OPEN, ImportStatus.ADDING}:
        return False
    changed = move(
        file, ImportFileStatus.UPLOADED, file=name, sha256=sha256, received=file.size, changed_at=timezone.now()
    )
    if changed:
        outbox.enqueue_task(CHECK_TASK, file.import_set_id)
    return changed


def append_part(file: ImportFile, offset: int, stream: Readable) -> int:
    """Store what the stream has as the next part. Returns the new offset. Raises OffsetConflict, ActionRefused.

    If the connection breaks, what has arrived is stored. Do not call in a transaction: the storage may be slow.
    """
    require_usable(file.import_set)
    if file.status != ImportFileStatus.UPLOADING or file.received != offset:
        raise OffsetConflict
    with tempfile.TemporaryFile(prefix="voicehub-part-") as target:
        received = _Received(target)
        short = _copy_short_part(file, offset, received)
        size = _receive(stream, received, file.size - offset)
        if size:
            part = _store_part(file, short.start if short else offset, received.rewind())
            try:
                _count_part(part, offset + size, received.digest.hexdigest(), short)
            except OffsetConflict:
                _discard_part(part)
                raise
            if short:
                _discard_part(short)
    return offset + size


class _Received:
    """Bytes of one part in a temporary file, with their SHA-256."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self.digest = target, hashlib.sha256()

    def write(self, block: bytes) -> None:
        self._target.write(block)
        self.digest.update(block)

    def rewind(self) -> "File[bytes]":
        self._target.seek(0)
        return File(self._target)


def _copy_short_part(file: ImportFile, offset: int, received: _Received) -> ImportPart | None:
    """Copy the part before this offset if it is a short one, so that the next one replaces it."""
    part = file.parts.filter(size__lt=IMPORT_PART_BYTES, start=offset - F("size")).first() if offset else None
    if part is None:
        return None
    with suppress(StoredFileLost), open_stored_file(part.content) as stored:
        content = stored.read()
        if len(content) == part.size:
            received.write(content)
            return part
    return None  # joining the parts finds that it is lost


def _receive(stream: Readable, received: _Received, limit: int) -> int:
    """Copy at most `limit` bytes in blocks. Returns their number."""
    size = 0
    while size < limit:
        try:
            block = stream.read(min(BLOCK, limit - size))
        except OSError:  # the connection is broken
            break
        if not block:
            break
        received.write(block)
        size += len(block)
    return size


def _store_part(file: ImportFile, offset: int, content: "File[bytes]") -> ImportPart:
    """Store a part, which does not count yet. Its row comes first, so that what a killed process left is found."""
    part = ImportPart(file=file, start=offset)
    part.content.name = make_part_path(part, "")
    try:
        part.save(force_insert=True)
    except IntegrityError:  # the file was removed meanwhile
        raise OffsetConflict from None
    try:
        part.content.storage.save(part.content.name, content)
    except OSError as error:  # such as a full disk; a bucket that does not respond is left to the sweep
        if not isinstance(error, BotoCoreError):
            _discard_part(part)
        raise
    return part


def _count_part(part: ImportPart, end: int, sha256: str, short: ImportPart | None) -> None:
    """Add a stored part to its file, in place of `short`. Of two parts with the same start, one is added.

    OffsetConflict for the other one. `short` then counts no more: the sweep deletes it if its deletion is cut off.
    """
    file, size = part.file, end - part.start
    before = short.start + (short.size or 0) if short else part.start
    waiting = ImportFile.objects.filter(pk=file.pk, status=ImportFileStatus.UPLOADING, received=before)
    with transaction.atomic():
        is_open = lock_import(file.import_set).status == ImportStatus.OPEN
        if not is_open or not waiting.update(received=end, changed_at=timezone.now()):
            raise OffsetConflict
        if short and not ImportPart.objects.filter(pk=short.pk).update(size=None):
            raise OffsetConflict
        file.received = end
        if size == file.size:  # the only part is the file
            ImportPart.objects.filter(pk=part.pk).delete()
            complete_file(file, str(part.content.name), sha256)
            return
        if not ImportPart.objects.filter(pk=part.pk).update(size=size):  # swept meanwhile
            raise OffsetConflict
        if end == file.size:
            outbox.enqueue_task(JOIN_TASK, file.pk)


def _discard_part(part: ImportPart) -> None:
    """Delete a part and its content. If the storage does not respond, the sweep does it later."""
    with suppress(StorageUnavailable, StoredFileLost), explain_storage_errors(part.content):
        part.content.storage.delete(str(part.content.name))
        ImportPart.objects.filter(pk=part.pk).delete()


def terminate_upload(file: ImportFile) -> None:
    """Remove a file that has not arrived from its import. Raises ActionRefused if it has arrived."""
    require_usable(file.import_set)
    parts = list(file.parts.all())
    with transaction.atomic():
        lock_import(file.import_set)
        row = ImportFile.objects.select_for_update().get(pk=file.pk)
        if row.status != ImportFileStatus.UPLOADING:
            raise ActionRefused("The file has arrived. Its import can be discarded as a whole.")
        delete_file(row)
    for part in parts:
        _discard_part(part)


def note_planned_files(import_set: Import, count: int) -> None:
    """Remember that so many files were chosen for this import. The number only grows, as the files come one by one."""
    Import.objects.filter(pk=import_set.pk, planned_files__lt=count).update(planned_files=count)
