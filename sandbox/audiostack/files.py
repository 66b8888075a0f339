"""Files: announced, uploaded to an address of their own, looked at, changed, deleted. Answered without the envelope."""

import secrets
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any
from uuid import NAMESPACE_OID, uuid4, uuid5

from django.http import FileResponse, HttpResponse, HttpResponseBase, JsonResponse

from audio.findings.findings import Refused as Unreadable
from audio.wav.convert import convert_to_wav
from audio.wav.riff import WavRefused, read_header
from sandbox import clock, store
from sandbox.audiostack import constants
from sandbox.audiostack.auth import FILE, VENDOR, account, error_form, own_file
from sandbox.context import House, SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import RequestRefused, invalid, json_body, text_field
from sandbox.store import Kept, now

ORIGINAL = "original"
DECODED = "decoded.wav"
"""Of a file that is no plain WAV: what the sandbox listens to."""

BLOCK = 1 << 20


@operation("create_file", error_form)
def create_file(request: SandboxRequest) -> HttpResponse:
    """snake_case in, camelCase out, as the vendor's client has it."""
    return _announced(request, name_field="file_name", folder_field="folder_id")


@operation("create_file", error_form)
def create_upload_url(request: SandboxRequest) -> HttpResponse:
    """The same as the vendor's client had it before its version 4."""
    return _announced(request, name_field="fileName", folder_field="folderId")


def _announced(request: SandboxRequest, *, name_field: str, folder_field: str) -> HttpResponse:
    owner = account(request, changing=True)
    body = json_body(request)
    name = text_field(body, name_field, constants.LONGEST_FILE_NAME, required=True) or ""
    details = {
        "signature": secrets.token_urlsafe(24),
        "expires_at": clock.now() + constants.UPLOAD_SECONDS,
        "mime_type": constants.TYPES.get(PurePath(name).suffix.lower(), constants.OTHER_TYPE),
        "folder_id": text_field(body, folder_field, 64) or str(uuid5(NAMESPACE_OID, owner.hint)),
        "category": text_field(body, "category_id", 64),
        "access": constants.ACCESS[0],
        "size": 0,
        "seconds": None,
        "listen_to": None,
    }
    file = Kept(VENDOR, str(uuid4()), owner.hint, name, constants.PENDING, kind=FILE, details=details)
    with request.house.store.transaction() as db:
        store.put(db, file)
    address = f"{_here(request)}/uploads/{file.id}/{details['signature']}"
    return JsonResponse(file_item(request, file) | {"uploadUrl": address, "mimeType": details["mime_type"]})


def _here(request: SandboxRequest) -> str:
    return f"http://{request.headers.get('Host', 'localhost')}/audiostack"


def file_item(request: SandboxRequest, file: Kept) -> dict[str, Any]:
    """A file as the vendor's client wants it; `url` and `duration` once it is uploaded."""
    known = file.details
    category = known["category"]
    item = {
        "fileId": file.id,
        "fileName": file.name,
        "folderId": known["folder_id"],
        "createdBy": file.account,
        "fileType": {"name": "audio" if known["mime_type"].startswith("audio/") else "other"},
        "fileCategory": {"id": category, "name": category} if category else None,
        "size": known["size"],
        "createdAt": file.created_at,
        "updatedAt": file.updated_at,
        "status": file.status,
        "accessControl": known["access"],
    }
    if file.status == constants.UPLOADED:
        item |= {"url": f"{_here(request)}/audio/{file.id}/{known['signature']}", "duration": known["seconds"]}
    return item


@operation("upload_file", error_form)
def upload_file(request: SandboxRequest, file_id: str, signature: str) -> HttpResponse:
    """Bare, as an object store is: who has the address may send, and no key is asked."""
    house = request.house
    file = _signed(request, file_id, signature)
    if file.details["expires_at"] < clock.now():
        raise RequestRefused(403, "The address has expired.")
    if request.headers.get("Content-Type") != file.details["mime_type"]:
        raise RequestRefused(403, f"The Content-Type is not the one that was given, {file.details['mime_type']}.")
    size = _receive(request, house.store.audio(file.id, ORIGINAL))
    listen_to, seconds = _find_audio(house, file.id)
    news = {"size": size, "listen_to": listen_to, "seconds": seconds}
    with house.store.transaction() as db:
        if latest := store.get(db, VENDOR, file.id):
            details = latest.details | news
            store.put(db, replace(latest, status=constants.UPLOADED, details=details, updated_at=now()))
    return HttpResponse()


