"""Recordings that no check has judged since they changed. They are checked before they can be built."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, CharField, Count, Exists, Max, OuterRef, Q, Value
from django.db.models.functions import Cast, Replace
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voicehub.models import Task, TaskStatus
from voicehub.text import format_count
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK


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


# What `find_unchecked` needs of the rows of one voice.
AGGREGATES: dict[str, Aggregate] = {
    "unchecked": Count("pk", filter=Q(analyzed_at=None)),
    "newest_analysis": Max("analyzed_at"),
}


def has_waiting_check() -> Exists:
    """Condition on recordings: a task is going to check the recordings of their voice.

    Databases store the id of a voice with or without hyphens. A task has it with hyphens.
    """
    tasks = Task.objects.filter(kind__in=(ANALYZE_TASK, COMPARE_TASK), status=TaskStatus.WAITING)
    voice_id = Replace(Cast(OuterRef("voice"), CharField()), Value("-"), Value(""))
    return Exists(tasks.annotate(plain_id=Replace("object_id", Value("-"), Value(""))).filter(plain_id=voice_id))


def find_unchecked(row: Mapping[str, Any]) -> UncheckedRecordings | None:
    """What is unchecked of the voice with these aggregates of its included recordings. None if all are checked.

    `has_waiting_check` is part of the row, and `voice__comparison`.
    """
    if not row["unchecked"] and _is_compared(row):
        return None
    return UncheckedRecordings(row["unchecked"], not row["has_waiting_check"])


def _is_compared(row: Mapping[str, Any]) -> bool:
    """Whether the comparison is newer than the newest analysis."""
    try:
        compared_at = parse_datetime(row["voice__comparison"].get("compared_at") or "")
    except ValueError:
        return False
    return compared_at is not None and timezone.is_aware(compared_at) and compared_at >= row["newest_analysis"]
