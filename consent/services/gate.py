"""The gate: no voice is built without a consent and a contract in force."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, ContractSuspension, Purpose, Talent
from voicehub.text import format_date

WAITING: Mapping[str, str] = {
    ConsentStatus.REQUESTED: "the talent has not recorded it yet",
    ConsentStatus.SUBMITTED: "it has not been reviewed yet",
}


@dataclass(frozen=True, slots=True)
class BuildPermission:
    """The consent and the contract that allow a build, or the exact reasons why the build is not allowed.

    `suspended_consent` and `suspended_contract` are the ones that would allow it if they were not suspended.
    """

    consent: Consent | None
    contract: Contract | None
    consent_reasons: tuple[str, ...] = ()
    contract_reasons: tuple[str, ...] = ()
    suspended_consent: Consent | None = None
    suspended_contract: Contract | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.consent_reasons + self.contract_reasons

    @property
    def is_given(self) -> bool:
        return not self.reasons

    @property
    def is_held(self) -> bool:
        """Whether the build would be allowed if nothing were suspended."""
        is_consent_held = bool(self.suspended_consent) or not self.consent_reasons
        is_contract_held = bool(self.suspended_contract) or not self.contract_reasons
        return not self.is_given and is_consent_held and is_contract_held


class BuildPurpose(NamedTuple):
    """The subject of a permission check: whose voice, at which provider, for which purpose."""

    talent: Talent
    provider: str
    purpose: str


def check_permission(
    talent: Talent, provider: str, purpose: str, *, provider_label: str = "", lock: bool = False
) -> BuildPermission:
    """Whether a voice of this talent may be built at this provider for this purpose today.

    With `lock` (needs a transaction), lock the consent that permits the build and check again. A concurrent
    withdrawal either waits for the lock or is detected by the second check.
    """
    subject = BuildPurpose(talent, provider, purpose)
    permission = check_permissions([subject], {provider: provider_label})[subject]
    if lock and permission.consent:
        Consent.objects.select_for_update().get(pk=permission.consent.pk)
        permission = check_permissions([subject], {provider: provider_label})[subject]
    return permission


def check_permissions(
    purposes: Iterable[BuildPurpose], labels: Mapping[str, str]
) -> dict[BuildPurpose, BuildPermission]:
    """Check many build purposes in two queries; `labels` maps provider slugs to display names."""
    purposes = list(purposes)
    talents = {subject.talent.pk for subject in purposes}
    consents = list(Consent.objects.filter(talent__in=talents).order_by("-created_at"))
    suspensions = ContractSuspension.objects.filter(contract=OuterRef("pk"), resumed_at__isnull=True)
    contracts: QuerySet[Contract] = Contract.objects.filter(talent__in=talents)
    filed = list(
        contracts.annotate(
            is_current=Exists(Contract.objects.current().filter(pk=OuterRef("pk"))),
            suspension_reason=Subquery(suspensions.values("reason")[:1]),
        )
    )
    current = {contract.pk: contract.suspension_reason for contract in filed if contract.is_current}
    in_force = {pk for pk, reason in current.items() if reason is None}
    suspended = {pk: reason for pk, reason in current.items() if reason is not None}
    return {
        subject: _decide_permission(
            subject, labels.get(subject.provider) or subject.provider, consents, filed, in_force, suspended
        )
        for subject in purposes
    }


def _decide_permission(
    subject: BuildPurpose,
    label: str,
    consents: list[Consent],
    filed: Sequence[Contract],
    in_force: set[UUID],
    suspended: Mapping[UUID, str],
) -> BuildPermission:
    requested = [
        consent
        for consent in consents
        if (consent.talent_id, consent.provider, consent.purpose)
        == (subject.talent.pk, subject.provider, subject.purpose)
    ]
    contracts = [contract for contract in filed if contract.talent_id == subject.talent.pk]
    consent, no_consent = _find_consent(subject, label, requested)
    if consent and (damage := find_history_objections(consent)):
        consent, no_consent = None, damage
    contract, no_contract = _find_contract(
        subject, label, contracts, [contract for contract in contracts if contract.pk in in_force]
    )
    held = [] if contract else [one for one in contracts if one.pk in suspended]
    suspended_contract = next((one for one in held if not _find_contract_objections(one, subject, label)), None)
    if suspended_contract:
        no_contract = (_describe_suspension(suspended_contract, suspended[suspended_contract.pk]),)
    elif held and not any(one.pk in in_force for one in contracts):
        no_contract = _find_contract_objections(held[0], subject, label)
    suspended_consent = None if consent else _find_suspended_consent(requested)
    return BuildPermission(consent, contract, no_consent, no_contract, suspended_consent, suspended_contract)


def _find_suspended_consent(requested: Iterable[Consent]) -> Consent | None:
    today = timezone.localdate()
    suspended = (consent for consent in requested if consent.status == ConsentStatus.SUSPENDED)
    return next((consent for consent in suspended if consent.valid_until is None or consent.valid_until >= today), None)


def _describe_suspension(contract: Contract, reason: str) -> str:
    return f"The contract signed on {format_date(contract.signed_on)} is suspended: {reason.rstrip('.')}."


def _find_consent(
    subject: BuildPurpose, label: str, requested: list[Consent]
) -> tuple[Consent | None, tuple[str, ...]]:
    today = timezone.localdate()
    ended_on: date | None = None
    for consent in requested:
        if consent.status == ConsentStatus.APPROVED:
            if consent.valid_until is None or consent.valid_until >= today:
                return consent, ()
            ended_on = ended_on or consent.valid_until
    use = Purpose(subject.purpose).label.lower()
    if not requested:
        return None, (f"{subject.talent.name} has not been asked for consent to {label} for {use}.",)
    if ended_on:
        return None, (f"The consent of {subject.talent.name} for {label} ended on {format_date(ended_on)}.",)
    newest = _find_suspended_consent(requested) or requested[0]
    state = WAITING.get(newest.status, newest.get_status_display().lower())
    return None, (f"The consent of {subject.talent.name} for {label} for {use} is not in force: {state}.",)


def _find_contract(
    subject: BuildPurpose, label: str, filed: list[Contract], in_force: list[Contract]
) -> tuple[Contract | None, tuple[str, ...]]:
    if not filed:
        return None, (f"No contract of {subject.talent.name} is on file.",)
    if not in_force:
        return None, (f"No contract of {subject.talent.name} is in force today: {_describe_period(filed[0])}.",)
    for contract in in_force:
        if not _find_contract_objections(contract, subject, label):
            return contract, ()
    return None, _find_contract_objections(in_force[0], subject, label)


def _describe_period(contract: Contract) -> str:
    today = timezone.localdate()
    if contract.ends_on and contract.ends_on < today:
        return f"the latest ended on {format_date(contract.ends_on)}"
    return f"the latest begins on {format_date(max(contract.starts_on, contract.signed_on))}"


def _find_contract_objections(contract: Contract, subject: BuildPurpose, label: str) -> tuple[str, ...]:
    prefix = f"The contract signed on {format_date(contract.signed_on)}"
    objections = []
    if subject.provider not in contract.providers:
        objections.append(f"{prefix} does not allow {label}.")
    if subject.purpose not in contract.purposes:
        objections.append(f"{prefix} does not allow {Purpose(subject.purpose).label.lower()}.")
    return (*objections, *find_file_objections(contract))


def find_file_objections(contract: Contract) -> tuple[str, ...]:
    """Why the last check of the contract's file forbids its use, if it does."""
    if not contract.file_problem:
        return ()
    day = format_date(contract.signed_on)
    todo = f"Ask an admin to restore the file of the contract signed on {day}, then check it again on its page."
    return (f"The contract file is missing or was changed: {contract.file_problem} {todo}",)


def find_history_objections(consent: Consent) -> tuple[str, ...]:
    """Why the last check of the consent's audit log forbids its use, if it does."""
    if consent.broken_event is None:
        return ()
    todo = "Ask an admin to restore it from the backup, then check it again on the page of the consent."
    return (f"The audit log of this consent is damaged at entry {consent.broken_event}. {todo}",)
