"""Authentication and errors of Resemble v1 and its object store."""

import sqlite3
from xml.sax.saxutils import escape

from django.http import HttpResponse, JsonResponse

from sandbox import store, vendor_defaults
from sandbox.context import SandboxRequest
from sandbox.requests import TOKEN_SCHEME, Account, RequestRefused, authenticate_key
from sandbox.resemble_v1 import constants
from sandbox.store import StoredObject

VENDOR = "resemble_v1"


class StorageRefusal(RequestRefused):
    """A refusal of the object store, with its error code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code


def render_error(refused: RequestRefused) -> HttpResponse:
    """Render `{"errors": ["…"]}`."""
    status = constants.INVALID_STATUS if refused.status == vendor_defaults.INVALID_STATUS else refused.status
    return JsonResponse({"errors": [refused.message]}, status=status)


def render_storage_error(refused: RequestRefused) -> HttpResponse:
    """Render the XML error of an object store."""
    code = refused.code if isinstance(refused, StorageRefusal) else "InternalError"
    body = f"<Error><Code>{code}</Code><Message>{escape(refused.message)}</Message></Error>"
    return HttpResponse(body, status=refused.status, content_type="application/xml")


def authenticate(request: SandboxRequest, *, needs_write: bool = False) -> Account:
    """The account of the key in `Token token=KEY` or `Token token="KEY"`. Raises RequestRefused for other schemes."""
    match = TOKEN_SCHEME.fullmatch(request.headers.get("Authorization", "").strip())
    account = authenticate_key(match["key"] if match else "")
    request.entry.account = account.hint
    limit = request.context.settings.resemble_v1_calls_per_second
    if not request.context.call_rates.count_call(VENDOR, account.hint, limit):
        raise RequestRefused(vendor_defaults.TOO_MANY_CALLS_STATUS, f"More than {limit:g} calls per second.")
    if needs_write and not account.can_write:
        raise RequestRefused(403, "This account is not enabled to build voices by the API.")
    return account


def get_own_voice(db: sqlite3.Connection, account: Account, uuid: str) -> StoredObject:
    """The account's voice. Raises RequestRefused 404."""
    voice = store.find_object(db, VENDOR, uuid)
    if voice is None or voice.account != account.hint:
        raise RequestRefused(404, "Voice not found.")
    return voice
