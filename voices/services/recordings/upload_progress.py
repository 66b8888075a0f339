"""The progress of an archive upload, in a row that the uploading page polls while its request is processed."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils import timezone

from voicehub.models import User
from voices.models import UploadActivity, UploadProgress, WorkKind
from voices.services.work_samples import record_work

# Seconds between two writes: often enough for a page, and seldom enough not to slow the upload down.
WRITE_INTERVAL = 0.5
# The row of an upload whose process was killed is deleted by a later upload.
STALE_AFTER = timedelta(days=1)


@dataclass(slots=True)
class ProgressWriter:
    """Writes the progress of one upload, at most every WRITE_INTERVAL. Without `row_id`, it only learns the times.

    A failed write, such as with a locked database, must not fail the upload.
    """

    row_id: UUID | None = None
    activity: UploadActivity = UploadActivity.READING
    started: float = field(default_factory=time.monotonic)
    written: float = 0.0

    def write_read(self, done: int, total: int) -> None:
        self._write(UploadActivity.READING, done, total)

    def write_added(self, done: int, total: int) -> None:
        self._write(UploadActivity.ADDING, done, total)

    def end_activity(self, kind: WorkKind, units: int) -> None:
        """Learn how long the activity took. The next one begins."""
        if units:
            record_work(kind, "", time.monotonic() - self.started, units)
        self.started = time.monotonic()

    def _write(self, activity: UploadActivity, done: int, total: int) -> None:
        now = time.monotonic()
        is_due = activity != self.activity or now - self.written >= WRITE_INTERVAL
        if self.row_id is None or not is_due:
            return
        fields: dict[str, object] = {"activity": activity, "done": done, "total": total}
        if activity != self.activity:
            fields["started_at"] = timezone.now()
        with suppress(DatabaseError), transaction.atomic():
            UploadProgress.objects.filter(pk=self.row_id).update(**fields)
        self.activity, self.written = activity, now


@contextmanager
def track_upload(row_id: UUID | None, user: User) -> Iterator[ProgressWriter]:
    """Create the row of an upload with the id that its page made, and delete it when the upload is processed.

    An id that is already taken gives an upload without a row, so that no user changes the row of another one.
    """
    if row_id is None or not _create_row(row_id, user):
        yield ProgressWriter()
        return
    try:
        yield ProgressWriter(row_id)
    finally:
        with suppress(DatabaseError):
            UploadProgress.objects.filter(pk=row_id).delete()


def _create_row(row_id: UUID, user: User) -> bool:
    now = timezone.now()
    try:
        with transaction.atomic():
            UploadProgress.objects.filter(started_at__lt=now - STALE_AFTER).delete()
            return UploadProgress.objects.get_or_create(pk=row_id, defaults={"user": user, "started_at": now})[1]
    except DatabaseError:
        return False
