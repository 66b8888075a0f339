"""The limits of imports: how many are open at once, and how many files and bytes one of them has.

Each count is taken under a lock, so that of two requests at once the second one knows of the first. The totals of an
import are stored with it, so that a new file asks for the same few rows whether there are ten files or 20,000.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from audio.archives.kinds import EXTENSIONS
from audio.transcripts.names import TABLE_SUFFIXES
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import join_with_and
from voicehub.upload_limits import (
    ARCHIVE_BYTES,
    IMPORT_BYTES,
    IMPORT_FILES,
    IMPORT_WAV_BYTES,
    OPEN_IMPORTS_PER_PERSON,
    OPEN_IMPORTS_PER_VOICE,
    RECORDING_BYTES,
    TRANSCRIPT_TABLE_BYTES,
)
from voices.models import Import, ImportFile, ImportStatus, Voice

# A page sends its first file seconds after it has made an import. One that is still empty has no use.
EMPTY_IMPORT_AGE = timedelta(days=1)
MAX_NAMED = 3


class UploadTooLarge(ActionRefused):
    """The file, or its import, is larger than the limits allow."""


def create_import(voice: Voice, by: User) -> Import:
    """Raises ActionRefused if the voice, or this person, has too many open imports."""
    with transaction.atomic():
        Voice.objects.select_for_update(no_key=True).get(pk=voice.pk)
        User.objects.select_for_update(no_key=True).get(pk=by.pk)
        problem = _find_obstacle(voice, by)
        if not problem:
            return Import.objects.create(voice=voice, by=by)
    # Outside of the transaction, so that the empty imports stay deleted.
    raise ActionRefused(problem)


def _find_obstacle(voice: Voice, by: User) -> str:
    """Why no further import can be opened. Empty if one can."""
    of_voice, of_person = _query_unfinished().filter(voice=voice), _query_unfinished().filter(by=by)
    if not _has_room(of_voice, OPEN_IMPORTS_PER_VOICE):
        return (
            f"{voice.name} has {OPEN_IMPORTS_PER_VOICE} imports that are not added yet. Add or discard one of them on "
            "the page of the voice, then upload these files."
        )
    if _has_room(of_person, OPEN_IMPORTS_PER_PERSON):
        return ""
    names = list(of_person.order_by("voice__name").values_list("voice__name", flat=True).distinct()[:MAX_NAMED])
    return (
        f"You have {OPEN_IMPORTS_PER_PERSON} imports that are not added yet, such as those to {join_with_and(names)}. "
        "Add or discard one of them, then upload these files."
    )


def _query_unfinished() -> QuerySet[Import]:
    return Import.objects.filter(status__in=[ImportStatus.OPEN, ImportStatus.ADDING])


def _has_room(imports: QuerySet[Import], limit: int) -> bool:
    """Whether one more fits. Old ones in which nothing has arrived are on no page, so they are deleted."""
    if imports.count() < limit:
        return True
    has_files = Exists(ImportFile.objects.filter(import_set=OuterRef("pk")))
    imports.filter(~has_files, created_at__lt=timezone.now() - EMPTY_IMPORT_AGE).delete()
    return imports.count() < limit


def find_size_limit(name: str) -> int:
    lower = name.lower()
    if lower.endswith(EXTENSIONS):
        return ARCHIVE_BYTES
    return TRANSCRIPT_TABLE_BYTES if lower.endswith(TABLE_SUFFIXES) else RECORDING_BYTES


def require_size(name: str, size: int) -> None:
    """Raise UploadTooLarge if a file of its kind may not be that large."""
    limit = find_size_limit(name)
    if size > limit:
        raise UploadTooLarge(f"The file is larger than {limit >> 20} MB. Split it before you upload it.")


def insert_file(import_set: Import, file: ImportFile) -> None:
    """Store the row of a new file, and count it. `import_set` is locked. Raises UploadTooLarge if it has no room."""
    if import_set.file_count >= IMPORT_FILES:
        raise UploadTooLarge(f"An import has at most {IMPORT_FILES:,} files. Add these first, then upload the others.")
    if import_set.file_bytes + file.size > IMPORT_BYTES:
        raise UploadTooLarge(f"An import has at most {IMPORT_BYTES >> 30} GB. Add these files first, then the others.")
    file.save(force_insert=True)
    _count(file, 1, file.size)


def delete_file(file: ImportFile) -> None:
    """Delete the row of a file that did not arrive, and count it no more. Needs a transaction."""
    if file.delete()[0]:
        _count(file, -1, -file.size)


def measure_wav_room(import_set: Import) -> int:
    """How many bytes the WAVs may take that are converted from further files of this import."""
    return IMPORT_WAV_BYTES - int(import_set.clips.aggregate(size=Sum("wav_size", default=0))["size"])


def _count(file: ImportFile, files: int, size: int) -> None:
    """Change the totals. Those of imports of an earlier version may be too low, but are never below zero."""
    totals = {"file_count": Greatest(F("file_count") + files, 0), "file_bytes": Greatest(F("file_bytes") + size, 0)}
    Import.objects.filter(pk=file.import_set_id).update(**totals)
