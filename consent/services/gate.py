"""The gate: no voice is built without a consent and a contract that allow it today.

The rules stand in `consent_rules` and `contract_rules`. Every refusal says what a person can do.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery, prefetch_related_objects

from consent.models import Consent, ConsentStatus, Contract, ContractSuspension, Talent
from consent.services.blockers import add_contract_blockers, find_blocker_without_contract
from consent.services.consent_rules import (
    describe_lost_take,
    explain_no_consent,
    get_primary_subtag,
    is_in_force_or_suspended,
    iterate_consent_objections,
)
from consent.services.contract_rules import (
    Objection,
    describe_suspension,
    explain_no_contract,
    find_country_objections,
    iterate_exclusive_objections,
    iterate_term_objections,
    list_contract_warnings,
)

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class BuildPermission:
    """The consent and the contract that allow a build, or the exact reasons why the build is not allowed.

    `voice_reasons` are fixed on the page of the voice. `warnings` block nothing. `suspended_consent` and
    `suspended_contract` are the ones that would allow the build if they were not suspended.
    """

    consent: Consent | None
    contract: Contract | None
    consent_reasons: tuple[str, ...] = ()
    contract_reasons: tuple[str, ...] = ()
    voice_reasons: tuple[str, ...] = ()
    unconfirmed_reasons: tuple[str, ...] = ()
    """Those of `contract_reasons` that a person ends by confirming terms."""
    contract_to_confirm: Contract | None = None
    """The contract that the first of `unconfirmed_reasons` is about."""
    suspended_consent: Consent | None = None
    consent_to_fix: Consent | None = None
    """A consent in force that does not allow the build: another language or name, or a damaged audit log."""
    suspended_contract: Contract | None = None
    warnings: tuple[str, ...] = ()
    newest_consent: Consent | None = None
    """The newest consent for the provider and the purpose, whatever its status."""
    allowed_providers: frozenset[str] | None = None
    """The providers that the current contracts for the purpose allow. None if there is no such contract."""

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.consent_reasons + self.contract_reasons + self.voice_reasons

    @property
    def is_given(self) -> bool:
        return not self.reasons

    @property
    def other_reasons_count(self) -> int:
        """The number of reasons that are no suspension."""
        return len(self.reasons) - bool(self.suspended_consent) - bool(self.suspended_contract)

    @property
    def is_held(self) -> bool:
        """Whether the build would be allowed if nothing were suspended."""
        return not self.is_given and self.other_reasons_count == 0

    @property
    def is_refused(self) -> bool:
        """Whether more than a confirmation of terms or the end of a suspension is missing."""
        return set(self.reasons) > set(self.unconfirmed_reasons) and not self.is_held


class BuildPurpose(NamedTuple):
    """The subject of a permission check: whose voice, at which provider, for which purpose, language and countries.

    An empty language and empty countries are not checked: the page of a consent asks before a voice exists.
    """

    talent: Talent
    provider: str
    purpose: str
    language: str
    countries: tuple[str, ...]


def check_permission(subject: BuildPurpose, *, provider_label: str = "", lock: bool = False) -> BuildPermission:
    """Whether this voice may be built today.

    With `lock` (needs a transaction), lock the consent that permits the build and check again. A concurrent
    withdrawal either waits for the lock or is detected by the second check.
    """
    permission = check_permissions([subject], {subject.provider: provider_label})[subject]
    if lock and permission.consent:
        Consent.objects.select_for_update().get(pk=permission.consent.pk)
        permission = check_permissions([subject], {subject.provider: provider_label})[subject]
    return permission


def check_permissions(
    purposes: Iterable[BuildPurpose], labels: Mapping[str, str]
) -> dict[BuildPurpose, BuildPermission]:
    """Check many build purposes in at most three queries; `labels` maps provider slugs to display names."""
    purposes = list(purposes)
    talents = {subject.talent.pk for subject in purposes}
    rows: QuerySet[Consent] = Consent.objects.filter(talent__in=talents).order_by("-created_at")
    annotated = list(
        rows.annotate(take_problem=F("take__check_made__file_problem"), blocker=find_blocker_without_contract())
    )
    take_problems = {row.pk: row.take_problem for row in annotated if row.take_problem}
    consents: list[Consent] = [*annotated]
    _load_language_exceptions(consents, purposes)
    requested = _group(consents, lambda row: (row.talent_id, row.provider, row.purpose))
    contracts, confirmed, suspensions = _load_contracts(talents)
    filed = _group(contracts, lambda row: row.talent_id)
    add_contract_blockers(consents, filed)
    return {
        subject: _Case(
            subject,
            labels.get(subject.provider) or subject.provider,
            requested.get((subject.talent.pk, subject.provider, subject.purpose), []),
            filed.get(subject.talent.pk, []),
            confirmed,
            suspensions,
            take_problems,
        ).decide()
        for subject in purposes
    }


def _group(rows: Iterable[Row], get_key: Callable[[Row], Any]) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(get_key(row), []).append(row)
    return groups


def _load_language_exceptions(consents: Iterable[Consent], purposes: Iterable[BuildPurpose]) -> None:
    """Load the exceptions of the consents that need one, which are few."""
    languages = {get_primary_subtag(subject.language) for subject in purposes if subject.language}
    others = [consent for consent in consents if languages - {get_primary_subtag(consent.language)}]
    prefetch_related_objects(others, "language_exceptions")


def _load_contracts(
    talents: Collection[UUID],
) -> tuple[list[Contract], dict[UUID, set[str]], dict[UUID, str]]:
    """All contracts of these talents, the confirmed purposes of each current one, and why one is suspended."""
    contracts: QuerySet[Contract] = Contract.objects.filter(talent__in=talents)
    suspensions = ContractSuspension.objects.filter(contract=OuterRef("pk"), resumed_at__isnull=True)
    rows = contracts.select_related("superseded_by").annotate(
        is_current=Exists(Contract.objects.current().filter(pk=OuterRef("pk"))),
        suspension_reason=Subquery(suspensions.values("reason")[:1]),
        confirmed_purpose=F("confirmations__purpose"),
    )
    filed: dict[UUID, Contract] = {}
    confirmed: dict[UUID, set[str]] = {}
    reasons: dict[UUID, str] = {}
    # One row for each confirmed purpose, or one row for a contract without any.
    for row in rows:
        filed[row.pk] = row
        if row.is_current:
            confirmed.setdefault(row.pk, set()).update([row.confirmed_purpose] if row.confirmed_purpose else [])
        if row.suspension_reason is not None:
            reasons[row.pk] = row.suspension_reason
    return list(filed.values()), confirmed, reasons


class _Case(NamedTuple):
    """What the gate knows about one build purpose.

    `confirmed` has the confirmed purposes of each current contract, `suspensions` the reason of each suspended one,
    `take_problems` what is wrong with the stored recording of a consent.
    """

    subject: BuildPurpose
    label: str
    requested: Sequence[Consent]
    filed: Sequence[Contract]
    confirmed: Mapping[UUID, Collection[str]]
    suspensions: Mapping[UUID, str]
    take_problems: Mapping[UUID, str]

    @property
    def current(self) -> list[Contract]:
        return [contract for contract in self.filed if contract.pk in self.confirmed]

    @property
    def allowed_providers(self) -> frozenset[str] | None:
        contracts = [contract for contract in self.current if self.subject.purpose in contract.purposes]
        return frozenset(chain.from_iterable(one.providers for one in contracts)) if contracts else None

    def decide(self) -> BuildPermission:
        """The first pair of a consent and a contract that allows the build, or else the one closest to it.

        A pair that is only suspended is closer than one with another reason.
        """
        consents: list[Consent | None] = [consent for consent in self.requested if is_in_force_or_suspended(consent)]
        contracts: list[Contract | None] = [*self.current]
        pairs = product(consents or [None], contracts or [None])
        permissions = [self.judge(consent, contract) for consent, contract in pairs]
        return min(permissions, key=lambda permission: (permission.other_reasons_count, len(permission.reasons)))

    def judge(self, consent: Consent | None, contract: Contract | None) -> BuildPermission:
        """Check one pair. None stands for a consent or a contract that is missing."""
        consent_reasons, objections = self._judge_consent(consent, contract), self._judge_contract(contract)
        unconfirmed = [objection for objection in objections if objection.to_confirm]
        is_suspended = consent is not None and consent.status == ConsentStatus.SUSPENDED
        voice_reasons = find_country_objections(contract, self.subject.countries) if contract else ()
        return BuildPermission(
            consent=None if consent_reasons else consent,
            contract=None if objections or voice_reasons else contract,
            consent_reasons=consent_reasons,
            contract_reasons=tuple(objection.text for objection in objections),
            voice_reasons=voice_reasons,
            unconfirmed_reasons=tuple(objection.text for objection in unconfirmed),
            contract_to_confirm=unconfirmed[0].to_confirm if unconfirmed else None,
            suspended_consent=consent if is_suspended else None,
            consent_to_fix=consent if consent_reasons and not is_suspended else None,
            suspended_contract=contract if contract and contract.pk in self.suspensions else None,
            warnings=list_contract_warnings(contract) if contract else (),
            newest_consent=next(iter(self.requested), None),
            allowed_providers=self.allowed_providers,
        )

    def _judge_consent(self, consent: Consent | None, contract: Contract | None) -> tuple[str, ...]:
        talent, _provider, purpose, language, _countries = self.subject
        reasons: list[str] = []
        if consent is None or consent.status == ConsentStatus.SUSPENDED:
            reasons.append(explain_no_consent(talent, purpose, self.label, [consent] if consent else self.requested))
        if consent is not None:
            reasons += iterate_consent_objections(consent, contract, talent, language, self.label)
            reasons += describe_lost_take(self.take_problems.get(consent.pk, ""))
        return tuple(reasons)

    def _judge_contract(self, contract: Contract | None) -> tuple[Objection, ...]:
        talent, provider, purpose, _language, _countries = self.subject
        if contract is None:
            return (Objection(explain_no_contract(talent, self.filed)),)
        reason = self.suspensions.get(contract.pk)
        suspensions = (describe_suspension(contract, reason),) if reason is not None else ()
        terms = iterate_term_objections(contract, provider, self.label, purpose, self.confirmed[contract.pk])
        return (*suspensions, *terms, *iterate_exclusive_objections(contract, self.current))
