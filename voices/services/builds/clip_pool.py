"""The recordings that builds of a voice would send, for its page: few of them are read, the others are only counted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from audio.findings.catalog import EXCLUSION_LABELS
from providers.types import Capabilities, Handover, Limit
from voices.models import Recording, RecordingStatus, Voice
from voices.services.builds.lengths import SELECTING_HANDOVERS
from voices.services.builds.likely_failures import TierJudge
from voices.services.builds.selection import ClipRow, Selection, load_clip_rows, load_clip_rows_by_id, select_clips


@dataclass(frozen=True)
class ClipPool:
    """The included recordings of a voice. `notable` are those that might fail, or that a provider refuses."""

    voice: Voice
    notable: Collection[ClipRow]
    count: int
    seconds: float

    @cached_property
    def rows(self) -> list[ClipRow]:
        """All of them, for a handover that sends only the best."""
        return load_clip_rows(self.voice)


@dataclass(frozen=True)
class ProviderClips:
    """The recordings of a pool without those that a provider refuses."""

    pool: ClipPool
    refused: frozenset[UUID] = frozenset()

    @cached_property
    def rows(self) -> list[ClipRow]:
        return [row for row in self.pool.rows if row.id not in self.refused]

    def select(self, capabilities: Capabilities, limits: Mapping[str, Limit], handover: Handover) -> Selection:
        """What a build by this handover would send. If that is all, only the notable recordings are in its rows."""
        if handover in SELECTING_HANDOVERS:
            return select_clips(self.rows, capabilities, limits, handover)
        notable = self.pool.notable
        rows = tuple(row for row in notable if row.id not in self.refused)
        other_seconds = self.pool.seconds - sum(row.seconds for row in notable)
        return Selection(rows, 0, False, self.pool.count - len(notable), max(0.0, other_seconds))


def load_clip_pool(voice: Voice, judges: Collection[TierJudge], refused: Collection[UUID]) -> ClipPool:
    """The number of queries does not depend on the number of recordings, nor does what they read of sound ones."""
    if any(judge.is_by_levels for judge in judges):
        # These tiers check the levels of every recording again.
        rows = load_clip_rows(voice, with_levels=True)
        return ClipPool(voice, rows, len(rows), sum(row.seconds for row in rows))
    included = _query_included(voice)
    groups = included.values_list("warning_codes").annotate(count=Count("*"), seconds=Sum("seconds"))
    totals = {codes: (count, seconds) for codes, count, seconds in groups}
    judged = _list_judged_codes(judges)
    notable_codes = [codes for codes in totals if codes is None or judged.intersection(codes.split())]
    notable = load_clip_rows_by_id(voice, _find_notable_ids(included, judges, notable_codes).union(refused))
    return ClipPool(
        voice, notable, sum(count for count, _ in totals.values()), sum(seconds for _, seconds in totals.values())
    )


def _query_included(voice: Voice) -> QuerySet[Recording]:
    return Recording.objects.filter(voice=voice, active=True, status=RecordingStatus.ACCEPTED).order_by()


def _find_notable_ids(
    included: QuerySet[Recording], judges: Collection[TierJudge], codes: Collection[str | None]
) -> set[UUID]:
    """The recordings with one of these groups of warnings, with a provider's mark, or outside a limit of a tier."""
    ids: set[UUID] = {pk for judge in judges for pk in judge.marks}
    conditions = [condition for judge in judges for condition in _list_limit_conditions(judge.limits)]
    if None in codes:
        conditions.append(Q(warning_codes=None))
    conditions.append(Q(warning_codes__in=[group for group in codes if group is not None]))
    return ids.union(included.filter(_combine(conditions)).values_list("pk", flat=True))


def _list_judged_codes(judges: Iterable[TierJudge]) -> set[str]:
    """The finding codes that leave a recording out, and those that a provider has marked in most past builds."""
    likely = (code for judge in judges for (_slug, code), guess in judge.predictions.items() if guess.is_likely)
    return {*EXCLUSION_LABELS, *likely}


def _list_limit_conditions(limits: Mapping[str, Limit]) -> Iterable[Q]:
    lookups: dict[str, str] = {
        "shortest_clip": "seconds__lt",
        "longest_clip": "seconds__gt",
        "lowest_rate": "sample_rate__lt",
        "highest_rate": "sample_rate__gt",
    }
    return (Q(**{lookup: limits[name].value}) for name, lookup in lookups.items() if name in limits)


def _combine(conditions: Iterable[Q]) -> Q:
    """Condition that at least one of these holds. Empty without any."""
    combined = Q()
    for condition in dict.fromkeys(conditions):
        combined |= condition
    return combined
