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
from django.db.models import Count, Sum
from django.utils import timezone

from audio.archives.kinds import EXTENSIONS
from audio.transcripts.names import TABLE_SUFFIXES
from voicehub import outbox
from voicehub.name_fields import remove_bidi_controls
from voicehub.refusals import ActionRefused
from voicehub.storage import StorageUnavailable, StoredFileLost, explain_storage_errors, hash_file
from voicehub.transitions import move
from voicehub.upload_limits import ARCHIVE_BYTES, IMPORT_BYTES, IMPORT_FILES, RECORDING_BYTES, TRANSCRIPT_TABLE_BYTES
from voices.models import Import, ImportFile, ImportFileStatus, ImportPart, ImportStatus
from voices.models.imports import NAME_LENGTH, make_import_path, make_part_path
from voices.services.imports.rows import CHECK_TASK, lock_import, require_open

BLOCK = 64 << 10
JOIN_TASK = "join_import_file"
EXPIRED = "This upload has expired. Upload the files again."


class UploadTooLarge(ActionRefused):
    """The file, or its import, is larger than the limits allow."""


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


def find_size_limit(name: str) -> int:
    lower = name.lower()
    if lower.endswith(EXTENSIONS):
        return ARCHIVE_BYTES
    return TRANSCRIPT_TABLE_BYTES if lower.endswith(TABLE_SUFFIXES) else RECORDING_BYTES


def clean_path(name: str) -> str:
    """The path of a file as it is stored: folders divided by slashes, without what would lead out of them."""
    visible = "".join(one if one.isprintable() else " " for one in remove_bidi_controls(name)).replace("\\", "/")
    parts = [part.strip() for part in visible.split("/")]
    return "/".join(part for part in parts if part not in {"", ".", ".."})[-NAME_LENGTH:] or "file"


def create_upload(import_set: Import, name: str, size: int, *, metadata: str = "", key: str = "") -> ImportFile:
    """The row of a new file, or that of an earlier request with the same key. Raises ActionRefused, UploadTooLarge.

    `metadata` is the header of its request. A file without content is complete at once.
    """
    require_usable(import_set)
    if key and (earlier := import_set.files.filter(upload_key=key).first()):
        return _complete_empty(earlier)
    _require_room(import_set, clean_path(name), size)
    file = ImportFile(import_set=import_set, name=clean_path(name), size=size, metadata=metadata, upload_key=key)
    try:
        with transaction.atomic():
            file.save(force_insert=True)
    except IntegrityError:  # the same request came twice at once
        return import_set.files.get(upload_key=key)
    return _complete_empty(file)


def _require_room(import_set: Import, name: str, size: int) -> None:
    limit = find_size_limit(name)
    if size > limit:
        raise UploadTooLarge(f"The file is larger than {limit >> 20} MB. Split it before you upload it.")
    stored = import_set.files.aggregate(count=Count("pk"), size=Sum("size"))
    if stored["count"] >= IMPORT_FILES:
        raise UploadTooLarge(f"An import has at most {IMPORT_FILES:,} files. Add these first, then upload the others.")
    if (stored["size"] or 0) + size > IMPORT_BYTES:
        raise UploadTooLarge(f"An import has at most {IMPORT_BYTES >> 30} GB. Add these files first, then the others.")


def _complete_empty(file: ImportFile) -> ImportFile:
    if file.size == 0 and file.status == ImportFileStatus.UPLOADING:
        name = file.file.storage.save(make_import_path(file, ""), ContentFile(b""))
        with transaction.atomic():
            complete_file(file, name, hashlib.sha256(b"").hexdigest())
    return file


def store_whole_file(import_set: Import, file: "File[bytes]") -> ImportFile:
    """Store a file of a form, as complete. Raises ActionRefused, UploadTooLarge."""
    require_usable(import_set)
    name, size = clean_path(file.name or ""), file.size or 0
    _require_room(import_set, name, size)
    row = ImportFile(import_set=import_set, name=name, size=size)
    sha256 = hash_file(file)
    row.save(force_insert=True)
    stored = row.file.storage.save(make_import_path(row, ""), file)
    with transaction.atomic():
        is_complete = complete_file(row, stored, sha256)
    if not is_complete:
        row.file.storage.delete(stored)
        row.delete()
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
    with tempfile.TemporaryFile(prefix="voicehub-part-") as received:
        size, sha256 = _receive(stream, received, file.size - offset)
        if size:
            part = _store_part(file, offset, File(received))
            try:
                _count_part(part, size, sha256)
            except OffsetConflict:
                _discard_part(part)
                raise
    return offset + size


def _receive(stream: Readable, target: BinaryIO, limit: int) -> tuple[int, str]:
    """Copy at most `limit` bytes in blocks. Returns their number and SHA-256."""
    digest, size = hashlib.sha256(), 0
    while size < limit:
        try:
            block = stream.read(min(BLOCK, limit - size))
        except OSError:  # the connection is broken
            break
        if not block:
            break
        target.write(block)
        digest.update(block)
        size += len(block)
    target.seek(0)
    return size, digest.hexdigest()


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


def _count_part(part: ImportPart, size: int, sha256: str) -> None:
    """Add a stored part to its file. Of two parts with the same start, one is added; OffsetConflict for the other."""
    end, file = part.start + size, part.file
    waiting = ImportFile.objects.filter(pk=file.pk, status=ImportFileStatus.UPLOADING, received=part.start)
    with transaction.atomic():
        is_open = lock_import(file.import_set).status == ImportStatus.OPEN
        if not is_open or not waiting.update(received=end, changed_at=timezone.now()):
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
        row = ImportFile.objects.select_for_update().get(pk=file.pk)
        if row.status != ImportFileStatus.UPLOADING:
            raise ActionRefused("The file has arrived. Its import can be discarded as a whole.")
        row.delete()
    for part in parts:
        _discard_part(part)


def note_planned_files(import_set: Import, count: int) -> None:
    """Remember that so many files were chosen for this import. The number only grows, as the files come one by one."""
    Import.objects.filter(pk=import_set.pk, planned_files__lt=count).update(planned_files=count)
