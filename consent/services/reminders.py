"""Reminders of invitations that the talent has not answered: by themselves, or when staff ask for one."""

from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext

from consent.models import ConsentStatus, EventKind, Invitation
from consent.models.invitation import InvitationQuerySet
from consent.services.audit_log import record_event
from consent.services.filed_contracts import find_contract_problem, require_contract
from consent.services.mail_texts import make_mail
from consent.services.private_links import read_mailed_link
from consent.services.talent_languages import speak_to
from voicehub import outbox
from voicehub.models import User
from voicehub.refusals import ActionRefused

FIRST_AFTER, NEXT_AFTER = timedelta(days=5), timedelta(days=2)
MAX_REMINDERS = 5
"""VoiceHub sends no more by itself. Staff may ask for more."""
MIN_INTERVAL = timedelta(days=1)
"""Between two reminders, also if staff ask for them."""


def remind_talents() -> int:
    """Enqueue every reminder that is due, and return their number."""
    now = timezone.now()
    is_first_due = Q(reminder_count=0, sent_at__lte=now - FIRST_AFTER)
    is_next_due = Q(reminder_count__gt=0, reminded_at__lte=now - NEXT_AFTER)
    due = _query_unanswered().filter(is_first_due | is_next_due, reminder_count__lt=MAX_REMINDERS)
    return sum(_enqueue_reminder(invitation, None) for invitation in due)


def remind_talent(invitation: Invitation, by: User) -> None:
    """Send a reminder now.

    Raises ActionRefused if the link needs no answer, no contract allows a request, or a mail was sent within a day.
    """
    if not _query_unanswered().filter(pk=invitation.pk).exists():
        raise ActionRefused("No reminder was sent. The link was not mailed, no longer works, or needs no answer.")
    require_contract(*invitation.consents.filter(status=ConsentStatus.REQUESTED).select_related("talent"))
    last = invitation.reminded_at or invitation.sent_at
    if last and last > timezone.now() - MIN_INTERVAL:
        raise ActionRefused("A mail was sent within the last day. Send the next reminder tomorrow.")
    if not _enqueue_reminder(invitation, by):
        raise ActionRefused("Another reminder was sent at the same moment. Reload the page.")


def _query_unanswered() -> InvitationQuerySet:
    mailed = Invitation.objects.awaiting_answer().filter(channel=Invitation.Channel.MAIL, sent_at__isnull=False)
    return mailed.select_related("talent")


def _enqueue_reminder(invitation: Invitation, by: User | None) -> bool:
    """False if another process was faster: of two at the same time one sends the reminder."""
    with transaction.atomic():
        unchanged = Invitation.objects.filter(pk=invitation.pk, reminder_count=invitation.reminder_count)
        changed = unchanged.update(reminder_count=F("reminder_count") + 1, reminded_at=timezone.now(), reminded_by=by)
        if changed:
            outbox.enqueue_task("send_reminder", invitation.pk)
    return bool(changed)


def send_reminder(invitation_id: str) -> None:
    """Email the reminder with the same link as before, and a copy without the link to the agent.

    Nothing is sent if the talent has answered meanwhile, the link was revoked, or no contract allows a request anymore.
    """
    invitation = _query_unanswered().select_related("reminded_by", "created_by").filter(pk=invitation_id).first()
    if invitation is None:
        return
    talent = invitation.talent
    requests = invitation.consents.filter(status=ConsentStatus.REQUESTED).select_related("talent")
    consents = [consent for consent in requests if not find_contract_problem(consent)]
    if not consents:
        return
    context = {"invitation": invitation, "talent": talent, "consents": consents, "company": consents[0].company}
    with speak_to(talent):
        subject = gettext("Reminder: {company} asks for your voice consent").format(company=consents[0].company)
        mail_context = context | {"link": read_mailed_link(invitation)}
        make_mail(subject, "consent/mail/reminder.txt", mail_context, invitation.sent_to).send()
    with transaction.atomic():
        for consent in consents:
            by = invitation.reminded_by
            record_event(consent, EventKind.REMINDED, by, by_system=by is None, to=invitation.sent_to)
    if talent.agent_email:
        copy = render_to_string("consent/mail/agent_reminder.txt", context)
        subject = f"Copy: {consents[0].company} reminds {talent.name} of a voice consent"
        send_mail(subject, copy, settings.DEFAULT_FROM_EMAIL, [talent.agent_email])
