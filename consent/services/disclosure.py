"""What VoiceHub tells a talent about a consent beforehand: who receives it, and how long it is valid.

The recipients are derived from the capabilities of the provider's tiers, so that no page claims
anything that no tier does.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy

from consent.extension_points import is_exempt_from_proof
from consent.models import Consent, Contract
from providers import registry
from providers.types import ConsentProof
from voicehub.text import format_date, join_with_or

# The studio may have another account too, or lose the exemption, so the recording may leave the studio.
CHECKED_AND_NOT_SENT = gettext_lazy(
    "Your recordings are sent to it. Consent is checked by VoiceHub and not sent, as long as the provider asks for no "
    "proof."
)
PROOFS_WITH_AUDIO = (ConsentProof.BASE64_WAV, ConsentProof.AUDIO_FILE)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Who receives the recordings and the consent, as text, and whether the consent leaves the studio."""

    recipients: str
    leaves_studio: bool


def describe_disclosure(consent: Consent) -> Disclosure:
    """What the provider of this consent receives. If the provider's tiers differ, each tier is named."""
    if consent.provider not in registry.PROVIDERS:
        return Disclosure(gettext("Ask the studio what is sent to this provider."), True)
    tiers = registry.get_provider_class(consent.provider).tiers.values()
    sent = [tier.label for tier in tiers if tier.consent_proof in PROOFS_WITH_AUDIO]
    offline = [tier.label for tier in tiers if tier.consent_proof is ConsentProof.OFFLINE]
    not_sent = [tier.label for tier in tiers if tier.consent_proof is ConsentProof.NONE]
    if sent and not (offline or not_sent) and is_exempt_from_proof(consent.provider):
        return Disclosure(str(CHECKED_AND_NOT_SENT), True)
    if sent and not (offline or not_sent):
        return Disclosure(gettext("Your recordings and this consent are sent to it."), True)
    if not_sent and not (sent or offline):
        return Disclosure(gettext("Your recordings are sent to it. This consent stays in the studio."), False)
    return Disclosure(" ".join(_iterate_ways(sent, offline, not_sent)), True)


def _iterate_ways(sent: list[str], offline: list[str], not_sent: list[str]) -> Iterator[str]:
    """What the provider gets, and for which of its kinds of voices, by their labels."""
    yield gettext("Your recordings are sent to it.")
    if sent:
        text = gettext("This consent is sent with them for {kinds} voices.")
        yield text.format(kinds=_quote_labels(sent))
    if offline and not (sent or not_sent):
        yield gettext("The studio mails it a proof of your consent: your contract, or a video of you.")
    elif offline:
        text = gettext(
            "The studio mails it a proof of your consent for {kinds} voices: your contract, or a video of you."
        )
        yield text.format(kinds=_quote_labels(offline))
    if not_sent:
        yield gettext("It stays in the studio for {kinds} voices.").format(kinds=_quote_labels(not_sent))


def _quote_labels(labels: list[str]) -> str:
    return join_with_or([gettext("“{text}”").format(text=label) for label in labels])


def describe_copies(label: str) -> str:
    """What a withdrawal cannot undo, with the name of the provider."""
    return gettext(
        "What was already produced with a voice stays, and the studio cannot see what {provider} keeps in copies of "
        "its own."
    ).format(provider=label)


@dataclass(frozen=True, slots=True)
class ConsentTerm:
    """The last day of a consent (None without an end), and whether the contract sets this day, not the consent.

    `is_deleted_after` is whether the voices are deleted seven days later.
    """

    last_day: date | None
    is_contract_end: bool
    is_deleted_after: bool


def describe_term(term: ConsentTerm) -> tuple[str, ...]:
    """How long the consent is valid, addressed to the talent, in one or two paragraphs."""
    if term.last_day is None:
        return (gettext("Without an end date, until you withdraw it."),)
    if term.is_contract_end:
        text = gettext("Until {day}, when your contract with the studio ends, or until you withdraw it.")
    else:
        text = gettext("Until {day}, or until you withdraw it.")
    text = text.format(day=format_date(term.last_day))
    deletion = gettext(
        "The voices made with it are deleted seven days after the last day, unless another consent and contract of "
        "yours cover them."
    )
    return (text, deletion) if term.is_deleted_after else (text,)


def compute_term(consent: Consent, contracts: Iterable[Contract] | None = None) -> ConsentTerm:
    """The end of the consent, or of the contracts that allow its provider and purpose, whichever is earlier.

    `contracts` are all of the talent, if the caller has loaded them with their `superseded_by`.
    """
    rows = consent.talent.contracts.select_related("superseded_by") if contracts is None else contracts
    allowing = list_allowing(consent, rows)
    contract_end = _compute_contract_end(allowing)
    if contract_end and (consent.valid_until is None or contract_end < consent.valid_until):
        return ConsentTerm(contract_end, True, _is_deleted_at(allowing, contract_end))
    return ConsentTerm(consent.valid_until, False, consent.valid_until is not None)


def _is_deleted_at(contracts: Iterable[Contract], contract_end: date) -> bool:
    """Whether one of these contracts that ends on this day says that the voice is deleted then."""
    return any(contract.delete_at_end and get_last_day(contract) == contract_end for contract in contracts)


def list_allowing(consent: Consent, contracts: Iterable[Contract]) -> list[Contract]:
    """Those of these contracts that allow the provider and the purpose of the consent."""
    return [
        contract
        for contract in contracts
        if consent.provider in contract.providers and consent.purpose in contract.purposes
    ]


def _compute_contract_end(contracts: Iterable[Contract]) -> date | None:
    """The last day until which these contracts allow the consent without interruption.

    None if no contract allows it or the coverage has no end. Counting starts today, or on the first day of the
    contract that starts next.
    """
    today = timezone.localdate()
    spans = sorted((get_first_day(contract), get_last_day(contract)) for contract in contracts)
    end = None
    for first_day, last_day in spans:
        if last_day < today:
            continue
        if end is None or first_day <= max(end, today) + timedelta(days=1):
            end = last_day if end is None else max(end, last_day)
        if end == date.max:
            break
    return None if end == date.max else end


def get_first_day(contract: Contract) -> date:
    return max(contract.starts_on, contract.signed_on)


def get_last_day(contract: Contract) -> date:
    """The contract's last day, or the day before its replacement starts, whichever is earlier. Else `date.max`."""
    last_day = contract.ends_on or date.max
    replacement = getattr(contract, "superseded_by", None)
    return min(last_day, get_first_day(replacement) - timedelta(days=1)) if replacement else last_day
