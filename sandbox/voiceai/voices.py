"""Voices: clone, get, list, update, delete. A clone starts training at once, from one uploaded file."""

import io
import re
import wave
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError

from sandbox import clock, store, training
from sandbox.context import SandboxContext, SandboxRequest
from sandbox.endpoints import apply_list_lag, operation
from sandbox.requests import Account, RequestRefused, make_field_error, parse_text_field, read_json_body
from sandbox.store import StoredObject, format_now, record_ledger_entry
from sandbox.voiceai import constants
from sandbox.voiceai.auth import (
    VENDOR,
    authenticate,
    get_own_voice,
    get_visible_voice,
    is_deleted,
    parse_choice_field,
    render_error,
)
from sandbox.voiceai.training import ORIGINAL_FILE

SAMPLE_BYTES = 2


@operation("va_clone", render_error)
def clone_voice(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request, needs_write=True, needs_credits=True)
    fields, audio = _read_form(request)
    seconds = request.context.settings.training_seconds
    details = {
        "visibility": _choose_visibility(request, fields, constants.DEFAULT_VISIBILITY),
        "language": parse_choice_field(fields, "language", constants.LANGUAGES, constants.DEFAULT_LANGUAGE),
        "processed_from": clock.now() + seconds * constants.PENDING_SHARE,
    }
    name = parse_text_field(fields, "name", constants.MAX_NAME_LENGTH) or constants.DEFAULT_NAME
    voice = StoredObject(
        VENDOR, str(uuid4()), owner.hint, name, "PENDING", details=details, ready_at=clock.now() + seconds
    )
    request.context.store.get_audio_path(voice.id, ORIGINAL_FILE).write_bytes(audio)
    _save_new_voice(request.context, owner, voice)
    return JsonResponse({"voice_id": voice.id, "status": voice.status})


def _save_new_voice(context: SandboxContext, owner: Account, voice: StoredObject) -> None:
    """Commit the new voice and its charge, and start its training."""
    with context.store.transaction() as db:
        store.save_object(db, voice)
        record_ledger_entry(
            db,
            account=owner.hint,
            operation="va_clone",
            name=voice.name,
            voice=voice.id,
            charged=constants.CLONE_CREDITS,
        )
    training.start_training(context, VENDOR, voice.id)


def _read_form(request: SandboxRequest) -> tuple[dict[str, Any], bytes]:
    """The fields and the file of the multipart form. Raises RequestRefused."""
    try:
        fields, upload = request.POST.dict(), request.FILES.get("file")
    except (MultiPartParserError, SuspiciousOperation) as problem:
        raise RequestRefused(400, f"The form cannot be read: {problem}") from None
    if not isinstance(upload, UploadedFile):
        raise make_field_error("file", "can't be blank")
    if (upload.size or 0) > constants.MAX_BYTES:
        raise RequestRefused(413, "The file must not be larger than 7.5MB.")
    audio = cast(bytes, upload.read())
    if _detect_format(audio):
        return fields, audio
    if _is_pcm(upload.name or "", upload.content_type or "", audio):
        return fields, _wrap_pcm(audio)
    raise make_field_error("file", f"must be one of {', '.join([*constants.FORMATS.values(), 'PCM'])}")


def _is_pcm(name: str, content_type: str, audio: bytes) -> bool:
    """Whether the form says that the file is PCM, and it has whole samples."""
    is_named = re.fullmatch(constants.PCM_NAME_PATTERN, name) is not None
    is_typed = content_type.partition(";")[0].lower() in constants.PCM_TYPES
    return (is_named or is_typed) and bool(audio) and len(audio) % SAMPLE_BYTES == 0


def _wrap_pcm(audio: bytes) -> bytes:
    """The samples as a WAV, which the training decodes like every other file."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(SAMPLE_BYTES)
        wav.setframerate(constants.PCM_RATE)
        wav.writeframes(audio)
    return file.getvalue()


def _detect_format(audio: bytes) -> str | None:
    """One of FORMATS by the first bytes (RFC 2361, ID3v2.4 3.1, RFC 3533, ISO 14496-12), or None."""
    if audio.startswith(b"ID3") or (audio[:1] == b"\xff" and audio[1:2] >= b"\xe0"):
        return "mp3"
    if audio[4:8] == b"ftyp":
        return "m4a"
    return {b"RIFF": "wav", b"OggS": "ogg"}.get(audio[:4])


def _choose_visibility(request: SandboxRequest, fields: dict[str, Any], default: str) -> str:
    """The requested visibility, or PUBLIC with the fault `public`, which ignores the request."""
    requested = parse_choice_field(fields, "voice_visibility", constants.VISIBILITIES, default)
    return "PUBLIC" if any(rule.action == "public" for rule in request.rules) else requested


def make_voice_item(voice: StoredObject) -> dict[str, Any]:
    """A voice in the vendor's format. A failed voice also has `error`, which the vendor does not document."""
    item = {
        "voice_id": voice.id,
        "status": _get_status(voice),
        "name": voice.name,
        "voice_visibility": voice.details["visibility"],
    }
    return item | ({"error": voice.details["error"]} if voice.status == "FAILED" else {})


def _get_status(voice: StoredObject) -> str:
    if voice.ready_at is None:
        return voice.status
    return "PENDING" if clock.now() < voice.details["processed_from"] else "PROCESSING"


@operation("va_get_voice", render_error)
def get_voice(request: SandboxRequest, voice_id: str) -> HttpResponse:
    account = authenticate(request)
    with request.context.store.transaction() as db:
        return JsonResponse(make_voice_item(get_visible_voice(db, account, voice_id)))


@operation("va_list_voices", render_error)
def list_voices(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    with request.context.store.transaction() as db:
        voices = [voice for voice in store.list_objects(db, VENDOR, owner.hint) if not is_deleted(voice)]
    return JsonResponse([make_voice_item(voice) for voice in apply_list_lag(request, voices)], safe=False)


@operation("va_update_voice", render_error)
def update_voice(request: SandboxRequest, voice_id: str) -> HttpResponse:
    """Change the given fields."""
    owner = authenticate(request, needs_write=True)
    body = read_json_body(request)
    with request.context.store.transaction() as db:
        voice = get_own_voice(db, owner, voice_id)
        visibility = _choose_visibility(request, body, voice.details["visibility"])
        name = parse_text_field(body, "name", constants.MAX_NAME_LENGTH) or voice.name
        voice = replace(voice, name=name, details=voice.details | {"visibility": visibility}, updated_at=format_now())
        store.save_object(db, voice)
    return JsonResponse(make_voice_item(voice))


@operation("va_delete_voice", render_error)
def delete_voice(request: SandboxRequest, voice_id: str) -> HttpResponse:
    """Delete softly: the voice can no longer be reached, but its row and audio stay."""
    owner = authenticate(request)
    is_ignored = any(rule.action == "ignore" for rule in request.rules)
    with request.context.store.transaction() as db:
        voice = get_own_voice(db, owner, voice_id)
        if not is_ignored:
            details = voice.details | {"deleted_at": format_now()}
            store.save_object(db, replace(voice, details=details, updated_at=format_now()))
            record_ledger_entry(db, account=owner.hint, operation="va_delete_voice", name=voice.name, voice=voice_id)
    return JsonResponse({"status": "deleted", "voice_id": voice_id})
