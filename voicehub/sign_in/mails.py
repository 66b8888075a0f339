"""Mails to a member of the staff about their own access: a new browser, a changed password or factor, an invitation."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse

from voicehub import outbox
from voicehub.models import SecurityEvent, SecurityEventKind, User
from voicehub.sign_in.email_links import make_email_link

TASK = "send_security_mail"
SUBJECTS = {
    SecurityEventKind.SIGNED_IN: "Sign-in with a new browser",
    SecurityEventKind.PASSWORD_CHANGED: "Your password was changed",
    SecurityEventKind.PASSWORD_RESET: "Your password was changed",
    SecurityEventKind.RESET_REQUESTED: "Choose a new password",
    SecurityEventKind.EMAIL_REQUESTED: "Confirm your new email address",
    SecurityEventKind.EMAIL_CHANGED: "Your email address was changed",
    SecurityEventKind.FACTOR_ADDED: "A second factor was added",
    SecurityEventKind.FACTOR_REMOVED: "A second factor was removed",
    SecurityEventKind.CODES_CREATED: "New recovery codes were created",
    SecurityEventKind.CODE_USED: "A recovery code was used",
    SecurityEventKind.INVITED: "Your access to VoiceHub",
}
# These mails lead to a page on which the person chooses a password.
WITH_LINK = {SecurityEventKind.RESET_REQUESTED, SecurityEventKind.INVITED}

# These mails go to the address that the event is about: the new one, or the earlier one.
TO_SUBJECT = {SecurityEventKind.EMAIL_REQUESTED, SecurityEventKind.EMAIL_CHANGED}


def enqueue_security_mail(event: SecurityEvent) -> None:
    outbox.enqueue_task(TASK, event.pk)


def make_password_link(user: User) -> str:
    """The address at which this user chooses a password. It works once, for PASSWORD_RESET_TIMEOUT seconds."""
    parts = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return settings.VOICEHUB_BASE_URL + reverse("account_reset_password_from_key", kwargs=parts)


def make_link(kind: SecurityEventKind, user: User, subject: str) -> str:
    """The link in a mail, made when it is sent: links are not stored."""
    if kind == SecurityEventKind.EMAIL_REQUESTED:
        return make_email_link(user, subject)
    return make_password_link(user) if kind in WITH_LINK else ""


def send_security_mail(event_id: str) -> None:
    event = SecurityEvent.objects.select_related("actor", "person").filter(pk=event_id).first()
    user = (event.person or event.actor) if event else None
    if event is None or user is None or not user.is_active:
        return
    kind = SecurityEventKind(event.kind)
    address = event.subject if kind in TO_SUBJECT else user.email
    if not address:
        return
    context = {
        "event": event,
        "user": user,
        "studio": settings.VOICEHUB_COMPANY,
        "link": make_link(kind, user, event.subject),
        "days": settings.PASSWORD_RESET_TIMEOUT // 86400,
        "profile": settings.VOICEHUB_BASE_URL + reverse("profile"),
    }
    text = render_to_string(f"staff/mail/{kind.value}.txt", context)
    send_mail(SUBJECTS[kind], text, settings.DEFAULT_FROM_EMAIL, [address])
