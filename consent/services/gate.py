"""The gate: nothing is built without a consent and a contract that are in force."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Purpose, Talent


@dataclass(frozen=True, slots=True)
class Permission:
    """The consent and the contract that allow a build, or the exact reasons why it is not allowed."""

    consent: Consent | None
    contract: Contract | None
    reasons: tuple[str, ...]

    @property
    def given(self) -> bool:
        return not self.reasons


def permission(
    talent: Talent, provider: str, purpose: str, *, provider_label: str = "", lock: bool = False
) -> Permission:
    """May a voice of this talent be built at this provider for this purpose, today?

    With `lock`, inside a transaction, the consent that says yes is locked: a withdrawal waits, or is seen here.
    """
    name = provider_label or provider
    consent, no_consent = _consent(talent, provider, purpose, name)
    if lock and consent:
        Consent.objects.select_for_update().get(pk=consent.pk)
        consent, no_consent = _consent(talent, provider, purpose, name)
    contract, no_contract = _contract(talent, provider, purpose, name)
    return Permission(consent, contract, tuple(no_consent + no_contract))


def _consent(talent: Talent, provider: str, purpose: str, name: str) -> tuple[Consent | None, list[str]]:
    mine = Consent.objects.filter(talent=talent, provider=provider, purpose=purpose)
    today = timezone.localdate()
    unexpired = Q(valid_until__isnull=True) | Q(valid_until__gte=today)
    found = mine.filter(unexpired, status=ConsentStatus.APPROVED).order_by("-approved_at").first()
    if found:
        return found, []
    use = Purpose(purpose).label.lower()
    latest = mine.order_by("-created_at").first()
    if latest is None:
        return None, [f"{talent.name} has not been asked for consent to {name} for {use}."]
    if latest.status == ConsentStatus.APPROVED:
        return None, [f"The consent of {talent.name} for {name} ended on {latest.valid_until:%d %B %Y}."]
    return None, [
        f"The consent of {talent.name} for {name} for {use} is not in force: {latest.get_status_display().lower()}."
    ]


def _contract(talent: Talent, provider: str, purpose: str, name: str) -> tuple[Contract | None, list[str]]:
    filed = list(talent.contracts.all())
    if not filed:
        return None, [f"No contract of {talent.name} is on file."]
    in_force = list(Contract.objects.in_force().filter(talent=talent))
    if not in_force:
        return None, [f"No contract of {talent.name} is in force today: {_when(filed[0])}."]
    reasons = {contract: _objections(contract, provider, purpose, name) for contract in in_force}
    for contract, objections in reasons.items():
        if not objections:
            return contract, []
    return None, reasons[in_force[0]]


def _when(contract: Contract) -> str:
    today = timezone.localdate()
    if contract.ends_on and contract.ends_on < today:
        return f"the latest ended on {contract.ends_on:%d %B %Y}"
    return f"the latest begins on {max(contract.starts_on, contract.signed_on):%d %B %Y}"


def _objections(contract: Contract, provider: str, purpose: str, name: str) -> list[str]:
    objections = []
    if provider not in contract.providers:
        objections.append(f"The contract signed on {contract.signed_on:%d %B %Y} does not allow {name}.")
    if purpose not in contract.purposes:
        use = Purpose(purpose).label.lower()
        objections.append(f"The contract signed on {contract.signed_on:%d %B %Y} does not allow {use}.")
    return objections
