"""The table of a voice's recordings: its filter, search, order and pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import Count, Func, Max, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from voicehub.models import Task, TaskStatus
from voices import access
from voices.models import InclusionSource, Recording, RecordingStatus, Voice
from voices.models.voice import (
    BEST_QUALITY,
    LOUDEST,
    MOST_SEVERE,
    NEEDS_REVIEW,
    NOISIEST,
    QUIETEST,
    WORST_QUALITY,
)
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK
from voices.services.refused_recordings import note_refusals
from voices.views.recording_progress import make_analysis_progress
from voices.work_progress import WorkProgress

PAGE_SIZE = 50
# A change gets its time before it is committed: it may be older than a page that does not show it yet.
COMMIT_TIME = timedelta(seconds=5)

FILTER_LABELS = {
    "": "All",
    "usable": "Usable",
    "look": "To review",
    "compared": "Different from the others",
    "flagged": "Flagged by the provider",
    "refused": "Not usable",
    "inactive": "Excluded from builds",
    "left_out": "Left out by a check",
    "no_transcript": "Without a transcript",
}
SORT_ORDERS: dict[str, tuple[str, Sequence[str | Func | OrderBy]]] = {
    "": ("Name", ["file_name", "pk"]),
    "newest": ("Newest first", ["-created_at", "pk"]),
    "longest": ("Longest first", ["-seconds", "-pk"]),
    "shortest": ("Shortest first", ["seconds", "pk"]),
    "worst": ("Worst quality first", [WORST_QUALITY, "pk"]),
    "best": ("Best quality first", [BEST_QUALITY.desc(), "-pk"]),
    "severe": ("Most severe finding first", [MOST_SEVERE.desc(), "-pk"]),
    "noisiest": ("Noisiest first", [NOISIEST, "pk"]),
    "loudest": ("Loudest first", [LOUDEST.desc(), "-pk"]),
    "quietest": ("Quietest first", [QUIETEST, "pk"]),
}


def load_recording_page(voice: Voice, params: Mapping[str, str]) -> dict[str, Any]:
    """The page of recordings for this query string. Unknown values are ignored."""
    show, search = read_filter(params), read_search(params)
    sort = params.get("sort", "") if params.get("sort", "") in SORT_ORDERS else ""
    ids: QuerySet[Any] = _find_ids(voice, show, search).order_by(*SORT_ORDERS[sort][1]).values_list("pk", flat=True)
    page = Paginator(ids, PAGE_SIZE).get_page(params.get("page"))
    # The database orders and counts ids, and looks up the rest only for the rows of this page.
    page.object_list = access.load_recording_rows(list(page.object_list))
    note_refusals(page)
    query = QueryDict(mutable=True)
    query.update({name: value for name, value in (("q", search), ("show", show), ("sort", sort)) if value})
    return {
        "page": page, "active_filter": show, "active_sort": sort, "search": search, "query": query.urlencode(),
        "filter_options": FILTER_LABELS, "sort_options": {name: label for name, (label, _order) in SORT_ORDERS.items()},
    }  # fmt: skip


def query_matching(voice: Voice, params: Mapping[str, str]) -> QuerySet[Recording]:
    """All recordings that match the filter and the search of this query string."""
    return _find_ids(voice, read_filter(params), read_search(params))


def read_filter(params: Mapping[str, str]) -> str:
    show = params.get("show", "")
    return show if show in FILTER_LABELS else ""


def read_search(params: Mapping[str, str]) -> str:
    return params.get("q", "").strip().replace("\x00", "")[:100]


def _find_ids(voice: Voice, show: str, search: str) -> QuerySet[Recording]:
    rows = _filter_recordings(Recording.objects.filter(voice=voice), voice, show)
    if search:
        rows = rows.filter(Q(file_name__icontains=search) | Q(transcript__icontains=search))
    return rows


def _filter_recordings(rows: QuerySet[Recording], voice: Voice, show: str) -> QuerySet[Recording]:
    """`NEEDS_REVIEW` and `active=False` choose an index, so they also stand where another condition implies them."""
    usable = rows.filter(status=RecordingStatus.ACCEPTED)
    return {
        "usable": usable,
        "look": usable.filter(NEEDS_REVIEW),
        "compared": usable.filter(NEEDS_REVIEW).exclude(set_findings=[]),
        "flagged": rows.filter(access.is_flagged(voice)),
        "refused": rows.filter(status=RecordingStatus.REFUSED),
        "inactive": usable.filter(active=False),
        "left_out": usable.filter(active=False, active_by=InclusionSource.CHECK),
        "no_transcript": usable.filter(transcript=""),
    }.get(show, rows)


@dataclass(frozen=True, slots=True)
class RecordingProgress:
    """Whether recordings are being analyzed, and tokens that tell a page whether it is up to date.

    `change_token` changes when the page would show something else, `table_token` when the table gains or loses rows.
    `loaded_at` is the time when this was read from the database.
    """

    change_token: str
    table_token: str
    is_analyzing: bool
    """Whether the recordings that have no analysis yet are scheduled for one."""
    is_active: bool
    """Whether a recording is being analyzed, compared or split."""
    loaded_at: datetime
    work: WorkProgress | None
    """What is analyzed or compared, and when that is expected to end."""

    @property
    def query(self) -> str:
        """The query string that tells a poll what the page shows."""
        return urlencode({"seen": self.change_token, "table": self.table_token, "since": self.loaded_at.isoformat()})

    def select_changed(self, rows: Iterable[Recording], since: datetime) -> list[Recording]:
        """The rows whose findings or measures changed since that time."""
        return [row for row in rows if row.checked_at and row.checked_at >= since - COMMIT_TIME]


def load_recording_progress(voice: Voice) -> RecordingProgress:
    """The progress of a voice's recordings. It makes at most three queries, however many recordings there are."""
    tasks = _load_tasks(voice)
    analysis = tasks.get(ANALYZE_TASK)
    started_at = analysis.created_at if analysis else timezone.now()
    counts = voice.recordings.aggregate(
        total=Count("pk"),
        usable=Count("pk", Q(status=RecordingStatus.ACCEPTED)),
        fresh=Count("pk", Q(status=RecordingStatus.ACCEPTED, analyzed_at__gte=started_at)),
        waiting=Count("pk", Q(status=RecordingStatus.ACCEPTED, analyzed_at=None)),
        splitting=Count("pk", Q(status=RecordingStatus.SPLITTING)),
        newest=Max("checked_at"),
    )
    waiting_kinds = {kind for kind, task in tasks.items() if task.status == TaskStatus.WAITING}
    work = make_analysis_progress(voice, counts, tasks, started_at)
    compared_at = parse_time(voice.comparison.get("compared_at"))
    table = f"{counts['total']}-{counts['splitting']}"
    shown_work = work.change_token if work else ""
    change_token = f"{table}-{counts['waiting']}-{counts['newest']}-{compared_at}-{len(waiting_kinds)}-{shown_work}"
    return RecordingProgress(
        change_token,
        table,
        ANALYZE_TASK in waiting_kinds,
        bool(waiting_kinds or counts["splitting"]),
        timezone.now(),
        work,
    )


def _load_tasks(voice: Voice) -> dict[str, Task]:
    """The newest waiting or failed task of each kind."""
    kinds, statuses = (ANALYZE_TASK, COMPARE_TASK), (TaskStatus.WAITING, TaskStatus.FAILED)
    tasks = Task.objects.filter(kind__in=kinds, object_id=str(voice.pk), status__in=statuses)
    return {task.kind: task for task in tasks.order_by("created_at")}


def parse_time(text: object) -> datetime | None:
    """Parse a time from JSON or a query string. Returns None unless it is a time with a time zone."""
    try:
        time = parse_datetime(str(text))
    except ValueError:
        return None
    return time if time and timezone.is_aware(time) else None
