"""Delete what an import does not need anymore: its uploads after it was added, and all of it if it is discarded or old.

Rows go after their files. A task that is stopped is repeated, and finds them by their rows.
"""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from consent.models import Talent
from consent.services.legal_hold import is_deletion_on_hold, require_no_hold
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.refusals import handle_refusal
from voicehub.retry_policy import LEGAL_HOLD_RETRY
from voicehub.transitions import move
from voices.models import Import, ImportClipState, ImportFile, ImportPart, ImportStatus, ImportText
from voices.models.imports import IMPORT_LIFETIME
from voices.services.imports.expiry import SWEEP_TASK, delete_folder
from voices.services.imports.rows import CHECK_TASK, lock_open
from voices.services.imports.spare_files import delete_clip_files

CLEAR_TASK, EXPIRE_TASK = "clear_import", "expire_imports"
# While a check still runs, it may write files. It stops at its next batch.
CHECK_WAIT = timedelta(seconds=5)


def discard_import(import_set: Import) -> None:
    """Discard an import that is not added, with all its files. Raises ActionRefused under a legal hold."""
    with transaction.atomic():
        lock_open(import_set)
        require_no_hold(import_set.voice.talent)
        move(import_set, ImportStatus.DISCARDED, finished_at=timezone.now())
        outbox.enqueue_task(CLEAR_TASK, import_set.pk)


def clear_import(import_id: str) -> timedelta | None:
    """Delete the files of an import that was added or discarded, but those of its recordings. Waits for legal holds."""
    import_set = Import.objects.select_related("voice__talent").filter(pk=import_id).first()
    if import_set is None or import_set.status not in {ImportStatus.ADDED, ImportStatus.DISCARDED}:
        return None
    if is_deletion_on_hold(import_set.voice.talent):
        return LEGAL_HOLD_RETRY
    if _is_being_checked(import_set):
        return CHECK_WAIT
    _delete_files(import_set)
    if import_set.status == ImportStatus.DISCARDED:
        import_set.files.all().delete()
    elif import_set.expires_at <= timezone.now():
        import_set.delete()
    return None


def expire_imports() -> None:
    """Have the imports deleted that are older than IMPORT_LIFETIME. Under a legal hold, they stay."""
    old = Import.objects.filter(created_at__lt=timezone.now() - IMPORT_LIFETIME).exclude(status=ImportStatus.ADDING)
    for import_set in old.select_related("voice__talent"):
        with handle_refusal(_ignore_hold):
            _expire(import_set)


def resume_clearing(talent: Talent) -> None:
    """Enqueue all that the talent's legal hold kept of imports, in the caller's transaction."""
    outbox.hasten_tasks(CLEAR_TASK, Import.objects.filter(voice__talent=talent).values_list("pk", flat=True))
    for kind in (EXPIRE_TASK, SWEEP_TASK):
        outbox.enqueue_task(kind, "all")


def _ignore_hold(_reason: str) -> None:
    """The import is looked at again an hour later."""


def _expire(import_set: Import) -> None:
    with transaction.atomic():
        # The import is locked first, as in discard_import. A refusal takes the change back.
        move(import_set, ImportStatus.DISCARDED, since=ImportStatus.OPEN, finished_at=timezone.now())
        require_no_hold(import_set.voice.talent)
        if import_set.status == ImportStatus.DISCARDED and not import_set.files.exists():
            import_set.delete()
        else:
            outbox.enqueue_task(CLEAR_TASK, import_set.pk)


def _is_being_checked(import_set: Import) -> bool:
    running = Task.objects.filter(kind=CHECK_TASK, object_id=str(import_set.pk), status=TaskStatus.WAITING)
    return running.filter(lease_until__gt=timezone.now()).exists()


def _delete_files(import_set: Import) -> None:
    delete_clip_files(import_set)  # first: it reads the uploads
    delete_folder(import_set)
    ImportPart.objects.filter(file__import_set=import_set).delete()
    ImportText.objects.filter(file__import_set=import_set).update(content="", data=b"")
    ImportFile.objects.filter(import_set=import_set).update(file="")
    import_set.clips.exclude(status=ImportClipState.ADDED).update(file="", wav="")
