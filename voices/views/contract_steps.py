"""The next steps on the page Today for contracts."""

from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import Case, Exists, OuterRef, Q, QuerySet, When
from django.urls import reverse
from django.utils import timezone

from consent.labels import describe_term
from consent.models import Contract, ContractConfirmation
from consent.names import READ_CONTRACT, get_name_field
from voicehub.text import format_date, join_with_and
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents

# A contract that ends within this time is a next step. Today lists the later ones beside the steps.
RENEWAL = timedelta(days=14)


def list_contract_steps(talents: Talents = None) -> Iterator[NextStep]:
    """Contracts in force that end soon, then those whose party, countries or purposes are not confirmed. One query.

    A contract does not end soon if another of the talent ends later, even if that one has not started yet.
    """
    is_later = Q(ends_on__isnull=True) | Q(ends_on__gt=OuterRef("ends_on"))
    later = Contract.objects.filter(is_later, talent=OuterRef("talent"), superseded_by=None)
    confirmed = Exists(ContractConfirmation.objects.filter(contract=OuterRef("pk")))
    in_force: QuerySet[Contract] = select_talents(Contract.objects.in_force().select_related("talent"), talents)
    ends_soon = Q(~Exists(later), ends_on__lte=timezone.localdate() + RENEWAL)
    contracts = in_force.annotate(is_confirmed=confirmed, is_ending=Case(When(ends_soon, then=True), default=False))
    is_open = (Q(company="") | Q(countries=[]) | Q(is_confirmed=False)) & ~Q(purposes=[])
    rows = list(
        contracts.filter(Q(is_ending=True) | is_open).order_by(get_name_field("talent__"), "pk")[: 2 * MAX_ROWS]
    )
    for contract in rows:
        if contract.ends_on and contract.is_ending:
            yield _make_ending_step(contract, contract.ends_on)
    for contract in rows:
        if contract.purposes and not (contract.company and contract.countries and contract.is_confirmed):
            yield _make_confirm_step(contract, is_confirmed=contract.is_confirmed)


def _make_ending_step(contract: Contract, ends_on: date) -> NextStep:
    tone, label = describe_term(ends_on)
    return NextStep(
        contract.talent.shown_name,
        "",
        tone,
        label,
        (f"The contract ends on {format_date(ends_on)}.",),
        reverse("consent:contract_add", args=[contract.talent_id]),
        "Renew contract",
        None,
        "consent.add_contract",
        subject_url=contract.get_absolute_url(),
        subject_permission=READ_CONTRACT,
        talent_id=contract.talent_id,
    )


def _make_confirm_step(contract: Contract, *, is_confirmed: bool) -> NextStep:
    terms = ["the party"] * (not contract.company) + ["the countries"] * (not contract.countries)
    terms += ["the purposes"] * (not is_confirmed)
    day = format_date(contract.signed_on)
    return NextStep(
        contract.talent.shown_name,
        "",
        "wait",
        "To confirm",
        (f"Contract signed on {day}: confirm {join_with_and(terms)}.",),
        f"{contract.get_absolute_url()}#confirm",
        "Confirm terms",
        contract.filed_at,
        "consent.add_contract",
        subject_url=contract.talent.get_absolute_url(),
        talent_id=contract.talent_id,
    )
