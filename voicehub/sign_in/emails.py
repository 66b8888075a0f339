"""What follows a change of a person's email address."""

from allauth.account.models import EmailAddress
from django.http import HttpRequest

from voicehub.models import SecurityEventKind, User
from voicehub.security_log import record_security_event
from voicehub.sign_in.mails import enqueue_security_mail


def record_new_email(user: User, before: str, by: User, request: HttpRequest) -> None:
    """After a change: the earlier address gets a mail, and addresses that wait for a confirmation are forgotten."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email, verified=True).delete()
    person = None if by == user else user
    detail = f"{before or 'empty'} → {user.email or 'empty'}"
    event = record_security_event(SecurityEventKind.EMAIL_CHANGED, by, request, before, detail, person)
    if before:
        enqueue_security_mail(event)
