"""Voices: create a voice and announce its file, build a voice, list all voices."""

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
from sandbox.endpoints import apply_list_lag, operation
from sandbox.requests import (
    Account,
    RequestRefused,
    make_field_error,
    parse_text_field,
    parse_url_field,
    read_json_body,
)
from sandbox.resemble_v1 import constants
from sandbox.resemble_v1.auth import VENDOR, authenticate, get_own_voice, render_error
from sandbox.store import StoredObject, format_now, record_ledger_entry

MD5_BYTES = 16


@operation("v1_create_voice", render_error)
def create_voice(request: SandboxRequest) -> HttpResponse:
    """Step 1: create a voice and return the upload URL of its file."""
    owner = authenticate(request, needs_write=True)
    voice = _parse_voice(read_json_body(request), owner)
    with request.context.store.transaction() as db:
        store.save_object(db, voice)
        record_ledger_entry(db, account=owner.hint, operation="v1_create_voice", name=voice.name, voice=voice.id)
    headers = {"Content-Type": voice.details["content_type"], "Content-MD5": voice.details["checksum"]}
    return JsonResponse({"url": _make_upload_url(request, voice), "headers": headers, "voice": voice.id})


def _make_upload_url(request: SandboxRequest, voice: StoredObject) -> str:
    """The upload URL. The secret signature is in the query, which is never logged."""
    url = f"http://{request.headers.get('Host', 'localhost')}/resemble/storage/{voice.id}"
    return f"{url}?expires={voice.details['good_until']:.0f}&signature={voice.details['signature']}"


def _parse_voice(body: dict[str, Any], owner: Account) -> StoredObject:
    """Read the new voice. Raises RequestRefused."""
    content_type = _parse_content_type(body)
    return StoredObject(
        vendor=VENDOR,
        id=str(uuid4()),
        account=owner.hint,
        name=parse_text_field(body, "name", constants.MAX_NAME_LENGTH, required=True) or "",
        status="initializing",
        details={
            "number": secrets.randbelow(10**8),
            "filename": _parse_file_name(body, content_type),
            "content_type": content_type,
            "byte_size": _parse_byte_size(body),
            "checksum": _parse_checksum(body),
            "callback_uri": parse_url_field(body, "callback_uri", constants.MAX_URL_LENGTH),
            "signature": secrets.token_urlsafe(32),
            "good_until": clock.now() + constants.UPLOAD_URL_SECONDS,
            "uploaded": False,
            "issue": "",
            "scores": {},
        },
    )


def _parse_content_type(body: dict[str, Any]) -> str:
    """Read `content-type` or `content_type`: the vendor's documentation uses both."""
    values = {parse_text_field(body, name, 100) for name in ("content-type", "content_type")} - {None}
    if len(values) > 1:
        raise make_field_error("content-type", "is given twice with different values")
    content_type = values.pop() if values else constants.DEFAULT_CONTENT_TYPE
    if content_type not in constants.CONTENT_TYPES:
        raise make_field_error("content-type", f"must be one of {', '.join(constants.CONTENT_TYPES)}")
    return content_type


def _parse_file_name(body: dict[str, Any], content_type: str) -> str:
    given = parse_text_field(body, "filename", constants.MAX_NAME_LENGTH, required=True) or ""
    is_audio = constants.CONTENT_TYPES[content_type] == "wav"
    if not re.fullmatch(constants.AUDIO_NAME_PATTERN if is_audio else constants.ARCHIVE_NAME_PATTERN, given):
        wanted = "alphanumeric with .wav extension" if is_audio else "a .zip or .tar.gz"
        raise make_field_error("filename", f"must be {wanted}")
    return given


def _parse_byte_size(body: dict[str, Any]) -> int:
    size = body.get("byte_size")
    if isinstance(size, bool) or not isinstance(size, int) or not 0 < size <= constants.MAX_FILE_BYTES:
        raise make_field_error("byte_size", f"must be a whole number from 1 to {constants.MAX_FILE_BYTES}")
    return size


def _parse_checksum(body: dict[str, Any]) -> str:
    given = parse_text_field(body, "checksum", 64, required=True) or ""
    if len(decode_md5(given)) != MD5_BYTES:
        raise make_field_error("checksum", "must be the MD5 of the file, in base64 or hex")
    return given


def decode_md5(checksum: str) -> bytes:
    """The digest of a checksum in base64 or hex, or an empty value if it is neither."""
    try:
        return bytes.fromhex(checksum) if len(checksum) == 2 * MD5_BYTES else b64decode(checksum, validate=True)
    except (binascii.Error, ValueError):
        return b""


@operation("v1_build", render_error)
def build_voice(request: SandboxRequest) -> HttpResponse:
    """Step 3: train the voice on the uploaded file."""
    owner = authenticate(request, needs_write=True)
    uuid = parse_text_field(read_json_body(request), "voice", 64, required=True) or ""
    context = request.context
    with context.store.transaction() as db:
        voice = get_own_voice(db, owner, uuid)
        if not voice.details["uploaded"]:
            raise RequestRefused(constants.INVALID_STATUS, "There is no data for this voice yet.")
        if voice.ready_at is not None:
            raise RequestRefused(constants.INVALID_STATUS, "This voice is already being built.")
        ready_at = clock.now() + context.settings.training_seconds
        details = voice.details | {"issue": "", "scores": {}}
        store.save_object(
            db, replace(voice, status="running", details=details, ready_at=ready_at, updated_at=format_now())
        )
        record_ledger_entry(
            db,
            account=owner.hint,
            operation="v1_build",
            name=voice.name,
            voice=uuid,
            charged=constants.BUILD_PRICE_CENTS,
        )
    training.start_training(context, VENDOR, uuid)
    return JsonResponse({"success": True})


@operation("v1_list_voices", render_error)
def list_voices(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    with request.context.store.transaction() as db:
        found = store.list_objects(db, VENDOR, owner.hint)
    return JsonResponse([_make_item(voice) for voice in apply_list_lag(request, found)], safe=False)


def _make_item(voice: StoredObject) -> dict[str, Any]:
    """The four documented fields, and two of the sandbox's own: the status, and either the issue or the scores."""
    item = {
        "name": voice.name,
        "language": constants.LANGUAGE,
        "id": voice.details["number"],
        "uuid": voice.id,
        "status": voice.status,
    }
    return item | {name: voice.details[name] for name in ("issue", "scores") if voice.details.get(name)}
