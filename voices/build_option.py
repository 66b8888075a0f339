"""Build options of a voice. For each account and tier: what is missing, and which recordings would be sent."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from django.urls import reverse

from consent.models import Consent, ConsentStatus
from providers.types import Handover, Limit
from voicehub.text import format_count, format_date, format_duration, join_with_and
from voices.gap_links import FixLink, make_gap_link
from voices.models import Account
from voices.models.choices import HANDOVER_LABELS
from voices.presenters import (
    CONSENT_GAPS,
    DOUBTS_BADGE,
    GAP_TONES,
    READY_BADGE,
    list_term_obstacles,
    make_option_key,
    make_target_name,
)
from voices.services.builds.clip_pool import ProviderClips
from voices.services.builds.gaps import GapKind
from voices.services.builds.lengths import SELECTING_HANDOVERS, find_length_limit
from voices.services.builds.likely_failures import LikelyFailure, TierJudge
from voices.services.builds.nearest import Distance, Rank, measure_distance
from voices.services.builds.readiness import Readiness
from voices.services.builds.selection import ClipRow, Selection, describe_shortage
from voices.services.remote_state import Retraining
from voices.services.usage import describe_voice_limit

MAX_LISTED = 20
MISSING_CONSENT_TEXT = "the consent"
# Gaps that are obstacles, but not missing items.
OBSTACLE_TEXTS = {
    GapKind.CLIP_LENGTH: "some recordings are too short",
    GapKind.TOO_LONG: "some recordings are too long",
    GapKind.SHORTER_TRANSCRIPTS: "some transcripts are too long",
    GapKind.OFFLINE_PROOF: "the proof of consent is not recorded",
    GapKind.LANGUAGE: "the provider does not support this language",
    GapKind.UNCHECKED: "the recordings are still being checked",
    GapKind.CHECK_STOPPED: "the check of the recordings stopped",
}


class ExcludedRecording(NamedTuple):
    name: str
    reason: str


@dataclass(frozen=True)
class BuildOption:
    """One account and tier on the voice's page.

    `newest_consent` is the newest consent for this provider, also one that the talent has not given yet. Staff
    request another at `consent_url`. The existing remote voice accepts no `refused_handovers`; see `retraining`.
    """

    account: Account
    readiness: Readiness
    newest_consent: Consent | None
    consent_url: str
    voice_url: str
    check_url: str
    judge: TierJudge
    left_out: Sequence[LikelyFailure]
    clips: ProviderClips
    limits: Mapping[str, Limit]
    refused_handovers: frozenset[Handover] = frozenset()
    retraining: Retraining | None = None

    @property
    def key(self) -> str:
        return make_option_key(self.account, self.readiness.capabilities.tier)

    @property
    def name(self) -> str:
        return make_target_name(self.account.provider, self.readiness.capabilities.label)

    @property
    def rank(self) -> Rank:
        return self.sort_key.rank

    @property
    def is_ready(self) -> bool:
        return self.rank.is_ready

    @cached_property
    def sort_key(self) -> Distance:
        """The option nearest to ready comes first."""
        is_sendable = bool(self.readiness.gaps) or (not self.shortfall and bool(self.handovers))
        has_doubts = is_sendable and self.readiness.is_ready and bool(self.likely_failures)
        return measure_distance(self.account, self.readiness, is_sendable=is_sendable, has_doubts=has_doubts)

    @property
    def handovers(self) -> list[tuple[str, str]]:
        """The handovers that are possible now, as (value, label), in the order of the provider."""
        gaps_by_handover, refused = self.readiness.gaps_by_handover, self.refused_handovers
        possible = (handover for handover, gaps in gaps_by_handover.items() if not gaps and handover not in refused)
        return [(str(handover), HANDOVER_LABELS[handover]) for handover in possible]

    @cached_property
    def clip_selection(self) -> Selection:
        """The recordings that the best handover would send now, even if other recordings are still missing."""
        return self.clips.select(self.readiness.capabilities, self.limits, self.readiness.best_handover)

    @property
    def is_selective(self) -> bool:
        """Whether only the best recordings are sent."""
        return self.readiness.best_handover in SELECTING_HANDOVERS

    @property
    def shortfall(self) -> str:
        """Why too little speech can be sent, although the voice has enough speech. Empty if enough can be sent."""
        return "" if self.readiness.gaps else describe_shortage(self.clip_selection, self.limits)

    @property
    def summary(self) -> str:
        """The state in a few words. The page shows it after the name of the option."""
        if self.account.paused_at:
            return self.account.pause_reason.removeprefix("Paused. ") or "paused."
        if self.readiness.active_build:
            return "a build is in progress."
        if not self.is_ready:
            return f"{self._describe_obstacles()}."
        return self.likely_failure_summary if self.likely_failures else self.sending_summary

    @cached_property
    def likely_failures(self) -> list[LikelyFailure]:
        """Those of the recordings that the best handover would send that would probably fail."""
        return self.judge.find_likely_failures(self.clip_selection.rows, self.readiness.best_handover)

    @property
    def likely_failure_summary(self) -> str:
        """“3 recordings would probably fail: exclude them, or listen.” The excluded ones if no other would."""
        included, left_out = len(self.likely_failures), len(self.left_out)
        text = f"{format_count(included or left_out, 'recording', 'recordings')} would probably fail"
        if included:
            return f"{text}: exclude {'it' if included == 1 else 'them'}, or listen."
        return f"{text} and {'is' if left_out == 1 else 'are'} excluded." if left_out else ""

    @property
    def listed_failures(self) -> list[LikelyFailure]:
        """Those in builds first, then those that a check excluded."""
        return [*self.likely_failures, *self.left_out][:MAX_LISTED]

    @property
    def more_failures_count(self) -> int:
        return max(0, len(self.likely_failures) + len(self.left_out) - MAX_LISTED)

    @property
    def likely_failure_ids(self) -> str:
        """All of them, also those that are not listed, as one form value."""
        return ",".join(str(failure.id) for failure in self.likely_failures)

    @property
    def sending_summary(self) -> str:
        """A sentence such as “One file of 41 s will be sent, made of these 4 recordings.”"""
        count, excluded_count = self.clip_selection.count, self.clip_selection.excluded_count
        recordings = "this one recording" if count == 1 else f"these {count} recordings"
        if excluded_count:
            recordings = f"the best {count} of {count + excluded_count} recordings"
        length = format_duration(self.clip_selection.seconds)
        if self.clip_selection.is_single_file:
            return f"One file of {length} will be sent, made of {recordings}."
        return f"{recordings[0].upper()}{recordings[1:]} will be sent, {length} of speech."

    def _describe_obstacles(self) -> str:
        kinds = {gap.kind for gap in self.readiness.gaps}
        missing = list(self._list_missing())
        more = join_with_and(missing[1:])  # the badge names the first
        parts = [f"also missing: {more}"] if more else [f"{name} missing" for name in missing]
        parts += list_term_obstacles(self.readiness.permission)
        parts += [text for kind, text in OBSTACLE_TEXTS.items() if kind in kinds]
        parts += ["too few of the recordings can be sent"] * bool(self.shortfall)
        return "; ".join(parts) or "the recordings cannot be sent to this provider"

    def _name_obstacle(self) -> str:
        """The first obstacle, as a state: “Consent missing”. The summary has the others."""
        missing = next(iter(self._list_missing()), "")
        if missing == MISSING_CONSENT_TEXT and self.newest_consent:
            return CONSENT_GAPS.get(ConsentStatus(self.newest_consent.status), "Consent missing")
        return f"{missing.removeprefix('the ').capitalize()} missing" if missing else "Not ready"

    def _list_missing(self) -> Iterable[str]:
        state, permission = self.readiness, self.readiness.permission
        if permission.consent_reasons and not (permission.suspended_consent or permission.consent_to_fix):
            yield MISSING_CONSENT_TEXT
        if permission.contract_reasons and not (permission.contract_to_confirm or permission.suspended_contract):
            yield "the contract"
        if state.recording_count < state.needed_recording_count:
            yield format_count(state.needed_recording_count - state.recording_count, "recording", "recordings")
        if state.seconds < state.needed_seconds:
            yield f"{format_duration(math.ceil(state.needed_seconds - self.whole_seconds))} of speech"
        yield from (gap.subject for gap in state.gaps if gap.kind is GapKind.TRANSCRIPTS)

    @property
    def badge(self) -> tuple[str, str]:
        """The severity and the label of the badge."""
        return {
            Rank.READY: READY_BADGE,
            Rank.READY_WITH_DOUBTS: DOUBTS_BADGE,
            Rank.BUILDING: ("busy", "In progress"),
            Rank.INCOMPLETE: (GAP_TONES.get(name := self._name_obstacle(), "wait"), name),
            Rank.PAUSED: ("over", "Paused"),
        }[self.rank]

    @property
    def cost(self) -> str:
        tier = self.readiness.capabilities
        return f"{tier.credits:,} credits on success" if tier.credits else tier.cost

    @property
    def wants_consent_request(self) -> bool:
        """Whether to request a consent comes first: none was requested, and the contract allows the build."""
        gate = self.readiness.permission
        is_first = bool(gate.consent_reasons) and not gate.contract_reasons and self.rank is Rank.INCOMPLETE
        return is_first and self.newest_consent is None

    @property
    def is_said_by_badge(self) -> bool:
        """Whether the badge says it all, so that the summary adds nothing."""
        if self.account.paused_at or self.readiness.active_build:
            return not self.account.pause_reason
        return not self.is_ready and f"{next(iter(self._list_missing()), '')} missing" == self._describe_obstacles()

    @property
    def has_enough_recordings(self) -> bool:
        return self.readiness.recording_count >= self.readiness.needed_recording_count

    @property
    def whole_seconds(self) -> int:
        """The usable seconds, rounded down, so that these and the missing seconds add up to the needed seconds."""
        return math.floor(self.readiness.seconds)

    @property
    def has_enough_speech(self) -> bool:
        return self.readiness.seconds >= self.readiness.needed_seconds

    @property
    def missing_items(self) -> list[FixLink]:
        links = [make_gap_link(gap, self.voice_url, self.check_url) for gap in self.readiness.gaps]
        return (
            [*links, FixLink(self.shortfall, f"{self.voice_url}?show=look#recordings", "Show recordings")]
            if self.shortfall
            else links
        )

    @property
    def advice(self) -> list[FixLink]:
        links = [FixLink(warning, "", "") for warning in self.readiness.permission.warnings]
        links += [make_gap_link(gap, self.voice_url, self.check_url) for gap in self.readiness.advice]
        links += [FixLink(text, "", "") for text in describe_voice_limit(self.account)]
        if refused_on := self.account.find_plan_refusal(self.readiness.capabilities.tier):
            day = format_date(refused_on)
            links.append(FixLink(f"The provider refused this tier for your plan on {day}. You can try again.", "", ""))
        if error := self.account.last_error:
            text = f"The last call with this account failed: {error}"
            links.append(FixLink(text, reverse("voices:account_list"), "Accounts", "voices.view_account"))
        return links

    @property
    def sent_recordings(self) -> list[ClipRow]:
        return list(self.clip_selection.rows[:MAX_LISTED])

    @property
    def more_sent_count(self) -> int:
        return max(0, self.clip_selection.count - MAX_LISTED)

    @property
    def excluded_recordings(self) -> list[ExcludedRecording]:
        chosen = {row.id for row in self.clip_selection.rows}
        excluded = (row for row in self.clips.rows if row.id not in chosen)
        return [ExcludedRecording(row.name, self._explain_exclusion(row)) for row in islice(excluded, MAX_LISTED)]

    @property
    def more_excluded_count(self) -> int:
        return max(0, self.clip_selection.excluded_count - MAX_LISTED)

    def _explain_exclusion(self, row: ClipRow) -> str:
        short, readiness = self.limits.get("shortest_clip"), self.readiness
        limit = find_length_limit(readiness.capabilities, self.limits, readiness.best_handover)
        if short and row.seconds < short.value:
            return "too short for this provider"
        if limit.is_exceeded(row.seconds, row.rate):
            return f"{limit.text}, too long for this provider"
        return "the limit is reached with better recordings" if row.quality > 0 else "no speech detected"
