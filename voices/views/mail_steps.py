"""Next steps about mails that the mail server refused for good."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import F
from django.urls import reverse

from consent.models import AccessCode, Invitation, Talent, TalentMail
from consent.names import hide_addresses
from voicehub.mail_refusals import REFUSED, names_address
from voicehub.models import Task, TaskStatus
from voices.views.next_step import MAX_ROWS, NextStep, Talents

MARK_SEEN, CHANGE_TALENT, REVIEW = "voicehub.change_task", "consent.change_talent", "consent.review_consent"
# What a correction of the address sends again (see `consent.services.talent_details`).
SENT_AGAIN = {"send_invitation", "send_talent_mail"}
Row = Invitation | TalentMail | AccessCode
Rows = Mapping[str, Any]


def load_failed_tasks() -> list[Task]:
    """The newest failed tasks that no person has marked as seen."""
    failed = Task.objects.filter(status=TaskStatus.FAILED, seen_at=None)
    return list(failed.order_by(F("finished_at").desc(nulls_last=True))[: 2 * MAX_ROWS])


def is_refused_mail(task: Task) -> bool:
    """Whether Today shows the failed task as a next step."""
    return task.kind in LOADERS and task.reason.startswith(REFUSED)


def list_refused_mails(talents: Talents = None, failed: Sequence[Task] | None = None) -> Iterator[NextStep]:
    """A mail that a new link has replaced is left out. `failed` saves a query if the page has loaded the tasks."""
    found = load_failed_tasks() if failed is None else failed
    tasks = [task for task in found if is_refused_mail(task)][:MAX_ROWS]
    rows = {kind: load([task.object_id for task in tasks if task.kind == kind]) for kind, load in _used_loaders(tasks)}
    for task in tasks:
        row = rows[task.kind].get(task.object_id)
        step = _make_step(task, row) if row and _has_same_address(task, row) else None
        if step and (talents is None or step.talent_id in talents):
            yield step


def _used_loaders(tasks: Iterable[Task]) -> list[tuple[str, Callable[[list[str]], Rows]]]:
    return [(kind, LOADERS[kind]) for kind in {task.kind for task in tasks}]


def _load_links(ids: list[str]) -> Rows:
    links = Invitation.objects.filter(pk__in=ids, revoked_at=None).select_related("talent")
    return {str(link.pk): link for link in links}


def _load_mails(ids: list[str]) -> Rows:
    mails = TalentMail.objects.filter(pk__in=ids, sent_at=None).select_related("consent__talent")
    return {str(mail.pk): mail for mail in mails}


def _load_codes(ids: list[str]) -> Rows:
    codes = AccessCode.objects.filter(pk__in=ids, sent_at=None).select_related("invitation__talent")
    return {str(code.pk): code for code in codes}


LOADERS: Mapping[str, Callable[[list[str]], Rows]] = {
    "send_invitation": _load_links,
    "send_reminder": _load_links,
    "send_code": _load_codes,
    "send_talent_mail": _load_mails,
}


def _has_same_address(task: Task, row: Row) -> bool:
    """Whether the refused address is still in use. A reminder may have been refused for the agent."""
    talent = _get_talent(row)
    addresses = [talent.email, talent.agent_email] if task.kind == "send_reminder" else [row.sent_to]
    return names_address(task.reason, addresses)


def _get_talent(row: Row) -> Talent:
    if isinstance(row, AccessCode):
        return row.invitation.talent
    return row.talent if isinstance(row, Invitation) else row.consent.talent


def _make_step(task: Task, row: Row) -> NextStep:
    talent = _get_talent(row)
    if isinstance(row, TalentMail) and row.recipient == TalentMail.Recipient.PRODUCER:
        what, action, permission = "An admin can correct the address of the user.", "See consent", REVIEW
        url = row.consent.get_absolute_url()
    else:
        what = "Correct the address, and it is sent again." if task.kind in SENT_AGAIN else "Correct the address."
        action, permission = "Correct address", CHANGE_TALENT
        url = reverse("consent:talent_edit", args=[talent.pk])
    return NextStep(
        talent.shown_name,
        "",
        "bad",
        "Mail refused",
        (what, hide_addresses(task.reason)),
        url,
        action,
        task.finished_at,
        permission,
        subject_url=talent.get_absolute_url(),
        mark_url=reverse("voices:task_seen", args=[task.pk]),
        mark_permission=MARK_SEEN,
        talent_id=talent.pk,
    )
