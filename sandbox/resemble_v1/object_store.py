"""The object store: a file is put at a signed address. What came before stays until all of the new one is there."""

import hashlib
from dataclasses import replace
from hmac import compare_digest
from pathlib import Path
from uuid import uuid4

from django.http import HttpResponse

from sandbox import clock, store
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.resemble_v1.auth import VENDOR, StorageRefusal, storage_form
from sandbox.resemble_v1.training import DATASET
from sandbox.resemble_v1.voices import md5_of
from sandbox.store import Kept, now

BLOCK = 1 << 18


@operation("v1_upload", storage_form)
def upload(request: SandboxRequest, voice: str) -> HttpResponse:
    """Step 2: no key is asked for, as the address cannot be guessed."""
    house = request.house
    with house.store.transaction() as db:
        found = _signed(store.get(db, VENDOR, voice), request.GET.get("signature", ""))
    request.seen.account = found.account
    _as_announced(request, found)
    part = house.store.audio(voice, f"{uuid4().hex}.part")
    try:
        _written(request, found, part)
        part.replace(house.store.audio(voice, DATASET))
    finally:
        part.unlink(missing_ok=True)
    with house.store.transaction() as db:
        if latest := store.get(db, VENDOR, voice):
            details = latest.details | {"uploaded": True}
            store.put(db, replace(latest, details=details, updated_at=now()))
    return HttpResponse()


def _signed(voice: Kept | None, signature: str) -> Kept:
    """The voice whose address this is. Raises StorageRefusal 403."""
    if voice is None or not compare_digest(voice.details["signature"].encode(), signature.encode()):
        raise StorageRefusal(403, "AccessDenied", "The signature is not that of this address.")
    if clock.now() > voice.details["good_until"]:
        raise StorageRefusal(403, "AccessDenied", "Request has expired")
    return voice


def _as_announced(request: SandboxRequest, voice: Kept) -> None:
    """Raises StorageRefusal where the headers are not those of the announcement."""
    if "Authorization" in request.headers:
        raise StorageRefusal(400, "InvalidArgument", "Only one auth mechanism allowed")
    length = request.headers.get("Content-Length", "")
    if not length:
        raise StorageRefusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    announced = voice.details
    if (
        md5_of(request.headers.get("Content-MD5", "")) != md5_of(announced["checksum"])
        or request.headers.get("Content-Type") != announced["content_type"]
        or length != str(announced["byte_size"])
    ):
        raise StorageRefusal(
            403, "SignatureDoesNotMatch", "Content-Type, Content-MD5 or Content-Length is not as announced."
        )


def _written(request: SandboxRequest, voice: Kept, path: Path) -> None:
    """Write the body to a file. Raises StorageRefusal 400 where it is not what was announced."""
    size, md5 = 0, hashlib.md5(usedforsecurity=False)
    with path.open("wb") as file:
        while block := request.read(BLOCK):
            size += len(block)
            md5.update(block)
            file.write(block)
    if size != voice.details["byte_size"]:
        raise StorageRefusal(400, "IncompleteBody", "The body is not as long as its Content-Length says.")
    if md5.digest() != md5_of(voice.details["checksum"]):
        raise StorageRefusal(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
