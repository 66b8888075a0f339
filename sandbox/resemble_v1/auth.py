"""Who is asking, and how Resemble v1 and its object store say no."""

import sqlite3
from xml.sax.saxutils import escape

from django.http import HttpResponse, JsonResponse

from sandbox import store, vendor_defaults
from sandbox.context import SandboxRequest
from sandbox.requests import TOKEN_SCHEME, Account, RequestRefused, account_of
from sandbox.resemble_v1 import constants
from sandbox.store import Kept

VENDOR = "resemble_v1"


class StorageRefusal(RequestRefused):
    """A refusal of the object store, by its code."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code


def error_form(refused: RequestRefused) -> HttpResponse:
    """`{"errors": ["…"]}`."""
    status = constants.INVALID if refused.status == vendor_defaults.INVALID else refused.status
    return JsonResponse({"errors": [refused.message]}, status=status)


def storage_form(refused: RequestRefused) -> HttpResponse:
    """The XML of an object store."""
    code = refused.code if isinstance(refused, StorageRefusal) else "InternalError"
    body = f"<Error><Code>{code}</Code><Message>{escape(refused.message)}</Message></Error>"
    return HttpResponse(body, status=refused.status, content_type="application/xml")


def account(request: SandboxRequest, *, changing: bool = False) -> Account:
    """The account of the key in `Token token=KEY`, quoted or not; other schemes are not v1's. Raises RequestRefused."""
    sent = TOKEN_SCHEME.fullmatch(request.headers.get("Authorization", "").strip())
    found = account_of(sent["key"] if sent else "")
    request.seen.account = found.hint
    if changing and not found.may_change:
        raise RequestRefused(403, "This account is not enabled to build voices by the API.")
    return found


def own_voice(db: sqlite3.Connection, account: Account, uuid: str) -> Kept:
    """The account's voice. Raises RequestRefused 404."""
    voice = store.get(db, VENDOR, uuid)
    if voice is None or voice.account != account.hint:
        raise RequestRefused(404, "Voice not found.")
    return voice
