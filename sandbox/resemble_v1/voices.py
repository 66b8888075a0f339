"""Voices: announce one and its file, build it, list them all."""

import binascii
import re
import secrets
from base64 import b64decode
from dataclasses import replace
from typing import Any
from uuid import uuid4

from django.http import HttpResponse, JsonResponse

from sandbox import clock, store, training
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation, shown
from sandbox.requests import Account, RequestRefused, address_field, invalid, json_body, text_field
from sandbox.resemble_v1 import constants
from sandbox.resemble_v1.auth import VENDOR, account, error_form, own_voice
from sandbox.store import Kept, bill, now

MD5_BYTES = 16


@operation("v1_create_voice", error_form)
def create_voice(request: SandboxRequest) -> HttpResponse:
    """Step 1: a voice of this name, and where its file is to be put."""
    asking = account(request, changing=True)
    voice = _announced(json_body(request), asking)
    with request.house.store.transaction() as db:
        store.put(db, voice)
        bill(db, account=asking.hint, operation="v1_create_voice", name=voice.name, voice=voice.id)
    headers = {"Content-Type": voice.details["content_type"], "Content-MD5": voice.details["checksum"]}
    return JsonResponse({"url": _address(request, voice), "headers": headers, "voice": voice.id})


def _address(request: SandboxRequest, voice: Kept) -> str:
    """Where the file is to be put: what must not be guessed is in the query, which no log keeps."""
    place = f"http://{request.headers.get('Host', 'localhost')}/resemble/storage/{voice.id}"
    return f"{place}?expires={voice.details['good_until']:.0f}&signature={voice.details['signature']}"


def _announced(body: dict[str, Any], asking: Account) -> Kept:
    """The new voice. Raises RequestRefused."""
    content_type = _content_type(body)
    return Kept(
        vendor=VENDOR,
        id=str(uuid4()),
        account=asking.hint,
        name=text_field(body, "name", constants.LONGEST_NAME, required=True) or "",
        status="initializing",
        details={
            "number": secrets.randbelow(10**8),
            "filename": _file_name(body, content_type),
            "content_type": content_type,
            "byte_size": _byte_size(body),
            "checksum": _checksum(body),
            "callback_uri": address_field(body, "callback_uri", constants.LONGEST_ADDRESS),
            "signature": secrets.token_urlsafe(32),
            "good_until": clock.now() + constants.ADDRESS_SECONDS,
            "uploaded": False,
            "issue": "",
            "scores": {},
        },
    )


def _content_type(body: dict[str, Any]) -> str:
    """Both spellings of the vendor's pages are read."""
    sent = {text_field(body, name, 100) for name in ("content-type", "content_type")} - {None}
    if len(sent) > 1:
        raise invalid("content-type", "is told twice and differently")
    found = sent.pop() if sent else constants.DEFAULT_CONTENT_TYPE
    if found not in constants.CONTENT_TYPES:
        raise invalid("content-type", f"must be one of {', '.join(constants.CONTENT_TYPES)}")
    return found


def _file_name(body: dict[str, Any], content_type: str) -> str:
    given = text_field(body, "filename", constants.LONGEST_NAME, required=True) or ""
    audio = constants.CONTENT_TYPES[content_type] == "wav"
    if not re.fullmatch(constants.AUDIO_NAME if audio else constants.ARCHIVE_NAME, given):
        wanted = "alphanumeric with .wav extension" if audio else "a .zip or .tar.gz"
        raise invalid("filename", f"must be {wanted}")
    return given


def _byte_size(body: dict[str, Any]) -> int:
    size = body.get("byte_size")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= constants.LARGEST_FILE:
        raise invalid("byte_size", f"must be a whole number from 1 to {constants.LARGEST_FILE}")
    return size


def _checksum(body: dict[str, Any]) -> str:
    given = text_field(body, "checksum", 64, required=True) or ""
    if len(md5_of(given)) != MD5_BYTES:
        raise invalid("checksum", "must be the MD5 of the file, in base64 or hex")
    return given


def md5_of(checksum: str) -> bytes:
    """The digest in a checksum, base64 or hex; empty where it is neither."""
    try:
        return bytes.fromhex(checksum) if len(checksum) == 2 * MD5_BYTES else b64decode(checksum, validate=True)
    except (binascii.Error, ValueError):
        return b""


@operation("v1_build", error_form)
def build(request: SandboxRequest) -> HttpResponse:
    """Step 3: train the voice on what was put behind its address."""
    asking = account(request, changing=True)
    uuid = text_field(json_body(request), "voice", 64, required=True) or ""
    house = request.house
    with house.store.transaction() as db:
        voice = own_voice(db, asking, uuid)
        if not voice.details["uploaded"]:
            raise RequestRefused(constants.INVALID, "There is no data for this voice yet.")
        if voice.ready_at is not None:
            raise RequestRefused(constants.INVALID, "This voice is already being built.")
        ready_at = clock.now() + house.settings.training_seconds
        details = voice.details | {"issue": "", "scores": {}}
        store.put(db, replace(voice, status="running", details=details, ready_at=ready_at, updated_at=now()))
        bill(
            db,
            account=asking.hint,
            operation="v1_build",
            name=voice.name,
            voice=uuid,
            charged=constants.BUILD_PRICE,
        )
    training.start(house, VENDOR, uuid)
    return JsonResponse({"success": True})


@operation("v1_list_voices", error_form)
def list_voices(request: SandboxRequest) -> HttpResponse:
    asking = account(request)
    with request.house.store.transaction() as db:
        found = store.all_of(db, VENDOR, asking.hint)
    return JsonResponse([_item(voice) for voice in shown(request, found)], safe=False)


def _item(voice: Kept) -> dict[str, Any]:
    """The vendor's four fields, and ours: how it stands, and the scores once it is finished."""
    item = {
        "name": voice.name,
        "language": constants.LANGUAGE,
        "id": voice.details["number"],
        "uuid": voice.id,
        "status": voice.status,
    }
    return item | {name: voice.details[name] for name in ("issue", "scores") if voice.details.get(name)}
