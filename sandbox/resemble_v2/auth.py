"""Authentication, and access to the account's voices and recordings."""

import sqlite3
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpResponse

from sandbox import vendor_defaults
from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, authenticate_key, parse_authorization_key
from sandbox.resemble_v2 import rows

P = ParamSpec("P")


def authenticate(request: SandboxRequest) -> Account:
    """The account of the key in the request. Raises RequestRefused 401."""
    header = request.headers.get("Authorization") or request.headers.get("X-Access-Token") or ""
    account = authenticate_key(parse_authorization_key(header))
    request.entry.account = account.hint
    limit = request.context.settings.resemble_v2_calls_per_second
    if not request.context.call_rates.count_call("resemble_v2", account.hint, limit):
        raise RequestRefused(vendor_defaults.TOO_MANY_CALLS_STATUS, f"More than {limit:g} calls per second.")
    return account


def with_account(
    view: Callable[Concatenate[SandboxRequest, Account, P], HttpResponse],
) -> Callable[Concatenate[SandboxRequest, P], HttpResponse]:

    def wrapped(request: SandboxRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, authenticate(request), *args, **kwargs)

    return wrapped


def with_write_account(
    view: Callable[Concatenate[SandboxRequest, Account, P], HttpResponse],
) -> Callable[Concatenate[SandboxRequest, P], HttpResponse]:
    """Pass the account to the view. Raises RequestRefused 403 if the account's plan is read-only."""

    def wrapped(request: SandboxRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        account = authenticate(request)
        if not account.can_write:
            raise RequestRefused(403, "This API is only available for pro users. Please upgrade your plan.")
        return view(request, account, *args, **kwargs)

    return wrapped


def get_own_voice(db: sqlite3.Connection, account: Account, uuid: str) -> rows.Voice:
    """The account's voice. Raises RequestRefused 404."""
    voice = rows.find_voice(db, uuid)
    if voice is None or voice.account != account.hint:
        raise RequestRefused(404, "Voice not found.")
    return voice


def get_own_recording(
    db: sqlite3.Connection, account: Account, voice_uuid: str, uuid: str
) -> tuple[rows.Voice, rows.Recording]:
    """The account's voice and recording. Raises RequestRefused 404."""
    voice = get_own_voice(db, account, voice_uuid)
    recording = rows.find_recording(db, voice_uuid, uuid)
    if recording is None:
        raise RequestRefused(404, "Recording not found.")
    return voice, recording
