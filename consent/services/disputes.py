"""Reports "this was not me" of a talent about a decline or a withdrawal, and the answers of the studio."""

from django.db import transaction
from django.utils import timezone

from consent.models import EventKind, TalentMail
from consent.services.audit_log import record_event
from consent.services.talent_mails import enqueue_talent_mail
from voicehub.models import User
from voicehub.refusals import ActionRefused


def report_act(mail: TalentMail, by: User | None) -> bool:
    """Record that the act in this mail was not the talent's. False if that was recorded before.

    The decline or withdrawal stays in force. `by` is a staff member whose browser sent the report, or None.
    """
    with transaction.atomic():
        if not TalentMail.objects.filter(pk=mail.pk, disputed_at=None).update(disputed_at=timezone.now()):
            return False
        record_event(mail.consent, EventKind.DISPUTED, by, act=mail.kind)
        enqueue_talent_mail(mail.consent, TalentMail.Kind.DISPUTED)
    return True


def close_dispute(mail: TalentMail, by: User, reason: str) -> None:
    """Record the answer of the studio, which the talent can read. Raises ActionRefused if another person was faster."""
    with transaction.atomic():
        is_open = TalentMail.objects.disputed().filter(pk=mail.pk)
        if not is_open.update(resolved_at=timezone.now(), resolved_by=by, resolution=reason):
            raise ActionRefused("This report has already been answered.")
        record_event(mail.consent, EventKind.DISPUTE_CLOSED, by, reason=reason)
