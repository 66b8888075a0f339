"""Next steps about damaged evidence: files of contracts and takes, and audit logs, whose last check failed."""

from collections.abc import Iterator
from typing import Any

from django.db.models import CharField, F, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from consent.models import Consent, Contract
from consent.names import READ_CONTRACT, choose_name, get_name_field
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents

COLUMNS = ("kind", "pk", "talent_id", "talent__name", "talent__short_name", "problem", "checked_at")
# For each kind: page, description, status, label of the link, needed permission.
LABELS = {
    "contract": ("consent:contract", "Contract", "File damaged", "Open contract", READ_CONTRACT),
    "audit log": ("consent:consent", "Consent", "Audit log damaged", "Open consent", "consent.view_consent"),
    "take": ("consent:consent", "Consent", "Recording damaged", "Open consent", "consent.view_consent"),
}
ADVICE = "No build can start with it. Ask an admin to restore it from the backup."


def list_damaged_evidence(talents: Talents = None) -> Iterator[NextStep]:
    """Contracts and consents, in one query, until a check finds that their files and audit log are as they were."""
    damaged = (_select_damaged_consents(talents), _select_damaged_takes(talents))
    rows = _select_damaged_contracts(talents).union(*damaged, all=True)
    for kind, pk, talent_id, name, short_name, problem, checked_at in rows.order_by(get_name_field("talent__"), "pk")[
        :MAX_ROWS
    ]:
        page, description, status, action, permission = LABELS[kind]
        talent_url, reasons = reverse("consent:talent", args=[talent_id]), (f"{problem} {ADVICE}",)
        url = reverse(page, args=[pk])
        yield NextStep(
            choose_name(name, short_name),
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
        kind=Value("contract"), problem=F("file_problem"), checked_at=F("file_checked_at")
    ).values_list(*COLUMNS)


def _select_damaged_consents(talents: Talents) -> QuerySet[Consent, Any]:
    damaged = select_talents(Consent.objects.exclude(broken_event=None).order_by(), talents)
    number = Cast("broken_event", CharField())
    return damaged.annotate(
        kind=Value("audit log"),
        problem=Concat(Value("Entry "), number, Value(" was modified."), output_field=CharField()),
        checked_at=F("history_checked_at"),
    ).values_list(*COLUMNS)


def _select_damaged_takes(talents: Talents) -> QuerySet[Consent, Any]:
    damaged = select_talents(Consent.objects.filter(take__check_made__file_problem__gt="").order_by(), talents)
    return damaged.annotate(
        kind=Value("take"),
        problem=F("take__check_made__file_problem"),
        checked_at=F("take__check_made__file_checked_at"),
    ).values_list(*COLUMNS)