def _signed(request: SandboxRequest, file_id: str, signature: str) -> Kept:
    """The file whose address this is. Raises RequestRefused 403."""
    with request.house.store.transaction() as db:
        file = store.get(db, VENDOR, file_id)
    if file is None or file.kind != FILE or not secrets.compare_digest(file.details["signature"], signature):
        raise RequestRefused(403, "There is nothing at this address, or the signature is wrong.")
    request.seen.account = file.account
    return file


def _receive(request: SandboxRequest, target: Path) -> int:
    """Write the body to `target` once all of it is there; its size. Raises RequestRefused."""
    length = request.headers.get("Content-Length") or ""
    if not length.isdecimal():
        raise RequestRefused(411, "The Content-Length is missing.")
    if int(length) > constants.LARGEST_UPLOAD:
        raise RequestRefused(413, "The file is too large.")
    arriving = target.with_name(f"arriving-{secrets.token_hex(8)}")
    try:
        with arriving.open("wb") as file:
            while block := request.read(BLOCK):
                file.write(block)
        if arriving.stat().st_size != int(length):
            raise RequestRefused(400, "The file did not arrive whole.")
        arriving.replace(target)
    finally:
        arriving.unlink(missing_ok=True)
    return int(length)


def _find_audio(house: House, file_id: str) -> tuple[str | None, float | None]:
    """What can be listened to of a file, and how long it lasts; None and None if it is no audio."""
    original, decoded = house.store.audio(file_id, ORIGINAL), house.store.audio(file_id, DECODED)
    try:
        with original.open("rb") as file:
            return ORIGINAL, read_header(file).seconds
    except WavRefused:
        decoded.unlink(missing_ok=True)
    try:
        return DECODED, convert_to_wav(original, decoded).header.seconds
    except Unreadable:
        return None, None


@operation("get_file", error_form)
def get_file(request: SandboxRequest, file_id: str) -> HttpResponse:
    owner = account(request)
    with request.house.store.transaction() as db:
        return JsonResponse(file_item(request, own_file(db, owner, file_id)))


@operation("update_file", error_form)
def update_file(request: SandboxRequest, file_id: str) -> HttpResponse:
    owner = account(request, changing=True)
    body = json_body(request)
    name = text_field(body, "file_name", constants.LONGEST_FILE_NAME)
    category = text_field(body, "category_id", 64) or text_field(body, "category_name", 64)
    access = text_field(body, "access_control", 16)
    if access not in (None, *constants.ACCESS):
        raise invalid("access_control", f"must be one of {', '.join(constants.ACCESS)}")
    with request.house.store.transaction() as db:
        file = own_file(db, owner, file_id)
        known = file.details
        details = known | {"category": category or known["category"], "access": access or known["access"]}
        changed = replace(file, name=name or file.name, details=details, updated_at=now())
        store.put(db, changed)
    return JsonResponse(file_item(request, changed))


@operation("delete_file", error_form)
def delete_file(request: SandboxRequest, file_id: str) -> HttpResponse:
    """For good. A voice that was made of it keeps what it learned."""
    owner = account(request, changing=True)
    with request.house.store.transaction() as db:
        own_file(db, owner, file_id)
        store.remove(db, VENDOR, file_id)
    request.house.store.forget_audio(file_id)
    return HttpResponse(status=204)


@operation("get_file_audio", error_form)
def file_audio(request: SandboxRequest, file_id: str, signature: str) -> HttpResponseBase:
    """The file behind `url`; its address cannot be guessed, so no key is asked."""
    file = _signed(request, file_id, signature)
    if file.status != constants.UPLOADED:
        raise RequestRefused(404, "The file is not uploaded yet.")
    content = request.house.store.audio(file.id, ORIGINAL).open("rb")
    return FileResponse(content, content_type=file.details["mime_type"])
