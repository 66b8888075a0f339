"""Headers for pages about people: not stored by anybody, and the microphone only where it is needed."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

View = Callable[[HttpRequest], HttpResponse]


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
