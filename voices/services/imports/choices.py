"""What a person decides about an import before it is added. A task then checks or matches once more."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from audio.archives.name_encoding import OTHER_PAGES, PAGES
from voicehub import outbox
from voicehub.refusals import ActionRefused
from voicehub.transitions import move
from voices.models import Import, ImportClip, ImportClipState, ImportFile, ImportFileKind, ImportFileStatus, ImportText
from voices.services.imports.archives import forget_contents
from voices.services.imports.rows import CHECK_TASK, lock_open
from voices.services.imports.work import start_work


def choose_columns(text: ImportText, name_at: int, text_at: int, normalized_at: int | None) -> None:
    """Read the table with these columns, counted from 0. ActionRefused if two are the same, or one is missing."""
    places = [place for place in (name_at, text_at, normalized_at) if place is not None]
    if len(set(places)) < len(places):
        raise ActionRefused("Two of the chosen columns are the same. Choose a different column for each.")
    if any(not 0 <= place < len(text.samples) for place in places):
        raise ActionRefused("The table has no such column. Reload the page and choose again.")
    columns = {"name_at": name_at, "text_at": text_at, "normalized_at": normalized_at, "is_chosen": True}
    _change_text(text, **columns)


def find_columns(text: ImportText) -> None:
    """Find the columns of the table again, without the choice of a person."""
    _change_text(text, is_chosen=False)


def restore_zeros(text: ImportText) -> None:
    """Take the names of the table that lost their leading zeros for the files that they seem to mean."""
    _change_text(text, restores_zeros=True)


def choose_twin(clip: ImportClip) -> None:
    """Add this duplicate in place of the clip of the import that has the same audio. Sets `clip.twin` to None."""
    with transaction.atomic():
        lock_open(clip.import_set)
        clip.refresh_from_db()
        twin = clip.twin
        if not clip.can_replace_twin or twin is None:
            raise ActionRefused("This file is no longer left out, or its other file changed. Look at the list again.")
        move(twin, ImportClipState.DUPLICATE, since=ImportClipState.READY)
        ImportClip.objects.filter(twin=twin).update(twin=clip)
        ImportClip.objects.filter(pk=twin.pk).update(twin=clip)
        move(clip, ImportClipState.READY, since=ImportClipState.DUPLICATE, twin=None)


def choose_code_page(file: ImportFile, page: str) -> None:
    """Read the names of the archive in this code page. The archive is checked once more."""
    if file.kind != ImportFileKind.ARCHIVE or page not in PAGES | OTHER_PAGES:
        raise ActionRefused("There is no such code page. Reload the page and choose again.")
    with transaction.atomic():
        lock_open(file.import_set)
        if file.pk in query_added_archives(file.import_set):
            raise ActionRefused(
                "Recordings of this archive are in the voice already, under their present names. Add the others too, "
                "or discard this import and upload the archive to another one."
            )
        if page == file.code_page:
            raise ActionRefused("The names are read in this code page already. Choose another one.")
        if not move(file, ImportFileStatus.UPLOADED, since=ImportFileStatus.CHECKED, chosen_code_page=page):
            raise ActionRefused("The archive is still being checked. Wait until that is done, then choose again.")
        forget_contents(file)
        _enqueue_check(file.import_set)


def query_added_archives(import_set: Import) -> QuerySet[ImportClip, UUID]:
    """The ids of files with recordings in the voice. Another code page would not change the names of these."""
    added = import_set.clips.filter(status=ImportClipState.ADDED).order_by()
    return added.values_list("source", flat=True).distinct()


def _change_text(text: ImportText, **fields: object) -> None:
    with transaction.atomic():
        lock_open(text.file.import_set)
        ImportText.objects.filter(pk=text.pk).update(**fields)
        _enqueue_check(text.file.import_set)


def _enqueue_check(import_set: Import) -> None:
    start_work(import_set)
    outbox.enqueue_task(CHECK_TASK, import_set.pk)
