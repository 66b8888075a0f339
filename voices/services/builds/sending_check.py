"""What builds of many voices would send now: whether it is enough, and whether some of it would probably fail."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from providers.types import Capabilities, Handover, Limit
from voices.models import Account
from voices.models.limits import TierKey
from voices.services.builds.lengths import SELECTING_HANDOVERS
from voices.services.builds.likely_failures import TierJudge, make_judges
from voices.services.builds.readiness import Readiness
from voices.services.builds.selection import (
    ClipRow,
    Selection,
    describe_shortage,
    load_clip_rows_of_voices,
    select_clips,
)
from voices.services.refused_recordings import find_refused, list_refusing_providers


@dataclass(frozen=True)
class SendingCheck:
    """The included recordings of some voices, by voice, and what decides about them, by provider and tier."""

    clips: Mapping[UUID, Sequence[ClipRow]]
    limits: Mapping[TierKey, Mapping[str, Limit]]
    judges: Mapping[TierKey, TierJudge]
    refused: Mapping[str, Collection[UUID]]
    _notable: dict[tuple[UUID, str], list[ClipRow]] = field(default_factory=dict)
    _selections: dict[tuple[UUID, TierKey, Handover], Selection] = field(default_factory=dict)

    def find_shortfall(self, voice: UUID, account: Account, state: Readiness) -> str:
        """Why the best of the recordings are too little for a build. Empty if all are sent, or enough of them."""
        if state.best_handover not in SELECTING_HANDOVERS:
            return ""
        key = (account.provider, state.capabilities.tier)
        return describe_shortage(self._select(voice, key, state.capabilities, state.best_handover), self.limits[key])

    def has_doubts(self, voice: UUID, account: Account, state: Readiness) -> bool:
        """Whether a recording that would be sent would probably fail."""
        judge = self.judges[account.provider, state.capabilities.tier]
        rows = self._list_judged_rows(voice, judge, state.capabilities, state.best_handover)
        return judge.has_likely_failure(rows, state.best_handover)

    def _list_rows(self, voice: UUID, provider: str) -> Sequence[ClipRow]:
        refused = self.refused.get(provider, ())
        return [row for row in self.clips[voice] if row.id not in refused] if refused else self.clips[voice]

    def _select(self, voice: UUID, key: TierKey, capabilities: Capabilities, handover: Handover) -> Selection:
        cached = (voice, key, handover)
        if cached not in self._selections:
            rows = self._list_rows(voice, key[0])
            self._selections[cached] = select_clips(rows, capabilities, self.limits[key], handover)
        return self._selections[cached]

    def _list_judged_rows(
        self, voice: UUID, judge: TierJudge, capabilities: Capabilities, handover: Handover
    ) -> Sequence[ClipRow]:
        provider = judge.tier_key[0]
        if handover in SELECTING_HANDOVERS:
            return self._select(voice, judge.tier_key, capabilities, handover).rows
        rows = self._list_rows(voice, provider)
        if judge.is_by_levels:
            return rows
        if (voice, provider) not in self._notable:
            self._notable[voice, provider] = _list_notable(rows, judge)
        return self._notable[voice, provider]


def _list_notable(rows: Sequence[ClipRow], judge: TierJudge) -> list[ClipRow]:
    """Those that decide whether one would fail: with a finding or a mark, and the extremes in length and rate."""
    notable = [row for row in rows if row.codes or row.id in judge.marks]
    if rows:
        for get_value in (_get_seconds, _get_rate):
            notable += [min(rows, key=get_value), max(rows, key=get_value)]
    return notable


def _get_seconds(row: ClipRow) -> float:
    return row.seconds


def _get_rate(row: ClipRow) -> float:
    return row.rate


def load_sending_check(
    voices: Collection[UUID], limits: Mapping[TierKey, Mapping[str, Limit]], *, were_built: bool
) -> SendingCheck:
    """At the tiers of `limits`. The number of queries does not depend on the number of voices.

    Without `were_built`, no provider has reported on these voices, and no query asks for its marks.
    """
    judges = make_judges(voices if were_built else (), limits, limits)
    providers = {provider for provider, _tier in judges} if were_built else set()
    refused = {slug: find_refused(voices, slug) for slug in list_refusing_providers() if slug in providers}
    clips = load_clip_rows_of_voices(voices, with_levels=any(judge.is_by_levels for judge in judges.values()))
    return SendingCheck(defaultdict(list, clips), limits, judges, refused)
