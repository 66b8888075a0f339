"""The state of a remote voice: of its last build, and of what the provider reported last."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import Exists, OuterRef

from providers.rules import RetrainingEffect
from providers.types import RemoteStatus
from voicehub.text import format_date
from voices import access
from voices.models import Build, BuildStatus, RemoteVoice, Voice
from voices.models.build import ACTIVE_STATUSES

# A training that the provider began ends in one of these. A failed or withdrawn build may not have been trained.
TRAINED_STATUSES = (BuildStatus.READY, BuildStatus.DATASET_ISSUE, BuildStatus.CONSENT_REJECTED)
MAYBE_TRAINED_STATUSES = (BuildStatus.FAILED, BuildStatus.WITHDRAWN)
TRAINING_TEXTS = {
    BuildStatus.READY: "The last training was ready on {day}.",
    BuildStatus.DATASET_ISSUE: "The last training ended on {day}: its recordings need work.",
    BuildStatus.CONSENT_REJECTED: "The last training ended on {day}: the provider rejected the consent.",
    BuildStatus.FAILED: "The last training failed on {day}.",
    BuildStatus.WITHDRAWN: "The last training was stopped on {day}.",
}
REPORT_TEXTS = {
    RemoteStatus.AWAITING_DATA: "The provider reports that the voice waits for recordings.",
    RemoteStatus.TRAINING: "The provider reports that the voice is being trained.",
    RemoteStatus.READY: "The provider reports that the voice is ready.",
    RemoteStatus.DATASET_ISSUE: "The provider reports that the voice cannot be used because of its recordings.",
    RemoteStatus.CONSENT_REJECTED: "The provider reports that it rejected the consent.",
    RemoteStatus.FAILED: "The provider reports that the voice cannot be used.",
    RemoteStatus.UNKNOWN: "The provider reports a status that VoiceHub does not know.",
}


REPLACED_TEXT = "A newer build made another voice. This one stays at the provider until it is deleted."


class VoiceState(StrEnum):
    DELETED = "deleted"
    ON_HOLD = "on_hold"
    TO_DELETE = "to_delete"
    BEING_DELETED = "being_deleted"
    BUILDING = "building"
    NOT_CREATED = "not_created"
    TRAINING = "training"
    USABLE = "usable"
    UNKNOWN = "unknown"
    FAILED = "failed"
    UNUSABLE = "unusable"
    UNTRAINED = "untrained"


USABLE_STATES = (VoiceState.USABLE, VoiceState.UNKNOWN)
DELETION_STATES = (VoiceState.DELETED, VoiceState.ON_HOLD, VoiceState.TO_DELETE, VoiceState.BEING_DELETED)


@dataclass(frozen=True, slots=True)
class RemoteState:
    """`active_build` is the build in progress, `last_training` the newest training that has ended.

    `texts` are sentences for staff. If the last training and the provider's report differ, they say both.
    """

    kind: VoiceState
    texts: tuple[str, ...] = ()
    active_build: Build | None = None
    last_training: Build | None = None

    @property
    def is_usable(self) -> bool:
        """Whether the voice can speak, as far as VoiceHub knows."""
        return self.kind in USABLE_STATES


def find_remote_state(remote: RemoteVoice) -> RemoteState:
    """The state now. Makes no query if the builds are prefetched, newest first, as by `query_remote_voices`."""
    builds = list(remote.builds.all())
    active = next((build for build in builds if build.status in ACTIVE_STATUSES), None)
    trainings = [build for build in builds if _was_trained(build)]
    last = trainings[0] if trainings else None
    if deletion := _find_deletion_state(remote):
        return RemoteState(deletion, tuple(_describe_deletion(remote)), active, last)
    if active:
        text = "A build trains the voice again. Wait until it ends." if last else "The voice is not ready yet."
        return RemoteState(VoiceState.BUILDING, (text,), active, last)
    if not remote.remote_id:
        return RemoteState(VoiceState.NOT_CREATED, ("The provider does not have this voice.",))
    report = find_current_report(remote, last)
    kind = _combine(remote, last, report)
    return RemoteState(kind, tuple(_describe_training(remote, kind, trainings, report)), None, last)


def find_outdated_builds(builds: Iterable[Build]) -> frozenset[UUID]:
    """The ids of the ready builds whose voice was trained again since, or cannot be used now. A constant number of
    queries."""
    ready = [build for build in builds if build.status == BuildStatus.READY]
    if not ready:
        return frozenset()
    remotes = access.query_remote_voices().filter(pk__in={build.remote_voice_id for build in ready})
    states = {remote.pk: find_remote_state(remote) for remote in remotes}
    return frozenset(build.pk for build in ready if not is_build_current(build, states[build.remote_voice_id]))


def is_build_current(build: Build, state: RemoteState) -> bool:
    """Whether the voice of this ready build still speaks as this build made it."""
    return state.is_usable and state.last_training == build


@dataclass(frozen=True, slots=True)
class BuildHistory:
    """What became of the voice of a ready build. `newest_build` is the newest build of the same voice, if newer.

    `is_outdated` is True if the voice does not speak as this build made it, or not at all. `newest_effect` says after
    the number of the newest build what it does to the voice.
    """

    is_outdated: bool = False
    texts: tuple[str, ...] = ()
    newest_build: Build | None = None
    newest_effect: str = ""


def load_build_history(build: Build) -> BuildHistory:
    if build.status != BuildStatus.READY:
        return BuildHistory()
    remote = access.query_remote_voices().annotate(is_replaced=_has_newer_voice()).get(pk=build.remote_voice_id)
    state = find_remote_state(remote)
    if is_build_current(build, state):
        return BuildHistory(texts=(REPLACED_TEXT,) if remote.retired_at and remote.is_replaced else ())
    newest = state.active_build or state.last_training
    newer = newest if newest != build else None
    return BuildHistory(
        True, tuple(_describe_history(build, state, newer)), newer, _describe_effect(state, newer) if newer else ""
    )


def _describe_effect(state: RemoteState, newer: Build) -> str:
    if state.kind in DELETION_STATES:
        return ""
    if newer != state.last_training:
        return "trains this voice again"
    return "has replaced this voice" if newer.status == BuildStatus.READY else "has trained this voice again"


def _describe_history(build: Build, state: RemoteState, newer: Build | None) -> Iterator[str]:
    """The effect of a newer build that is ready says what the first text would: the last training was ready."""
    yield f"These are the results of {_format_day(build.finished_at)}."
    is_deleted = state.kind in DELETION_STATES
    is_replaced = bool(newer and newer == state.last_training and newer.status == BuildStatus.READY)
    if newer and newer == state.last_training and (is_deleted or not is_replaced):
        yield "The voice has since been trained again."
    has_first_text = is_deleted or (newer and not is_replaced)
    yield from state.texts if has_first_text else state.texts[1:]


def _has_newer_voice() -> Exists:
    """Condition on remote voices: a newer build made another voice for the same account and tier."""
    same = {name: OuterRef(name) for name in ("voice", "account", "tier")}
    return Exists(RemoteVoice.objects.filter(created_at__gt=OuterRef("created_at"), **same))


@dataclass(frozen=True, slots=True)
class Retraining:
    """What a build does to a voice that exists at the provider, and what a new voice costs instead.

    The provider does not train a locked voice again, so only a new voice is possible.
    """

    created_on: datetime
    effect: RetrainingEffect
    cost: str
    is_locked: bool


def find_retraining(remote: RemoteVoice) -> Retraining | None:
    """What the next build does to this voice. None if it makes another voice, or if the voice was not made yet."""
    capabilities = remote.find_capabilities()
    is_in_use = bool(remote.remote_id) and not remote.retired_at and not remote.deletion_requested_at
    if not is_in_use or remote.deleted_at or capabilities is None or capabilities.retraining_effect is None:
        return None
    return Retraining(remote.created_at, capabilities.retraining_effect, capabilities.cost, remote.is_locked)


def find_retrainings(voice: Voice) -> dict[tuple[UUID, str], Retraining]:
    """For each account and tier, the voice that the next build trains again. One query."""
    in_use = RemoteVoice.objects.filter(voice=voice, retired_at=None).exclude(remote_id="")
    remotes = in_use.select_related("account").defer("raw_response")
    found = ((remote, find_retraining(remote)) for remote in remotes)
    return {(remote.account_id, remote.tier): retraining for remote, retraining in found if retraining}


def find_current_report(remote: RemoteVoice, last: Build | None) -> RemoteStatus | None:
    """What the provider reported last. None if it was not asked, named no status, or was asked before `last` ended."""
    if not remote.observed_status or (remote.observed_status == RemoteStatus.UNKNOWN and not remote.raw_status):
        return None
    report = RemoteStatus(remote.observed_status)
    if last is None or str(report) == last.status:
        return report
    is_newer = remote.checked_at and last.finished_at and remote.checked_at > last.finished_at
    return report if is_newer else None


def _was_trained(build: Build) -> bool:
    return build.status in TRAINED_STATUSES or (
        build.status in MAYBE_TRAINED_STATUSES and build.training_at is not None
    )


def _find_deletion_state(remote: RemoteVoice) -> VoiceState | None:
    if remote.deleted_at:
        return VoiceState.DELETED
    if remote.deletion_requested_at is None:
        return None
    if remote.is_on_hold:
        return VoiceState.ON_HOLD
    return VoiceState.TO_DELETE if remote.needs_manual_deletion else VoiceState.BEING_DELETED


def _combine(remote: RemoteVoice, last: Build | None, report: RemoteStatus | None) -> VoiceState:
    """The provider's report decides. Without a clear one, the last training does."""
    if report is RemoteStatus.READY:
        return VoiceState.USABLE
    if report is RemoteStatus.TRAINING:
        return VoiceState.TRAINING
    if last and last.status != BuildStatus.READY:
        return VoiceState.FAILED
    if report is RemoteStatus.UNKNOWN:
        return VoiceState.UNKNOWN
    if report:
        return VoiceState.UNUSABLE if last or remote.adopted_by_id else VoiceState.UNTRAINED
    return VoiceState.USABLE if last or remote.adopted_by_id else VoiceState.UNTRAINED


