"""Voices: clone, get, list, update, delete. A clone trains at once, from the one file that was sent."""

from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError

from sandbox import clock, store, training
from sandbox.context import House, SandboxRequest
from sandbox.endpoints import operation, shown
from sandbox.requests import Account, RequestRefused, invalid, json_body, text_field
from sandbox.store import Kept, bill, now
from sandbox.voiceai import constants
from sandbox.voiceai.auth import VENDOR, account, choice_field, error_form, is_deleted, own_voice, seen_voice
from sandbox.voiceai.training import SENT


@operation("va_clone", error_form)
def clone(request: SandboxRequest) -> HttpResponse:
    owner = account(request, changing=True, charged=True)
    fields, audio = _form(request)
    seconds = request.house.settings.training_seconds
    details = {
        "visibility": _visibility(request, fields, constants.DEFAULT_VISIBILITY),
        "language": choice_field(fields, "language", constants.LANGUAGES, constants.DEFAULT_LANGUAGE),
        "processed_from": clock.now() + seconds * constants.PENDING_SHARE,
    }
    name = text_field(fields, "name", constants.LONGEST_NAME) or constants.UNNAMED
    voice = Kept(VENDOR, str(uuid4()), owner.hint, name, "PENDING", details=details, ready_at=clock.now() + seconds)
    request.house.store.audio(voice.id, SENT).write_bytes(audio)
    _enter(request.house, owner, voice)
    return JsonResponse({"voice_id": voice.id, "status": voice.status})


def _enter(house: House, owner: Account, voice: Kept) -> None:
    """Commit the new voice and what it costs, and train it."""
    with house.store.transaction() as db:
        store.put(db, voice)
        bill(
            db,
            account=owner.hint,
            operation="va_clone",
            name=voice.name,
            voice=voice.id,
            charged=constants.CLONE_CREDITS,
        )
    training.start(house, VENDOR, voice.id)


def _form(request: SandboxRequest) -> tuple[dict[str, Any], bytes]:
    """The fields and the file of the multipart form. Raises RequestRefused."""
    try:
        fields, upload = request.POST.dict(), request.FILES.get("file")
    except (MultiPartParserError, SuspiciousOperation) as problem:
        raise RequestRefused(400, f"The form cannot be read: {problem}") from None
    if not isinstance(upload, UploadedFile):
        raise invalid("file", "can't be blank")
    if (upload.size or 0) > constants.LARGEST:
        raise RequestRefused(413, "The file must not be larger than 7.5MB.")
    audio = cast(bytes, upload.read())
    if _format(audio) is None:
        raise invalid("file", f"must be one of {', '.join(constants.FORMATS.values())}")
    return fields, audio


def _format(audio: bytes) -> str | None:
    """One of FORMATS by how the file begins (RFC 2361, ID3v2.4 3.1, RFC 3533, ISO 14496-12), or None."""
    if audio.startswith(b"ID3") or (audio[:1] == b"\xff" and audio[1:2] >= b"\xe0"):
        return "mp3"
    if audio[4:8] == b"ftyp":
        return "m4a"
    return {b"RIFF": "wav", b"OggS": "ogg"}.get(audio[:4])


def _visibility(request: SandboxRequest, fields: dict[str, Any], default: str) -> str:
    """What was asked for, unless the fault script wants a vendor that does not listen."""
    asked = choice_field(fields, "voice_visibility", constants.VISIBILITIES, default)
    return "PUBLIC" if any(rule.action == "public" for rule in request.rules) else asked


def voice_item(voice: Kept) -> dict[str, Any]:
    """A voice as it is asked for; the keys are the vendor's, but for the `error` of a failed one."""
    item = {
        "voice_id": voice.id,
        "status": _status(voice),
        "name": voice.name,
        "voice_visibility": voice.details["visibility"],
    }
    return item | ({"error": voice.details["error"]} if voice.status == "FAILED" else {})


def _status(voice: Kept) -> str:
    if voice.ready_at is None:
        return voice.status
    return "PENDING" if clock.now() < voice.details["processed_from"] else "PROCESSING"


@operation("va_get_voice", error_form)
def get_voice(request: SandboxRequest, voice_id: str) -> HttpResponse:
    asking = account(request)
    with request.house.store.transaction() as db:
        return JsonResponse(voice_item(seen_voice(db, asking, voice_id)))


@operation("va_list_voices", error_form)
def list_voices(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    with request.house.store.transaction() as db:
        voices = [voice for voice in store.all_of(db, VENDOR, owner.hint) if not is_deleted(voice)]
    return JsonResponse([voice_item(voice) for voice in shown(request, voices)], safe=False)


@operation("va_update_voice", error_form)
def update_voice(request: SandboxRequest, voice_id: str) -> HttpResponse:
    """Change the fields that were sent."""
    owner = account(request, changing=True)
    body = json_body(request)
    with request.house.store.transaction() as db:
        voice = own_voice(db, owner, voice_id)
        visibility = _visibility(request, body, voice.details["visibility"])
        name = text_field(body, "name", constants.LONGEST_NAME) or voice.name
        voice = replace(voice, name=name, details=voice.details | {"visibility": visibility}, updated_at=now())
        store.put(db, voice)
    return JsonResponse(voice_item(voice))


@operation("va_delete_voice", error_form)
def delete_voice(request: SandboxRequest, voice_id: str) -> HttpResponse:
    """Softly: nobody reaches the voice any more, but it is still there."""
    owner = account(request)
    ignored = any(rule.action == "ignore" for rule in request.rules)
    with request.house.store.transaction() as db:
        voice = own_voice(db, owner, voice_id)
        if not ignored:
            gone = voice.details | {"deleted_at": now()}
            store.put(db, replace(voice, details=gone, updated_at=now()))
            bill(db, account=owner.hint, operation="va_delete_voice", name=voice.name, voice=voice_id)
    return JsonResponse({"status": "deleted", "voice_id": voice_id})
