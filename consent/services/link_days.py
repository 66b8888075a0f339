"""The last day on which a request can be answered through a private link: staff move it, and take that back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consent.models import Consent, ConsentStatus, EventKind, Invitation
from consent.services.audit_log import record_event
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import format_date

LONGEST_EXTENSION = timedelta(days=365)
NOT_OPEN = "The link needs no answer: it was revoked, or its requests were answered, canceled or have expired."


@dataclass(frozen=True, slots=True)
class DayChange:
    """The end of a link before and after a change."""

    invitation_id: UUID
    before: datetime
    after: datetime


def check_last_day(day: date) -> None:
    """Raise ActionRefused if no link may end on this day."""
    today = timezone.localdate()
    if day < today:
        raise ActionRefused("This day has passed. Choose today or a later day.")
    if day > today + LONGEST_EXTENSION:
        raise ActionRefused(f"Choose a day until {format_date(today + LONGEST_EXTENSION)}.")


def change_last_day(invitation: Invitation, day: date, by: User) -> DayChange:
    """Let the requests of this link be answered until the end of `day`. Raises ActionRefused if none waits for that."""
    check_last_day(day)
    end = timezone.make_aware(datetime.combine(day, time(23, 59, 59)))
    with transaction.atomic():
        consents = _lock_requests(invitation)
        row = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if row.revoked_at or not consents:
            raise ActionRefused(NOT_OPEN)
        if not any(_has_deadline(consent) for consent in consents):
            raise ActionRefused("The talent is asked to read it again. A retake has no last day.")
        if row.expires_at == end:
            raise ActionRefused(f"The link already ends on {format_date(day)}.")
        _store_end(row, end, consents, by)
    return DayChange(row.pk, row.expires_at, end)


def undo_changes(changes: Iterable[DayChange], by: User) -> int:
    """Put back each end that no person has changed since, and return their number."""
    return sum(_undo_change(change, by) for change in changes)


def _undo_change(change: DayChange, by: User) -> bool:
    with transaction.atomic():
        link = Invitation.objects.filter(pk=change.invitation_id).first()
        consents = _lock_requests(link) if link else []
        row = Invitation.objects.select_for_update().filter(pk=change.invitation_id, expires_at=change.after).first()
        if row is None or row.revoked_at or not consents:
            return False
        _store_end(row, change.before, consents, by)
    return True


def _lock_requests(invitation: Invitation) -> list[Consent]:
    """The requests of this link that wait for an answer. Their rows are locked, so that none expires meanwhile."""
    rows = Consent.objects.select_for_update(of=("self",)).filter(invitations=invitation).order_by("pk")
    return [consent for consent in rows.select_related("talent") if consent.status == ConsentStatus.REQUESTED]


def _has_deadline(consent: Consent) -> bool:
    return not consent.takes.filter(acceptable=True).exists()


def _store_end(invitation: Invitation, end: datetime, consents: Iterable[Consent], by: User) -> None:
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=end)
    day = timezone.localtime(end).date().isoformat()
    for consent in consents:
        record_event(consent, EventKind.EXTENDED, by, invitation=str(invitation.pk), until=day)
