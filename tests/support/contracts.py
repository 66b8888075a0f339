"""Contracts whose terms a person has confirmed, as the gate requires."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from consent.models import Contract
    from voicehub.models import User


def make_confirmed_terms() -> dict[str, Any]:
    """The fields of a contract with this studio that allows the use of the voice everywhere."""
    from django.conf import settings

    from consent.models import WORLDWIDE

    return {"company": settings.VOICEHUB_COMPANY, "countries": [WORLDWIDE]}


def confirm_purposes(contract: "Contract", by: "User") -> None:
    """Confirm every purpose of a contract."""
    from consent.services.contracts import confirm_terms

    confirm_terms(contract, by, purposes=contract.purposes)
