"""What changed between two builds of a voice at the same provider and tier: recordings, transcripts, marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from voicehub.row_counts import count_rows
from voices import access
from voices.models import Build, BuildRecording, BuildStatus
from voices.models.build import MARKED

# A build that ended otherwise has no result to compare with.
COMPARED_STATUSES = (BuildStatus.READY, BuildStatus.DATASET_ISSUE)
MAX_NAMES = 5


@dataclass(frozen=True, slots=True)
class ChangedRecordings:
    """How many recordings changed in one way, how long they are together, and the names of the first of them."""

    count: int
    seconds: float
    names: tuple[str, ...]

    @property
    def more_count(self) -> int:
        return self.count - len(self.names)


@dataclass(frozen=True, slots=True)
class BuildChanges:
    """`previous` is the build before. `marks_new` were not marked in it, `marks_gone` are marked no longer."""

    previous: Build
    added: ChangedRecordings
    left_out: ChangedRecordings
    transcripts: ChangedRecordings
    marks_new: ChangedRecordings
    marks_gone: ChangedRecordings
    has_same_terms: bool
    """Whether consent and contract are the same."""

    @property
    def ways(self) -> tuple[tuple[str, ChangedRecordings], ...]:
        """The ways in which recordings can change, with their labels."""
        return (
            ("Added", self.added),
            ("Excluded", self.left_out),
            ("Transcripts changed", self.transcripts),
            ("Newly flagged", self.marks_new),
            ("No longer flagged", self.marks_gone),
        )

    @property
    def listed(self) -> list[tuple[str, ChangedRecordings]]:
        return [(label, changed) for label, changed in self.ways if changed.count]


def find_previous_build(build: Build) -> Build | None:
    """The newest earlier build of the same voice at the same provider and tier that has a result."""
    remote = build.remote_voice
    same = {"remote_voice__account__provider": remote.account.provider, "remote_voice__tier": remote.tier}
    earlier = access.query_builds().filter(voice=build.voice_id, **same, created_at__lt=build.created_at)
    return earlier.filter(status__in=COMPARED_STATUSES).order_by("-created_at").first()


def number_build(build: Build) -> int:
    """The position of a build among all builds of its voice, from 1."""
    return Build.objects.filter(voice=build.voice_id, created_at__lte=build.created_at).count()


def annotate_numbers(rows: QuerySet[Build]) -> QuerySet[Build]:
    """The same of each row, as `number`."""
    return rows.annotate(
        number=count_rows(Build.objects.filter(voice=OuterRef("voice"), created_at__lte=OuterRef("created_at")))
    )


def number_builds(builds: Sequence[Build]) -> list[int]:
    """The same of several builds of one voice, in one query."""
    if not builds:
        return []
    counts = {str(place): Count("pk", filter=Q(created_at__lte=one.created_at)) for place, one in enumerate(builds)}
    numbers = Build.objects.filter(voice=builds[0].voice_id).order_by().aggregate(**counts)
    return [numbers[str(place)] for place in range(len(builds))]


def load_changes(build: Build, previous: Build) -> BuildChanges:
    """A constant number of queries, however many recordings the builds have.

    One of them looks up each recording once in the build before, and loads only what changed.
    """
    before = previous.recordings.filter(recording=OuterRef("recording"))
    after = build.recordings.filter(recording=OuterRef("recording"))
    changed = build.recordings.filter(~Exists(before.filter(transcript=OuterRef("transcript"))))
    rows = _list_rows(changed.annotate(was_there=Exists(before)))
    added = [row for row in rows if not row[-1]]
    is_left_out = previous.recordings.count() > build.recordings.count() - len(added)
    left_out = previous.recordings.filter(~Exists(after)) if is_left_out else BuildRecording.objects.none()
    return BuildChanges(
        previous,
        added=_summarize(added),
        left_out=_summarize(_list_rows(left_out)),
        transcripts=_summarize([row for row in rows if row[-1]]),
        marks_new=_summarize(_list_rows(build.recordings.marked().filter(~Exists(before.filter(MARKED))))),
        marks_gone=_summarize(
            _list_rows(previous.recordings.marked().filter(Exists(after.filter(~MARKED, has_report=True))))
        ),
        has_same_terms=(build.consent_id, build.contract_id) == (previous.consent_id, previous.contract_id),
    )


def _list_rows(rows: QuerySet[BuildRecording]) -> list[tuple[Any, ...]]:
    """The name and the length of each recording, by name, and then what is annotated."""
    annotated = rows.query.annotations
    fields = ("recording__file_name", "recording__seconds", *annotated)
    return list(rows.order_by("recording__file_name", "pk").values_list(*fields))


def _summarize(rows: Sequence[tuple[Any, ...]]) -> ChangedRecordings:
    names = tuple(row[0] for row in rows[:MAX_NAMES])
    return ChangedRecordings(len(rows), sum((row[1] for row in rows), 0.0), names)
