"""Files: create, upload to a signed URL, get, change, delete. Responses have no envelope."""

import secrets
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from django.http import FileResponse, HttpResponse, HttpResponseBase, JsonResponse

from audio.findings.findings import FileRefused as Unreadable
from audio.wav.convert import convert_to_wav
from audio.wav.riff import WavRefused, read_header
from sandbox import clock, store
from sandbox.audiostack import constants
from sandbox.audiostack.auth import FILE, VENDOR, authenticate, get_own_file, render_error
from sandbox.context import SandboxContext, SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import RequestRefused, make_field_error, parse_text_field, read_json_body
from sandbox.store import StoredObject, format_now

ORIGINAL_FILE = "original"
DECODED_FILE = "decoded.wav"
"""The decoded audio of a file that is not a plain WAV."""

BLOCK_BYTES = 1 << 20


@operation("create_file", render_error)
def create_file(request: SandboxRequest) -> HttpResponse:
    """Announce a file. The request is in snake_case, the response in camelCase, as in the vendor's client."""
    return _create_pending_file(request, name_field="file_name", folder_field="folder_id")


@operation("create_file", render_error)
def create_upload_url(request: SandboxRequest) -> HttpResponse:
    """Announce a file, in the form that the vendor's client used before version 4."""
    return _create_pending_file(request, name_field="fileName", folder_field="folderId")


def _create_pending_file(request: SandboxRequest, *, name_field: str, folder_field: str) -> HttpResponse:
    owner = authenticate(request, needs_write=True)
    body = read_json_body(request)
    name = parse_text_field(body, name_field, constants.MAX_FILE_NAME_LENGTH, required=True) or ""
    details = {
        "signature": secrets.token_urlsafe(24),
        "expires_at": clock.now() + constants.UPLOAD_URL_SECONDS,
        "mime_type": constants.MIME_TYPES.get(PurePath(name).suffix.lower(), constants.DEFAULT_MIME_TYPE),
        "folder_id": parse_text_field(body, folder_field, 64) or str(uuid5(NAMESPACE_OID, owner.hint)),
        "category": parse_text_field(body, "category_id", 64),
        "access": constants.ACCESS_LEVELS[0],
        "size": 0,
        "seconds": None,
        "listen_to": None,
    }
    file = StoredObject(VENDOR, str(uuid4()), owner.hint, name, constants.PENDING, kind=FILE, details=details)
    with request.context.store.transaction() as db:
        store.save_object(db, file)
    url = f"{_get_base_url(request)}/uploads/{file.id}/{details['signature']}"
    return JsonResponse(make_file_item(request, file) | {"uploadUrl": url, "mimeType": details["mime_type"]})


def _get_base_url(request: SandboxRequest) -> str:
    return f"http://{request.headers.get('Host', 'localhost')}/audiostack"


def make_file_item(request: SandboxRequest, file: StoredObject) -> dict[str, Any]:
    """A file in the vendor's format; `url` and `duration` are present once it is uploaded."""
    details = file.details
    category = details["category"]
    item = {
        "fileId": file.id,
        "fileName": file.name,
        "folderId": details["folder_id"],
        "createdBy": file.account,
        "fileType": {"name": "audio" if details["mime_type"].startswith("audio/") else "other"},
        "fileCategory": {"id": category, "name": category} if category else None,
        "size": details["size"],
        "createdAt": file.created_at,
        "updatedAt": file.updated_at,
        "status": file.status,
        "accessControl": details["access"],
    }
    if file.status == constants.UPLOADED:
        item |= {
            "url": f"{_get_base_url(request)}/audio/{file.id}/{details['signature']}",
            "duration": details["seconds"],
        }
    return item


@operation("upload_file", render_error)
def upload_file(request: SandboxRequest, file_id: str, signature: str) -> HttpResponse:
    """Receive a file without a key, as an object store does: the URL is secret."""
    context = request.context
    file = _get_signed_file(request, file_id, signature)
    if file.details["expires_at"] < clock.now():
        raise RequestRefused(403, "The upload URL has expired.")
    if request.headers.get("Content-Type") != file.details["mime_type"]:
        raise RequestRefused(403, f"The Content-Type must be {file.details['mime_type']}.")
    size = _receive_upload(request, context.store.get_audio_path(file.id, ORIGINAL_FILE))
    listen_to, seconds = _find_audio(context, file.id)
    upload_details = {"size": size, "listen_to": listen_to, "seconds": seconds}
    with context.store.transaction() as db:
        latest = store.find_object(db, VENDOR, file.id)
        if latest:
            details = latest.details | upload_details
            store.save_object(db, replace(latest, status=constants.UPLOADED, details=details, updated_at=format_now()))
    if latest is None:  # deleted while the bytes arrived
        context.store.delete_audio(file.id)
        raise RequestRefused(403, "There is nothing at this address, or the signature is wrong.")
    return HttpResponse()


