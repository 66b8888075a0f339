"""Built voices that the gate no longer allows: one rule for Today, the list of voices and the list of talents."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from consent.services.gate import BuildPermission, BuildPurpose
from voices import access
from voices.models import Build, BuildStatus, Voice
from voices.services.builds.recheck import HOLDABLE_STATUSES, check_subjects, list_holdable_subjects, make_build_subject


@dataclass(frozen=True, slots=True)
class CheckedBuilds:
    """Builds that the gate may refuse, and its answers about them, and about the other builds that were asked about."""

    builds: Sequence[Build]
    answers: Mapping[BuildPurpose, BuildPermission]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A voice at a provider that the gate refuses, or that is held while something is suspended."""

    voice: Voice
    provider: str
    permission: BuildPermission

    @property
    def severity(self) -> str:
        return "wait" if self.permission.is_held else "bad"

    @property
    def status(self) -> str:
        return "Suspended" if self.permission.is_held else "No longer allowed"


def query_doubtful_builds() -> QuerySet[Build]:
    """The builds that the gate may refuse, and each build whose voice may be held, whatever newer builds say.

    Of the builds of a voice at one provider, the newest counts. An older one counts only if its voice still exists.
    """
    newest = Build.objects.filter(voice=OuterRef("voice")).order_by("-created_at")
    at_provider = newest.filter(remote_voice__account__provider=OuterRef("remote_voice__account__provider"))
    exists = Q(remote_voice__deleted_at=None, remote_voice__deletion_requested_at=None)
    is_newest = Q(pk=Subquery(newest.values("pk")[:1]), status__in=[*HOLDABLE_STATUSES, BuildStatus.CANCELED])
    is_newest |= exists & Q(pk=Subquery(at_provider.values("pk")[:1]), status__in=HOLDABLE_STATUSES)
    may_be_refused = is_newest & ~access.is_certainly_allowed()
    may_be_held = Q(access.has_suspension(), status__in=HOLDABLE_STATUSES, remote_voice__deleted_at=None)
    return access.query_builds().filter(may_be_refused | may_be_held)


def check_builds(builds: Iterable[Build], others: Iterable[Build] = ()) -> CheckedBuilds:
    """Ask the gate once about everything on a page. `others` are builds that show only a hold."""
    rows = list(builds)
    subjects = {make_build_subject(build) for build in rows} | set(list_holdable_subjects(others).values())
    return CheckedBuilds(rows, check_subjects(subjects))


def list_refusals(checked: CheckedBuilds) -> list[Refusal]:
    """Once for each voice and provider."""
    newest = {(build.voice_id, build.remote_voice.account.provider): build for build in checked.builds}
    asked = {key: checked.answers[make_build_subject(build)] for key, build in newest.items()}
    return [
        Refusal(newest[key].voice, key[1], permission)
        for key, permission in asked.items()
        if permission.is_refused or permission.is_held
    ]


def find_worst_refusals(voices: Collection[UUID]) -> Mapping[UUID, Refusal]:
    """By voice, the refusal that Today lists first. The number of queries is constant."""
    builds = query_doubtful_builds().filter(voice__in=voices).order_by("voice__name", "pk")
    worst: dict[UUID, Refusal] = {}
    for refusal in sorted(list_refusals(check_builds(builds)), key=lambda one: one.permission.is_held):
        worst.setdefault(refusal.voice.pk, refusal)
    return worst
