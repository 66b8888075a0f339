"""Undo of an action on many recordings: what a person has set since, also to the same value, stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from voicehub.models import User
from voicehub.refusals import ActionRefused
from voices.models import BulkKind, Voice
from voices.services.recordings.bulk.changes import lock_change, lock_recordings, read_changes
from voices.services.recordings.bulk.inclusion import undo_decisions
from voices.services.recordings.bulk.parts import enqueue_rest
from voices.services.recordings.bulk.transcripts import undo_transcripts


@dataclass(frozen=True, slots=True)
class UndoResult:
    """How many recordings are as before, and how many were left alone because they were changed since.

    A task restores the `following` ones.
    """

    restored: int
    left_alone: int
    following: int = 0


def undo_changes(ids: Sequence[UUID], voice: Voice, by: User) -> UndoResult:
    """Undo these changes, or none of them. The last one comes first, as it may build on the ones before."""
    with transaction.atomic():
        changes = [lock_change(pk, voice, by) for pk in sorted(ids)]
        lock_recordings(voice, list({pk for change in changes for pk in read_changes(change)}))
        results = [undo_change(pk, voice, by) for pk in reversed(ids)]
    totals = (sum(getattr(one, name) for one in results) for name in ("restored", "left_alone", "following"))
    return UndoResult(*totals)


def undo_change(change_id: UUID, voice: Voice, by: User) -> UndoResult:
    """Undo this change of the same person, once. Raises ActionRefused if it is not possible."""
    with transaction.atomic():
        change = lock_change(change_id, voice, by)
        if change.applied_at is None:
            raise ActionRefused("Nothing was changed yet, so there is nothing to undo.")
        # Its steps go by the earlier decision, so in no order of the rows.
        lock_recordings(voice, list(read_changes(change)))
        is_table = change.kind == BulkKind.TRANSCRIPTS
        restored = undo_transcripts(change) if is_table else undo_decisions(change)
        change.undone_at = timezone.now()
        change.save(update_fields=["undone_at"])
        following = enqueue_rest(change, is_changed=bool(restored)) if is_table else 0
    return UndoResult(restored, len(change.changes) - restored, following)
