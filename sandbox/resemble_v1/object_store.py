"""The object store: an upload to a signed URL replaces the earlier file once it is complete."""

import hashlib
from dataclasses import replace
from hmac import compare_digest
from pathlib import Path
from uuid import uuid4

from django.http import HttpResponse

from sandbox import clock, store
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.resemble_v1.auth import VENDOR, StorageRefusal, render_storage_error
from sandbox.resemble_v1.training import DATASET_FILE
from sandbox.resemble_v1.voices import decode_md5
from sandbox.store import StoredObject, format_now

BLOCK_BYTES = 1 << 18


@operation("v1_upload", render_storage_error)
def upload_file(request: SandboxRequest, voice: str) -> HttpResponse:
    """Step 2: upload the file. The signed URL needs no key."""
    context = request.context
    with context.store.transaction() as db:
        found = _check_signature(store.find_object(db, VENDOR, voice), request.GET.get("signature", ""))
    request.entry.account = found.account
    _check_headers(request, found)
    part = context.store.get_audio_path(voice, f"{uuid4().hex}.part")
    try:
        _write_body(request, found, part)
        part.replace(context.store.get_audio_path(voice, DATASET_FILE))
    finally:
        part.unlink(missing_ok=True)
    with context.store.transaction() as db:
        if latest := store.find_object(db, VENDOR, voice):
            details = latest.details | {"uploaded": True}
            store.save_object(db, replace(latest, details=details, updated_at=format_now()))
    return HttpResponse()


def _check_signature(voice: StoredObject | None, signature: str) -> StoredObject:
    """The voice of this signed URL. Raises StorageRefusal 403."""
    if voice is None or not compare_digest(voice.details["signature"].encode(), signature.encode()):
        raise StorageRefusal(403, "AccessDenied", "The signature does not belong to this address.")
    if clock.now() > voice.details["good_until"]:
        raise StorageRefusal(403, "AccessDenied", "Request has expired")
    return voice


def _check_headers(request: SandboxRequest, voice: StoredObject) -> None:
    """Raises StorageRefusal if the headers differ from the announced ones."""
    if "Authorization" in request.headers:
        raise StorageRefusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    length = request.headers.get("Content-Length", "")
    if not length:
        raise StorageRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    announced = voice.details
    if (
        decode_md5(request.headers.get("Content-MD5", "")) != decode_md5(announced["checksum"])
        or request.headers.get("Content-Type") != announced["content_type"]
        or length != str(announced["byte_size"])
    ):
        raise StorageRefusal(
            403, "SignatureDoesNotMatch", "Content-Type, Content-MD5 or Content-Length is not as announced."
        )


def _write_body(request: SandboxRequest, voice: StoredObject, path: Path) -> None:
    """Write the body to a file. Raises StorageRefusal 400 if its size or MD5 differs from the announced one."""
    size, md5 = 0, hashlib.md5(usedforsecurity=False)
    with path.open("wb") as file:
        while block := request.read(BLOCK_BYTES):
            size += len(block)
            md5.update(block)
            file.write(block)
    if size != voice.details["byte_size"]:
        raise StorageRefusal(400, "IncompleteBody", "The body is not as long as its Content-Length says.")
    if md5.digest() != decode_md5(voice.details["checksum"]):
        raise StorageRefusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
