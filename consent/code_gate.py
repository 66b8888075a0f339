"""Which pages behind a private link need a one-time code, and the cookie of a browser in which one was entered."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext

from consent.models import AddressCheck, Invitation
from consent.services.access_codes import make_browser_mark, needs_code

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, Invitation, P], HttpResponseBase]
CODE_COOKIE = "voicehub-code"
BROWSER_LIFETIME = timedelta(days=30)


def require_code(view: View[P]) -> View[P]:
    """Decorator below `require_invitation`: ask for a code first, unless this browser has entered one.

    The first page behind the link, the answer no and the withdrawal need none: saying no is always possible.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, invitation: Invitation, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not is_code_missing(request, invitation):
            return view(request, invitation, *args, **kwargs)
        if not request.accepts("text/html"):  # the recorder, which keeps the recording in the browser
            problem = gettext(
                "Open your private link again and enter the code from your mail. Your recording stays in this browser."
            )
            return JsonResponse({"problem": problem}, status=403)
        page = request.path if request.method in {"GET", "HEAD"} else reverse("invitation:home", args=[invitation.pk])
        return redirect(make_code_url(invitation, page))

    return wrapped


def is_code_missing(request: HttpRequest, invitation: Invitation) -> bool:
    return needs_code(invitation) and not has_entered_code(request, invitation)


def make_code_url(invitation: Invitation, page: str) -> str:
    """The page that asks for the code, and then goes on to `page`."""
    return f"{reverse('invitation:code', args=[invitation.pk])}?{urlencode({'next': page})}"


def has_entered_code(request: HttpRequest, invitation: Invitation) -> bool:
    """Whether a code for this link, sent to the address of today, was entered in this browser within 30 days."""
    try:
        mark = request.get_signed_cookie(CODE_COOKIE, default="", salt=CODE_COOKIE, max_age=BROWSER_LIFETIME)
    except signing.BadSignature:
        return False
    return constant_time_compare(mark or "", make_browser_mark(invitation))


def remember_browser(response: HttpResponseBase, invitation: Invitation) -> None:
    """Set the cookie, which the browser sends only to the pages of this link."""
    response.set_signed_cookie(
        CODE_COOKIE,
        make_browser_mark(invitation),
        salt=CODE_COOKIE,
        max_age=BROWSER_LIFETIME,
        path=reverse("invitation:home", args=[invitation.pk]),
        secure=settings.HTTPS,
        httponly=True,
        samesite="Lax",
    )


def describe_address_check(request: HttpRequest, invitation: Invitation) -> AddressCheck | str:
    """What a take that this browser sends says about the code. Empty while codes are off."""
    if not settings.VOICEHUB_TALENT_CODES:
        return ""
    if not needs_code(invitation):
        return AddressCheck.NO_ADDRESS
    return AddressCheck.CODE if has_entered_code(request, invitation) else ""
