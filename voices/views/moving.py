"""What still moves by itself among the recordings of a voice: being listened to, being cut, being compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voices.models import Recording, RecordingStatus, Voice

PATIENCE = timedelta(hours=1)  # after which a page no longer waits for a recording to be listened to
COMPARING = timedelta(minutes=1)  # that a comparison may take after the last recording was listened to


@dataclass(frozen=True, slots=True)
class Moving:
    """`stamp` changes with anything that a page would show otherwise; `table` with its rows. `at` is when it was so."""

    stamp: str
    table: str
    active: bool
    at: datetime
    compared_at: datetime | None

    def changed(self, rows: Iterable[Recording], since: datetime) -> list[Recording]:
        """The rows about which more is known than at that time."""
        if self.compared_at and self.compared_at >= since:
            return list(rows)
        return [row for row in rows if row.examined_at and row.examined_at >= since]


def is_waiting(recording: Recording) -> bool:
    """It is to be listened to, and came so lately that it is worth waiting for."""
    awaited = recording.usable and recording.examined_at is None
    return awaited and timezone.now() - recording.created_at < PATIENCE


def moving(voice: Voice) -> Moving:
    """One question to the database, however many recordings there are."""
    now = timezone.now()
    usable = Q(status=RecordingStatus.ACCEPTED)
    found = voice.recordings.aggregate(
        total=Count("pk"),
        waiting=Count("pk", usable & Q(examined_at=None, created_at__gt=now - PATIENCE)),
        cutting=Count("pk", Q(status=RecordingStatus.CUTTING)),
        newest=Max("examined_at"),
    )
    compared_at, newest = parse_time(voice.comparison.get("compared_at")), found["newest"]
    comparing = newest is not None and newest > now - COMPARING and (compared_at is None or newest > compared_at)
    table = f"{found['total']}-{found['cutting']}"
    stamp = f"{table}-{found['waiting']}-{newest}-{compared_at}"
    active = bool(found["waiting"] or found["cutting"] or (comparing and found["total"] > 1))
    return Moving(stamp, table, active, now, compared_at)


def parse_time(text: object) -> datetime | None:
    """An aware time out of JSON; None for anything else."""
    try:
        found = parse_datetime(str(text))
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None