def _describe_deletion(remote: RemoteVoice) -> Iterator[str]:
    if remote.deletion_reason:
        yield remote.deletion_reason
    if remote.deleted_at:
        yield f"The voice was deleted at the provider on {_format_day(remote.deleted_at)}."
    elif remote.is_on_hold:
        yield "The deletion of the voice is requested, and waits for the end of a legal hold."
    else:
        yield "The voice is being deleted at the provider."


def _describe_training(
    remote: RemoteVoice, kind: VoiceState, trainings: list[Build], report: RemoteStatus | None
) -> Iterator[str]:
    if trainings:
        last = trainings[0]
        yield TRAINING_TEXTS[BuildStatus(last.status)].format(day=_format_day(last.finished_at))
    elif not remote.adopted_by_id:
        yield "No training of this voice has ended."
    if report and not (trainings and str(report) == trainings[0].status):
        yield REPORT_TEXTS[report]
    if kind is VoiceState.FAILED and any(build.status == BuildStatus.READY for build in trainings):
        yield _describe_earlier_training(remote)


def _describe_earlier_training(remote: RemoteVoice) -> str:
    capabilities = remote.find_capabilities()
    effect = capabilities.retraining_effect if capabilities else None
    return effect.earlier_training if effect else "Whether the earlier training can still be used is not known."


def _format_day(moment: datetime | None) -> str:
    return format_date(moment) if moment else "an unknown day"
