"""What still moves by itself among the recordings of a voice: being listened to, being compared, being cut."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voicehub.models import Task, TaskStatus
from voices.models import Recording, RecordingStatus, Voice
from voices.services.recordings import COMPARE, EXAMINE


@dataclass(frozen=True, slots=True)
class Moving:
    """`stamp` changes with anything that a page would show otherwise; `table` with its rows. `at` is when it was so."""

    stamp: str
    table: str
    listening: bool
    """Recordings that were not listened to are going to be."""
    active: bool
    at: datetime
    compared_at: datetime | None

    def changed(self, rows: Iterable[Recording], since: datetime) -> list[Recording]:
        """The rows about which more is known than at that time."""
        if self.compared_at and self.compared_at >= since:
            return list(rows)
        return [row for row in rows if row.examined_at and row.examined_at >= since]


def moving(voice: Voice) -> Moving:
    """Two questions to the database, however many recordings there are."""
    found = voice.recordings.aggregate(
        total=Count("pk"),
        waiting=Count("pk", Q(status=RecordingStatus.ACCEPTED, examined_at=None)),
        cutting=Count("pk", Q(status=RecordingStatus.CUTTING)),
        newest=Max("examined_at"),
    )
    tasks = Task.objects.filter(kind__in=(EXAMINE, COMPARE), object_id=str(voice.pk), status=TaskStatus.WAITING)
    due = set(tasks.values_list("kind", flat=True))
    compared_at = parse_time(voice.comparison.get("compared_at"))
    table = f"{found['total']}-{found['cutting']}"
    stamp = f"{table}-{found['waiting']}-{found['newest']}-{compared_at}-{len(due)}"
    return Moving(stamp, table, EXAMINE in due, bool(due or found["cutting"]), timezone.now(), compared_at)


def parse_time(text: object) -> datetime | None:
    """An aware time out of JSON or an address; None for anything else."""
    try:
        found = parse_datetime(str(text))
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None
