"""What all pages behind a private link share: the check of the link, the language, the privacy headers."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from consent.access import INVITATION_COOKIE, get_opened_invitation
from consent.models import Invitation
from consent.services.talent_languages import speak_to, speak_to_browser

P = ParamSpec("P")
# In the address to which `open_link` redirects. Without the cookie, the page then explains that it was refused.
COOKIE_MARK = "cookie"
Response = TypeVar("Response", bound=HttpResponseBase)


def require_invitation(
    view: Callable[Concatenate[HttpRequest, Invitation, P], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Decorator: pass the view the invitation of its URL, or render the closed-link page if it was not opened here.

    All that the view makes is in the language of the talent.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, link: UUID, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        try:
            invitation = get_opened_invitation(request, link)
            with speak_to(invitation.talent):
                return view(request, invitation, *args, **kwargs)
        except Http404:
            return _render_cookie_page(request) if _refuses_cookies(request) else render_closed_page(request)

    return wrapped


def _refuses_cookies(request: HttpRequest) -> bool:
    """Whether the browser comes straight from `open_link` without the cookie that it got there."""
    return COOKIE_MARK in request.GET and INVITATION_COOKIE not in request.COOKIES


def _render_cookie_page(request: HttpRequest) -> HttpResponse:
    with speak_to_browser(request):
        return add_privacy_headers(render(request, "public/cookies_blocked.html", status=404))


def render_closed_page(request: HttpRequest) -> HttpResponse:
    with speak_to_browser(request):
        return add_privacy_headers(render(request, "public/link_expired.html", status=404))


def add_privacy_headers(response: Response) -> Response:
    """Keep a talent's pages out of search engines.

    `open_link` also sets `Referrer-Policy: no-referrer`, as its URL contains the token. The other pages must send
    their origin to VoiceHub, because the CSRF check rejects a form without it.
    """
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
