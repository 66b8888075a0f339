"""Who is asking, whose voice it is, and how Voice.ai says no."""

import sqlite3
from typing import Any

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, account_of, invalid
from sandbox.store import Kept
from sandbox.voiceai import constants

VENDOR = "voiceai"


def error_form(refused: RequestRefused) -> HttpResponse:
    """`{"error", "code"}`, or FastAPI's list where it is about fields."""
    if refused.errors:
        slips = [_slip(field, words) for field, told in refused.errors.items() for words in told]
        return JsonResponse({"detail": slips}, status=422)
    code = constants.CODES.get(refused.status, constants.OTHER_CODE)
    return JsonResponse({"error": refused.message, "code": code}, status=refused.status)


def _slip(field: str, words: str) -> dict[str, Any]:
    return {"loc": ["body", field], "msg": words, "type": "missing" if words == "can't be blank" else "value_error"}


def account(request: SandboxRequest, *, changing: bool = False, charged: bool = False) -> Account:
    """The account of the key; `changing` calls need a plan for it, `charged` ones credits. Raises RequestRefused."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    key = rest.strip() if scheme == "Bearer" else ""
    found = account_of(key)
    request.seen.account = found.hint
    if changing and not found.may_change:
        raise RequestRefused(403, "This plan does not include voice cloning.")
    if charged and key.startswith(constants.BROKE_KEY):
        raise RequestRefused(402, "Insufficient credits or voice slot limit reached.")
    return found


def seen_voice(db: sqlite3.Connection, account: Account, voice_id: str) -> Kept:
    """A voice that the account may look at: its own, or a public one. Raises RequestRefused 404."""
    voice = store.get(db, VENDOR, voice_id)
    hidden = voice and voice.account != account.hint and voice.details["visibility"] == "PRIVATE"
    if voice is None or hidden or is_deleted(voice):
        raise RequestRefused(404, "Voice not found.")
    return voice


def own_voice(db: sqlite3.Connection, account: Account, voice_id: str) -> Kept:
    """The account's own voice. Raises RequestRefused: 404 for what it may not even look at, else 403."""
    voice = seen_voice(db, account, voice_id)
    if voice.account != account.hint:
        raise RequestRefused(403, "Only the owner of a voice can do this.")
    return voice


def is_deleted(voice: Kept) -> bool:
    """Its row stays, so that a training that ends later does not bring it back."""
    return "deleted_at" in voice.details


def choice_field(body: dict[str, Any], field: str, known: tuple[str, ...], default: str) -> str:
    """One of the words that are known. Raises RequestRefused."""
    value = body.get(field)
    if value is None or value == "":
        return default
    if value not in known:
        raise invalid(field, f"must be one of {', '.join(known)}")
    return str(value)
