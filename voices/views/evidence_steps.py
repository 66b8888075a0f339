"""Next steps about damaged evidence: contract files and audit logs whose last check failed."""

from collections.abc import Iterator
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from consent.models import Consent, Contract
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents

COLUMNS = ("page", "pk", "talent_id", "talent__name", "problem", "checked_at")
# For each page: description, status, label of the link, needed permission.
LABELS = {
    "consent:contract": ("Contract", "File damaged", "Open contract", "consent.view_contract"),
    "consent:consent": ("Consent", "Audit log damaged", "Open consent", "consent.view_consent"),
}
ADVICE = "No build can start with it. Ask an admin to restore it from the backup."


def list_damaged_evidence(talents: Talents = None) -> Iterator[NextStep]:
    """Contracts and consents, in one query, until a check finds that their file or audit log is as it was."""
    rows = _select_damaged_contracts(talents).union(_select_damaged_consents(talents), all=True)
    for page, pk, talent_id, name, problem, checked_at in rows.order_by("talent__name", "pk")[:MAX_ROWS]:
        description, status, action, permission = LABELS[page]
        talent_url, reasons = reverse("consent:talent", args=[talent_id]), (f"{problem} {ADVICE}",)
        url = reverse(page, args=[pk])
        yield NextStep(
            name,
            description,
            "bad",
            status,
            reasons,
            url,
            action,
            checked_at,
            permission,
            subject_url=talent_url,
            talent_id=talent_id,
        )


def _select_damaged_contracts(talents: Talents) -> QuerySet[Contract, Any]:
    damaged = select_talents(Contract.objects.exclude(file_problem="").order_by(), talents)
    return damaged.annotate(
        page=Value("consent:contract"), problem=F("file_problem"), checked_at=F("file_checked_at")
    ).values_list(*COLUMNS)


def _select_damaged_consents(talents: Talents) -> QuerySet[Consent, Any]:
    damaged = select_talents(Consent.objects.exclude(broken_event=None).order_by(), talents)
    number = Cast("broken_event", CharField())
    return damaged.annotate(
        page=Value("consent:consent"),
        problem=Concat(Value("Entry "), number, Value(" was modified."), output_field=CharField()),
        checked_at=F("history_checked_at"),
    ).values_list(*COLUMNS)
