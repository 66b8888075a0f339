"""How near a voice is to ready at an account and tier, and the nearest target that its contract allows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from uuid import UUID

from consent.models import ConsentStatus
from consent.services.gate import BuildPermission
from providers.types import Limit
from voices.models import Account, Voice
from voices.models.limits import TierKey, get_all_limits
from voices.services.builds.lengths import SELECTING_HANDOVERS
from voices.services.builds.readiness import Readiness, check_unbuilt_voices
from voices.services.builds.selection import ClipRow, describe_shortage, load_clip_rows_of_voices, select_clips


class Rank(IntEnum):
    """The order of the accounts and tiers at which a voice can be built."""

    READY = 0
    BUILDING = 1
    INCOMPLETE = 2
    PAUSED = 3


class GateStep(IntEnum):
    """What the gate still needs, the shortest way first."""

    NONE = 0
    CONTRACT_OR_VOICE = 1
    REVIEW = 2
    ANSWER = 3
    REQUEST = 4
    REQUEST_AFTER_REFUSAL = 5


# What is needed if the newest consent for the provider has this status. A refused consent is the longest way.
CONSENT_STEPS = {
    ConsentStatus.SUBMITTED: GateStep.REVIEW,
    ConsentStatus.SUSPENDED: GateStep.REVIEW,
    ConsentStatus.REQUESTED: GateStep.ANSWER,
    ConsentStatus.APPROVED: GateStep.REQUEST,
}


@dataclass(frozen=True, order=True, slots=True)
class Distance:
    """Sorts the targets of a voice, the nearest to ready first."""

    rank: Rank
    gate: GateStep
    missing_count: int
    needed_seconds: float


def rank_target(account: Account, state: Readiness, *, is_sendable: bool = True) -> Rank:
    """`is_sendable` is False if the recordings cannot be sent although nothing else is missing."""
    if account.paused_at:
        return Rank.PAUSED
    if state.active_build:
        return Rank.BUILDING
    return Rank.READY if state.is_ready and is_sendable else Rank.INCOMPLETE


def measure_distance(account: Account, state: Readiness, *, is_sendable: bool = True) -> Distance:
    missing = len(state.permission.reasons) + len(state.gaps) + (not is_sendable)
    rank = rank_target(account, state, is_sendable=is_sendable)
    return Distance(rank, find_gate_step(state.permission), missing, state.needed_seconds)


def find_gate_step(permission: BuildPermission) -> GateStep:
    if permission.is_given:
        return GateStep.NONE
    if not permission.consent_reasons:
        return GateStep.CONTRACT_OR_VOICE
    if permission.newest_consent is None:
        return GateStep.REQUEST
    return CONSENT_STEPS.get(ConsentStatus(permission.newest_consent.status), GateStep.REQUEST_AFTER_REFUSAL)


@dataclass(frozen=True, slots=True)
class Target:
    """One account and tier for a voice. `shortfall` says why too little can be sent although nothing is missing."""

    account: Account
    state: Readiness
    shortfall: str = ""

    @property
    def distance(self) -> Distance:
        return measure_distance(self.account, self.state, is_sendable=not self.shortfall)

    @property
    def is_allowed(self) -> bool:
        """Whether a contract in force allows the provider, or no contract in force says anything about it."""
        allowed = self.state.permission.allowed_providers
        return allowed is None or self.account.provider in allowed

    @property
    def needs_selection(self) -> bool:
        """Whether the voice seems ready, but only the best of its recordings are sent, which may be too few."""
        return self.state.is_ready and self.state.best_handover in SELECTING_HANDOVERS


def find_nearest_targets(voices: Sequence[Voice]) -> dict[UUID, Target]:
    """By id of a voice without an active build, the nearest target that the contract allows. Empty without an account.

    If the contract allows no provider with an account, it is the nearest of the others. The number of queries is
    constant.
    """
    targets: dict[UUID, list[Target]] = {}
    for voice, account, state in check_unbuilt_voices(voices):
        targets.setdefault(voice.pk, []).append(Target(account, state))
    selecting = {pk for pk, rows in targets.items() if any(target.needs_selection for target in rows)}
    if selecting:
        limits, clips = get_all_limits(), load_clip_rows_of_voices(selecting)
        targets |= {pk: [_add_shortfall(target, clips[pk], limits) for target in targets[pk]] for pk in selecting}
    return {pk: min(rows, key=_get_sort_key) for pk, rows in targets.items()}


def _get_sort_key(target: Target) -> tuple[bool, Distance]:
    return not target.is_allowed, target.distance


def _add_shortfall(target: Target, rows: Sequence[ClipRow], limits: Mapping[TierKey, Mapping[str, Limit]]) -> Target:
    if not target.needs_selection:
        return target
    capabilities, handover = target.state.capabilities, target.state.best_handover
    tier_limits = limits[target.account.provider, capabilities.tier]
    selection = select_clips(rows, capabilities, tier_limits, handover)
    return replace(target, shortfall=describe_shortage(selection, tier_limits))
