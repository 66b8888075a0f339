"""A cookie by which a browser shows that a person has signed in with it before. It never signs anyone in.

It is bound to the person's password: after a change of the password, the browser is new again.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac

from voicehub.models import User

LIFETIME = timedelta(days=180)
SALT = "voicehub.known-browser"


def get_cookie_name(user: User) -> str:
    return f"{'__Host-' if settings.HTTPS else 'voicehub-'}known-{user.pk}"


def _make_mark(user: User) -> str:
    return salted_hmac(SALT, f"{user.pk} {user.get_session_auth_hash()}", algorithm="sha256").hexdigest()


def find_known_browser(request: HttpRequest, user: User | None) -> str:
    """The identity of this browser, if the user has signed in with it before. Empty otherwise."""
    if user is None:
        return ""
    try:
        value = signing.loads(request.COOKIES.get(get_cookie_name(user), ""), salt=SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return ""
    return f"{user.pk}\n{value['id']}" if value.get("mark") == _make_mark(user) else ""


def remember_browser(response: HttpResponseBase, user: User) -> None:
    value = signing.dumps({"id": secrets.token_urlsafe(12), "mark": _make_mark(user)}, salt=SALT)
    response.set_cookie(
        get_cookie_name(user),
        value,
        max_age=LIFETIME,
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )
