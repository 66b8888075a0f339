"""The columns of the table of a build's recordings: the score that it is sorted by, and all others behind a switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voices.build_results.marks import list_found, list_marks
from voices.models import Build, BuildRecording

ALL = "all"  # the value of `scores` in the address that shows every score
SORTED_SCORE = "sample_score"


@dataclass(frozen=True, slots=True)
class ReportColumns:
    """A column whose cells are all empty is not shown."""

    build: Build
    page_number: int
    has_found: bool
    has_quality: bool
    has_fix: bool
    has_sorted_score: bool
    other_scores: int
    estimates: int
    wants_all: bool
    is_reported: bool

    @property
    def has_more(self) -> bool:
        return bool(self.other_scores or self.estimates)

    @property
    def is_all(self) -> bool:
        return self.wants_all and self.has_more

    @property
    def leading(self) -> int:
        """The columns before the scores: recording, transcript, flags and findings, and the length without a report."""
        return 2 + self.has_found + (not self.is_reported)

    @property
    def provider(self) -> int:
        return self.has_sorted_score + self.other_scores

    @property
    def estimated(self) -> int:
        return self.has_quality + self.estimates

    @property
    def total(self) -> int:
        scores = self.provider + self.estimated if self.is_all else self.has_sorted_score + self.has_quality
        return self.leading + scores + self.has_fix

    @property
    def query(self) -> str:
        """What the addresses of other pages keep."""
        return f"&scores={ALL}" if self.is_all else ""

    @property
    def switch_url(self) -> str:
        others = "" if self.is_all else f"&scores={ALL}"
        return f"{self.build.get_absolute_url()}?page={self.page_number}{others}#report"


def choose_columns(
    build: Build,
    rows: Sequence[BuildRecording],
    score_counts: Mapping[str, int],
    *,
    estimates: int,
    is_reported: bool,
    has_fix: bool,
    wants_all: bool,
    page_number: int,
) -> ReportColumns:
    return ReportColumns(
        build,
        page_number,
        has_found=is_reported and any(list_found(row) or row.discard_reason or not row.has_report for row in rows),
        has_quality=any(row.recording.quality is not None for row in rows),
        has_fix=has_fix and any(list_marks(row) for row in rows),
        has_sorted_score=bool(score_counts.get(SORTED_SCORE)),
        other_scores=sum(1 for name, count in score_counts.items() if count and name != SORTED_SCORE),
        estimates=estimates,
        wants_all=wants_all,
        is_reported=is_reported,
    )
