"""The table of a voice's recordings: what it shows, in which order, fifty at a time."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Max, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voicehub.models import Task, TaskStatus
from voices import access
from voices.models import Recording, RecordingStatus, Voice
from voices.services.recordings.store import COMPARE, EXAMINE

PAGE = 50
LOOK = '"look"'  # a severity as it stands in JSON: what was only put right needs no look

SHOWS = {
    "": "All",
    "usable": "Usable",
    "look": "Worth a look",
    "compared": "Unlike the others",
    "marked": "Marked by the provider",
    "refused": "Cannot be used",
    "inactive": "Left out of builds",
    "no_transcript": "Without a transcript",
}
SORTS = {
    "": ("Name", ["file_name", "pk"]),
    "newest": ("Newest first", ["-created_at", "pk"]),
    "longest": ("Longest first", ["-seconds", "pk"]),
    "shortest": ("Shortest first", ["seconds", "pk"]),
}


def recording_page(voice: Voice, asked: Mapping[str, str]) -> dict[str, Any]:
    """The page of recordings that the query string asks for; what it does not know, it leaves aside."""
    show = asked.get("show", "") if asked.get("show", "") in SHOWS else ""
    sort = asked.get("sort", "") if asked.get("sort", "") in SORTS else ""
    words = asked.get("q", "").strip().replace("\x00", "")[:100]
    rows = _shown(access.recordings().filter(voice=voice), show)
    if words:
        rows = rows.filter(file_name__icontains=words) | rows.filter(transcript__icontains=words)
    page = Paginator(rows.order_by(*SORTS[sort][1]), PAGE).get_page(asked.get("page"))
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in (("q", words), ("show", show), ("sort", sort)) if value})
    return {
        "page": page, "show": show, "sort": sort, "words": words, "query": query.urlencode(),
        "shows": SHOWS, "sorts": {name: label for name, (label, _order) in SORTS.items()},
    }  # fmt: skip


def _shown(rows: QuerySet[Recording], show: str) -> QuerySet[Recording]:
    usable = rows.filter(status=RecordingStatus.ACCEPTED)
    return {
        "usable": usable,
        "look": usable.alias(said=Cast("findings", TextField())).exclude(~Q(said__contains=LOOK), set_findings=[]),
        "compared": usable.exclude(set_findings=[]),
        "marked": rows.filter(Q(marked_silent=True) | Q(marked_outlier=True) | Q(marked_discarded=True)),
        "refused": rows.filter(status=RecordingStatus.REFUSED),
        "inactive": usable.filter(active=False),
        "no_transcript": usable.filter(transcript=""),
    }.get(show, rows)


@dataclass(frozen=True, slots=True)
class RecordingProgress:
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


def moving(voice: Voice) -> RecordingProgress:
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
    return RecordingProgress(stamp, table, EXAMINE in due, bool(due or found["cutting"]), timezone.now(), compared_at)


def parse_time(text: object) -> datetime | None:
    """An aware time out of JSON or an address; None for anything else."""
    try:
        found = parse_datetime(str(text))
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None
