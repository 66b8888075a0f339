"""Undo of an action on many recordings: only what is still as the action left it goes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import BulkKind, Voice
from voices.services.recordings.bulk.changes import lock_change
from voices.services.recordings.bulk.inclusion import undo_decisions
from voices.services.recordings.bulk.transcripts import undo_transcripts


@dataclass(frozen=True, slots=True)
class UndoResult:
    """How many recordings are as before, and how many were left alone because they were changed since."""

    restored: int
    left_alone: int


def undo_change(change_id: UUID, voice: Voice, by: User) -> UndoResult:
    """Undo this change of the same person, once. Raises ActionRefused if it is not possible."""
    with transaction.atomic():
        change = lock_change(change_id, voice, by)
        if change.applied_at is None:
            raise ActionRefused("Nothing was changed yet, so there is nothing to undo.")
        undo = undo_transcripts if change.kind == BulkKind.TRANSCRIPTS else undo_decisions
        restored = undo(change)
        change.undone_at = timezone.now()
        change.save(update_fields=["undone_at"])
    return UndoResult(restored, len(change.changes) - restored)


def undo_changes(change_ids: Sequence[UUID], voice: Voice, by: User) -> UndoResult:
    """Undo all of these changes, or none: the last one first, as it may build on the ones before."""
    with transaction.atomic():
        results = [undo_change(change_id, voice, by) for change_id in reversed(change_ids)]
    return UndoResult(sum(one.restored for one in results), sum(one.left_alone for one in results))
