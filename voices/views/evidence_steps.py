"""Next steps about damaged evidence: contract files and audit logs whose last check failed."""

from collections.abc import Iterator

from consent.models import Consent, Contract
from consent.services.gate import find_file_objections, find_history_objections
from voices.views.next_step import MAX_ROWS, NextStep


def list_damaged_contracts() -> Iterator[NextStep]:
    """Contracts whose file is missing or was changed, until a check finds it as it was filed."""
    damaged = Contract.objects.exclude(file_problem="").select_related("talent").order_by("talent__name", "pk")
    for contract in damaged[:MAX_ROWS]:
        yield NextStep(
            contract.talent.name,
            "Contract",
            "bad",
            "File damaged",
            find_file_objections(contract),
            contract.get_absolute_url(),
            "Open contract",
            contract.file_checked_at,
            "consent.view_contract",
            subject_url=contract.talent.get_absolute_url(),
        )


def list_damaged_histories() -> Iterator[NextStep]:
    """Consents whose audit log is damaged, until a check finds it intact."""
    damaged = Consent.objects.exclude(broken_event=None).select_related("talent").order_by("talent__name", "pk")
    for consent in damaged[:MAX_ROWS]:
        yield NextStep(
            consent.talent.name,
            "Consent",
            "bad",
            "Audit log damaged",
            find_history_objections(consent),
            consent.get_absolute_url(),
            "Open consent",
            consent.history_checked_at,
            "consent.view_consent",
            subject_url=consent.talent.get_absolute_url(),
        )
