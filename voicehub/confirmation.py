"""Asks people to confirm that it is them before something that a stranger at their computer must not do.

A sign-in counts as a confirmation, and so does the page `account_reauthenticate`, both for 15 minutes. What was sent in
a form meanwhile is kept in the session and sent again after the confirmation, without its secrets: the rows of sessions
can be read in the database.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils.crypto import constant_time_compare, get_random_string
from django.utils.datastructures import MultiValueDict
from django.utils.http import url_has_allowed_host_and_scheme

from voicehub.problem_pages import is_script_request

SIGN_IN_KEY = "sign_in"  # of the session: when, from where and in which browser the person signed in
SUSPENDED_KEY = "suspended_form"
RETURN_KEY = "returns_to"  # of the session: the page to which a confirmation leads without sending a form again
MAX_SUSPENDED = 20_000  # characters of a form: each request of the session reads them
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
SIGN_IN_AGAIN = (
    "Nothing was saved: it is more than 15 minutes since you signed in. Sign out, sign in again, then repeat it."
)

View = Callable[..., HttpResponseBase]
Page = str | Callable[..., str]


@dataclass(frozen=True)
class Ask:
    """How a view asks for the confirmation: whether its form is sent again, and else to which page it leads."""

    is_form_repeated: bool = True
    page: str = ""


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


def require_confirmation(
    *, on_get: bool = False, is_repeated: bool = True, page: Page | None = None
) -> Callable[[Any], Any]:
    """Decorator: forms are accepted only from people who confirmed that it is them.

    `on_get`: the page with the form opens only then, too. Without `is_repeated`, a page opens after the confirmation in
    place of the form being sent again: for downloads, which would not show that anything happened. It is the `page`
    (the name of a URL with the same arguments, or a function of the request and these), or else that of the view.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def confirmed_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if (request.method == "POST" or on_get) and needs_confirmation(request):
                found = _find_page(page, request, args, kwargs)
                request.confirmation = Ask(is_repeated, found)  # type: ignore[attr-defined]  # read by the middleware
                ask_confirmation(request)
            return view(request, *args, **kwargs)

        confirmed_view.asks_confirmation = True  # type: ignore[attr-defined]  # read by a test
        return confirmed_view

    return decorate


def _find_page(page: Page | None, request: HttpRequest, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    if callable(page):
        return page(request, *args, **kwargs)
    return resolve_url(page, *args, **kwargs) if page else ""


class ConfirmationMiddleware:
    """Leads to the page for the confirmation, and back to what the person was about to do."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        if not isinstance(error, ReauthenticationRequired) or not request.user.is_authenticated:
            return None
        is_htmx = request.headers.get("HX-Request") == "true"
        if is_script_request(request) and not is_htmx:
            return JsonResponse({"problem": NOT_CONFIRMED, "kind": "confirmation"}, status=403)
        target = _return_to_open_page(request) if is_htmx else _choose_target(request)
        methods = get_adapter().get_reauthentication_methods(request.user)
        if not methods:
            return _explain_sign_in(request, is_htmx=is_htmx)
        url = f"{methods[0]['url']}?{urlencode({'next': target})}"
        # htmx would put the page for the confirmation into a part of this one.
        return HttpResponse(status=204, headers={"HX-Redirect": url}) if is_htmx else redirect(url)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Turn the request that follows a confirmation into the form that was suspended for it."""
        if request.method != "GET":
            return
        if REPEAT_FIELD in request.GET:
            _repeat_form(request)
        elif request.session.get(RETURN_KEY) == request.get_full_path():
            _note_return(request)


def _explain_sign_in(request: HttpRequest, *, is_htmx: bool) -> HttpResponse:
    """For a person with neither a password nor a factor here."""
    if is_htmx:
        return JsonResponse({"problem": SIGN_IN_AGAIN, "kind": "confirmation"}, status=403)
    return render(request, "staff/sign_in_again.html", status=403)


def _choose_target(request: HttpRequest) -> str:
    """The address to which the confirmation leads. It sends a form again if that is possible and of use."""
    ask: Ask = getattr(request, "confirmation", Ask())
    if request.method == "POST" and ask.is_form_repeated and (target := _suspend_form(request)):
        return target
    if request.method == "POST" or ask.page:
        return _return_to(request, ask.page or request.get_full_path())
    return request.get_full_path()


def _return_to(request: HttpRequest, page: str) -> str:
    """That page then says that the action has to be chosen again."""
    request.session[RETURN_KEY] = page.partition("#")[0]
    return page


def _note_return(request: HttpRequest) -> None:
    if request.user.is_authenticated and not needs_confirmation(request):
        del request.session[RETURN_KEY]
        messages.info(request, OPEN_AGAIN)


def _return_to_open_page(request: HttpRequest) -> str:
    """The page that was open when htmx sent the request."""
    address = request.headers.get("HX-Current-URL", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return _return_to(request, reverse("profile"))
    parts = urlsplit(address)
    return _return_to(request, f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _suspend_form(request: HttpRequest) -> str:
    """Keep the form in the session. Returns the address that sends it again, once and only in this session.

    Empty if the form is too large to be kept.
    """
    form, token = request.POST.copy(), get_random_string(22)
    for name in SECRET_FIELDS.intersection(form):
        if form.pop(name) != [""]:
            form[LEFT_OUT] = "1"
    if len(encoded := form.urlencode()) > MAX_SUSPENDED:
        return ""
    request.session[SUSPENDED_KEY] = {"token": token, "path": request.path, "form": encoded}
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
