"""Who is asking, and how Speechgen says no."""

import sqlite3

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.context import SandboxRequest
from sandbox.requests import Account, Refused, account_of, authorization_key
from sandbox.store import Kept

VENDOR = "speechgen"


class Said(Refused):
    """A refusal with a code of its own, and the parameter that it is about."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(status, message, {param: [message]} if param else None)
        self.code = code


def error_form(refused: Refused) -> HttpResponse:
    """`{"error": {"code", "message", "param"?}}`. What is wrong with a field is 400 here."""
    status = 400 if refused.errors and not isinstance(refused, Said) else refused.status
    code = refused.code if isinstance(refused, Said) else CODES.get(status, OTHER_CODE)
    error = {"code": code, "message": refused.message}
    return JsonResponse(
        {"error": error | ({"param": next(iter(refused.errors))} if refused.errors else {})}, status=status
    )


def account(request: SandboxRequest, *, changing: bool = False) -> Account:
    """The account of the key; `changing` calls need a plan for it. Raises Refused 401 or 403."""
    key = authorization_key(request.headers.get("Authorization", ""))
    if not key:
        raise Said(401, "missing_api_key", "The Authorization header with an API key is missing.")
    found = account_of(key)
    request.seen.account = found.hint
    if changing and not found.may_change:
        raise Refused(403, "This plan does not include voice cloning.")
    return found


def own_model(db: sqlite3.Connection, account: Account, model_id: str) -> Kept:
    """The account's model. Raises Refused 404."""
    model = store.get(db, VENDOR, model_id)
    if model is None or model.account != account.hint:
        raise Said(404, "model_not_found", "There is no such model.")
    return model


SHORTEST = 10.0
LONGEST = 300.0
"""Seconds. Vendor: "10 seconds to 5 minutes". The sandbox measures them in what it has decoded."""

LARGEST = 10_000_000
"""Bytes. Vendor: "Maximum 10MB", which may also mean 10,485,760."""

FORMATS = {"MP3": "MP3", "WAV": "WAV", "MP4": "M4A", "FLAC": "FLAC", "OGG": "OGG"}
"""Vendor's formats, by what the decoder calls them. M4A needs PyAV; without it, it is refused in plain words."""

LONGEST_NAME = 100
LONGEST_DESCRIPTION = 500
"""Characters. The page's table of parameters is lost. `audio` and `name` are required, the others are not."""

# Codes of errors. Vendor's: missing_api_key, invalid_api_key, invalid_voice. The others, and every status, are ours:
# 401 for keys, 400 for what was sent, 404 for what is not there, 413 for too many bytes.
CODES = {
    400: "invalid_request",
    401: "invalid_api_key",
    403: "plan_required",
    404: "not_found",
    413: "file_too_large",
    429: "rate_limit_exceeded",
}
OTHER_CODE = "internal_error"

# A model has `voice_id` only once it is ready, and `failure_reason`, a name of ours, once it has failed.
# GET /models answers {"models": […]}, oldest first and all at once. GET /voices answers {"voices": […]}: one stock
# voice, which cannot speak here, and the account's own. A model that is deleted takes its sample with it.

SAMPLE_TITLE = "Default Sample"
SAMPLE_TEXT = "This is a demonstration of the voice clone, made of the recording that was sent."
"""Vendor's title and the beginning of its text. There is no sound behind the address until the model is ready."""

LONGEST_TEXT = 5000
"""Characters of one text to be spoken."""

SLOWEST, FASTEST = 0.5, 2.0
DEFAULT_FORMAT = "mp3"

CLONE_CHARACTERS = 1000
"""The ledger counts characters, as the vendor's X-Characters-Used does; a clone is counted as this many."""
