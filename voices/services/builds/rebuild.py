"""Building again without the recordings that the provider flagged: one step, one transaction, one build."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet

from providers import registry
from providers.options import OptionValue
from providers.types import Handover
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import format_count
from voices import access
from voices.models import Build, BuildStatus, Recording, RecordingStatus, Voice
from voices.models.build import MARKS
from voices.services.builds.gaps import Gap
from voices.services.builds.readiness import check_readiness
from voices.services.builds.start import DELETED_MEANWHILE, find_blockers, prepare_build, start_prepared_build
from voices.services.recordings.inclusion import leave_out

NO_MARKED = (
    "The recordings that the provider flagged are no longer in builds. Start the next build on the page of the voice."
)
STILL_ACTIVE = "The build is still in progress. Wait until it ends."
UNSUPPORTED = "VoiceHub no longer supports this provider or this kind of build."


@dataclass(frozen=True, slots=True)
class MarkedCounts:
    """How many of the marked recordings that are still in builds have each mark. One may have several."""

    total: int
    silent: int
    outlier: int
    discarded: int

    @property
    def sentence(self) -> str:
        return f"{format_count(self.total, 'flagged recording is', 'flagged recordings are')} still in builds"

    @property
    def summary(self) -> str:
        """“1 silent, 1 with another speaker or sound”. Not used counts only if nothing else explains it."""
        others = self.discarded if self.silent + self.outlier < self.total else 0
        named = ((self.silent, "silent"), (self.outlier, "with another speaker or sound"), (others, "not used"))
        return ", ".join(f"{count} {name}" for count, name in named if count)


@dataclass(frozen=True, slots=True)
class RebuildPlan:
    """What a build without the marked recordings would send, and why it would be refused now.

    `newer_build` was started at the same account and tier since, so nothing is started again.
    """

    marked: MarkedCounts
    recording_count: int
    seconds: float
    needed_seconds: float
    cost: str
    blockers: tuple[str, ...]
    gaps: tuple[Gap, ...]
    newer_build: Build | None

    @property
    def whole_seconds(self) -> int:
        """Rounded down, so that these and the missing seconds add up to the needed seconds."""
        return math.floor(self.seconds)


@dataclass(frozen=True, slots=True)
class Rebuild:
    """`left_out_count` is 0 if `build` had already been started, by another click or by another person."""

    build: Build
    left_out_count: int


def query_marked(build: Build) -> QuerySet[Recording]:
    """The recordings that the provider marked in this build, and that are still in builds."""
    marked = build.recordings.marked()
    return Recording.objects.filter(pk__in=marked.values("recording"), status=RecordingStatus.ACCEPTED, active=True)


def find_newer_build(build: Build) -> Build | None:
    """The newest build at the same account and tier that was started since. A canceled build does not count."""
    remote = build.remote_voice
    same = {"voice": build.voice_id, "remote_voice__account": remote.account_id, "remote_voice__tier": remote.tier}
    newer = access.query_builds().filter(**same, created_at__gt=build.created_at)
    return newer.exclude(status=BuildStatus.CANCELED).order_by("-created_at").first()


def plan_rebuild(build: Build) -> RebuildPlan | None:
    """What `rebuild_without_marked` would do now. None if there is nothing to leave out, or the build is active."""
    remote = build.remote_voice
    if build.is_active or not is_supported(build):
        return None
    counts = _count_marked(build)
    if not counts.total:
        return None
    marked = query_marked(build)
    state = check_readiness(build.voice, remote.account, remote.tier, without=marked)
    blockers = find_blockers(build.voice, remote.account, remote.tier, build.handover, state=state, without=marked)
    return RebuildPlan(
        counts,
        state.recording_count,
        state.seconds,
        state.needed_seconds,
        state.capabilities.cost,
        tuple(blockers),
        tuple(state.gaps_by_handover.get(Handover(build.handover), ())),
        find_newer_build(build),
    )


def is_supported(build: Build) -> bool:
    """Whether VoiceHub knows the provider and the tier of this build."""
    provider = build.remote_voice.account.provider
    return provider in registry.PROVIDERS and build.remote_voice.tier in registry.get_provider_class(provider).tiers


def _count_marked(build: Build) -> MarkedCounts:
    in_builds = Q(recording__status=RecordingStatus.ACCEPTED, recording__active=True)
    rows = build.recordings.marked().filter(in_builds)
    return MarkedCounts(
        **rows.aggregate(
            total=Count("pk"),
            **{mark: Count("pk", filter=condition) for mark, condition in MARKS.items()},
        )
    )


def rebuild_without_marked(build: Build, by: User, *, new_voice: bool = False) -> Rebuild:
    """Leave the marked recordings out and start the build again, at the same account and tier, or do neither.

    A second call finds the build of the first. Raises ActionRefused with every reason.
    """
    if not is_supported(build):
        raise ActionRefused(UNSUPPORTED)
    remote = build.remote_voice
    options = prepare_build(build.voice, remote.account, remote.tier, build.options)
    try:
        with transaction.atomic():
            return _start_again(build, by, options, new_voice=new_voice)
    except IntegrityError:  # the foreign keys of the new build are checked at the commit
        raise ActionRefused(DELETED_MEANWHILE) from None


def _start_again(build: Build, by: User, options: Mapping[str, OptionValue], *, new_voice: bool) -> Rebuild:
    remote = build.remote_voice
    voice = Voice.objects.select_for_update().get(pk=build.voice_id)
    if newer := find_newer_build(build):
        return Rebuild(newer, 0)
    if Build.objects.active().filter(pk=build.pk).exists():
        raise ActionRefused(STILL_ACTIVE)
    count = leave_out(query_marked(build))
    if not count:
        raise ActionRefused(NO_MARKED)
    started = start_prepared_build(voice, remote.account, remote.tier, build.handover, by, options, new_voice=new_voice)
    return Rebuild(started, count)
