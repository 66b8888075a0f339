"""Recordings that no check has judged since they changed. They are checked before they can be built."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Exists, Func, OuterRef, Subquery
from django.db.models.sql.compiler import SQLCompiler
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voicehub.models import Task, TaskStatus
from voicehub.row_counts import count_rows
from voicehub.text import format_count
from voices.models import Recording, RecordingStatus, Voice
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK

# The first character and the length of each part of a UUID that is written with hyphens.
UUID_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))


@dataclass(frozen=True, slots=True)
class UncheckedRecordings:
    """What of a voice's included recordings is not checked, for people.

    `is_stopped` says that no task is going to check them, so a person must ask for it.
    """

    count: int
    is_stopped: bool

    @property
    def text(self) -> str:
        if self.count and self.is_stopped:
            return f"The check of {format_count(self.count, 'recording', 'recordings')} stopped. Check again."
        if self.count:
            subject = format_count(self.count, "recording is", "recordings are")
            return f"{subject} not checked yet. VoiceHub is checking: this goes on by itself."
        if self.is_stopped:
            return "The comparison of the recordings stopped. Check again."
        return "The recordings are not compared with each other yet. VoiceHub is comparing: this goes on by itself."


class TaskObjectId(Func):
    """The id of a row as tasks have it, with hyphens. SQLite stores ids without."""

    template = "CAST(%(expressions)s AS varchar)"
    output_field = CharField()

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any) -> Any:
        parts = (f"substr(%(expressions)s, {start}, {length})" for start, length in UUID_PARTS)
        return self.as_sql(compiler, connection, template=" || '-' || ".join(parts), **context)


def has_waiting_check() -> Exists:
    """Condition on voices: a task is going to check their recordings. It uses the index of waiting tasks."""
    waiting = Task.objects.filter(kind__in=(ANALYZE_TASK, COMPARE_TASK), status=TaskStatus.WAITING)
    return Exists(waiting.filter(object_id=TaskObjectId(OuterRef("pk"))))


def load_unchecked(voices: Collection[Voice]) -> dict[UUID, UncheckedRecordings]:
    """What is unchecked of each of these voices, by its id, in one query. Voices with everything checked are omitted.

    An index counts the recordings without an analysis, and finds the newest analysis.
    """
    # SQLite looks up `active` in an index only if it is compared with a value.
    included = Recording.objects.filter(
        voice=OuterRef("pk"), active__in=[True], status=RecordingStatus.ACCEPTED
    ).order_by()
    waiting = count_rows(included.filter(analyzed_at=None))
    newest = included.filter(analyzed_at__isnull=False).order_by("-analyzed_at").values("analyzed_at")[:1]
    rows = Voice.objects.filter(pk__in=[voice.pk for voice in voices]).order_by()
    rows = rows.annotate(count=waiting, newest_analysis=Subquery(newest), is_waiting=has_waiting_check())
    return {
        pk: UncheckedRecordings(count, not is_waiting)
        for pk, comparison, count, newest_analysis, is_waiting in rows.values_list(
            "pk", "comparison", "count", "newest_analysis", "is_waiting"
        )
        if count or not _is_compared(comparison, newest_analysis)
    }


def _is_compared(comparison: Mapping[str, Any], newest_analysis: datetime | None) -> bool:
    """Whether the comparison is newer than the newest analysis. A voice without recordings needs none."""
    if newest_analysis is None:
        return True
    try:
        compared_at = parse_datetime(comparison.get("compared_at") or "")
    except ValueError:
        return False
    return compared_at is not None and timezone.is_aware(compared_at) and compared_at >= newest_analysis
