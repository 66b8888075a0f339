"""Records the use of second factors. The receivers of django-allauth's signals."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from voicehub.models import SecurityEventKind, User
from voicehub.security_log import record_security_event
from voicehub.sign_in.mails import enqueue_security_mail


def record_used_code(request: HttpRequest, user: User, authenticator: Authenticator, **_: Any) -> None:
    """A recovery code stands in for a factor that is lost or stolen, so the person gets a mail."""
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        enqueue_security_mail(record_security_event(SecurityEventKind.CODE_USED, user, request))


def record_failed_factor(request: HttpRequest, user: User, **_: Any) -> None:
    record_security_event(SecurityEventKind.FACTOR_FAILED, user, request)
