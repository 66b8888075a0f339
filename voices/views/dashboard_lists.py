"""The other lists on the page Today: active builds, pending consents, ending contracts, failed tasks."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.db.models import Case, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.utils import timezone

from consent.labels import ENDING_SOON, Mark, describe_term
from consent.models import Consent, ConsentStatus, Contract, Invitation, Talent
from consent.names import READ_CONTRACT, get_name_field, hide_addresses
from consent.services.questions import has_open_question
from consent.services.reminders import MIN_INTERVAL
from voicehub.models import Task
from voicehub.task_labels import describe_task
from voicehub.viewer import can_viewer
from voices import access
from voices.models import Build, BuildStatus, Preview, PreviewStatus
from voices.models.build import ACTIVE_STATUSES
from voices.presenters import compute_change_token, make_voice_badge
from voices.row_polls import RowState, make_list_token
from voices.services.builds.recheck import VoiceStates, check_built_voices
from voices.services.work_samples import load_past_work
from voices.views.mail_steps import is_refused_mail
from voices.work_progress import WorkProgress, list_work_keys, make_build_progress

MAX_ROWS = 100
# So many builds are loaded, and each poll asks the gate about them. The panel shows the first, and links to the others.
MAX_BUILDS = 25
SHOWN_BUILDS = 3
READY_LATELY = timedelta(days=7)
MAX_READY = 3
SHOWN_AFTER_END = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class PendingConsents:
    """The consent requests that a talent has not answered, with the newest invitation that can be answered."""

    talent: Talent
    consents: list[Consent]
    invitation: Invitation | None

    @property
    def has_deadline(self) -> bool:
        """Whether the link ends without an answer. The link of a retake does not."""
        return self.invitation is not None and self.invitation.expires_at > timezone.now()

    @property
    def can_remind(self) -> bool:
        """Whether the link was mailed, no mail was sent within a day, and it is not the studio that has to answer."""
        if self.invitation is None or not self.has_deadline or self.invitation.channel != Invitation.Channel.MAIL:
            return False
        last = self.invitation.reminded_at or self.invitation.sent_at
        return last is not None and last <= timezone.now() - MIN_INTERVAL and self.asked is None

    @property
    def asked(self) -> Consent | None:
        """The first request with a question of the talent that the studio has not answered."""
        return next((one for one in self.consents if one.has_question), None)  # type: ignore[attr-defined]  # annotated


def list_pending_consents() -> list[PendingConsents]:
    """The talents with unanswered consent requests, by name."""
    invitations = Prefetch("talent__invitations", Invitation.objects.awaiting_answer(), to_attr="live_invitations")
    rows = (
        Consent.objects.filter(status=ConsentStatus.REQUESTED)
        .annotate(has_question=has_open_question())
        .select_related("talent")
        .prefetch_related(invitations)
        .order_by(get_name_field("talent__"), "talent_id", "created_at")[:MAX_ROWS]
    )
    return [
        PendingConsents(talent, list(group), next(iter(talent.live_invitations), None))
        for talent, group in groupby(rows, key=lambda consent: consent.talent)
    ]


@dataclass(frozen=True, slots=True)
class ActiveBuilds:
    """Active builds, and builds that ended recently, so that staff see how each build ended.

    An ended build is left out if its voice has a newer build. `progress` has the active builds. Without `has_ends`, it
    lacks their expected ends.
    """

    rows: Sequence[Build]
    states: VoiceStates
    progress: Mapping[uuid.UUID, WorkProgress]
    has_ends: bool

    @property
    def may_have_more(self) -> bool:
        return len(self.rows) == MAX_BUILDS

    @property
    def shown(self) -> Sequence[Build]:
        return self.rows[:SHOWN_BUILDS]

    @property
    def active_count(self) -> int:
        return sum(build.is_active for build in self.rows)

    @property
    def has_hidden(self) -> bool:
        return self.active_count > SHOWN_BUILDS

    @property
    def has_active(self) -> bool:
        return any(build.is_active for build in self.rows)

    @property
    def row_states(self) -> list[RowState[Build]]:
        return [RowState(build, build.pk, self._describe(build)) for build in self.shown]

    @property
    def change_token(self) -> str:
        return make_list_token(self.row_states)

    def _describe(self, build: Build) -> tuple[object, ...]:
        """What the row shows of the build."""
        return compute_change_token(build, self.progress.get(build.pk)), make_voice_badge(build, self.states)


def load_active_builds() -> ActiveBuilds:
    """For a poll of the page Today."""
    builds = list_active_builds()
    return make_active_builds(builds, check_built_voices(list_builds_to_check(builds)), has_ends=True)


def list_active_builds() -> list[Build]:
    """Active builds and those that ended recently, the active ones first."""
    newer_builds = Build.objects.filter(voice=OuterRef("voice"), created_at__gt=OuterRef("created_at"))
    recent = Q(finished_at__gte=timezone.now() - SHOWN_AFTER_END) & ~Exists(newer_builds)
    rows: QuerySet[Build] = access.query_builds().filter(Q(status__in=ACTIVE_STATUSES) | recent)
    shown = rows.annotate(is_allowed=Case(When(access.is_certainly_allowed(), then=True), default=False))
    ended_last = Case(When(status__in=ACTIVE_STATUSES, then=0), default=1)
    return list(shown.order_by(ended_last, "-created_at")[:MAX_BUILDS])


def list_builds_to_check(builds: Iterable[Build]) -> list[Build]:
    """Those of `list_active_builds` about which the gate must be asked."""
    return [build for build in builds if not build.is_allowed]  # type: ignore[attr-defined]  # annotated


def make_active_builds(builds: Sequence[Build], states: VoiceStates, *, has_ends: bool) -> ActiveBuilds:
    """The expected ends need one more query: the page Today leaves them to the first poll."""
    active = [build for build in builds if build.is_active]
    past = load_past_work(list_work_keys(active)) if has_ends else {}
    progress = {build.pk: make_build_progress(build, past) for build in active}
    return ActiveBuilds(builds, states, progress, has_ends)


@dataclass(frozen=True, slots=True)
class EndingContract:
    """A contract in force that ends soon, with the number of days until its end."""

    talent: Talent
    contract: Contract
    days_left: int

    @property
    def mark(self) -> Mark:
        return describe_term(self.contract.ends_on)

    @property
    def url(self) -> str:
        return (self.contract if can_viewer(READ_CONTRACT) else self.talent).get_absolute_url()


def list_ending_contracts(day: date | None = None) -> list[EndingContract]:
    """Contracts in force that end soon. Of each talent, only the contract that ends first is listed."""
    day = day or timezone.localdate()
    rows = (
        Contract.objects.in_force(day)
        .filter(ends_on__lte=day + ENDING_SOON)
        .select_related("talent")
        .order_by("ends_on", get_name_field("talent__"))[:MAX_ROWS]
    )
    first_by_talent = {contract.talent_id: contract for contract in reversed(rows)}
    return sorted(
        (
            EndingContract(contract.talent, contract, (contract.ends_on - day).days)
            for contract in first_by_talent.values()
            if contract.ends_on
        ),
        key=lambda ending: ending.days_left,
    )


def list_ready_voices() -> list[tuple[Build, Preview]]:
    """The builds of the last week whose voice speaks as they made it, each with the newest preview.

    A voice that may be closed or suspended is left out.
    """
    newer = Build.objects.filter(remote_voice=OuterRef("remote_voice"), created_at__gt=OuterRef("created_at"))
    previews = Preview.objects.filter(
        remote_voice=OuterRef("remote_voice"), status=PreviewStatus.READY, created_at__gte=OuterRef("created_at")
    )
    builds: QuerySet[Build] = access.query_builds().filter(
        access.is_certainly_allowed(),
        ~Exists(newer),
        status=BuildStatus.READY,
        finished_at__gte=timezone.now() - READY_LATELY,
        remote_voice__deleted_at=None,
        remote_voice__deletion_requested_at=None,
    )
    newest = Subquery(previews.order_by("-created_at").values("pk")[:1])
    rows = list(builds.annotate(preview=newest).exclude(preview=None).order_by("-finished_at", "pk")[:MAX_READY])
    by_id = Preview.objects.in_bulk([build.preview for build in rows])
    return [(build, by_id[build.preview]) for build in rows]


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A failed background task, with a label and a reason for staff, and the build that it worked on."""

    label: str
    reason: str
    task: Task
    build: Build | None


def list_failed_tasks(failed: Iterable[Task]) -> list[FailedTask]:
    """These failed tasks, each with its build if it has one. Refused mails are next steps instead."""
    tasks = [task for task in failed if not is_refused_mail(task)][:MAX_ROWS]
    builds = {str(build.pk): build for build in access.query_builds().filter(pk__in=_collect_build_ids(tasks))}
    return [
        FailedTask(describe_task(task.kind), hide_addresses(task.reason), task, builds.get(task.object_id))
        for task in tasks
    ]


def _collect_build_ids(tasks: Iterable[Task]) -> list[uuid.UUID]:
    """The ids of the builds that these tasks work on. Malformed ids are skipped."""
    build_ids = []
    for task in tasks:
        if task.kind.endswith("_build"):
            with suppress(ValueError):
                build_ids.append(uuid.UUID(task.object_id))
    return build_ids
