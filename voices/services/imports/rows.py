"""What all that works on imports asks: whether they are still open, and which files are not checked."""

from django.db.models import F, Q, QuerySet

from voicehub.refusals import ActionRefused
from voices.models import Import, ImportFile, ImportFileStatus, ImportStatus

CHECK_TASK, ADD_TASK = "check_import", "add_import"
# All parts of such a file have arrived, and a task joins them.
IS_JOINING = Q(status=ImportFileStatus.UPLOADING, received=F("size"), size__gt=0)


def lock_import(import_set: Import) -> Import:
    """The import as it is now. No other transaction changes it, or adds a file to it, until this one ends."""
    return Import.objects.select_for_update().get(pk=import_set.pk)


def lock_open(import_set: Import) -> Import:
    """The same of an import that is open. Raises ActionRefused for any other."""
    locked = lock_import(import_set)
    require_open(locked)
    return locked


def query_unchecked(import_set: Import) -> QuerySet[ImportFile]:
    """The files that have arrived completely, and that no check has finished yet."""
    return ImportFile.objects.filter(Q(status=ImportFileStatus.UPLOADED) | IS_JOINING, import_set=import_set)


def require_open(import_set: Import) -> None:
    """Raise ActionRefused if the import is being added, or was added or discarded."""
    if import_set.status == ImportStatus.ADDING:
        raise ActionRefused("This import is being added to the voice already. Start another one for other files.")
    if import_set.status != ImportStatus.OPEN:
        state = "discarded" if import_set.status == ImportStatus.DISCARDED else "added to the voice"
        raise ActionRefused(f"This import was {state} already. Start another one.")
