"""Authentication, access to voices, and errors of Voice.ai."""

import sqlite3
from typing import Any

from django.http import HttpResponse, JsonResponse

from sandbox import store
from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, authenticate_key, make_field_error
from sandbox.store import StoredObject
from sandbox.voiceai import constants

VENDOR = "voiceai"


def render_error(refused: RequestRefused) -> HttpResponse:
    """Render `{"error", "code"}`, or FastAPI's list if fields are invalid."""
    if refused.errors:
        details = [
            _describe_field_error(field, message) for field, messages in refused.errors.items() for message in messages
        ]
        return JsonResponse({"detail": details}, status=422)
    code = constants.ERROR_CODES.get(refused.status, constants.DEFAULT_ERROR_CODE)
    return JsonResponse({"error": refused.message, "code": code}, status=refused.status)


def _describe_field_error(field: str, message: str) -> dict[str, Any]:
    return {"loc": ["body", field], "msg": message, "type": "missing" if message == "can't be blank" else "value_error"}


def authenticate(request: SandboxRequest, *, needs_write: bool = False, needs_credits: bool = False) -> Account:
    """The account of the key. Raises RequestRefused 401, 403 if its plan is read-only, or 402 without credits."""
    scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
    key = rest.strip() if scheme == "Bearer" else ""
    account = authenticate_key(key)
    request.entry.account = account.hint
    if needs_write and not account.can_write:
        raise RequestRefused(403, "This plan does not include voice cloning.")
    if needs_credits and key.startswith(constants.NO_CREDITS_KEY_PREFIX):
        raise RequestRefused(402, "Insufficient credits or voice slot limit reached.")
    return account


def get_visible_voice(db: sqlite3.Connection, account: Account, voice_id: str) -> StoredObject:
    """A voice that the account can see: its own, or a public one. Raises RequestRefused 404."""
    voice = store.find_object(db, VENDOR, voice_id)
    is_hidden = voice and voice.account != account.hint and voice.details["visibility"] == "PRIVATE"
    if voice is None or is_hidden or is_deleted(voice):
        raise RequestRefused(404, "Voice not found.")
    return voice


def get_own_voice(db: sqlite3.Connection, account: Account, voice_id: str) -> StoredObject:
    """The account's own voice. Raises RequestRefused 404 if it is not visible, 403 if it belongs to another account."""
    voice = get_visible_voice(db, account, voice_id)
    if voice.account != account.hint:
        raise RequestRefused(403, "Only the owner of a voice can do this.")
    return voice


def is_deleted(voice: StoredObject) -> bool:
    """Whether the voice is deleted. Its row stays, so that a training that ends later does not restore it."""
    return "deleted_at" in voice.details


def parse_choice_field(body: dict[str, Any], field: str, known: tuple[str, ...], default: str) -> str:
    """The field's value, or the default if it is absent. Raises RequestRefused if it is not one of the known values."""
    value = body.get(field)
    if value is None or value == "":
        return default
    if value not in known:
        raise make_field_error(field, f"must be one of {', '.join(known)}")
    return str(value)
