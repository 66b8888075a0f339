"""What changed between two builds of a voice at the same provider and tier: recordings, transcripts, marks."""

from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum

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


NONE_CHANGED = ChangedRecordings(0, 0.0, ())


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


def load_changes(build: Build, previous: Build) -> BuildChanges:
    """A constant number of queries, however many recordings the builds have.

    The first one looks up each recording once in the build before. What it does not find is not listed.
    """
    before = previous.recordings.filter(recording=OuterRef("recording"))
    after = build.recordings.filter(recording=OuterRef("recording"))
    is_added, has_other_text = ~Exists(before), Exists(before.exclude(transcript=OuterRef("transcript")))
    counts = build.recordings.annotate(text_before=Subquery(before.values("transcript")[:1])).aggregate(
        all=Count("pk"),
        added=Count("pk", filter=Q(text_before=None)),
        transcripts=Count("pk", filter=~Q(text_before=F("transcript")) & Q(text_before__isnull=False)),
    )
    left_out_count = previous.recordings.count() - (counts["all"] - counts["added"])
    return BuildChanges(
        previous,
        added=_list_recordings(build.recordings.filter(is_added)) if counts["added"] else NONE_CHANGED,
        left_out=_list_recordings(previous.recordings.filter(~Exists(after))) if left_out_count else NONE_CHANGED,
        transcripts=_list_recordings(build.recordings.filter(has_other_text))
        if counts["transcripts"]
        else NONE_CHANGED,
        marks_new=_list_recordings(build.recordings.marked().filter(~Exists(before.filter(MARKED)))),
        marks_gone=_list_recordings(
            previous.recordings.marked().filter(Exists(after.filter(~MARKED, has_report=True)))
        ),
        has_same_terms=(build.consent_id, build.contract_id) == (previous.consent_id, previous.contract_id),
    )


def _list_recordings(rows: QuerySet[BuildRecording]) -> ChangedRecordings:
    names = rows.order_by("recording__file_name", "pk").values_list("recording__file_name", flat=True)
    totals = rows.aggregate(count=Count("pk"), seconds=Sum("recording__seconds", default=0.0))
    return ChangedRecordings(totals["count"], totals["seconds"], tuple(names[:MAX_NAMES]))
