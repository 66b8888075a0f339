"""Forms of browsers that hide where a form comes from: without Referer, or with Origin “null”.

Privacy extensions and some in-app browsers do that. Django then refuses the form under HTTPS, because it cannot tell
it from one of another site. For the forms of talents, something else proves that the form is ours.
"""

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import REASON_BAD_ORIGIN, REASON_NO_REFERER

HIDDEN = "null"
HOST_PREFIX = "__Host-"  # of a cookie that only this host itself can set, over HTTPS


def is_refusal_of_hidden_origin(reason: str) -> bool:
    """Whether this reason of Django's check is that the browser hides where the form comes from."""
    return reason in {REASON_NO_REFERER, REASON_BAD_ORIGIN % HIDDEN}


def _is_origin_hidden(request: HttpRequest) -> bool:
    origin = request.META.get("HTTP_ORIGIN")
    return origin == HIDDEN or (origin is None and not request.META.get("HTTP_REFERER"))


def reveal_origin(request: HttpRequest) -> None:
    """Let Django's check of the token decide, where the rest proves that no other site sent the form."""
    if _is_origin_hidden(request) and _comes_from_us(request):
        request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"


def _comes_from_us(request: HttpRequest) -> bool:
    """By the browser's own word, which no page can forge. Older browsers do not give it: then by the cookie.

    Neither another site nor a person in the middle can set a cookie with that prefix, and without the cookie there is
    no token that matches.
    """
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site:
        return site == "same-origin"
    return request.is_secure() and str(settings.CSRF_COOKIE_NAME).startswith(HOST_PREFIX)
