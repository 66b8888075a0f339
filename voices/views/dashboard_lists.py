"""The lists of Today beside its next steps: builds on their way, talents asked, contracts, work that stopped."""

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
    "settle_build": "Looking up what became of a build",
    "refresh_build": "Asking the provider about a build",
    "send_invitation": "Sending an invitation",
    "make_preview": "Having a voice say something",
    "delete_remote_voice": "Deleting a voice at the provider",
    "check_take": "Listening to a reading of a statement",
    "examine_recordings": "Listening to recordings",
    "compare_recordings": "Comparing recordings",
    "expire_consents": "Ending consents whose time is over",
    "cut_recording": "Cutting a recording into clips",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A talent who has been asked and has not answered, with the newest link that still opens."""

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
    """Builds on their way, and those that have just ended, so that a row that ends is seen to end.

    One that has ended gives way to a newer one of its voice.
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
    lately = Q(finished_at__gte=timezone.now() - SHOWN_AFTER_END) & ~Exists(newer)
    rows = access.builds().filter(Q(status__in=ACTIVE) | lately).order_by("-created_at")[:MOST]
    return ActiveBuilds(sorted(rows, key=lambda build: not build.active))


@dataclass(frozen=True, slots=True)
class Ending:
    talent: Talent
    contract: Contract
    days: int


def contracts_ending(day: date | None = None) -> list[Ending]:
    """Contracts in force that end soon, the first to end of each talent."""
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
    """Work that was given up, with what it was about where that is a build."""
    tasks = list(
        Task.objects.filter(status=TaskStatus.GIVEN_UP).order_by(F("finished_at").desc(nulls_last=True))[:MOST]
    )
    about = {str(build.pk): build for build in access.builds().filter(pk__in=_ids(tasks))}
    return [
        Stopped(TASKS.get(task.kind, task.kind.replace("_", " ").capitalize()), task, about.get(task.object_id))
        for task in tasks
    ]


def _ids(tasks: Iterable[Task]) -> list[uuid.UUID]:
    """The builds that tasks are about; an id that cannot be read is of nothing."""
    found = []
    for task in tasks:
        if task.kind.endswith("_build"):
            with suppress(ValueError):
                found.append(uuid.UUID(task.object_id))
    return found
