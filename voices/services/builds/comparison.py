"""Two to four finished builds of one voice side by side: their scores and their recordings."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Avg, Count, Q, Sum

from voicehub.refusals import ActionRefused
from voices.models import Build, BuildRecording
from voices.models.build import make_marks
from voices.services.builds.scores import SCORES, ScoreInfo

FEWEST_BUILDS, MOST_BUILDS = 2, 4
SCORE_TOLERANCE = 0.005  # smaller differences do not show in two decimals
# Providers whose scores mean the same: both are Resemble AI, which describes them on one page.
SAME_SCORES = (frozenset({"resemble_v1", "resemble_v2"}),)


def check_comparable(builds: Sequence[Build]) -> None:
    """Raise ActionRefused unless these are two to four different finished builds of one voice."""
    if not FEWEST_BUILDS <= len({build.pk for build in builds}) <= MOST_BUILDS:
        raise ActionRefused(f"Choose {FEWEST_BUILDS} to {MOST_BUILDS} different builds to compare.")
    if len({build.voice_id for build in builds}) > 1:
        raise ActionRefused("Choose builds of one voice. Builds of different voices cannot be compared.")
    if any(build.is_active for build in builds):
        raise ActionRefused("A build can be compared when it is finished. Wait until all have finished.")


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """One score of one build. `value` is None if the provider did not report it. `gap` is the distance to the best."""

    value: float | None
    is_best: bool = False
    gap: float | None = None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score of the builds whose providers mean the same by it. `provider` is one of these providers."""

    info: ScoreInfo
    provider: str
    values: tuple[float | None, ...]

    @property
    def known(self) -> list[float]:
        return [value for value in self.values if value is not None]

    @property
    def best(self) -> float | None:
        """The best value, if it is better than another one."""
        if not self.known or max(self.known) - min(self.known) < SCORE_TOLERANCE:
            return None
        return min(self.known) if self.info.lower_is_better else max(self.known)

    @property
    def is_equal(self) -> bool:
        """Whether two or more builds have the score, and none is better."""
        return self.best is None and len(self.known) > 1

    @property
    def best_sides(self) -> list[int]:
        """The numbers, from 0, of the builds with the best value."""
        return [side for side, cell in enumerate(self.cells) if cell.is_best]

    @property
    def cells(self) -> list[ScoreCell]:
        return [self._make_cell(value) for value in self.values]

    def _make_cell(self, value: float | None) -> ScoreCell:
        if value is None or self.best is None:
            return ScoreCell(value)
        if abs(value - self.best) < SCORE_TOLERANCE:
            return ScoreCell(value, is_best=True)
        return ScoreCell(value, gap=value - self.best)


def find_score_family(provider: str) -> frozenset[str]:
    """The providers whose scores mean the same as those of this one."""
    return next((family for family in SAME_SCORES if provider in family), frozenset({provider}))


def make_score_rows(builds: Sequence[Build]) -> Iterator[ScoreRow]:
    """A row for each score that at least one build has. Every page shows scores in this order."""
    providers = [build.remote_voice.account.provider for build in builds]
    families = {find_score_family(provider): provider for provider in reversed(providers)}
    for family in reversed(families):
        for info in SCORES:
            values = tuple(
                _read_score(build, info.key) if provider in family else None
                for build, provider in zip(builds, providers, strict=True)
            )
            if any(value is not None for value in values):
                yield ScoreRow(info, families[family], values)


def _read_score(build: Build, key: str) -> float | None:
    value = build.scores.get(key)
    return None if value is None else float(value)


def count_recordings(builds: Sequence[Build]) -> list[dict[str, float]]:
    """The sent and flagged recordings of each build, in one query."""
    marks = make_marks("recordings__")
    found = Build.objects.filter(pk__in=[build.pk for build in builds]).annotate(
        clips=Count("recordings"),
        seconds=Sum("recordings__recording__seconds", default=0.0),
        reported=Count("recordings", filter=Q(recordings__has_report=True)),
        silent=Count("recordings", filter=marks["silent"]),
        outliers=Count("recordings", filter=marks["outlier"]),
        noise=Avg("recordings__signal_to_noise_ratio"),
        unused=Count("recordings", filter=marks["discarded"]),
    )
    names = ("clips", "seconds", "reported", "silent", "outliers", "unused", "noise")
    rows = {row["pk"]: row for row in found.order_by().values("pk", *names)}
    return [rows[build.pk] for build in builds]


@dataclass(frozen=True, slots=True)
class RecordingDifference:
    """A recording that the builds do not share. `sides` says of each build whether it has it."""

    recording_id: UUID
    file_name: str
    sides: tuple[bool, ...]

    @property
    def is_changed(self) -> bool:
        """Whether all have it, but with another file or transcript."""
        return all(self.sides)


@dataclass(frozen=True, slots=True)
class RecordingComparison:
    """How many recordings all builds share, with file and transcript, and those that they do not share."""

    shared: int
    differences: tuple[RecordingDifference, ...]


def compare_recordings(builds: Sequence[Build]) -> RecordingComparison:
    """One query. A build has a few thousand recordings at most."""
    rows = BuildRecording.objects.filter(build__in=builds).order_by("recording__file_name", "recording")
    fields = ("recording", "recording__file_name", "build", "sha256", "transcript")
    by_recording: dict[UUID, dict[UUID, tuple[str, str]]] = defaultdict(dict)
    names: dict[UUID, str] = {}
    for recording, name, build, sha256, transcript in rows.values_list(*fields):
        by_recording[recording][build], names[recording] = (sha256, transcript), name
    differing = {pk: sent for pk, sent in by_recording.items() if not _is_shared(sent, builds)}
    differences = (
        RecordingDifference(pk, names[pk], tuple(build.pk in sent for build in builds))
        for pk, sent in differing.items()
    )
    return RecordingComparison(len(by_recording) - len(differing), tuple(differences))


def _is_shared(sent: Mapping[UUID, tuple[str, str]], builds: Sequence[Build]) -> bool:
    return len(sent) == len(builds) and len(set(sent.values())) == 1
