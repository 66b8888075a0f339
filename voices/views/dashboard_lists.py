"""The lists of Today besides next steps: active builds, pending consents, ending contracts, failed tasks."""

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Invitation, Talent
from voicehub.models import Task, TaskStatus
from voicehub.tokens import digest
from voices import access
from voices.models import Build
from voices.models.build import ACTIVE
from voices.presenters import stamp

MOST = 100
ENDS_WITHIN = timedelta(days=60)
SHOWN_AFTER_END = timedelta(minutes=15)

TASKS = {
    "submit_build": "Sending a build",
    "settle_build": "Looking up a build at the provider",
    "refresh_build": "Checking the status of a build",
    "send_invitation": "Sending an invitation",
    "make_preview": "Generating a preview",
    "delete_remote_voice": "Deleting a voice at the provider",
    "check_take": "Checking a consent recording",
    "examine_recordings": "Analyzing recordings",
    "compare_recordings": "Comparing recordings",
    "expire_consents": "Expiring consents",
    "cut_recording": "Splitting a recording",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A talent's unanswered consent requests, with the newest valid invitation."""

    talent: Talent
    consents: list[Consent]
    invitation: Invitation | None


def answers() -> list[Answer]:
    live = Prefetch("talent__invitations", Invitation.objects.live(), to_attr="live_invitations")
    rows = (
        Consent.objects.filter(status=ConsentStatus.REQUESTED)
        .select_related("talent")
        .prefetch_related(live)
        .order_by("talent__name", "talent_id", "created_at")[:MOST]
    )
    return [
        Answer(talent, list(group), next(iter(talent.live_invitations), None))
        for talent, group in groupby(rows, key=lambda consent: consent.talent)
    ]


@dataclass(frozen=True, slots=True)
class ActiveBuilds:
    """Active builds, and builds that ended recently, so that staff see how a row ends.

    A newer build of the same voice hides an ended one.
    """

    rows: list[Build]

    @property
    def any_active(self) -> bool:
        return any(build.active for build in self.rows)

    @property
    def stamp(self) -> str:
        return digest("|".join(stamp(build) for build in self.rows))


def moving() -> ActiveBuilds:
    newer = Build.objects.filter(voice=OuterRef("voice"), created_at__gt=OuterRef("created_at"))
    recent = Q(finished_at__gte=timezone.now() - SHOWN_AFTER_END) & ~Exists(newer)
    rows = access.builds().filter(Q(status__in=ACTIVE) | recent).order_by("-created_at")[:MOST]
    return ActiveBuilds(sorted(rows, key=lambda build: not build.active))


@dataclass(frozen=True, slots=True)
class Ending:
    talent: Talent
    contract: Contract
    days: int


def contracts_ending(day: date | None = None) -> list[Ending]:
    """Contracts in force that end soon; per talent the one that ends first."""
    day = day or timezone.localdate()
    rows = (
        Contract.objects.in_force(day)
        .filter(ends_on__lte=day + ENDS_WITHIN)
        .select_related("talent")
        .order_by("ends_on", "talent__name")[:MOST]
    )
    first = {contract.talent_id: contract for contract in reversed(rows)}
    return sorted(
        (
            Ending(contract.talent, contract, (contract.ends_on - day).days)
            for contract in first.values()
            if contract.ends_on
        ),
        key=lambda ending: ending.days,
    )


@dataclass(frozen=True, slots=True)
class Stopped:
    words: str
    task: Task
    build: Build | None


def stopped() -> list[Stopped]:
    """Failed tasks, each with its build if it has one."""
    tasks = list(
        Task.objects.filter(status=TaskStatus.GIVEN_UP).order_by(F("finished_at").desc(nulls_last=True))[:MOST]
    )
    builds = {str(build.pk): build for build in access.builds().filter(pk__in=_ids(tasks))}
    return [
        Stopped(TASKS.get(task.kind, task.kind.replace("_", " ").capitalize()), task, builds.get(task.object_id))
        for task in tasks
    ]


def _ids(tasks: Iterable[Task]) -> list[uuid.UUID]:
    """The build ids of these tasks. Malformed ids are skipped."""
    found = []
    for task in tasks:
        if task.kind.endswith("_build"):
            with suppress(ValueError):
                found.append(uuid.UUID(task.object_id))
    return found
