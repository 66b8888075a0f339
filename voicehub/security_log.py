"""Records what concerns access: sign-ins, denied requests, changes of passwords, factors, roles, keys and settings."""

from datetime import timedelta

from allauth.core import context
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from voicehub.client_address import get_client_address, read_browser
from voicehub.models import SecurityEvent, SecurityEventKind, User

MAX_NAME = 200
REPEATED_STEP = timedelta(minutes=1)


def record_security_event(
    kind: SecurityEventKind,
    actor: User | None,
    request: HttpRequest | None,
    subject: str = "",
    detail: str = "",
    person: User | None = None,
) -> SecurityEvent:
    """Record in the caller's transaction what `actor` did, to `person` if that is someone else.

    Without `request`, a command or a task did it.
    """
    other = None if person == actor else person
    return SecurityEvent.objects.create(
        kind=kind,
        actor=actor,
        actor_name=str(actor)[:MAX_NAME] if actor else "",
        person=other if other and other.pk else None,
        person_name=str(other)[:MAX_NAME] if other else "",
        subject=subject[:MAX_NAME],
        detail=detail,
        address=get_client_address(request) if request else None,
        browser=read_browser(request) if request else "",
    )


def record_change(
    kind: SecurityEventKind, by: User | None, subject: str, detail: str, person: User | None = None
) -> SecurityEvent:
    """Record what someone changed, from where the request that is being answered came, if there is one."""
    request: HttpRequest | None = context.request
    return record_security_event(kind, by, request, subject, detail, person)


def record_denied(request: HttpRequest) -> None:
    """Record that a signed-in person may not do this: once for each person, path and minute."""
    user, path = request.user, request.path[:MAX_NAME]
    if isinstance(user, User) and not _find_recent(SecurityEventKind.DENIED, user).filter(subject=path).exists():
        record_security_event(SecurityEventKind.DENIED, user, request, path, request.method or "")


def record_delayed(request: HttpRequest, user: User | None) -> None:
    """Record that a limit of sign-ins is reached: once for each user, address and minute, so that no flood fills it."""
    recent = _find_recent(SecurityEventKind.SIGN_IN_DELAYED, user)
    if not recent.filter(address=get_client_address(request)).exists():
        record_security_event(SecurityEventKind.SIGN_IN_DELAYED, user, request)


def _find_recent(kind: SecurityEventKind, actor: User | None) -> QuerySet[SecurityEvent]:
    return SecurityEvent.objects.filter(kind=kind, actor=actor, at__gt=timezone.now() - REPEATED_STEP)
