"""The table of a voice's recordings: its filter, search, order and pages."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, Func, Max, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.utils import timezone

from voicehub.lists.filters import FilterOption
from voicehub.lists.pages import CountedPaginator, Header, PageLink, list_page_links
from voicehub.models import Task, TaskStatus
from voices import access
from voices.models import Recording, RecordingStatus, Voice
from voices.models.recording_orders import (
    BEST_QUALITY,
    LOUDEST,
    MOST_SEVERE,
    NOISIEST,
    QUIETEST,
    WORST_QUALITY,
)
from voices.recording_rows import make_row_state
from voices.row_polls import RowPoll, compare_rows
from voices.services.recordings.bulk.parts import SET_TEXTS_TASK
from voices.services.recordings.store import ANALYZE_TASK, COMPARE_TASK
from voices.services.refused_recordings import note_refusals
from voices.views.finding_list import name_finding
from voices.views.recording_filters import FILTER_LABELS, count_filters, query_filtered, read_filter, read_search
from voices.views.recording_progress import make_work_progress, parse_time
from voices.work_progress import WorkProgress

# Filters whose rows another filter has too.
PARTS = {"usable": "", "left_out": "inactive"}
SHOWN_FILTERS = 5
PAGE_SIZES, DEFAULT_SIZE = (25, 50, 100), 25
# Stands in addresses and forms that the script of the table fills in for one row.
ZERO_ID = UUID(int=0)

# The first is the default. A recording that is not judged yet has no quality, and comes after all others.
SORT_ORDERS: dict[str, tuple[str, Sequence[str | Func | OrderBy]]] = {
    "": ("Worst first", [WORST_QUALITY, "file_name", "pk"]),
    "name": ("Name", ["file_name", "pk"]),
    "name_last": ("Name, last first", ["-file_name", "-pk"]),
    "newest": ("Newest first", ["-created_at", "pk"]),
    "longest": ("Longest first", ["-seconds", "-pk"]),
    "shortest": ("Shortest first", ["seconds", "pk"]),
    "best": ("Best quality first", [BEST_QUALITY.desc(), "-pk"]),
    "severe": ("Most severe finding first", [MOST_SEVERE.desc(), "-pk"]),
    "noisiest": ("Noisiest first", [NOISIEST, "pk"]),
    "loudest": ("Loudest first", [LOUDEST.desc(), "-pk"]),
    "quietest": ("Quietest first", [QUIETEST, "pk"]),
}
# The columns whose heading sorts: label, class, and the orders that it changes between, the worst first.
SORTED_COLUMNS = {
    "name": ("Name", "", ("name", "name_last")),
    "length": ("Length", "num", ("longest", "shortest")),
    "quality": ("Quality", "", ("", "best")),
    "findings": ("Findings", "", ("severe",)),
}
DESCENDING = {"name_last", "longest", "best", "severe"}


@dataclass(frozen=True, slots=True)
class TableState:
    """What a person has chosen in the table. All of it is in the address. Unknown values are the default."""

    search: str
    show: str
    sort: str
    size: int

    @property
    def values(self) -> dict[str, str]:
        size = "" if self.size == DEFAULT_SIZE else str(self.size)
        return {"q": self.search, "show": self.show, "sort": self.sort, "size": size}

    def make_query(self, **changes: str) -> str:
        """The query string with these changes, on its first page. A default stands in no address."""
        return urlencode({name: value for name, value in {**self.values, **changes}.items() if value})


def read_state(params: Mapping[str, str]) -> TableState:
    sort = params.get("sort", "")
    sizes = {str(size): size for size in PAGE_SIZES}
    size = sizes.get(params.get("size", ""), DEFAULT_SIZE)
    return TableState(read_search(params), read_filter(params), sort if sort in SORT_ORDERS else "", size)


def load_recording_page(voice: Voice, params: Mapping[str, str]) -> dict[str, Any]:
    """The page of recordings for this query string. Unknown values are ignored."""
    state = read_state(params)
    counts = count_filters(voice, state.show, state.search)
    ids: QuerySet[Any] = query_filtered(voice, state.show, state.search).order_by(*SORT_ORDERS[state.sort][1])
    page = CountedPaginator(ids.values_list("pk", flat=True), state.size, counts[state.show]).get_page(
        params.get("page")
    )
    # The database orders and counts ids, and looks up the rest only for the rows of this page.
    page.object_list, opened = _load_rows(voice, list(page.object_list), params)
    note_refusals(page)
    return {
        "page": page, "opened": opened, "active_filter": state.show, "active_sort": state.sort, "search": state.search,
        # The links of the rows leave out the size: a page of 50 rows has a limit of bytes.
        "query": state.make_query(), "row_query": state.make_query(size=""),
        "hidden_fields": _list_hidden_fields(state), "headers": _make_headers(state),
        **split_filters(_make_filter_options(state, counts)), "size_links": _make_size_links(state),
        "page_links": list_page_links(page, lambda number: f"?{state.make_query(page=str(number))}#recordings"),
        "zero_id": ZERO_ID, "blank_recording": Recording(pk=ZERO_ID),
        "sort_options": {name: label for name, (label, _order) in SORT_ORDERS.items()},
    }  # fmt: skip


def _load_rows(
    voice: Voice, ids: Sequence[UUID], params: Mapping[str, str]
) -> tuple[Sequence[Recording], Recording | None]:
    """The rows of the page, and the one whose details are open. It comes first if the page does not have it."""
    opened = _read_opened(params)
    is_elsewhere = opened is not None and opened not in ids
    rows = access.load_recording_rows([opened, *ids] if opened and is_elsewhere else ids)
    rows = [row for row in rows if row.voice_id == voice.pk]
    return rows, next((row for row in rows if row.pk == opened), None)


def _read_opened(params: Mapping[str, str]) -> UUID | None:
    try:
        return UUID(params.get("open", ""))
    except ValueError:
        return None


def _list_hidden_fields(state: TableState) -> list[tuple[str, str]]:
    """The state that a new search or order keeps."""
    return [(name, state.values[name]) for name in ("show", "size") if state.values[name]]


def _make_headers(state: TableState) -> dict[str, Header]:
    return {name: _make_header(state, *column) for name, column in SORTED_COLUMNS.items()}


def _make_header(state: TableState, label: str, css_class: str, orders: Sequence[str]) -> Header:
    is_sorted = state.sort in orders
    following = orders[(orders.index(state.sort) + 1) % len(orders)] if is_sorted else orders[0]
    direction = ("descending" if state.sort in DESCENDING else "ascending") if is_sorted else ""
    return Header(label, css_class, f"?{state.make_query(sort=following)}", direction)


def _make_filter_options(state: TableState, counts: Mapping[str, int]) -> list[FilterOption]:
    """Each filter with its number of rows. One without rows, with as many as the one it is a part of, or by one
    finding, is shown only while it is chosen."""
    empty = {show for show, count in counts.items() if not count or (show in PARTS and count == counts[PARTS[show]])}
    options = [
        FilterOption(label, counts[show], f"?{state.make_query(show=show)}", show == state.show)
        for show, label in FILTER_LABELS.items()
        if show not in empty or show in ("", state.show)
    ]
    if state.show in FILTER_LABELS:
        return options
    chosen = FilterOption(name_finding(state.show), counts[state.show], f"?{state.make_query()}", is_current=True)
    return [*options, chosen]


def split_filters(options: Sequence[FilterOption]) -> dict[str, Sequence[FilterOption]]:
    """The first filters in a line, and the others in a menu. The chosen one is always in the line."""
    more = [option for option in options[SHOWN_FILTERS:] if not option.is_current]
    if len(more) < 2:
        return {"filter_options": options, "more_filters": ()}
    return {"filter_options": [option for option in options if option not in more], "more_filters": more}


def _make_size_links(state: TableState) -> list[PageLink]:
    return [
        PageLink(
            str(size),
            f"?{state.make_query(size='' if size == DEFAULT_SIZE else str(size))}#recordings",
            is_current=size == state.size,
        )
        for size in PAGE_SIZES
    ]


@dataclass(frozen=True, slots=True)
class RecordingProgress:
    """Whether recordings are being analyzed, and tokens that tell a page whether it is up to date.

    `change_token` changes when the page would show something else, `table_token` when the table gains or loses rows.
    """

    change_token: str
    table_token: str
    is_analyzing: bool
    """Whether the recordings that have no analysis yet are scheduled for one."""
    is_active: bool
    """Whether a recording is being analyzed, compared or split, or gets its transcript from a table."""
    work: WorkProgress | None
    """What is set, analyzed or compared, and when that is expected to end."""

    @property
    def query(self) -> str:
        """The query string that tells a poll what the page shows, beside its rows."""
        return urlencode({"seen": self.change_token, "table": self.table_token})

    def compare_rows(self, seen: str, rows: Iterable[Recording]) -> RowPoll[Recording]:
        """The rows that moved since the page had `seen`, and what it then has."""
        return compare_rows(seen, (make_row_state(row, is_analyzing=self.is_analyzing) for row in rows))


def load_recording_progress(voice: Voice) -> RecordingProgress:
    """The progress of a voice's recordings. It makes at most four queries, however many recordings there are."""
    tasks = _load_tasks(voice)
    analysis = tasks.get(ANALYZE_TASK)
    started_at = analysis.created_at if analysis else timezone.now()
    counts = voice.recordings.aggregate(
        total=Count("status"),
        usable=Count("status", Q(status=RecordingStatus.ACCEPTED)),
        fresh=Count("status", Q(status=RecordingStatus.ACCEPTED, analyzed_at__gte=started_at)),
        waiting=Count("status", Q(status=RecordingStatus.ACCEPTED, analyzed_at=None)),
        splitting=Count("status", Q(status=RecordingStatus.SPLITTING)),
        newest=Max("checked_at"),
    )
    waiting_kinds = {kind for kind, task in tasks.items() if task.status == TaskStatus.WAITING}
    work = make_work_progress(voice, counts, tasks, started_at)
    compared_at = parse_time(voice.comparison.get("compared_at"))
    table = f"{counts['total']}-{counts['splitting']}"
    shown_work = work.change_token if work else ""
    change_token = f"{table}-{counts['waiting']}-{counts['newest']}-{compared_at}-{len(waiting_kinds)}-{shown_work}"
    return RecordingProgress(
        change_token,
        table,
        ANALYZE_TASK in waiting_kinds,
        bool(waiting_kinds or counts["splitting"]),
        work,
    )


def _load_tasks(voice: Voice) -> dict[str, Task]:
    """The newest waiting or failed task of each kind."""
    kinds, statuses = (ANALYZE_TASK, COMPARE_TASK, SET_TEXTS_TASK), (TaskStatus.WAITING, TaskStatus.FAILED)
    tasks = Task.objects.filter(kind__in=kinds, object_id=str(voice.pk), status__in=statuses)
    return {task.kind: task for task in tasks.order_by("created_at")}
