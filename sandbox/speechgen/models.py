"""Voice models: clone, get, list, delete. A clone trains at once, from the one file that was sent."""

from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import uuid4

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError

from audio.findings.findings import Refused as Unreadable
from audio.wav.convert import convert_to_wav
from sandbox import clock, judging, store, training
from sandbox.context import House, SandboxRequest
from sandbox.endpoints import operation, shown
from sandbox.requests import RequestRefused, flag_field, text_field
from sandbox.speechgen import constants
from sandbox.speechgen.auth import VENDOR, CodedRefusal, account, error_form, own_model
from sandbox.store import Kept, bill, written

AUDIO_FILE = "voice.wav"
"""What was sent, decoded: the sandbox listens to it and speaks with it."""


@operation("sg_clone", error_form)
def clone(request: SandboxRequest) -> HttpResponse:
    owner = account(request, changing=True)
    fields, upload = _form(request)
    details = {
        "description": text_field(fields, "description", constants.LONGEST_DESCRIPTION) or "",
        "enhance_quality": flag_field(fields, "enhance_quality", default=False),
        "voice_id": f"custom-{uuid4().hex[:12]}",
        "usage_count": 0,
    }
    name = text_field(fields, "name", constants.LONGEST_NAME, required=True) or ""
    model = Kept(VENDOR, f"vm_{uuid4().hex}", owner.hint, name, "processing", details=details)
    _keep_audio(request.house, model.id, upload)
    model = replace(model, ready_at=clock.now() + request.house.settings.training_seconds)
    with request.house.store.transaction() as db:
        store.put(db, model)
        bill(
            db,
            account=owner.hint,
            operation="sg_clone",
            name=name,
            voice=model.id,
            charged=constants.CLONE_CHARACTERS,
        )
    training.start(request.house, VENDOR, model.id)
    return JsonResponse(_created(request, model), status=201)


def _form(request: SandboxRequest) -> tuple[dict[str, Any], BinaryIO]:
    """The fields and the file of the multipart form. Raises RequestRefused."""
    try:
        fields, upload = request.POST.dict(), request.FILES.get("audio")
    except (MultiPartParserError, SuspiciousOperation) as problem:
        raise RequestRefused(400, f"The form cannot be read: {problem}") from None
    if not isinstance(upload, UploadedFile) or upload.file is None:
        raise CodedRefusal(400, "missing_audio", "An audio file is required.", "audio")
    if (upload.size or 0) > constants.LARGEST:
        raise CodedRefusal(413, "file_too_large", "The audio file must not be larger than 10MB.", "audio")
    return fields, cast(BinaryIO, upload.file)


def _keep_audio(house: House, model_id: str, upload: BinaryIO) -> None:
    """Decode the file into the model's folder. Raises RequestRefused, and leaves no file, for other audio."""
    try:
        _check_audio(upload, house.store.audio(model_id, AUDIO_FILE))
    except BaseException:
        house.store.forget_audio(model_id)
        raise


def _check_audio(upload: BinaryIO, target: Path) -> None:
    try:
        made = convert_to_wav(upload, target)
    except Unreadable as problem:
        raise CodedRefusal(
            400, "unsupported_format", f"The audio cannot be read. {problem.finding.text}", "audio"
        ) from None
    if made.original_format["container"] not in constants.FORMATS:
        raise CodedRefusal(
            400, "unsupported_format", f"The audio must be {', '.join(constants.FORMATS.values())}.", "audio"
        )
    if made.header.seconds < constants.SHORTEST:
        raise CodedRefusal(400, "audio_too_short", "The audio must last at least 10 seconds.", "audio")
    if made.header.seconds > constants.LONGEST:
        raise CodedRefusal(400, "audio_too_long", "The audio must not last longer than 5 minutes.", "audio")


def _created(request: SandboxRequest, model: Kept) -> dict[str, Any]:
    """The answer to a clone, field by field as on the vendor's page."""
    address = f"http://{request.headers.get('Host', 'localhost')}/speechgen/cdn/samples/{sample_name(model.id)}"
    return {
        "model_id": model.id,
        "name": model.name,
        "description": model.details["description"],
        "status": model.status,
        "created_at": _to_the_second(model.created_at),
        "estimated_completion": _to_the_second(written(model.ready_at or clock.now())),
        "samples": [{"title": constants.SAMPLE_TITLE, "text": constants.SAMPLE_TEXT, "audio_url": address}],
    }


def sample_name(model_id: str) -> str:
    return f"{model_id.removeprefix('vm_')}.mp3"


def _to_the_second(at: str) -> str:
    """As the vendor writes a time: 2024-01-15T10:30:00Z."""
    return f"{at[:19]}Z"


def _shown(model: Kept) -> dict[str, Any]:
    """A model as it is asked for; the keys are the vendor's, but for `failure_reason`."""
    item = {"model_id": model.id, "name": model.name, "status": model.status}
    if model.status == "ready":
        item["voice_id"] = model.details["voice_id"]
    if model.status == "failed":
        item["failure_reason"] = model.details["failure_reason"]
    return item | {"created_at": _to_the_second(model.created_at), "usage_count": model.details["usage_count"]}


@operation("sg_get_model", error_form)
def get_model(request: SandboxRequest, model_id: str) -> HttpResponse:
    owner = account(request)
    with request.house.store.transaction() as db:
        return JsonResponse(_shown(own_model(db, owner, model_id)))


@operation("sg_list_models", error_form)
def list_models(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    with request.house.store.transaction() as db:
        models = store.all_of(db, VENDOR, owner.hint)
    return JsonResponse({"models": [_shown(model) for model in shown(request, models)]})


@operation("sg_delete_model", error_form)
def delete_model(request: SandboxRequest, model_id: str) -> HttpResponse:
    owner = account(request)
    with request.house.store.transaction() as db:
        model = own_model(db, owner, model_id)
        store.remove(db, VENDOR, model_id)
        bill(db, account=owner.hint, operation="sg_delete_model", name=model.name, voice=model_id)
    request.house.store.forget_audio(model_id)
    return HttpResponse(status=204)


def decide_outcome(house: House, model: Kept) -> Kept:
    """Ready, unless there is no voice in the audio."""
    heard = judging.judge([judging.JudgedFile(model.id, house.store.audio(model.id, AUDIO_FILE))]).clips[model.id]
    if heard.is_silent:
        reason = "There is no speech in the audio."
        return replace(model, status="failed", details=model.details | {"failure_reason": reason})
    return replace(model, status="ready")
