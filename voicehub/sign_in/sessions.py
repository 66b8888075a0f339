"""The session store: Django's own in the database, but with the SHA-256 of each session key instead of the key.

A person who can read the database cannot take over a session (OWASP ASVS 5.0, 7.2.3). A session of a signed-in person
ends at a fixed time after the sign-in, and earlier if the person does nothing (7.3.1, 7.3.2).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from voicehub.client_address import get_client_address, read_browser
from voicehub.confirmation import SIGN_IN_KEY
from voicehub.models import BrowserSession, User
from voicehub.problem_pages import SAFE_METHODS, is_script_request
from voicehub.tokens import hash_token

SEEN_STEP = timedelta(minutes=5)  # how exact the time of the last activity is kept


def hash_key(session_key: str) -> str:
    return hash_token(session_key)[: BrowserSession.KEY_LENGTH]


class SessionStore(DatabaseStore):
    seen_at: datetime | None = None

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def _get_session_from_db(self) -> BrowserSession | None:
        key = hash_key(self.session_key or "")
        row = BrowserSession.objects.filter(session_key=key, expire_date__gt=timezone.now()).first()
        if row is None or is_idle(row):
            self._session_key = None
            return None
        self.seen_at = row.seen_at
        return row

    def exists(self, session_key: str) -> bool:
        return BrowserSession.objects.filter(session_key=hash_key(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        sign_in: Mapping[str, Any] = data.get(SIGN_IN_KEY, {})
        return BrowserSession(
            session_key=hash_key(self.session_key or ""),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=data.get(SESSION_KEY),
            started_at=sign_in.get("at"),
            seen_at=timezone.now(),
            address=sign_in.get("address"),
            browser=sign_in.get("browser", ""),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            BrowserSession.objects.filter(session_key=hash_key(key)).delete()

    def mark_seen(self) -> None:
        """Note that the person is active. Writes one column at most every few minutes, never the session's data."""
        now = timezone.now()
        if self.session_key and (self.seen_at is None or now - self.seen_at > SEEN_STEP):
            BrowserSession.objects.filter(session_key=hash_key(self.session_key)).update(seen_at=now)
            self.seen_at = now


def find_idle_limit() -> datetime:
    """A person who was last active before this is idle."""
    return timezone.now() - timedelta(minutes=settings.VOICEHUB_IDLE_MINUTES)


def is_idle(row: BrowserSession) -> bool:
    return row.user_id is not None and row.seen_at is not None and row.seen_at < find_idle_limit()


def start_session(request: HttpRequest, **_: Any) -> None:
    """Note in a session that was just signed in when, from where and in which browser, and set its end."""
    now = timezone.now()
    request.session.set_expiry(now + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    request.session[SIGN_IN_KEY] = {
        "at": now.isoformat(),
        "address": get_client_address(request),
        "browser": read_browser(request),
    }


def find_sessions(user: User) -> QuerySet[BrowserSession]:
    """The user's sessions that have not ended, the newest activity first."""
    sessions = BrowserSession.objects.filter(user=user, expire_date__gt=timezone.now(), seen_at__gt=find_idle_limit())
    return sessions.order_by("-seen_at")


def end_sessions(user: User, keep: str | None = None, only: str | None = None) -> int:
    """End sessions of the user: not the one with the session key `keep`, and `only` the row with this key, if given.

    Return how many were ended.
    """
    sessions = find_sessions(user)
    if keep:
        sessions = sessions.exclude(session_key=hash_key(keep))
    if only:
        sessions = sessions.filter(session_key=only)
    return sessions.delete()[0]


class ActivityMiddleware:
    """Notes that a signed-in person is active: opens pages or sends something. A page that polls is not a person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_poll = request.method in SAFE_METHODS and is_script_request(request)
        if not is_poll and SESSION_KEY in request.session and isinstance(request.session, SessionStore):
            request.session.mark_seen()
        return self.get_response(request)
