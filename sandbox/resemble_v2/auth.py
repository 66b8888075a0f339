"""Who may do what: the account behind a request, and the voice and recording it asks for."""

import sqlite3
from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpResponse

from sandbox.context import SandboxRequest
from sandbox.requests import Account, RequestRefused, account_of, authorization_key
from sandbox.resemble_v2 import rows

P = ParamSpec("P")


def account(request: SandboxRequest) -> Account:
    """The account of the key in the request. Raises RequestRefused 401."""
    header = request.headers.get("Authorization") or request.headers.get("X-Access-Token") or ""
    found = account_of(authorization_key(header))
    request.seen.account = found.hint
    return found


def with_account(
    view: Callable[Concatenate[SandboxRequest, Account, P], HttpResponse],
) -> Callable[Concatenate[SandboxRequest, P], HttpResponse]:
    """Give the view the account."""

    def wrapped(request: SandboxRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return view(request, account(request), *args, **kwargs)

    return wrapped


def with_changing_account(
    view: Callable[Concatenate[SandboxRequest, Account, P], HttpResponse],
) -> Callable[Concatenate[SandboxRequest, P], HttpResponse]:
    """Give the view the account, if its plan allows creating, changing and building; else 403."""

    def wrapped(request: SandboxRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        found = account(request)
        if not found.may_change:
            raise RequestRefused(403, "This API is only available for pro users. Please upgrade your plan.")
        return view(request, found, *args, **kwargs)

    return wrapped


def own_voice(db: sqlite3.Connection, account: Account, uuid: str) -> rows.Voice:
    """The account's voice. Raises RequestRefused 404."""
    voice = rows.voice_by_id(db, uuid)
    if voice is None or voice.account != account.hint:
        raise RequestRefused(404, "Voice not found.")
    return voice


def own_recording(
    db: sqlite3.Connection, account: Account, voice_uuid: str, uuid: str
) -> tuple[rows.Voice, rows.Recording]:
    """The account's voice and its recording. Raises RequestRefused 404."""
    voice = own_voice(db, account, voice_uuid)
    recording = rows.recording_by_id(db, voice_uuid, uuid)
    if recording is None:
        raise RequestRefused(404, "Recording not found.")
    return voice, recording
