"""Asks people to confirm that it is them before something that a stranger at their computer must not do.

A sign-in counts as a confirmation, and so does the page `account_reauthenticate`, both for 15 minutes. What was sent in
a form meanwhile is kept in the session and sent again after the confirmation, without its secrets: the rows of sessions
can be read in the database.
"""

import time
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.datastructures import MultiValueDict

from voicehub.problem_pages import is_script_request

SIGN_IN_KEY = "sign_in"  # of the session: when, from where and in which browser the person signed in
SUSPENDED_KEY = "suspended_form"
REPEAT_FIELD = "repeat-form"
SECRET_FIELDS = {"key", "code", "credential", "password", "oldpassword", "password1", "password2"}
LEFT_OUT = "left_out"
ENTER_AGAIN = (
    "Enter the secret again: VoiceHub did not keep it while you confirmed that it is you. Nothing is saved yet."
)
OPEN_AGAIN = "Thank you. Now choose again what you want to do."
NOT_CONFIRMED = (
    "Nothing was saved: it is more than 15 minutes since you confirmed that it is you. Open your profile in another "
    "tab, choose “Confirm that it is you”, then try again here."
)

View = Callable[..., HttpResponseBase]


def needs_confirmation(request: HttpRequest) -> bool:
    return not (_signed_in_recently(request) or did_recently_reauthenticate(request))


def _signed_in_recently(request: HttpRequest) -> bool:
    signed_in_at = request.session.get(SIGN_IN_KEY, {}).get("at")
    if not signed_in_at:
        return False
    age = time.time() - datetime.fromisoformat(signed_in_at).timestamp()
    return bool(age < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def ask_confirmation(request: HttpRequest) -> None:
    """Return if it is confirmed who this is. Otherwise the person confirms it first, by ConfirmationMiddleware."""
    if needs_confirmation(request):
        raise ReauthenticationRequired


def require_confirmation(*, on_get: bool = False, is_repeated: bool = True) -> Callable[[Any], Any]:
    """Decorator: forms are accepted only from people who confirmed that it is them.

    `on_get`: the page with the form opens only then, too. Without `is_repeated`, the page opens again after the
    confirmation in place of the form being sent again: for downloads, which would not show that anything happened.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def confirmed_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" or on_get:
                request.is_form_repeated = is_repeated  # type: ignore[attr-defined]
                ask_confirmation(request)
            return view(request, *args, **kwargs)

        return confirmed_view

    return decorate


class ConfirmationMiddleware:
    """Leads to the page for the confirmation, and back to what the person was about to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if not isinstance(error, ReauthenticationRequired) or not request.user.is_authenticated:
            return None
        if is_script_request(request):
            return JsonResponse({"problem": NOT_CONFIRMED, "kind": "confirmation"}, status=403)
        target = _suspend_form(request) if request.method == "POST" else request.get_full_path()
        methods = get_adapter().get_reauthentication_methods(request.user)
        if not methods:
            return render(request, "staff/sign_in_again.html", {"next": target}, status=403)
        return redirect(f"{methods[0]['url']}?{urlencode({'next': target})}")

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Turn the request that follows a confirmation into the form that was suspended for it."""
        if request.method == "GET" and REPEAT_FIELD in request.GET:
            _repeat_form(request)


def _suspend_form(request: HttpRequest) -> str:
    """Keep the form in the session. Returns the address that sends it again, once and only in this session."""
    if not getattr(request, "is_form_repeated", True):
        messages.info(request, OPEN_AGAIN)
        return request.get_full_path()
    form, token = request.POST.copy(), get_random_string(22)
    for name in SECRET_FIELDS.intersection(form):
        if form.pop(name) != [""]:
            form[LEFT_OUT] = "1"
    request.session[SUSPENDED_KEY] = {"token": token, "path": request.path, "form": form.urlencode()}
    return f"{request.path}?{_build_query(request, **{REPEAT_FIELD: token})}"


def _build_query(request: HttpRequest, **added: str) -> str:
    query = request.GET.copy()
    query.pop(REPEAT_FIELD, None)
    query.update(added)
    return query.urlencode()


def _repeat_form(request: HttpRequest) -> None:
    token, suspended = request.GET[REPEAT_FIELD], request.session.get(SUSPENDED_KEY, {})
    request.META["QUERY_STRING"] = _build_query(request)
    request.GET = QueryDict(request.META["QUERY_STRING"])
    if not suspended or suspended["path"] != request.path or not constant_time_compare(suspended["token"], token):
        return
    if not request.user.is_authenticated or needs_confirmation(request):
        return
    del request.session[SUSPENDED_KEY]
    form = QueryDict(suspended["form"])
    if LEFT_OUT in form:
        messages.warning(request, ENTER_AGAIN)
    request.method = request.META["REQUEST_METHOD"] = "POST"
    request._files = MultiValueDict()  # type: ignore[attr-defined]  # or Django would read the body again
    request.POST = form
