"""The next steps on the page Today. No function makes more queries if there are more talents."""

from collections.abc import Iterable

from consent.models import Talent
from voices.models import Account
from voices.views.build_steps import list_failed_builds
from voices.views.consent_steps import list_consent_steps
from voices.views.contract_steps import list_contracts_to_confirm
from voices.views.deletion_steps import list_remote_voice_steps
from voices.views.evidence_steps import list_damaged_evidence
from voices.views.gate_steps import CheckedBuilds, check_builds, list_voices_no_longer_allowed
from voices.views.next_step import NextStep, sort_worst_first
from voices.views.provider_steps import list_paused_accounts
from voices.views.talent_steps import list_talent_steps
from voices.views.voice_steps import list_unbuilt_steps


def list_steps(checked: CheckedBuilds | None = None) -> list[NextStep]:
    """Everything that needs staff, the worst first. `checked` saves queries if the page asked the gate before."""
    urgent = (list_damaged_evidence, list_remote_voice_steps, list_paused_accounts, list_consent_steps)
    less_urgent = (list_contracts_to_confirm, list_talent_steps, list_unbuilt_steps)
    sources: list[Iterable[NextStep]] = [list_source() for list_source in urgent]
    sources += [list_failed_builds(), list_voices_no_longer_allowed(checked or check_builds())]
    sources += (list_source() for list_source in less_urgent)
    return sort_worst_first(sources)


def has_talents() -> bool:
    return Talent.objects.exists()


def has_account() -> bool:
    return Account.objects.exists()
