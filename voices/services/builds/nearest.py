"""How near a voice is to ready at an account and tier, and the nearest target that its contract allows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from uuid import UUID

from consent.models import ConsentStatus
from consent.services.gate import BuildPermission
from voices.models import Account, Voice
from voices.services.builds.readiness import Readiness, check_readiness_everywhere, check_unbuilt_voices
from voices.services.builds.sending_check import SendingCheck, load_sending_check


class Rank(IntEnum):
    """The order of the accounts and tiers at which a voice can be built."""

    READY = 0
    READY_WITH_DOUBTS = 1
    BUILDING = 2
    INCOMPLETE = 3
    PAUSED = 4

    @property
    def is_ready(self) -> bool:
        return self in {Rank.READY, Rank.READY_WITH_DOUBTS}


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


def rank_target(account: Account, state: Readiness, *, is_sendable: bool, has_doubts: bool) -> Rank:
    """`is_sendable` is False if the recordings cannot be sent although nothing else is missing.

    `has_doubts` says that a recording that would be sent would probably fail.
    """
    if account.paused_at:
        return Rank.PAUSED
    if state.active_build:
        return Rank.BUILDING
    if not (state.is_ready and is_sendable):
        return Rank.INCOMPLETE
    return Rank.READY_WITH_DOUBTS if has_doubts else Rank.READY


def measure_distance(account: Account, state: Readiness, *, is_sendable: bool, has_doubts: bool) -> Distance:
    missing = len(state.permission.reasons) + len(state.gaps) + (not is_sendable)
    rank = rank_target(account, state, is_sendable=is_sendable, has_doubts=has_doubts)
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
    has_doubts: bool = False

    @property
    def distance(self) -> Distance:
        return measure_distance(self.account, self.state, is_sendable=not self.shortfall, has_doubts=self.has_doubts)

    @property
    def is_allowed(self) -> bool:
        """Whether a contract in force allows the provider, or no contract in force says anything about it."""
        allowed = self.state.permission.allowed_providers
        return allowed is None or self.account.provider in allowed

    @property
    def seems_ready(self) -> bool:
        """Whether only the recordings that would be sent still decide."""
        return self.state.is_ready and not self.account.paused_at


def find_nearest_targets(voices: Sequence[Voice], *, were_built: bool = True) -> dict[UUID, Target]:
    """By id of a voice without an active build, the nearest target that the contract allows. Empty without an account.

    If the contract allows no provider with an account, it is the nearest of the others. The number of queries is
    constant. `were_built` is False if no build of these voices was ever sent.
    """
    targets: dict[UUID, list[Target]] = {}
    for voice, account, state in check_unbuilt_voices(voices):
        targets.setdefault(voice.pk, []).append(Target(account, state))
    return _choose_nearest(targets, were_built=were_built)


def find_nearest_target(voice: Voice) -> Target | None:
    """As the page of its readiness has it first: also of a voice with an active build."""
    rows = [Target(account, state) for account, state in check_readiness_everywhere(voice)]
    return _choose_nearest({voice.pk: rows} if rows else {}, were_built=True).get(voice.pk)


def _choose_nearest(targets: dict[UUID, list[Target]], *, were_built: bool) -> dict[UUID, Target]:
    ready = {pk: [target for target in rows if target.seems_ready] for pk, rows in targets.items()}
    ready = {pk: rows for pk, rows in ready.items() if rows}
    if ready:
        states = [(row.account.provider, row.state) for rows in ready.values() for row in rows]
        limits = {(provider, state.capabilities.tier): state.limits for provider, state in states}
        check = load_sending_check(list(ready), limits, were_built=were_built)
        targets = targets | {pk: list(_check_sending(pk, targets[pk], check)) for pk in ready}
    return {pk: min(rows, key=_get_sort_key) for pk, rows in targets.items()}


def _get_sort_key(target: Target) -> tuple[bool, Distance]:
    return not target.is_allowed, target.distance


def _check_sending(voice: UUID, targets: Iterable[Target], check: SendingCheck) -> Iterable[Target]:
    for target in targets:
        if target.seems_ready:
            yield replace(
                target,
                shortfall=check.find_shortfall(voice, target.account, target.state),
                has_doubts=check.has_doubts(voice, target.account, target.state),
            )
        else:
            yield target
