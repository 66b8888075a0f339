"""Answers in words when a request fails: as JSON for scripts and htmx, as a page that needs no database for people.

`explain_error` knows the errors of a full disk, a busy or unreachable database, and an unreachable storage.
"""

import errno
import logging
import sqlite3
import sys
from typing import NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from voicehub.form_origin import is_refusal_of_hidden_origin
from voicehub.storage import StorageUnavailable

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 10
STYLES = ("css/tokens.css", "css/talent.css")
NOT_SAVED = "What you sent was not saved."
DISK_FULL = "The disk of the server is full. Nothing was saved. Tell an admin of the studio."
DATABASE_BUSY = "The database is busy."
DATABASE_DOWN = "The database does not respond."
STORAGE_DOWN = "The file storage does not respond."
QUEUE_DOWN = "The queue server, which counts attempts and codes, does not respond."
SERVER_ERROR = (
    "What you sent may not have been stored. Go back and try again. If it happens again, tell an admin of the "
    "studio when it happened."
)
SIGNED_OUT = "You are signed out. Nothing was saved."
STALE_PAGE = "This page was open for too long, or you signed in again in another tab. Nothing was saved."

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
FULL_DISK_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FULL_SQLITE_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
BUSY_SQLITE_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# PostgreSQL: disk_full, and lock_not_available, query_canceled, deadlock_detected.
FULL_POSTGRES_STATE = "53100"
BUSY_POSTGRES_STATES = {"55P03", "57014", "40P01"}
FULL_BUCKET_CODES = {"EntityTooLarge", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XMinioDiskFull"}


class Problem(NamedTuple):
    """A failed request: the status, the sentences for the user, and a word by which scripts tell problems apart."""

    status: int
    text: str
    kind: str = ""


def explain_error(error: BaseException, method: str | None) -> Problem | None:
    """The problem that an error is the sign of. None if it is a fault of the code."""
    if _is_disk_full(error):
        return Problem(507, DISK_FULL, "full")
    reason = _find_unavailable_part(error)
    if not reason:
        return None
    saved = "" if method in SAFE_METHODS else f" {NOT_SAVED}"
    return Problem(503, f"{reason}{saved} Try again in a minute.", "unavailable")


def _is_disk_full(error: BaseException) -> bool:
    cause = error.__cause__ or error
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status == 507 or error.response.get("Error", {}).get("Code") in FULL_BUCKET_CODES
    if isinstance(error, OperationalError):
        code = getattr(cause, "sqlite_errorcode", None)
        return code in FULL_SQLITE_CODES or getattr(cause, "sqlstate", None) == FULL_POSTGRES_STATE
    return any(isinstance(one, OSError) and one.errno in FULL_DISK_ERRNOS for one in (error, cause))


def _find_unavailable_part(error: BaseException) -> str:
    if isinstance(error, StorageUnavailable):
        return str(error)
    if isinstance(error, BotoCoreError | ClientError):
        return STORAGE_DOWN
    if isinstance(error, RedisError):
        return QUEUE_DOWN
    if isinstance(error, OperationalError | InterfaceError):
        return DATABASE_BUSY if _is_database_busy(error.__cause__) else DATABASE_DOWN
    return ""


def _is_database_busy(cause: BaseException | None) -> bool:
    # The low byte is the primary code; the rest says more (SQLITE_BUSY_SNAPSHOT).
    code = getattr(cause, "sqlite_errorcode", None)
    return getattr(cause, "sqlstate", None) in BUSY_POSTGRES_STATES or (
        code is not None and code & 0xFF in BUSY_SQLITE_CODES
    )


# --- Answers ----------------------------------------------------------------------------


def is_script_request(request: HttpRequest) -> bool:
    """Whether a script reads the answer. It must get words as JSON, never a page to put into a table cell."""
    if request.headers.get("HX-Request") == "true":
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def answer_problem(request: HttpRequest, problem: Problem, title: str = "Not available") -> HttpResponse:
    """The problem as JSON or as a page. The page needs no database, session or static manifest."""
    if is_script_request(request):
        response: HttpResponse = JsonResponse({"problem": problem.text, "kind": problem.kind}, status=problem.status)
    else:
        context = {
            "title": title,
            "problem": problem.text,
            "styles": [find_static(path) for path in STYLES],
            "logo": find_static("img/favicon.svg"),
            "studio": settings.VOICEHUB_COMPANY or "VoiceHub",
        }
        response = HttpResponse(render_to_string("500.html", context), status=problem.status)
    if problem.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def find_static(path: str) -> str:
    """The URL of a static file, also if the manifest of hashed names is missing or does not know it."""
    try:
        return static(path)
    except (ValueError, OSError):
        return f"{settings.STATIC_URL}{path}"


def answer_server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500. Also answers errors of middleware, such as a session that cannot be saved."""
    error = sys.exc_info()[1]
    problem = explain_error(error, request.method) if error else None
    if problem:
        return answer_problem(request, problem)
    return answer_problem(request, Problem(500, SERVER_ERROR, "error"), "Something went wrong on our side")


def answer_signed_out(request: HttpRequest) -> HttpResponse:
    """401 for a script, as htmx would follow a redirect and put the sign-in page into a table cell."""
    if is_script_request(request):
        return answer_problem(request, Problem(401, SIGNED_OUT, "signed_out"))
    return redirect_to_login(request.get_full_path())


def _needs_sign_in(request: HttpRequest) -> bool:
    return request.resolver_match is not None and getattr(request.resolver_match.func, "login_required", True)


def answer_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW. A script learns that it needs a new token. A signed-out user has to sign in first."""
    if not request.user.is_authenticated and _needs_sign_in(request):
        return answer_signed_out(request)
    is_hidden = is_refusal_of_hidden_origin(reason)
    if is_script_request(request):
        problem = Problem(403, explain_hidden_origin(), "origin") if is_hidden else Problem(403, STALE_PAGE, "csrf")
        return answer_problem(request, problem)
    context = {
        "is_origin_hidden": is_hidden,
        "has_no_cookie": reason == REASON_NO_CSRF_COOKIE,
        "problem": explain_hidden_origin(),
    }
    return render(request, "403_csrf.html", context, status=403)


def explain_hidden_origin() -> str:
    return _(
        "This browser hides from which page the form comes (the Referer), so VoiceHub cannot accept it. Turn off the "
        "extension or the setting that hides it for this site, or open the page in another browser. Then send the form "
        "again. Nothing was changed, and a recording that was not sent stays in this browser."
    )
