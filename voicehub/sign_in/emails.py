"""Changes of a person's email address: by themselves with a link that is mailed to the new address, or by an admin.

The flow of django-allauth (ACCOUNT_CHANGE_EMAIL) is not used: it empties the present address if that was never
confirmed by a link, which is so for each address that an admin has entered.
"""

from allauth.account.models import EmailAddress
from django.db import transaction
from django.http import HttpRequest

from voicehub.models import SecurityEventKind, User
from voicehub.refusals import ActionRefused
from voicehub.security_log import record_security_event
from voicehub.sign_in.email_links import read_email_link
from voicehub.sign_in.mails import enqueue_security_mail

TAKEN = "Another user has this email address."


def is_email_taken(email: str, user: User) -> bool:
    """Whether someone else has this address. People may sign in with it."""
    return bool(email) and User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists()


def request_new_email(user: User, email: str, request: HttpRequest) -> None:
    """Mail a link to the new address. It counts once the link was used."""
    with transaction.atomic():
        enqueue_security_mail(record_security_event(SecurityEventKind.EMAIL_REQUESTED, user, request, email))


def find_new_email(token: str) -> tuple[User, str]:
    """The person and the new address of a link. Raises ActionRefused if it cannot be used."""
    user, email = read_email_link(token)
    if is_email_taken(email, user):
        raise ActionRefused(TAKEN)
    return user, email


def confirm_new_email(token: str, request: HttpRequest) -> User:
    """Raises ActionRefused."""
    with transaction.atomic():
        user, email = find_new_email(token)
        user = User.objects.select_for_update().get(pk=user.pk)
        before, user.email = user.email, email
        user.save(update_fields=["email"])
        record_new_email(user, before, user, request)
    return user


def record_new_email(user: User, before: str, by: User, request: HttpRequest) -> None:
    """After a change: the earlier address gets a mail."""
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    detail = f"{before or 'empty'} → {user.email or 'empty'}"
    event = record_security_event(SecurityEventKind.EMAIL_CHANGED, by, request, before, detail, user)
    if before:
        enqueue_security_mail(event)
