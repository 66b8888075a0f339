"""Actions on many requests at once. Each is done or refused on its own, and the result names what was refused."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar
from uuid import UUID

from consent.models import Consent, ConsentStatus, Invitation
from consent.services.filed_contracts import find_contract_problem
from consent.services.invitations import invite_talent, may_have_link, void_consent
from consent.services.link_days import DayChange, change_last_day
from consent.services.reminders import remind_talent
from voicehub.models import User
from voicehub.refusals import ActionRefused

NO_LINK = "No link was sent that waits for an answer."
NO_REQUEST = "The request was canceled or has expired. Ask for a new consent."
Row = TypeVar("Row")


@dataclass(slots=True)
class BulkResult:
    """How many were done, and by reason the names of those that were not. `changes` are what an undo puts back."""

    done: int = 0
    refused: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    changes: list[DayChange] = field(default_factory=list)

    def refuse(self, name: str, reason: str) -> None:
        if name not in self.refused[reason]:
            self.refused[reason].append(name)


def remind_many(consents: Sequence[Consent], by: User) -> BulkResult:
    """Send one reminder for each mailed link to these requests."""
    result = BulkResult()
    for invitation in _find_links(consents, result):
        _attempt(result, invitation.talent.shown_name, remind_talent, invitation, by)
    return result


def resend_many(consents: Sequence[Consent], by: User) -> BulkResult:
    """Mail each of their talents one new link to these requests. The earlier links to them stop working."""
    result = BulkResult()
    by_talent: dict[UUID, list[Consent]] = defaultdict(list)
    for consent in consents:
        if problem := _find_link_problem(consent):
            result.refuse(consent.talent.shown_name, problem)
        else:
            by_talent[consent.talent_id].append(consent)
    for group in by_talent.values():
        _attempt(result, group[0].talent.shown_name, invite_talent, group, by)
    return result


def _find_link_problem(consent: Consent) -> str:
    if not may_have_link(consent):
        return NO_REQUEST
    problem = find_contract_problem(consent) if consent.status == ConsentStatus.REQUESTED else ""
    return f"{problem} Add the contract first." if problem else ""


def extend_many(consents: Sequence[Consent], day: date, by: User) -> BulkResult:
    """Let each link to these requests be answered until this day."""
    result = BulkResult()
    for invitation in _find_links(consents, result):
        if change := _attempt(result, invitation.talent.shown_name, change_last_day, invitation, day, by):
            result.changes.append(change)
    return result


def void_many(consents: Sequence[Consent], by: User, reason: str) -> BulkResult:
    result = BulkResult()
    for consent in consents:
        _attempt(result, consent.talent.shown_name, void_consent, consent, by, reason)
    return result


def _find_links(consents: Sequence[Consent], result: BulkResult) -> Iterator[Invitation]:
    """Each link to these consents that was not revoked, once. A consent without one is refused."""
    links: dict[UUID, Invitation] = {}
    rows = Invitation.objects.filter(consents__in=consents, revoked_at=None).exclude(token_digest="")
    newest = rows.select_related("talent").prefetch_related("consents").order_by("created_at")
    by_consent = {consent.pk: link for link in newest for consent in link.consents.all()}
    for consent in consents:
        if link := by_consent.get(consent.pk):
            links[link.pk] = link
        else:
            result.refuse(consent.talent.shown_name, NO_LINK)
    return iter(links.values())


def _attempt(result: BulkResult, name: str, act: Callable[..., Row], *args: object) -> Row | None:
    """Call `act`. A refusal is stored under the name of the talent."""
    try:
        answer = act(*args)
    except ActionRefused as refusal:
        _refuse_all(result, name, refusal.reasons)
        return None
    result.done += 1
    return answer


def _refuse_all(result: BulkResult, name: str, reasons: Iterable[str]) -> None:
    for reason in reasons:
        result.refuse(name, reason)
