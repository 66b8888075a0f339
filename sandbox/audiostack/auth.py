"""AudioStack's authentication, response envelope and errors."""

import sqlite3
from typing import Any
from uuid import uuid4

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.audiostack import constants
from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, authenticate_key
from sandbox.store import StoredObject

VENDOR = "audiostack"
FILE, VOICE = "file", "voice"


def render_envelope(
    data: dict[str, Any], message: str = "", status: int = 200, remaining: float = constants.GRANTED_CREDITS
) -> HttpResponse:
    """The envelope of every response except those about files."""
    return JsonResponse(_make_envelope(status, message, remaining) | {"data": data}, status=status)


def render_error(refused: RequestRefused) -> HttpResponse:
    """The envelope of an error. If fields are invalid, it has a list of texts in `errors` and the status 400."""
    status = 400 if refused.errors else refused.status
    errors = [message for messages in refused.errors.values() for message in messages]
    body = _make_envelope(status, refused.message, constants.GRANTED_CREDITS) | {"data": {}}
    return JsonResponse(body | ({"errors": errors} if errors else {}), status=status)


def _make_envelope(status: int, message: str, remaining: float) -> dict[str, Any]:
    metadata = {
        "requestId": str(uuid4()),
        "version": "sandbox",
        "creditsUsed": 0.0,
        "creditsRemaining": remaining,
    }
    return {"statusCode": status, "message": message, "warnings": [], "metadata": metadata}


def authenticate(request: SandboxRequest, *, needs_write: bool = False) -> Account:
    """The account of the key. Raises RequestRefused 401, or 403 if `needs_write` and the plan is read-only."""
    account = authenticate_key(request.headers.get("x-api-key", ""))
    request.entry.account = account.hint
    if needs_write and not account.can_write:
        raise RequestRefused(403, "This plan does not include voice cloning.")
    return account


def get_own_file(db: sqlite3.Connection, owner: Account, file_id: str) -> StoredObject:
    """A file of the account, which stands for the organization. Raises RequestRefused 404."""
    return _get_own_object(db, owner, FILE, file_id, f"File {file_id} was not found.")


def get_own_voice(db: sqlite3.Connection, owner: Account, alias: str) -> StoredObject:
    """A voice of the account; no other account can use it (vendor). Raises RequestRefused 404."""
    return _get_own_object(db, owner, VOICE, alias, f"There is no voice with the alias {alias}.")


def _get_own_object(db: sqlite3.Connection, owner: Account, kind: str, id: str, not_found_message: str) -> StoredObject:
    stored = store.find_object(db, VENDOR, id)
    if stored is None or (stored.kind, stored.account) != (kind, owner.hint):
        raise RequestRefused(404, not_found_message)
    return stored
