"""What holds for every request: how much may be sent, and headers for pages about people."""

from collections.abc import Callable
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from voicehub.upload_limits import GUEST_REQUEST_BYTES, STAFF_REQUEST_BYTES

View = Callable[[HttpRequest], HttpResponse]


class BodyLimitMiddleware:
    """Refuses a body that is larger than anything we take, before a byte of it is stored.

    A form is read, files and all, to find its token against forgery, and that before any view asks who sent it.
    A body that does not tell its length is not read at all (Django's WSGIRequest), so to look at that is enough.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        size = int(length) if length.isdecimal() else 0
        if size > GUEST_REQUEST_BYTES and size > (
            STAFF_REQUEST_BYTES if request.user.is_authenticated else GUEST_REQUEST_BYTES
        ):
            return render(request, "413.html", status=413)
        return self.get_response(request)


class PrivacyHeadersMiddleware:
    """A view that records calls `allow_microphone(response)`; every other page is denied the microphone."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", "microphone=(), camera=(), geolocation=()")
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


def allow_microphone(response: HttpResponse) -> HttpResponse:
    """Let this page use the microphone, and only from our own origin."""
    response.headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
    return response


def get_client_address(request: HttpRequest) -> str | None:
    """The address of the machine that made the request; None where it is not known.

    Each of our own proxies (VOICEHUB_PROXIES of them) adds whom it heard to the end of X-Forwarded-For. What stands
    before those entries was written by the caller, who may write anything, and is not read.
    """
    trusted: int = settings.VOICEHUB_PROXIES
    heard = [entry for entry in request.headers.get("X-Forwarded-For", "").split(",") if entry]
    told = heard[-trusted] if 0 < trusted <= len(heard) else request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(told.strip()))
    except ValueError:
        return None
