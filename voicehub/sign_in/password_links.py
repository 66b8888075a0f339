"""Links by which people choose their password: with an invitation, or after someone asked for a new one for them."""

from django.conf import settings
from django.http import HttpRequest

from voicehub.models import SecurityEventKind, User
from voicehub.refusals import ActionRefused
from voicehub.security_log import record_security_event
from voicehub.sign_in.mails import enqueue_security_mail, make_password_link

INACTIVE = "{name} is not allowed to sign in. Select “May sign in” first."
NO_EMAIL = "{name} has no email address. Enter one first."


def is_invited(user: User) -> bool:
    """Whether the user has never signed in, and has not chosen a password yet."""
    return user.last_login is None and not user.has_usable_password()


def send_password_link(user: User, by: User | None, request: HttpRequest | None) -> str:
    """Mail the invitation, or a link for a new password. Raises ActionRefused.

    Returns the link if the studio has no mail server: the admin passes it on. Empty if it is mailed.
    """
    if not user.is_active:
        raise ActionRefused(INACTIVE.format(name=user))
    if settings.MAIL and not user.email:
        raise ActionRefused(NO_EMAIL.format(name=user))
    kind = SecurityEventKind.INVITED if is_invited(user) else SecurityEventKind.RESET_REQUESTED
    event = record_security_event(kind, by, request, user.username, person=user)
    if not settings.MAIL:
        return make_password_link(user)
    enqueue_security_mail(event)
    return ""
