"""Who is asking, and how Speechgen says no."""

import sqlite3

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, account_of, authorization_key
from sandbox.speechgen import constants
from sandbox.store import Kept

VENDOR = "speechgen"


class CodedRefusal(RequestRefused):
    """A refusal with a code of its own, and the parameter that it is about."""

    def __init__(self, status: int, code: str, message: str, param: str = "") -> None:
        super().__init__(status, message, {param: [message]} if param else None)
        self.code = code


def error_form(refused: RequestRefused) -> HttpResponse:
    """`{"error": {"code", "message", "param"?}}`. What is wrong with a field is 400 here."""
    status = 400 if refused.errors and not isinstance(refused, CodedRefusal) else refused.status
    code = refused.code if isinstance(refused, CodedRefusal) else constants.CODES.get(status, constants.OTHER_CODE)
    error = {"code": code, "message": refused.message}
    return JsonResponse(
        {"error": error | ({"param": next(iter(refused.errors))} if refused.errors else {})}, status=status
    )


def account(request: SandboxRequest, *, changing: bool = False) -> Account:
    """The account of the key; `changing` calls need a plan for it. Raises RequestRefused 401 or 403."""
    key = authorization_key(request.headers.get("Authorization", ""))
    if not key:
        raise CodedRefusal(401, "missing_api_key", "The Authorization header with an API key is missing.")
    found = account_of(key)
    request.seen.account = found.hint
    if changing and not found.may_change:
        raise RequestRefused(403, "This plan does not include voice cloning.")
    return found


def own_model(db: sqlite3.Connection, account: Account, model_id: str) -> Kept:
    """The account's model. Raises RequestRefused 404."""
    model = store.get(db, VENDOR, model_id)
    if model is None or model.account != account.hint:
        raise CodedRefusal(404, "model_not_found", "There is no such model.")
    return model
