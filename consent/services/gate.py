"""The gate: nothing is built without a consent and a contract that are in force."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Purpose, Talent


@dataclass(frozen=True, slots=True)
class Permission:
    """The consent and the contract that allow a build, or the exact reasons why it is not allowed."""

    consent: Consent | None
    contract: Contract | None
    consent_reasons: tuple[str, ...] = ()
    contract_reasons: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.consent_reasons + self.contract_reasons

    @property
    def is_given(self) -> bool:
        return not self.reasons


class BuildPurpose(NamedTuple):
    """What somebody wants to build: whose voice, where, and what for."""

    talent: Talent
    provider: str
    purpose: str


def check_permission(
    talent: Talent, provider: str, purpose: str, *, provider_label: str = "", lock: bool = False
) -> Permission:
    """May a voice of this talent be built at this provider for this purpose, today?

    With `lock`, inside a transaction, the consent that says yes is locked: a withdrawal waits, or is seen here.
    """
    wish = BuildPurpose(talent, provider, purpose)
    found = check_permissions([wish], {provider: provider_label})[wish]
    if lock and found.consent:
        Consent.objects.select_for_update().get(pk=found.consent.pk)
        found = check_permissions([wish], {provider: provider_label})[wish]
    return found


def check_permissions(purposes: Iterable[BuildPurpose], labels: Mapping[str, str]) -> dict[BuildPurpose, Permission]:
    """The gate for many at once, in three queries; `labels` are the providers' names for people."""
    purposes = list(purposes)
    talents = {wish.talent.pk for wish in purposes}
    consents = list(Consent.objects.filter(talent__in=talents).order_by("-created_at"))
    filed = list(Contract.objects.filter(talent__in=talents))
    in_force = set(Contract.objects.in_force().filter(talent__in=talents).values_list("pk", flat=True))
    return {
        wish: _decide_permission(wish, labels.get(wish.provider) or wish.provider, consents, filed, in_force)
        for wish in purposes
    }


def _decide_permission(
    wish: BuildPurpose, label: str, consents: list[Consent], filed: list[Contract], in_force: set[UUID]
) -> Permission:
    asked = [
        consent
        for consent in consents
        if (consent.talent_id, consent.provider, consent.purpose) == (wish.talent.pk, wish.provider, wish.purpose)
    ]
    papers = [contract for contract in filed if contract.talent_id == wish.talent.pk]
    consent, no_consent = _find_consent(wish, label, asked)
    contract, no_contract = _find_contract(wish, label, papers, [paper for paper in papers if paper.pk in in_force])
    return Permission(consent, contract, no_consent, no_contract)


def _find_consent(wish: BuildPurpose, label: str, asked: list[Consent]) -> tuple[Consent | None, tuple[str, ...]]:
    today = timezone.localdate()
    approved = [consent for consent in asked if consent.status == ConsentStatus.APPROVED]
    for consent in approved:
        if consent.valid_until is None or consent.valid_until >= today:
            return consent, ()
    use = Purpose(wish.purpose).label.lower()
    if not asked:
        return None, (f"{wish.talent.name} has not been asked for consent to {label} for {use}.",)
    if approved:
        return None, (f"The consent of {wish.talent.name} for {label} ended on {approved[0].valid_until:%d %B %Y}.",)
    state = asked[0].get_status_display().lower()
    return None, (f"The consent of {wish.talent.name} for {label} for {use} is not in force: {state}.",)


def _find_contract(
    wish: BuildPurpose, label: str, filed: list[Contract], in_force: list[Contract]
) -> tuple[Contract | None, tuple[str, ...]]:
    if not filed:
        return None, (f"No contract of {wish.talent.name} is on file.",)
    if not in_force:
        return None, (f"No contract of {wish.talent.name} is in force today: {_describe_period(filed[0])}.",)
    for contract in in_force:
        if not _find_contract_objections(contract, wish, label):
            return contract, ()
    return None, _find_contract_objections(in_force[0], wish, label)


def _describe_period(contract: Contract) -> str:
    today = timezone.localdate()
    if contract.ends_on and contract.ends_on < today:
        return f"the latest ended on {contract.ends_on:%d %B %Y}"
    return f"the latest begins on {max(contract.starts_on, contract.signed_on):%d %B %Y}"


def _find_contract_objections(contract: Contract, wish: BuildPurpose, label: str) -> tuple[str, ...]:
    paper = f"The contract signed on {contract.signed_on:%d %B %Y}"
    objections = []
    if wish.provider not in contract.providers:
        objections.append(f"{paper} does not allow {label}.")
    if wish.purpose not in contract.purposes:
        objections.append(f"{paper} does not allow {Purpose(wish.purpose).label.lower()}.")
    return tuple(objections)
