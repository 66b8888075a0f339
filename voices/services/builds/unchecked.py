"""Recordings that no check has judged since they changed. They are checked before they can be built."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voicehub.models import Task, TaskStatus
from voicehub.text import format_count
from voices.models import Recording, RecordingStatus, Voice
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


def find_unchecked(voices: Sequence[Voice]) -> dict[UUID, UncheckedRecordings]:
    """By voice id, for each voice that has unchecked recordings in its builds. One query, or two if there are any."""
    included = Recording.objects.filter(voice__in=voices, active=True, status=RecordingStatus.ACCEPTED).order_by()
    rows = included.values("voice", "voice__comparison").annotate(
        unchecked=Count("pk", filter=Q(analyzed_at=None)), newest=Max("analyzed_at")
    )
    unchecked = {row["voice"]: row["unchecked"] for row in rows if row["unchecked"] or not _is_compared(row)}
    if not unchecked:
        return {}
    tasks = Task.objects.filter(kind__in=(ANALYZE_TASK, COMPARE_TASK), status=TaskStatus.WAITING)
    moving = set(tasks.filter(object_id__in=[str(voice) for voice in unchecked]).values_list("object_id", flat=True))
    return {voice: UncheckedRecordings(count, str(voice) not in moving) for voice, count in unchecked.items()}


def _is_compared(row: Mapping[str, Any]) -> bool:
    """Whether the comparison is newer than the newest analysis."""
    try:
        compared_at = parse_datetime(row["voice__comparison"].get("compared_at") or "")
    except ValueError:
        return False
    return compared_at is not None and timezone.is_aware(compared_at) and compared_at >= row["newest"]
