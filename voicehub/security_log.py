"""Records what concerns access: sign-ins, denied requests, changes of passwords, factors, roles, keys and settings."""

from django.http import HttpRequest

from voicehub.middleware import get_client_address
from voicehub.models import SecurityEvent, SecurityEventKind, User

MAX_NAME, MAX_BROWSER = 200, 300


def record_security_event(
    kind: SecurityEventKind, actor: User | None, request: HttpRequest | None, subject: str = "", detail: str = ""
) -> SecurityEvent:
    """Record an event in the caller's transaction. Without `request`, a command or a task did it."""
    return SecurityEvent.objects.create(
        kind=kind,
        actor=actor,
        actor_name=str(actor)[:MAX_NAME] if actor else "",
        subject=subject[:MAX_NAME],
        detail=detail,
        address=get_client_address(request) if request else None,
        browser=request.headers.get("User-Agent", "")[:MAX_BROWSER] if request else "",
    )
