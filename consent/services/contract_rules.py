"""The gate's rules for one contract: is it in force, do its terms allow the build, and what is questionable?"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from django.utils import timezone

from consent.models import WORLDWIDE, Contract, Purpose, Talent
from consent.services.consent_rules import is_same_name
from consent.services.countries import describe_countries, includes_countries
from voicehub.text import format_date

LONGEST_TERM_YEARS = 10


class Objection(NamedTuple):
    """Why a contract does not allow a build, and the contract whose terms a person can confirm to change that."""

    text: str
    to_confirm: Contract | None = None


def explain_no_contract(talent: Talent, filed: Sequence[Contract]) -> str:
    """Why none of these contracts, latest first, is in force today."""
    if not filed:
        return f"No contract of {talent.shown_name} is on file."
    return f"No contract of {talent.shown_name} is in force today: {_describe_period(filed[0])}."


def _describe_period(contract: Contract) -> str:
    today = timezone.localdate()
    if contract.ends_on and contract.ends_on < today:
        return f"the latest ended on {format_date(contract.ends_on)}"
    if contract.signed_on > today:
        return f"the latest will be signed on {format_date(contract.signed_on)}"
    return f"the latest begins on {format_date(contract.starts_on)}"


def iterate_term_objections(
    contract: Contract, provider: str, label: str, purpose: str, confirmed_purposes: Collection[str]
) -> Iterator[Objection]:
    """Yield which terms of this contract in force do not allow the build, or are not confirmed."""
    name, use = f"The contract signed on {format_date(contract.signed_on)}", Purpose(purpose).label.lower()
    if provider not in contract.providers:
        yield Objection(f"{name} does not allow {label}.")
    if purpose not in contract.purposes:
        yield Objection(f"{name} does not allow {use}.")
    elif purpose not in confirmed_purposes:
        text = f"{name} is not confirmed for {use}. Read its excluded uses and its training clause, then confirm it."
        yield Objection(text, contract)
    day = format_date(contract.signed_on)
    if not contract.company:
        yield Objection(f"The party of the contract signed on {day} is not confirmed. Confirm its terms.", contract)
    if not contract.countries:
        yield Objection(
            f"The countries of the contract signed on {day} are not confirmed. Confirm its terms.", contract
        )

    if contract.file_problem:
        yield Objection(
            f"The contract file is missing or was changed: {contract.file_problem} Ask an admin to restore the file of "
            f"the contract signed on {day}, then check it again on its page."
        )


def describe_suspension(contract: Contract, reason: str) -> Objection:
    return Objection(f"The contract signed on {format_date(contract.signed_on)} is suspended: {reason.rstrip('.')}.")


def iterate_exclusive_objections(contract: Contract, current: Iterable[Contract]) -> Iterator[Objection]:
    """Yield which other contract of the talent reserves the voice for another company, also if it is suspended."""
    for other in current:
        if not other.exclusive or other.pk == contract.pk:
            continue
        name = f"The contract signed on {format_date(other.signed_on)}"
        if not other.company:
            yield Objection(f"{name} is exclusive, and its party is not confirmed. Confirm its terms.", other)
        elif contract.company and not is_same_name(other.company, contract.company):
            yield Objection(f"{name} gives {other.company} the exclusive use. Add a contract that replaces it.")


def find_country_objections(contract: Contract, countries: Sequence[str]) -> tuple[str, ...]:
    """Why the contract does not cover the countries of the voice. Unknown countries are not checked."""
    if not countries or not contract.countries or includes_countries(contract.countries, countries):
        return ()
    place = "worldwide" if WORLDWIDE in countries else f"in {describe_countries(countries)}"
    return (
        f"The voice is used {place}, but the contract signed on {format_date(contract.signed_on)} covers only "
        f"{describe_countries(contract.countries)}. Change the countries of the voice, or add another contract.",
    )


def list_contract_warnings(contract: Contract) -> tuple[str, ...]:
    """What a person should question in this contract. None of it blocks a build.

    Without representation and a specific description of the uses, a clause for a digital replica is void under
    California Labor Code 927 and New York General Obligations Law 5-302. The NO FAKES bill of 2026 limits the term
    of a license to ten years.
    """
    return tuple(_iterate_warnings(contract))


def _iterate_warnings(contract: Contract) -> Iterator[str]:
    name = f"The contract signed on {format_date(contract.signed_on)}"
    if not contract.compensation.strip():
        yield f"{name} states no pay. Check what the talent receives for the voice."
    if not contract.representation.strip():
        yield f"{name} names no agent, lawyer or union. In several US states, its clause on the voice may be void."
    if not contract.intended_uses.strip():
        yield f"{name} states no intended uses. In several US states, a clause without specific uses may be void."
    if _is_longer_than_ten_years(contract):
        yield f"{name} runs for more than ten years. US bills limit the license of a voice to ten years."


def _is_longer_than_ten_years(contract: Contract) -> bool:
    """A term without an end date does not count: no source gives it a length."""
    if contract.ends_on is None:
        return False
    start, end = contract.starts_on, contract.ends_on
    return (end.year - LONGEST_TERM_YEARS, end.month, end.day) > (start.year, start.month, start.day)
