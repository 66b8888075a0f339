"""Voice models: clone, get, list, delete. A clone starts training at once, from one uploaded file."""

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError

from audio.findings.findings import FileRefused as Unreadable
from audio.wav.convert import convert_to_wav
from sandbox import clip_evaluation, clock, store, training
from sandbox.context import SandboxContext, SandboxRequest
from sandbox.endpoints import apply_list_lag, operation
from sandbox.requests import RequestRefused, parse_boolean_field, parse_text_field
from sandbox.speakers import has_two_speakers
from sandbox.speechgen import constants
from sandbox.speechgen.auth import VENDOR, CodedRefusal, authenticate, get_own_model, render_error
from sandbox.store import StoredObject, format_time, record_ledger_entry

AUDIO_FILE = "voice.wav"
"""The decoded upload, which the sandbox evaluates and plays as speech."""


@operation("sg_clone", render_error)
def clone_voice(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request, needs_write=True)
    fields, upload = _read_form(request)
    details = {
        "description": parse_text_field(fields, "description", constants.MAX_DESCRIPTION_LENGTH) or "",
        "enhance_quality": parse_boolean_field(fields, "enhance_quality", default=False),
        "voice_id": f"custom-{uuid4().hex[:12]}",
        "usage_count": 0,
    }
    request.entry.options = {name: details[name] for name in ("description", "enhance_quality")}
    name = parse_text_field(fields, "name", constants.MAX_NAME_LENGTH, required=True) or ""
    model = StoredObject(VENDOR, f"vm_{uuid4().hex}", owner.hint, name, "processing", details=details)
    _save_audio(request.context, model.id, upload)
    model = replace(model, ready_at=clock.now() + request.context.settings.training_seconds)
    with request.context.store.transaction() as db:
        store.save_object(db, model)
        record_ledger_entry(
            db,
            account=owner.hint,
            operation="sg_clone",
            name=name,
            voice=model.id,
            charged=constants.CLONE_CHARACTERS,
        )
    training.start_training(request.context, VENDOR, model.id)
    return JsonResponse(_make_clone_response(request, model), status=201)


def _read_form(request: SandboxRequest) -> tuple[dict[str, Any], BinaryIO]:
    """The fields and the file of the multipart form. Raises RequestRefused."""
    try:
        fields, upload = request.POST.dict(), request.FILES.get("audio")
    except (MultiPartParserError, SuspiciousOperation) as problem:
        raise RequestRefused(400, f"The form cannot be read: {problem}") from None
    if not isinstance(upload, UploadedFile) or upload.file is None:
        raise CodedRefusal(400, "missing_audio", "An audio file is required.", "audio")
    if (upload.size or 0) > constants.MAX_BYTES:
        raise CodedRefusal(413, "file_too_large", "The audio file must not be larger than 10MB.", "audio")
    return fields, cast(BinaryIO, upload.file)


def _save_audio(context: SandboxContext, model_id: str, upload: BinaryIO) -> None:
    """Decode the file into the model's folder. If it is not accepted, leave no file and raise RequestRefused."""
    try:
        _decode_audio(upload, context.store.get_audio_path(model_id, AUDIO_FILE))
    except BaseException:
        context.store.delete_audio(model_id)
        raise


def _decode_audio(upload: BinaryIO, target: Path) -> None:
    try:
        converted = convert_to_wav(upload, target)
    except Unreadable as problem:
        raise CodedRefusal(
            400, "unsupported_format", f"The audio cannot be read. {problem.finding.text}", "audio"
        ) from None
    if converted.original_format["container"] not in constants.FORMATS:
        raise CodedRefusal(
            400, "unsupported_format", f"The audio must be {', '.join(constants.FORMATS.values())}.", "audio"
        )
    if converted.header.seconds < constants.MIN_SECONDS:
        raise CodedRefusal(400, "audio_too_short", "The audio must last at least 10 seconds.", "audio")
    if converted.header.seconds > constants.MAX_SECONDS:
        raise CodedRefusal(400, "audio_too_long", "The audio must not last longer than 5 minutes.", "audio")


def _make_clone_response(request: SandboxRequest, model: StoredObject) -> dict[str, Any]:
    """The response to a clone, with the fields of the vendor's documentation."""
    sample_url = f"http://{request.headers.get('Host', 'localhost')}/speechgen/cdn/samples/{make_sample_name(model.id)}"
    return {
        "model_id": model.id,
        "name": model.name,
        "description": model.details["description"],
        "status": model.status,
        "created_at": _drop_milliseconds(model.created_at),
        "estimated_completion": _drop_milliseconds(format_time(model.ready_at or clock.now())),
        "samples": [{"title": constants.SAMPLE_TITLE, "text": constants.SAMPLE_TEXT, "audio_url": sample_url}],
    }


def make_sample_name(model_id: str) -> str:
    return f"{model_id.removeprefix('vm_')}.mp3"


def _drop_milliseconds(at: str) -> str:
    """The vendor's time format: 2024-01-15T10:30:00Z."""
    return f"{at[:19]}Z"


def _make_item(model: StoredObject) -> dict[str, Any]:
    """A model in the vendor's format. A failed model also has `failure_reason`, a field of ours."""
    item = {"model_id": model.id, "name": model.name, "status": model.status}
    if model.status == "ready":
        item["voice_id"] = model.details["voice_id"]
    if model.status == "failed":
        item["failure_reason"] = model.details["failure_reason"]
    return item | {"created_at": _drop_milliseconds(model.created_at), "usage_count": model.details["usage_count"]}


@operation("sg_get_model", render_error)
def get_model(request: SandboxRequest, model_id: str) -> HttpResponse:
    owner = authenticate(request)
    with request.context.store.transaction() as db:
        return JsonResponse(_make_item(get_own_model(db, owner, model_id)))


@operation("sg_list_models", render_error)
def list_models(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    with request.context.store.transaction() as db:
        models = store.list_objects(db, VENDOR, owner.hint)
    return JsonResponse({"models": [_make_item(model) for model in apply_list_lag(request, models)]})


@operation("sg_delete_model", render_error)
def delete_model(request: SandboxRequest, model_id: str) -> HttpResponse:
    owner = authenticate(request)
    with request.context.store.transaction() as db:
        model = get_own_model(db, owner, model_id)
        store.delete_object(db, VENDOR, model_id)
        record_ledger_entry(db, account=owner.hint, operation="sg_delete_model", name=model.name, voice=model_id)
    request.context.store.delete_audio(model_id)
    return HttpResponse(status=204)


def decide_outcome(context: SandboxContext, model: StoredObject) -> StoredObject:
    """The model with the status ready, or failed if its audio has no speech or two speakers."""
    if reason := _find_failure_reason(model.id, context.store.get_audio_path(model.id, AUDIO_FILE)):
        return replace(model, status="failed", details=model.details | {"failure_reason": reason})
    return replace(model, status="ready")


def _find_failure_reason(model_id: str, wav: Path) -> str:
    """Vendor: "Single speaker only"."""
    if clip_evaluation.evaluate_clips([clip_evaluation.AudioClip(model_id, wav)]).clips[model_id].is_silent:
        return "There is no speech in the audio."
    return "There is more than one speaker in the audio." if has_two_speakers(wav) else ""