def _get_signed_file(request: SandboxRequest, file_id: str, signature: str) -> StoredObject:
    """The file of this signed URL. Raises RequestRefused 403."""
    with request.context.store.transaction() as db:
        file = store.find_object(db, VENDOR, file_id)
    if file is None or file.kind != FILE or not secrets.compare_digest(file.details["signature"], signature):
        raise RequestRefused(403, "There is nothing at this address, or the signature is wrong.")
    request.entry.account = file.account
    return file


def _receive_upload(request: SandboxRequest, target: Path) -> int:
    """Write the body to `target`, but only if it is complete. Return its size. Raises RequestRefused."""
    length = request.headers.get("Content-Length") or ""
    if not length.isdecimal():
        raise RequestRefused(411, "The Content-Length is missing.")
    if int(length) > constants.MAX_UPLOAD_BYTES:
        raise RequestRefused(413, "The file is too large.")
    partial = target.with_name(f"arriving-{secrets.token_hex(8)}")
    try:
        with partial.open("wb") as file:
            while block := request.read(BLOCK_BYTES):
                file.write(block)
        if partial.stat().st_size != int(length):
            raise RequestRefused(400, "The file is incomplete.")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return int(length)


def _find_audio(context: SandboxContext, file_id: str) -> tuple[str | None, float | None]:
    """Name of the readable audio of a file and its seconds; both None if the file is not audio."""
    original, decoded = (
        context.store.get_audio_path(file_id, ORIGINAL_FILE),
        context.store.get_audio_path(file_id, DECODED_FILE),
    )
    try:
        with original.open("rb") as file:
            return ORIGINAL_FILE, read_header(file).seconds
    except WavRefused:
        decoded.unlink(missing_ok=True)
    try:
        return DECODED_FILE, convert_to_wav(original, decoded).header.seconds
    except Unreadable:
        return None, None


@operation("get_file", render_error)
def get_file(request: SandboxRequest, file_id: str) -> HttpResponse:
    owner = authenticate(request)
    with request.context.store.transaction() as db:
        return JsonResponse(make_file_item(request, get_own_file(db, owner, file_id)))


@operation("update_file", render_error)
def update_file(request: SandboxRequest, file_id: str) -> HttpResponse:
    owner = authenticate(request, needs_write=True)
    body = read_json_body(request)
    name = parse_text_field(body, "file_name", constants.MAX_FILE_NAME_LENGTH)
    category = parse_text_field(body, "category_id", 64) or parse_text_field(body, "category_name", 64)
    access = parse_text_field(body, "access_control", 16)
    if access not in (None, *constants.ACCESS_LEVELS):
        raise make_field_error("access_control", f"must be one of {', '.join(constants.ACCESS_LEVELS)}")
    with request.context.store.transaction() as db:
        file = get_own_file(db, owner, file_id)
        details = file.details
        changes = {"category": category or details["category"], "access": access or details["access"]}
        changed = replace(file, name=name or file.name, details=details | changes, updated_at=format_now())
        store.save_object(db, changed)
    return JsonResponse(make_file_item(request, changed))


@operation("delete_file", render_error)
def delete_file(request: SandboxRequest, file_id: str) -> HttpResponse:
    """Delete a file. Voices cloned from it keep their audio."""
    owner = authenticate(request, needs_write=True)
    with request.context.store.transaction() as db:
        get_own_file(db, owner, file_id)
        store.delete_object(db, VENDOR, file_id)
    request.context.store.delete_audio(file_id)
    return HttpResponse(status=204)


@operation("get_file_audio", render_error)
def get_file_audio(request: SandboxRequest, file_id: str, signature: str) -> HttpResponseBase:
    """The audio at a file's `url`. The request needs no key, because the URL is secret."""
    file = _get_signed_file(request, file_id, signature)
    if file.status != constants.UPLOADED:
        raise RequestRefused(404, "The file is not uploaded yet.")
    content = request.context.store.get_audio_path(file.id, ORIGINAL_FILE).open("rb")
    return FileResponse(content, content_type=file.details["mime_type"])
