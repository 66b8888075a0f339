"""The gate's rules for one consent: is it in force, and does it cover the voice and fit the contract?"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Purpose, Talent
from consent.models.consent import APPROVED_STATUSES
from consent.names import may_see_names
from voicehub.text import format_date, get_language_name

WAITING: Mapping[str, str] = {
    ConsentStatus.REQUESTED: "the talent has not recorded it yet",
    ConsentStatus.SUBMITTED: "it has not been reviewed yet",
}


def is_same_name(first: str, second: str) -> bool:
    """Whether two names of people or companies differ at most in case and in spaces."""
    return " ".join(first.split()).casefold() == " ".join(second.split()).casefold()


def is_in_force_or_suspended(consent: Consent) -> bool:
    """As `ConsentQuerySet.in_force_or_suspended`, without a query."""
    is_unexpired = consent.valid_until is None or consent.valid_until >= timezone.localdate()
    return consent.status in APPROVED_STATUSES and is_unexpired


def explain_no_consent(talent: Talent, purpose: str, label: str, requested: Sequence[Consent]) -> str:
    """Why none of these consents to the same provider and purpose, newest first, is in force."""
    use = Purpose(purpose).label.lower()
    if not requested:
        return f"{talent.shown_name} has not been asked for consent to {label} for {use}."
    if ended_on := _find_end(requested):
        return f"The consent of {talent.shown_name} for {label} ended on {format_date(ended_on)}."
    state = WAITING.get(requested[0].status, requested[0].get_status_display().lower())
    return f"The consent of {talent.shown_name} for {label} for {use} is not in force: {state}."


def _find_end(requested: Sequence[Consent]) -> date | None:
    """The last day of the newest approved consent that has a last day."""
    ends = (consent.valid_until for consent in requested if consent.status == ConsentStatus.APPROVED)
    return next((end for end in ends if end), None)


def iterate_consent_objections(
    consent: Consent, contract: Contract | None, talent: Talent, language: str, label: str
) -> Iterator[str]:
    """Yield why this consent in force does not allow the build. An empty `language` is not checked."""
    subject = f"The consent of {talent.shown_name} for {label}"
    if not is_same_name(consent.talent_name, talent.name):
        yield f"{subject} {_describe_name(consent, talent)}"
    if contract and contract.company and not is_same_name(consent.company, contract.company):
        yield (
            f"{subject} names {consent.company}, but the contract signed on {format_date(contract.signed_on)} is with "
            f"{contract.company}. Request a new consent that names {contract.company}, or add the contract of "
            f"{consent.company}."
        )
    if language and not covers_language(consent, language):
        read, wanted = (get_language_name(get_primary_subtag(tag)) for tag in (consent.language, language))
        yield (
            f"{subject} was read in {read}, but the voice is in {wanted}. Request a consent in {wanted}, or allow "
            f"{wanted} on the page of the consent."
        )
    if consent.broken_event is not None:
        yield (
            f"The audit log of this consent is damaged at entry {consent.broken_event}. Ask an admin to restore it "
            "from the backup, then check it again on the page of the consent."
        )


def describe_lost_take(problem: str) -> Iterator[str]:
    """The reason if the stored recording of the consent is damaged."""
    if problem:
        yield (
            f"The recording of this consent is missing or was changed. {problem} Ask an admin to restore it from the "
            "backup, then check it again on the page of the consent."
        )


def _describe_name(consent: Consent, talent: Talent) -> str:
    name = (
        f"names “{consent.shown_talent_name}”, not “{talent.shown_name}”"
        if consent.talent_name and may_see_names()
        else "was given under another name"
    )
    return f"{name}. Request a new consent under the new name, or change the name back."


def get_primary_subtag(tag: str) -> str:
    """The primary language subtag of a BCP 47 tag: "en-US" → "en"."""
    return tag.partition("-")[0].lower()


def covers_language(consent: Consent, language: str) -> bool:
    """Whether the statement was read in this language, or a person has allowed voices in it."""
    subtag = get_primary_subtag(language)
    if subtag == get_primary_subtag(consent.language):
        return True
    return subtag in {row.language for row in consent.language_exceptions.all()}
