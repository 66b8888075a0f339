"""The next steps on the page Today for contracts."""

from collections.abc import Iterator

from django.db.models import Exists, OuterRef, Q, QuerySet

from consent.models import Contract, ContractConfirmation
from voicehub.text import format_date, join_with_and
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents


def list_contracts_to_confirm(talents: Talents = None) -> Iterator[NextStep]:
    """Contracts in force whose party, countries or purposes no person has confirmed."""
    confirmed = Exists(ContractConfirmation.objects.filter(contract=OuterRef("pk")))
    in_force: QuerySet[Contract] = select_talents(Contract.objects.in_force().select_related("talent"), talents)
    contracts = in_force.annotate(is_confirmed=confirmed)
    unconfirmed = contracts.filter(Q(company="") | Q(countries=[]) | Q(is_confirmed=False)).exclude(purposes=[])
    for contract in unconfirmed.order_by("talent__name", "pk")[:MAX_ROWS]:
        terms = ["the party"] * (not contract.company) + ["the countries"] * (not contract.countries)
        terms += ["the purposes"] * (not contract.is_confirmed)
        day = format_date(contract.signed_on)
        yield NextStep(
            contract.talent.name,
            "Talent",
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
