"""The rows of imports, and the names of their tasks."""

from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Import, ImportStatus, Voice

CHECK_TASK, ADD_TASK = "check_import", "add_import"


def create_import(voice: Voice, by: User) -> Import:
    return Import.objects.create(voice=voice, by=by)


def require_open(import_set: Import) -> None:
    """Raise ActionRefused if files of this import can no longer be uploaded, changed or chosen."""
    if import_set.status != ImportStatus.OPEN:
        state = import_set.get_status_display().lower()
        raise ActionRefused(f"This import is {state} already. Upload the files again for a new one.")
