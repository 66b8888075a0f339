"""Next steps about voices that the gate no longer allows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from consent.services.gate import BuildPermission, BuildPurpose
from providers import registry
from voices import access
from voices.models import Build, BuildStatus, Voice
from voices.next_fixes import find_gate_fix
from voices.services.builds.recheck import HOLDABLE_STATUSES, check_subjects, list_holdable_subjects, make_build_subject
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents


@dataclass(frozen=True, slots=True)
class CheckedBuilds:
    """Builds that the gate may refuse, and its answers about them, and about the other builds that were asked about."""

    builds: Sequence[Build]
    answers: Mapping[BuildPurpose, BuildPermission]


def check_builds(others: Iterable[Build] = (), talents: Talents = None) -> CheckedBuilds:
    """Ask the gate once about everything on a page. `others` are builds that show only a hold."""
    builds = list(_select_builds_to_check(talents))
    subjects = {make_build_subject(build) for build in builds} | set(list_holdable_subjects(others).values())
    return CheckedBuilds(builds, check_subjects(subjects))


def list_voices_no_longer_allowed(checked: CheckedBuilds) -> Iterator[NextStep]:
    """Voices whose consent or contract has ended or no longer allows them, and voices that are suspended.

    Failed builds have rows of their own. So do contracts that only wait for a confirmation.
    """
    newest = {(build.voice_id, build.remote_voice.account.provider): build for build in checked.builds}
    asked = {key: checked.answers[make_build_subject(build)] for key, build in newest.items()}
    refused = [key for key, permission in asked.items() if permission.is_refused or permission.is_held]
    for key in refused[:MAX_ROWS]:
        yield _make_refused_step(newest[key].voice, key[1], asked[key])


def _select_builds_to_check(talents: Talents) -> QuerySet[Build]:
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
    builds: QuerySet[Build] = select_talents(access.query_builds(), talents, "voice__talent")
    return builds.filter(may_be_refused | may_be_held).order_by("voice__name", "pk")


def _make_refused_step(voice: Voice, provider: str, permission: BuildPermission) -> NextStep:
    fix = find_gate_fix(voice, provider, permission)
    severity, status = ("wait", "Suspended") if permission.is_held else ("bad", "No longer allowed")
    return NextStep(
        voice.name,
        f"{voice.talent.name}, at {registry.get_provider_label(provider)}",
        severity,
        status,
        permission.reasons,
        fix.url,
        fix.action,
        None,
        fix.permission,
        subject_url=voice.get_absolute_url(),
        voice_id=voice.pk,
        talent_id=voice.talent_id,
    )
