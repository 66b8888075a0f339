"""What a talent is told about a consent before giving it: where it goes, and for how long it holds.

Where it goes comes from the capabilities of the provider's tiers, so that no page says what no tier does.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone

from consent.models import Consent, Contract
from providers import registry
from providers.types import ConsentProof

PROOFS_WITH_AUDIO = (ConsentProof.BASE64_WAV, ConsentProof.AUDIO_FILE)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """The `recipients` of recordings and consent in words, and whether the consent `leaves_studio` at all."""

    recipients: str
    leaves_studio: bool


def describe_disclosure(consent: Consent) -> Disclosure:
    """What the provider of this consent is given. Tiers may differ: then each is named."""
    if consent.provider not in registry.PROVIDERS:
        return Disclosure("Ask the studio what is sent to it.", True)
    tiers = registry.get_provider_class(consent.provider).tiers.values()
    sent = [tier.label for tier in tiers if tier.consent_proof in PROOFS_WITH_AUDIO]
    by_hand = [tier.label for tier in tiers if tier.consent_proof is ConsentProof.OFFLINE]
    kept = [tier.label for tier in tiers if tier.consent_proof is ConsentProof.NONE]
    if sent and not (by_hand or kept):
        return Disclosure("Your recordings and this consent are sent to it.", True)
    if kept and not (sent or by_hand):
        return Disclosure("Your recordings are sent to it. This consent stays in the studio.", False)
    parts = ["Your recordings are sent to it."]
    if sent:
        parts.append(f"This consent is sent with them for {_quote_labels(sent)} voices.")
    if by_hand:
        parts.append(f"The studio shows it this consent when it asks{_describe_tiers(by_hand, len(tiers))}.")
    if kept:
        parts.append(f"It stays in the studio for {_quote_labels(kept)} voices.")
    return Disclosure(" ".join(parts), True)


def _quote_labels(labels: list[str]) -> str:
    return " or ".join(f"“{label}”" for label in labels)


def _describe_tiers(labels: list[str], tiers: int) -> str:
    return "" if len(labels) == tiers else f" for {_quote_labels(labels)} voices"


@dataclass(frozen=True, slots=True)
class Term:
    """The last day of a consent, None when it has none, and whether the contract ends it and not the consent."""

    last_day: date | None
    is_contract_end: bool


def compute_term(consent: Consent) -> Term:
    """Which of the two ends first: the consent itself, or the contracts that allow its provider and purpose."""
    contract_end = _compute_contract_end(consent)
    if contract_end and (consent.valid_until is None or contract_end < consent.valid_until):
        return Term(contract_end, True)
    return Term(consent.valid_until, False)


def _compute_contract_end(consent: Consent) -> date | None:
    """The last day up to which contracts on file allow it without a gap; None without one, or without an end.

    It counts from today, or from the first day of the contract that begins next.
    """
    filed = consent.talent.contracts.select_related("superseded_by")
    allowing = [one for one in filed if consent.provider in one.providers and consent.purpose in one.purposes]
    spans = sorted(
        (_get_first_day(one), _get_last_day(one)) for one in allowing if _get_last_day(one) >= timezone.localdate()
    )
    end = None
    for begins, ends in spans:
        if end is None or begins <= max(end, timezone.localdate()) + timedelta(days=1):
            end = ends if end is None else max(end, ends)
        if end == date.max:
            break
    return None if end == date.max else end


def _get_first_day(contract: Contract) -> date:
    return max(contract.starts_on, contract.signed_on)


def _get_last_day(contract: Contract) -> date:
    """Its end, or the day before the contract begins that replaces it; `date.max` without either."""
    ends = contract.ends_on or date.max
    replacement = getattr(contract, "superseded_by", None)
    return min(ends, _get_first_day(replacement) - timedelta(days=1)) if replacement else ends
