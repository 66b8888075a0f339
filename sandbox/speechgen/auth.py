"""Authentication and errors of Speechgen."""

import sqlite3

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, authenticate_key, parse_authorization_key
from sandbox.speechgen import constants
from sandbox.store import StoredObject

VENDOR = "speechgen"


class CodedRefusal(RequestRefused):
    """A refusal with a specific error code, and the parameter that caused it."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(status, message, {param: [message]} if param else None)
        self.code = code


def render_error(refused: RequestRefused) -> HttpResponse:
    """Render `{"error": {"code", "message", "param"?}}`. An invalid field is 400."""
    status = 400 if refused.errors and not isinstance(refused, CodedRefusal) else refused.status
    code = (
        refused.code
        if isinstance(refused, CodedRefusal)
        else constants.ERROR_CODES.get(status, constants.DEFAULT_ERROR_CODE)
    )
    error = {"code": code, "message": refused.message}
    return JsonResponse(
        {"error": error | ({"param": next(iter(refused.errors))} if refused.errors else {})}, status=status
    )


def authenticate(request: SandboxRequest, *, needs_write: bool = False) -> Account:
    """The account of the key. Raises RequestRefused 401, or 403 if `needs_write` and the plan is read-only."""
    key = parse_authorization_key(request.headers.get("Authorization", ""))
    if not key:
        raise CodedRefusal(401, "missing_api_key", "The Authorization header with an API key is missing.")
    account = authenticate_key(key)
    request.entry.account = account.hint
    if needs_write and not account.can_write:
        raise RequestRefused(403, "This plan does not include voice cloning.")
    return account


def get_own_model(db: sqlite3.Connection, account: Account, model_id: str) -> StoredObject:
    """The account's model. Raises RequestRefused 404."""
    model = store.find_object(db, VENDOR, model_id)
    if model is None or model.account != account.hint:
        raise CodedRefusal(404, "model_not_found", "There is no such model.")
    return model
