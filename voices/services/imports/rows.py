"""Create imports, and what all that works on them asks: whether they are still open."""

from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import Import, ImportStatus, Voice

CHECK_TASK, ADD_TASK = "check_import", "add_import"


def create_import(voice: Voice, by: User) -> Import:
    return Import.objects.create(voice=voice, by=by)


def require_open(import_set: Import) -> None:
    """Raise ActionRefused if the import is being added, or was added or discarded."""
    if import_set.status != ImportStatus.OPEN:
        state = "discarded" if import_set.status == ImportStatus.DISCARDED else "added to the voice"
        raise ActionRefused(f"This import was {state} already. Start another one.")
