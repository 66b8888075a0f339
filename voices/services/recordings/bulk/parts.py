"""Large tables of transcripts: stored in parts. The request sets the first part, a task the others.

The parts of a table are ordered by their ids. What was done with the first one is to be done with the others. Each
part is set or restored in one transaction: if a worker stops, the next one goes on with the next part, and repeats
none.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet

from voicehub import outbox
from voicehub.models import User
from voicehub.retry_policy import UNDO_TIME
from voices.models import BulkChange, BulkKind, Voice
from voices.services.recordings.bulk.changes import FINISH_TASK
from voices.services.recordings.store import COMPARE_TASK

SET_TEXTS_TASK = "set_transcripts"
# Transcripts that are set in a fraction of a second. A table with more of them has several parts.
PART_SIZE = 500


def record_parts(voice: Voice, by: User, changes: Sequence[Mapping[str, str]]) -> BulkChange | None:
    """Store what a table would change. Returns the first part. None if the table changes nothing."""
    parts = [list(changes[start : start + PART_SIZE]) for start in range(0, len(changes), PART_SIZE)]
    if not parts:
        return None
    ids = sorted(uuid4() for _part in parts)
    first, *others = [
        BulkChange(pk=pk, voice=voice, by=by, kind=BulkKind.TRANSCRIPTS, changes=part)
        for pk, part in zip(ids, parts, strict=True)
    ]
    for other in others:
        other.first_part = first
    with transaction.atomic():
        first.save(force_insert=True)
        BulkChange.objects.bulk_create(others)
        outbox.enqueue_task(FINISH_TASK, first.pk, after=UNDO_TIME)
    return first


def query_parts(change: BulkChange) -> QuerySet[BulkChange]:
    """The parts of the table that this change belongs to, the first one first. They include it."""
    first = change.first_part_or_self_id
    return BulkChange.objects.filter(Q(pk=first) | Q(first_part=first)).order_by("pk")


def load_tables(voice: Voice) -> list[list[BulkChange]]:
    """The parts of each table of this voice that can still be undone, oldest first, without what they change."""
    rows = voice.bulk_changes.filter(kind=BulkKind.TRANSCRIPTS).select_related("by").defer("changes")
    tables: defaultdict[UUID, list[BulkChange]] = defaultdict(list)
    for row in rows.order_by("pk"):
        tables[row.first_part_or_self_id].append(row)
    return sorted(tables.values(), key=lambda parts: parts[0].created_at)


def list_due(parts: Sequence[BulkChange]) -> list[BulkChange]:
    """The parts that are still to be set, or to be restored if the first one is undone."""
    return [part for part in parts if is_due(parts[0], part)]


def is_due(first: BulkChange, part: BulkChange) -> bool:
    if first.applied_at is None or part.undone_at:
        return False
    return part.applied_at is None if first.undone_at is None else part.applied_at is not None


def count_recordings(parts: Sequence[BulkChange]) -> int:
    """How many recordings these parts are for. Only what the last one changes is loaded: the others are full."""
    return PART_SIZE * (len(parts) - 1) + len(parts[-1].changes) if parts else 0


def enqueue_rest(first: BulkChange, *, is_changed: bool) -> int:
    """Enqueue what follows the first part: the others, or else the comparison. Returns the recordings of the others."""
    others = list(query_parts(first).defer("changes"))[1:]
    if others:
        outbox.enqueue_task(SET_TEXTS_TASK, first.voice_id)
    elif is_changed:
        outbox.enqueue_task(COMPARE_TASK, first.voice_id)
    return count_recordings(others)
