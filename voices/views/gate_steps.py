"""Next steps about voices that the gate no longer allows, and where each of its reasons is removed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.urls import reverse

from consent.models import ConsentStatus
from consent.presenters import find_contract_fix
from consent.services.gate import BuildPermission, BuildPurpose
from providers import registry
from voices import access
from voices.build_options import make_consent_url
from voices.models import Build, BuildStatus, Voice
from voices.services.builds.recheck import HOLDABLE_STATUSES, check_subjects, list_holdable_subjects, make_build_subject
from voices.views.next_step import MAX_ROWS, Fix, NextStep, Talents, select_talents


def find_gate_fix(voice: Voice, provider: str, permission: BuildPermission, statements: Sequence[str] = ()) -> Fix:
    """The place where a reason of the gate is removed. `statements` are those that a request for consent can choose.

    Without a contract for the purpose, the contract comes before a first request, as on the page of the talent.
    """
    if permission.suspended_consent:
        return Fix(f"{permission.suspended_consent.get_absolute_url()}#status", "Open consent")
    newest_consent, has_contract = permission.newest_consent, permission.allowed_providers is not None
    if permission.consent_reasons and newest_consent:
        is_submitted = newest_consent.status == ConsentStatus.SUBMITTED
        return Fix(newest_consent.get_absolute_url() + "#review" * is_submitted, "Open consent")
    if permission.consent_reasons and has_contract:
        return Fix(make_consent_url(voice, provider, statements), "Request consent", "consent.add_consent")
    if permission.suspended_contract:
        return Fix(f"{permission.suspended_contract.get_absolute_url()}#status", "Open contract")
    if permission.contract_reasons:
        label, url = find_contract_fix(voice.talent, permission, provider=provider, purpose=voice.purpose)
        return Fix(url, label, "consent.add_contract")
    return Fix(reverse("voices:voice_edit", args=[voice.pk]), "Change countries", "voices.change_voice")


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
