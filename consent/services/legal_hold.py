"""Legal holds: while a talent has one, nothing of the talent is deleted. Withdrawals still stop all use at once."""

from datetime import datetime

from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from consent.extension_points import resume_deletions
from consent.models import Consent, Event, EventKind, Talent
from consent.services.audit_log import record_event
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused

DRAFTS_TASK = "delete_contract_drafts"
KEPT_BY_HOLD = gettext_lazy("Kept because of a legal hold")


def query_talents_on_hold() -> QuerySet[Talent]:
    """The talents with a legal hold."""
    return Talent.objects.filter(legal_hold_at__isnull=False)


def is_deletion_on_hold(talent: Talent) -> bool:
    """Whether nothing of this talent may be deleted now. Asks the database."""
    return query_talents_on_hold().filter(pk=talent.pk).exists()


def find_last_release(talent: Talent) -> datetime | None:
    """When the last legal hold on this talent was released."""
    releases = Event.objects.filter(consent__talent=talent, kind=EventKind.HOLD_RELEASED)
    last: datetime | None = releases.aggregate(last=Max("at"))["last"]
    return last


def require_no_hold(talent: Talent) -> None:
    """Raise ActionRefused if the talent has a legal hold. Needs a transaction: a hold set meanwhile waits for it."""
    held = Talent.objects.select_for_update(no_key=True, of=("self",)).select_related("legal_hold_by").get(pk=talent.pk)
    if held.is_on_hold:
        raise ActionRefused(
            f"{held.shown_name} has a legal hold, set by {held.legal_hold_by} (“{held.legal_hold_reason}”). "
            "Nothing is deleted until it is released on the talent's page."
        )


def set_hold(talent: Talent, by: User, reason: str) -> None:
    """Stop every deletion of this talent. Raises ActionRefused if there is a hold already."""
    with transaction.atomic():
        changed = Talent.objects.filter(pk=talent.pk, legal_hold_at=None).update(
            legal_hold_reason=reason, legal_hold_by=by, legal_hold_at=timezone.now()
        )
        if not changed:
            raise ActionRefused(f"{talent.shown_name} already has a legal hold.")
        _record_on_every_consent(talent, EventKind.HOLD_SET, by, reason)


def release_hold(talent: Talent, by: User, reason: str) -> None:
    """Let the deletions that waited go on at once. Raises ActionRefused if there is no hold."""
    with transaction.atomic():
        held = query_talents_on_hold().filter(pk=talent.pk)
        if not held.update(legal_hold_reason="", legal_hold_by=None, legal_hold_at=None):
            raise ActionRefused(f"{talent.shown_name} has no legal hold.")
        _record_on_every_consent(talent, EventKind.HOLD_RELEASED, by, reason)
        outbox.enqueue_task(DRAFTS_TASK, "all")
        resume_deletions(talent)


def _record_on_every_consent(talent: Talent, kind: EventKind, by: User, reason: str) -> None:
    for consent in Consent.objects.filter(talent=talent).select_related("talent").order_by("pk"):
        record_event(consent, kind, by, reason=reason)
