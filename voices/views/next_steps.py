"""The next steps on the page Today. No function makes more queries if there are more talents."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from consent.extension_points import TalentStep
from consent.models import Talent
from voicehub.models import Task, User
from voices.models import Account
from voices.services.builds.refusals import CheckedBuilds
from voices.views.build_steps import list_failed_builds
from voices.views.consent_steps import list_consent_steps, list_statements_to_check
from voices.views.contract_steps import list_contract_steps
from voices.views.deletion_steps import list_remote_voice_steps
from voices.views.evidence_steps import list_damaged_evidence
from voices.views.gate_steps import check_builds, list_voices_no_longer_allowed
from voices.views.import_steps import list_import_steps
from voices.views.mail_steps import list_refused_mails
from voices.views.next_step import NextStep, Talents, apply_permissions, sort_worst_first
from voices.views.provider_steps import list_paused_accounts
from voices.views.talent_steps import list_talent_steps
from voices.views.voice_steps import list_unbuilt_steps


def list_steps(
    checked: CheckedBuilds | None = None, talents: Talents = None, failed: Sequence[Task] | None = None
) -> list[NextStep]:
    """Everything that needs staff, the worst first. `checked` and `failed` save queries if the page has loaded them.

    Of `talents`, only what is about these talents.
    """
    sources: list[Iterable[NextStep]] = [list_damaged_evidence(talents), list_remote_voice_steps(talents)]
    sources += [list_paused_accounts(), list_statements_to_check()] if talents is None else []
    sources += [list_consent_steps(talents), list_refused_mails(talents, failed), list_failed_builds(talents)]
    sources += [list_voices_no_longer_allowed(checked or check_builds(talents=talents))]
    sources += [list_contract_steps(talents)]
    sources += [list_talent_steps(talents), list_unbuilt_steps(talents), list_import_steps(talents)]
    return sort_worst_first(sources)


def merge_talent_steps(steps: Iterable[NextStep]) -> list[NextStep]:
    """One row for what is missing of a talent: the first step, with the reasons of the others."""
    merged: dict[object, NextStep] = {}
    for number, step in enumerate(steps):
        is_gap = step.talent_id and not step.voice_id and step.is_allowed and step.severity == "wait" and not step.since
        key = step.talent_id if is_gap else number
        first = merged.get(key)
        merged[key] = replace(first, reasons=first.reasons + step.reasons) if first else step
    return list(merged.values())


def find_first_steps(talents: Collection[UUID], user: User) -> Mapping[UUID, TalentStep]:
    """By talent, the worst step that this user can do. A talent without one is missing."""
    first: dict[UUID, TalentStep] = {}
    for step in list_steps(talents=talents):
        shown = apply_permissions(step, user)
        if not (shown.talent_id and shown.is_for_staff and shown.is_allowed and shown.url):
            continue
        reason, is_bad = _describe_reason(shown), shown.severity == "bad"
        worst = first.setdefault(shown.talent_id, TalentStep(shown.action, shown.url, reason, is_bad))
        if is_bad and reason != worst.reason and not worst.other:
            first[shown.talent_id] = replace(worst, other=reason)
    return first


def _describe_reason(step: NextStep) -> str:
    """The first reason, after the name of the voice that it is about."""
    reason = next(iter(step.reasons), "")
    return f"{step.subject}: {reason}" if step.voice_id else reason


def has_talents() -> bool:
    return Talent.objects.exists()


def has_account() -> bool:
    return Account.objects.exists()
