"""Delete many recordings for good, with their files. The same ones stay as with the deletion of a single recording."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, ProtectedError, QuerySet
from django.utils import timezone

from consent.services.legal_hold import require_no_hold
from voicehub import outbox
from voicehub.models import User
from voicehub.outbox import Lease
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import COMPARE_DELAY, UNDO_TIME
from voicehub.storage import private
from voices.models import (
    BuildRecording,
    BulkChange,
    BulkKind,
    Recording,
    RecordingStatus,
    RemoteFile,
    RemoteRecording,
    Voice,
)
from voices.services.recordings.bulk.changes import (
    FINISH_TASK,
    GONE,
    BulkResult,
    query_locked,
    record_change,
    split_ids,
)
from voices.services.recordings.bulk.parts import list_due, query_parts
from voices.services.recordings.store import COMPARE_TASK

# Recordings whose files one run of the task deletes, before other tasks get their turn.
FILES_BATCH_SIZE = 200


def plan_deletion(voice: Voice, ids: Sequence[UUID]) -> tuple[list[UUID], BulkResult]:
    """The recordings that can be deleted now, and a result with what would be deleted, for a page that asks."""
    result, deletable = BulkResult(), list[UUID]()
    for chunk in split_ids(ids):
        rows = voice.recordings.filter(pk__in=chunk).only("status").order_by("pk")
        deletable += [row.pk for row in _list_deletable(rows, chunk, result)]
    result.changed = len(deletable)
    return deletable, result


def delete_recordings(voice: Voice, ids: Sequence[UUID], by: User) -> BulkResult:
    """Delete these recordings. A task deletes their files at once, however long the storage takes."""
    result, deleted = BulkResult(), list[Recording]()
    try:
        with transaction.atomic():
            require_no_hold(voice.talent)
            for chunk in split_ids(ids):
                rows = _list_deletable(query_locked(voice, chunk, "status", "file", "wav"), chunk, result)
                Recording.objects.filter(pk__in=[row.pk for row in rows]).only("pk").delete()
                deleted += rows
            _enqueue_files(voice, deleted, by)
    except (ProtectedError, IntegrityError):
        text = "A build was started with some of these recordings at the same moment. Nothing was deleted. Try again."
        raise ActionRefused(text) from None
    result.changed = len(deleted)
    return result


def _list_deletable(rows: QuerySet[Recording], chunk: Sequence[UUID], result: BulkResult) -> list[Recording]:
    """The rows that nothing keeps. The others are counted in the result."""
    this = OuterRef("pk")
    found = rows.annotate(
        was_built=Exists(BuildRecording.objects.filter(recording=this)),
        was_sent=Exists(RemoteRecording.objects.filter(recording=this)),
        has_remote_file=Exists(RemoteFile.objects.filter(recording=this)),
        has_clips=Exists(Recording.objects.filter(source=this).order_by()),
    )
    reasons = {row: _find_reason(row) for row in found}
    result.skip(GONE, len(chunk) - len(reasons))
    for reason in filter(None, reasons.values()):
        result.skip(reason)
    return [row for row, reason in reasons.items() if not reason]


def _find_reason(row: Recording) -> str:
    """Why the recording stays. Empty if nothing keeps it."""
    if any(getattr(row, name) for name in ("was_built", "was_sent", "has_remote_file")):
        return "used in a build"
    if getattr(row, "has_clips", False):
        return "source of clips"
    return "being split" if row.status == RecordingStatus.SPLITTING else ""


def _enqueue_files(voice: Voice, deleted: Iterable[Recording], by: User) -> None:
    changes = [{"id": row.pk.hex, "before": str(row.file.name), "after": str(row.wav.name or "")} for row in deleted]
    if change := record_change(voice, by, BulkKind.DELETION, changes):
        outbox.enqueue_task(FINISH_TASK, change.pk)
        outbox.enqueue_task(COMPARE_TASK, voice.pk, after=COMPARE_DELAY)


def finish_change(change_id: str, lease: Lease) -> timedelta | None:
    """Delete the files of deleted recordings, or a change that cannot be undone anymore.

    A large table of transcripts stays until all of it is set or restored, however long the workers were stopped.
    """
    change = BulkChange.objects.filter(pk=change_id).first()
    if change is None:
        return None
    if change.kind == BulkKind.DELETION:
        if _delete_files(change, lease):
            return timedelta()
    elif not change.is_expired:
        return change.expires_at - timezone.now()
    elif list_due(list(query_parts(change).defer("changes"))):
        return UNDO_TIME
    query_parts(change).delete()
    return None


def _delete_files(change: BulkChange, lease: Lease) -> bool:
    """Delete the files of some recordings. Returns whether there are more."""
    files, storage = change.changes, private()
    for one in files[:FILES_BATCH_SIZE]:
        lease.extend()
        for name in filter(None, (one["before"], one["after"])):
            storage.delete(name)
    change.changes = files[FILES_BATCH_SIZE:]
    change.save(update_fields=["changes"])
    return bool(change.changes)
