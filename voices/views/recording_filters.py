"""The filters and the search of the table of recordings, with the number of rows of each."""

from collections.abc import Mapping

from django.db.models import Count, Q, QuerySet

from voicehub.row_counts import count_rows
from voices import access
from voices.models import InclusionSource, Recording, RecordingStatus, Voice
from voices.models.voice import BY_NAME, HAS_SET_FINDINGS, NEEDS_REVIEW
from voices.services.recordings.found_problems import is_problem_key, make_problem_condition

SEARCH_LENGTH = 100
FILTER_LABELS = {
    "": "All",
    "usable": "Usable",
    "look": "To review",
    "compared": "Different from the others",
    "flagged": "Flagged",
    "refused": "Not usable",
    "inactive": "Excluded",
    "left_out": "Excluded by a check",
    "no_transcript": "No transcript",
}
# Filters that most recordings pass. The others have an index of their own.
COUNTED_WHOLE = {"", "usable"}


def read_filter(params: Mapping[str, str]) -> str:
    show = params.get("show", "")
    return show if show in FILTER_LABELS or is_problem_key(show) else ""


def read_search(params: Mapping[str, str]) -> str:
    return params.get("q", "").strip().replace("\x00", "")[:SEARCH_LENGTH]


def query_matching(voice: Voice, params: Mapping[str, str]) -> QuerySet[Recording]:
    """All recordings that match the filter and the search of this query string."""
    return query_filtered(voice, read_filter(params), read_search(params))


def query_filtered(voice: Voice, show: str, search: str) -> QuerySet[Recording]:
    condition = _make_conditions(voice, show)[show]
    rows = Recording.objects.filter(condition, voice=voice)
    return rows.filter(_make_search(search)) if search else rows


def _make_search(text: str) -> Q:
    return Q(file_name__icontains=text) | Q(transcript__icontains=text)


def _make_conditions(voice: Voice, chosen: str) -> dict[str, Q]:
    """The condition of each filter, and of the chosen one if that is by one finding.

    `NEEDS_REVIEW` and `active=False` choose an index, so they also stand where another condition implies them.
    """
    own = {} if chosen in FILTER_LABELS else {chosen: make_problem_condition(voice, chosen)}
    usable = Q(status=RecordingStatus.ACCEPTED)
    return {
        "": Q(),
        "usable": usable,
        "look": usable & NEEDS_REVIEW,
        "compared": usable & NEEDS_REVIEW & HAS_SET_FINDINGS,
        "flagged": access.is_flagged(voice),
        "refused": Q(status=RecordingStatus.REFUSED),
        "inactive": usable & Q(active=False),
        "left_out": usable & Q(active=False, active_by=InclusionSource.CHECK),
        "no_transcript": usable & Q(transcript=""),
        **own,
    }


def count_filters(voice: Voice, chosen: str, search: str) -> dict[str, int]:
    """The number of rows of each filter, in one query. With a search, only what it finds is counted."""
    conditions = _make_conditions(voice, chosen)
    if search:
        found = voice.recordings.filter(_make_search(search)).order_by()
        names = {show: f"count_{number}" for number, show in enumerate(conditions)}
        totals = found.aggregate(**{name: Count("pk", conditions[show]) for show, name in names.items()})
        return {show: totals[name] for show, name in names.items()}
    # Each count has a query of its own inside, so that it reads the index of its filter.
    rows = Recording.objects.filter(voice=voice)
    counts = [
        count_rows(rows.filter(condition) if show in COUNTED_WHOLE else rows.filter(condition, BY_NAME))
        for show, condition in conditions.items()
    ]
    return dict(zip(conditions, Voice.objects.filter(pk=voice.pk).values_list(*counts).get(), strict=True))


def count_to_review(voice: Voice) -> tuple[int, int]:
    """How many usable recordings a person should listen to, and how many are usable."""
    usable = Recording.objects.filter(voice=voice, status=RecordingStatus.ACCEPTED)
    return usable.filter(NEEDS_REVIEW, BY_NAME).count(), usable.count()
