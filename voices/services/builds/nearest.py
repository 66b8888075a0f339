"""How near a voice is to ready at an account and tier, and the nearest target that its contract allows."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from consent.models import ConsentStatus
from consent.services.gate import BuildPermission
from voices.models import Account, Voice
from voices.services.builds.readiness import Readiness, check_unbuilt_voices


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
    """One account and tier for a voice."""

    account: Account
    state: Readiness

    @property
    def distance(self) -> Distance:
        return measure_distance(self.account, self.state)

    @property
    def is_allowed(self) -> bool:
        """Whether a contract in force allows the provider, or no contract in force says anything about it."""
        allowed = self.state.permission.allowed_providers
        return allowed is None or self.account.provider in allowed


def find_nearest_targets(voices: Sequence[Voice]) -> dict[UUID, Target]:
    """By id of a voice without an active build, the nearest target that the contract allows. Empty without an account.

    If the contract allows no provider with an account, it is the nearest of the others. The number of queries is
    constant.
    """
    nearest: dict[UUID, Target] = {}
    for voice, account, state in check_unbuilt_voices(voices):
        target, best = Target(account, state), nearest.get(voice.pk)
        if best is None or _get_sort_key(target) < _get_sort_key(best):
            nearest[voice.pk] = target
    return nearest


def _get_sort_key(target: Target) -> tuple[bool, Distance]:
    return not target.is_allowed, target.distance
