"""Who is asking, AudioStack's envelope, and how it says no."""

import sqlite3
from typing import Any
from uuid import uuid4

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.audiostack import constants
from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, account_of
from sandbox.store import Kept

VENDOR = "audiostack"
FILE, VOICE = "file", "voice"


def envelope(data: dict[str, Any], message: str = "", status: int = 200, used: float = 0.0) -> HttpResponse:
    """What every answer but those about files is wrapped in."""
    return JsonResponse(_enveloped(status, message, used) | {"data": data}, status=status)


def error_form(refused: RequestRefused) -> HttpResponse:
    """The envelope with `errors`, a list of texts, where single fields are wrong; that is 400 here."""
    status = 400 if refused.errors else refused.status
    errors = [words for texts in refused.errors.values() for words in texts]
    body = _enveloped(status, refused.message, 0.0) | {"data": {}}
    return JsonResponse(body | ({"errors": errors} if errors else {}), status=status)


def _enveloped(status: int, message: str, used: float) -> dict[str, Any]:
    metadata = {
        "requestId": str(uuid4()),
        "version": "sandbox",
        "creditsUsed": used,
        "creditsRemaining": constants.BALANCE,
    }
    return {"statusCode": status, "message": message, "warnings": [], "metadata": metadata}


def account(request: SandboxRequest, *, changing: bool = False) -> Account:
    """The account of the key; `changing` calls need a plan for it. Raises RequestRefused 401 or 403."""
    found = account_of(request.headers.get("x-api-key", ""))
    request.seen.account = found.hint
    if changing and not found.may_change:
        raise RequestRefused(403, "This plan does not include voice cloning.")
    return found


def own_file(db: sqlite3.Connection, owner: Account, file_id: str) -> Kept:
    """A file of the account, which is the organisation here. Raises RequestRefused 404."""
    return _own(db, owner, FILE, file_id, f"File {file_id} was not found.")


def own_voice(db: sqlite3.Connection, owner: Account, alias: str) -> Kept:
    """A voice of the account: nobody else may use it (vendor). Raises RequestRefused 404."""
    return _own(db, owner, VOICE, alias, f"There is no voice with the alias {alias}.")


def _own(db: sqlite3.Connection, owner: Account, kind: str, id: str, otherwise: str) -> Kept:
    found = store.get(db, VENDOR, id)
    if found is None or (found.kind, found.account) != (kind, owner.hint):
        raise RequestRefused(404, otherwise)
    return found
