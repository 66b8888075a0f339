"""The rule that no consent is sent, recorded or approved without a contract on file.

The contract allows the provider and the purpose of the consent and has not ended. One that starts later counts, so that
everything can be ready on its first day: the gate refuses builds until then. A suspended contract counts too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import DateField, Exists, F, OuterRef, Q, TextField, Value
from django.db.models.functions import Cast, Concat, Greatest
from django.utils import timezone
from django.utils.translation import gettext

from consent.extension_points import get_provider_label
from consent.models import Consent, Contract
from consent.services.disclosure import get_first_day, get_last_day, list_allowing
from voicehub.refusals import ActionRefused
from voicehub.text import format_date


class ContractMissing(ActionRefused):
    """No contract on file allows the consent."""


@dataclass(frozen=True, slots=True)
class FiledContracts:
    """Why no contract on file allows a consent, or a note if one does that has not started. Both may be empty."""

    problem: str = ""
    start_note: str = ""


def judge_contracts(consent: Consent, contracts: Sequence[Contract] | None = None) -> FiledContracts:
    """What staff read about the contracts for this consent. `contracts` are all of the talent, if they are loaded."""
    rows = load_contracts(consent) if contracts is None else contracts
    start = find_start(consent, rows)
    note = f"The contract starts on {format_date(start)}. No voice can be built before that day." if start else ""
    return FiledContracts(find_contract_problem(consent, rows), note)


def load_contracts(consent: Consent) -> list[Contract]:
    return list(consent.talent.contracts.select_related("superseded_by"))


def list_readable_contracts(consent: Consent, contracts: Iterable[Contract] | None = None) -> list[Contract]:
    """The contracts that the talent may read with this consent: those that allow it, also if they have ended."""
    return list_allowing(consent, load_contracts(consent) if contracts is None else contracts)


def find_readable_contract(consent: Consent, pk: UUID) -> Contract | None:
    return next((contract for contract in list_readable_contracts(consent) if contract.pk == pk), None)


def list_on_file(consent: Consent, contracts: Iterable[Contract]) -> list[Contract]:
    """Those of the talent's contracts that allow the consent and have not ended."""
    return [contract for contract in list_allowing(consent, contracts) if has_not_ended(contract)]


def has_not_ended(contract: Contract) -> bool:
    """Whether the contract has a day left. One that starts later has."""
    return get_last_day(contract) >= max(timezone.localdate(), get_first_day(contract))


def is_on_file() -> Exists:
    """Whether a contract is on file, as `list_on_file` says, as a condition on consents.

    A list is stored as JSON, in which a purpose or a provider stands between quotation marks.
    """
    today = Value(timezone.localdate(), output_field=DateField())
    replacements = Contract.objects.filter(
        supersedes=OuterRef("pk"), starts_on__lte=OuterRef("counts_from"), signed_on__lte=OuterRef("counts_from")
    )
    contracts = Contract.objects.annotate(
        counts_from=Greatest(F("starts_on"), F("signed_on"), today),
        purposes_text=Cast("purposes", TextField()),
        providers_text=Cast("providers", TextField()),
    )
    on_file = contracts.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=F("counts_from")),
        ~Exists(replacements),
        talent=OuterRef("talent"),
        purposes_text__contains=Concat(Value('"'), OuterRef("purpose"), Value('"')),
        providers_text__contains=Concat(Value('"'), OuterRef("provider"), Value('"')),
    )
    return Exists(on_file)


def find_start(consent: Consent, contracts: Iterable[Contract]) -> date | None:
    """The day on which the first contract on file starts, if none has started."""
    first_day = min((get_first_day(contract) for contract in list_on_file(consent, contracts)), default=None)
    return first_day if first_day and first_day > timezone.localdate() else None


def find_contract_problem(consent: Consent, contracts: Sequence[Contract] | None = None) -> str:
    """Why no contract on file allows this consent, for staff. Empty if one does."""
    rows = load_contracts(consent) if contracts is None else contracts
    if list_on_file(consent, rows):
        return ""
    name = consent.talent.shown_name
    if not rows:
        return f"No contract of {name} is on file."
    label, use = get_provider_label(consent.provider), consent.get_purpose_display().lower()
    if ended_on := _find_end(consent, rows):
        return f"The contract of {name} that allows {label} for {use} ended on {format_date(ended_on)}."
    return f"No contract of {name} allows {label} for {use}."


def explain_to_talent(consent: Consent, contracts: Sequence[Contract] | None = None) -> str:
    """Why the talent cannot record this consent now. Empty if a contract on file allows it."""
    rows = load_contracts(consent) if contracts is None else contracts
    if list_on_file(consent, rows):
        return ""
    ended_on = _find_end(consent, rows)
    if ended_on:
        return gettext(
            "You cannot record this now, because your contract for this ended on {day}. The studio has to add a "
            "contract first."
        ).format(day=format_date(ended_on))
    return gettext(
        "You cannot record this now, because no contract of yours allows it. The studio has to add a contract first."
    )


def _find_end(consent: Consent, contracts: Iterable[Contract]) -> date | None:
    """The last day of the latest contract that allowed the consent and has ended."""
    last_days = (get_last_day(contract) for contract in list_allowing(consent, contracts))
    return max((day for day in last_days if day < timezone.localdate()), default=None)


def require_contract(*consents: Consent) -> None:
    """Raise ContractMissing with the reason for each of these consents that no contract on file allows."""
    problems = [problem for consent in consents if (problem := find_contract_problem(consent))]
    if problems:
        raise ContractMissing(*dict.fromkeys(f"{problem} Add the contract first." for problem in problems))
