"""The table of a voice's recordings: filter, search, order and pages."""

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
LOOK = '"look"'  # a severity in the findings JSON; a fixed finding needs no review

SHOWS = {
    "": "All",
    "usable": "Usable",
    "look": "To review",
    "compared": "Different from the others",
    "marked": "Marked by the provider",
    "refused": "Cannot be used",
    "inactive": "Excluded from builds",
    "no_transcript": "Without a transcript",
}
SORTS = {
    "": ("Name", ["file_name", "pk"]),
    "newest": ("Newest first", ["-created_at", "pk"]),
    "longest": ("Longest first", ["-seconds", "pk"]),
    "shortest": ("Shortest first", ["seconds", "pk"]),
}


def recording_page(voice: Voice, asked: Mapping[str, str]) -> dict[str, Any]:
    """The page of recordings for this query string. Unknown values are ignored."""
    show = asked.get("show", "") if asked.get("show", "") in SHOWS else ""
    sort = asked.get("sort", "") if asked.get("sort", "") in SORTS else ""
    search = asked.get("q", "").strip().replace("\x00", "")[:100]
    rows = _shown(access.recordings().filter(voice=voice), show)
    if search:
        rows = rows.filter(file_name__icontains=search) | rows.filter(transcript__icontains=search)
    page = Paginator(rows.order_by(*SORTS[sort][1]), PAGE).get_page(asked.get("page"))
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in (("q", search), ("show", show), ("sort", sort)) if value})
    return {
        "page": page, "show": show, "sort": sort, "words": search, "query": query.urlencode(),
        "shows": SHOWS, "sorts": {name: label for name, (label, _order) in SORTS.items()},
    }  # fmt: skip


def _shown(rows: QuerySet[Recording], show: str) -> QuerySet[Recording]:
    usable = rows.filter(status=RecordingStatus.ACCEPTED)
    return {
        "usable": usable,
        "look": usable.alias(findings_text=Cast("findings", TextField())).exclude(
            ~Q(findings_text__contains=LOOK), set_findings=[]
        ),
        "compared": usable.exclude(set_findings=[]),
        "marked": rows.filter(Q(marked_silent=True) | Q(marked_outlier=True) | Q(marked_discarded=True)),
        "refused": rows.filter(status=RecordingStatus.REFUSED),
        "inactive": usable.filter(active=False),
        "no_transcript": usable.filter(transcript=""),
    }.get(show, rows)


@dataclass(frozen=True, slots=True)
class RecordingProgress:
    """`change_token` changes with what the page shows, `table_token` with its rows. `loaded_at` is the read time."""

    stamp: str
    table: str
    listening: bool
    """An analysis is scheduled for the recordings without one."""
    active: bool
    at: datetime
    compared_at: datetime | None

    def changed(self, rows: Iterable[Recording], since: datetime) -> list[Recording]:
        """The rows that were analyzed or compared since that time."""
        if self.compared_at and self.compared_at >= since:
            return list(rows)
        return [row for row in rows if row.examined_at and row.examined_at >= since]


def moving(voice: Voice) -> RecordingProgress:
    """Two queries, however many recordings there are."""
    found = voice.recordings.aggregate(
        total=Count("pk"),
        waiting=Count("pk", Q(status=RecordingStatus.ACCEPTED, examined_at=None)),
        splitting=Count("pk", Q(status=RecordingStatus.CUTTING)),
        newest=Max("examined_at"),
    )
    tasks = Task.objects.filter(kind__in=(EXAMINE, COMPARE), object_id=str(voice.pk), status=TaskStatus.WAITING)
    due = set(tasks.values_list("kind", flat=True))
    compared_at = parse_time(voice.comparison.get("compared_at"))
    table = f"{found['total']}-{found['splitting']}"
    stamp = f"{table}-{found['waiting']}-{found['newest']}-{compared_at}-{len(due)}"
    return RecordingProgress(stamp, table, EXAMINE in due, bool(due or found["splitting"]), timezone.now(), compared_at)


def parse_time(text: object) -> datetime | None:
    """An aware datetime from JSON or a query string; None for anything else."""
    try:
        found = parse_datetime(str(text))
    except ValueError:
        return None
    return found if found and timezone.is_aware(found) else None
