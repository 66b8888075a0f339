"""Scores of voices and recordings: what each score means, and advice for poor scores."""

from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When

from voices.models import Build, BuildRecording, BuildStatus
from voices.models.build import MARKS

GOOD_QUALITY, FAIR_QUALITY = 0.8, 0.6


@dataclass(frozen=True, slots=True)
class ScoreInfo:
    """One score between 0 and 1. Source of meaning and advice: Resemble AI, “Check the quality of your Voice”.

    The thresholds between good, fair and poor are our own. The source says only whether high or low is better.
    """

    key: str
    label: str
    meaning: str
    advice: str
    lower_is_better: bool = False

    @property
    def good_from(self) -> float:
        """The value from which a score is good; up to which, if lower is better."""
        return round(1 - GOOD_QUALITY, 2) if self.lower_is_better else GOOD_QUALITY

    def get_verdict(self, value: float) -> str:
        """“good”, “fair” or “poor”."""
        quality = round(1 - value, 6) if self.lower_is_better else value
        return "good" if quality >= GOOD_QUALITY else "fair" if quality >= FAIR_QUALITY else "poor"


SCORES = (
    ScoreInfo(
        "resemble_score",
        "Overall",
        "The voice as a whole, including the quality of its transcripts.",
        "Check that every transcript says exactly what is spoken.",
    ),
    ScoreInfo(
        "voice_similarity",
        "Similarity",
        "How well the sound of the voice was captured.",
        "Typically the recordings are noisy. Replace the noisiest ones.",
    ),
    ScoreInfo(
        "fluency",
        "Fluency",
        "How well the voice speaks without hiccups.",
        "Typically there are several speakers, slurred speech, or sounds that are not speech. Leave those out.",
    ),
    ScoreInfo(
        "pauses",
        "Unintended pauses",
        "How often the voice pauses where it should not.",
        "Typically there are many pauses in the recordings. Trim them, or read more fluently.",
        lower_is_better=True,
    ),
)


# A column of a build's recordings without any value is not shown.
SCORE_FIELDS = ("stoi", "pesq", "si_sdr", "sample_score", "signal_to_noise_ratio")


def count_scores(build: Build) -> dict[str, int]:
    """How many recordings of the build have each score of the provider."""
    counts = {name: Count(name) for name in SCORE_FIELDS}
    return build.recordings.aggregate(**counts, loudness_grade=Count("pk", filter=~Q(loudness_grade="")))


def has_scores(build: Build) -> bool:
    """Whether a recording of the build has a score. Reads only up to the first that has one."""
    has_one = reduce(or_, (Q(**{f"{name}__isnull": False}) for name in SCORE_FIELDS)) | ~Q(loudness_grade="")
    return build.recordings.filter(has_one).exists()


def order_worst_first(build: Build) -> QuerySet[BuildRecording]:
    """The recordings of a build: silent first, then outliers, then unused recordings, then by lowest score.

    In a failed build, those without a transcript come before the other ones. Without a score, our estimate counts.
    """
    problem_rank = Case(
        When(is_silent=True, then=Value(0)),
        When(is_outlier=True, then=Value(1)),
        When(MARKS["discarded"], then=Value(2)),
        When(build__status=BuildStatus.FAILED, transcript="", then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )
    rows = build.recordings.select_related("recording").annotate(problem_rank=problem_rank)
    lowest_first = [F(score).asc(nulls_last=True) for score in ("sample_score", "recording__quality")]
    return rows.order_by("problem_rank", *lowest_first, "recording__file_name")
