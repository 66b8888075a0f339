"""Middleware that limits body sizes, compresses pages, sets privacy headers and explains failures."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render

from voicehub.client_address import get_client_address as get_client_address
from voicehub.form_origin import reveal_origin
from voicehub.problem_pages import answer_problem, answer_signed_out, explain_error, is_script_request
from voicehub.storage import StoredFileLost
from voicehub.upload_limits import GUEST_REQUEST_BYTES, STAFF_REQUEST_BYTES

logger = logging.getLogger(__name__)

ROW_LOST = "Something that this page refers to is missing from the database."
ASK_ADMIN = "Ask an admin to restore it from the backup."
ASK_STUDIO = "Tell the studio, which can restore it from its backup."
TALENT_NAMESPACE = "invitation"  # of consent/public_urls.py
COMPRESSED_TYPES = ("text/html", "application/json")
View = Callable[[HttpRequest], HttpResponse]


class BodyLimitMiddleware:
    """Rejects a body above the largest size that any view accepts, before any of it is stored.

    Django's CSRF check parses the whole form, with its files, before any view checks who sent it. Checking
    Content-Length is enough, because Django's WSGIRequest does not read a body without one.
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


class PageCompressionMiddleware(GZipMiddleware):
    """Compresses pages and JSON. Files are sent as they are, because a player asks for ranges of their bytes.

    Against BREACH, which guesses a secret from the length of a compressed page, GZipMiddleware adds up to 100 random
    bytes (“Heal the Breach”), Django masks the CSRF token again in each response, and the session cookie is SameSite.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith(COMPRESSED_TYPES)
        if response.streaming or response.status_code == HTTPStatus.PARTIAL_CONTENT or not is_page:
            return response
        return super().process_response(request, response)


class PrivacyHeadersMiddleware:
    """Sets privacy headers. They block the microphone, except where a view calls `allow_microphone(response)`."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", "microphone=(), camera=(), geolocation=()")
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response


class FormOriginMiddleware(CsrfViewMiddleware):
    """The CSRF check. The forms of talents also work in browsers that hide where a form comes from."""

    def process_view(  # type: ignore[override]  # in the stubs, only Django's own page
        self,
        request: HttpRequest,
        callback: Callable[..., HttpResponseBase],
        callback_args: tuple[Any, ...],
        callback_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        if request.resolver_match and TALENT_NAMESPACE in request.resolver_match.namespaces:
            reveal_origin(request)
        return super().process_view(request, callback, callback_args, callback_kwargs)


class SignInMiddleware(LoginRequiredMiddleware):
    """Requires sign-in. A script of a signed-out user gets 401 instead of a redirect."""

    def handle_no_permission(  # type: ignore[override]  # in the stubs, only a redirect
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if is_script_request(request):
            return answer_signed_out(request)
        return super().handle_no_permission(request, view_func)


class FailureMiddleware:
    """Answers in words if a stored file or a row is lost (404), or a part of the server fails (503, 507)."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, StoredFileLost):
            return _explain_loss(request, str(error))
        if isinstance(error, ObjectDoesNotExist):
            logger.error("A row is missing for %s", request.path, exc_info=error)
            return _explain_loss(request, ROW_LOST)
        problem = explain_error(error, request.method)
        if problem:
            logger.error("%s cannot be answered: %s (%s)", request.path, problem.text, error)
        return answer_problem(request, problem) if problem else None


def _explain_loss(request: HttpRequest, loss: str) -> HttpResponse:
    problem = f"{loss} {ASK_ADMIN if request.user.is_authenticated else ASK_STUDIO}"
    if is_script_request(request):
        return JsonResponse({"problem": problem}, status=404)
    return render(request, "data_lost.html", {"problem": problem}, status=404)


def allow_microphone(response: HttpResponse) -> HttpResponse:
    """Allow the microphone on this page, for our own origin only."""
    response.headers["Permissions-Policy"] = "microphone=(self), camera=(), geolocation=()"
    return response
