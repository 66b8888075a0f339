"""Simulated speech: it plays the recording that the voice was cloned from. The stock voice cannot speak."""

import io
from dataclasses import dataclass, replace
from typing import Any

import soundfile
from django.http import HttpResponse, JsonResponse

from sandbox import store, synthesis, vendor_defaults
from sandbox.context import SandboxContext, SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import Account, RequestRefused, parse_text_field, read_json_body
from sandbox.speechgen import constants
from sandbox.speechgen.auth import VENDOR, CodedRefusal, authenticate, render_error
from sandbox.speechgen.models import AUDIO_FILE
from sandbox.store import StoredObject, record_ledger_entry
from sandbox.synthesis import Waveform

FORMATS = {"mp3": ("MP3", "audio/mpeg"), "wav": ("WAV", "audio/wav"), "ogg": ("OGG", "audio/ogg")}
"""Vendor's speech formats with libsndfile's name and the media type of each."""

STOCK_VOICE = {"voice_id": "en-us-stock-1", "name": "Stock voice", "language": "en-US", "type": "stock"}


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    text: str
    voice: str
    format: str
    speed: float

    @property
    def seconds(self) -> float:
        return max(1.0, len(self.text) / vendor_defaults.CHARACTERS_PER_SECOND) / self.speed


@operation("sg_speech", render_error)
def create_speech(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    speech_request = _parse_speech_request(read_json_body(request))
    model = _get_speaking_model(request.context, owner, speech_request.voice)
    audio = _synthesize(request.context, model, speech_request.seconds)
    response = _render_audio(audio, speech_request.format)
    response["X-Audio-Duration"] = f"{audio.seconds:.2f}"
    response["X-Characters-Used"] = str(len(speech_request.text))
    _record_usage(request.context, owner, model.id, len(speech_request.text))
    return response


def _parse_speech_request(body: dict[str, Any]) -> SpeechRequest:
    """Read the request. `pitch` is accepted and has no effect. Raises RequestRefused."""
    audio_format, speed = body.get("format") or constants.DEFAULT_FORMAT, body.get("speed", 1.0)
    if audio_format not in FORMATS:
        raise CodedRefusal(400, "invalid_format", f"format must be one of {', '.join(FORMATS)}.", "format")
    if not isinstance(speed, int | float) or not constants.MIN_SPEED <= speed <= constants.MAX_SPEED:
        raise CodedRefusal(
            400, "invalid_speed", f"speed must be {constants.MIN_SPEED:g} to {constants.MAX_SPEED:g}.", "speed"
        )
    return SpeechRequest(
        text=parse_text_field(body, "text", constants.MAX_TEXT_LENGTH, required=True) or "",
        voice=parse_text_field(body, "voice", 100, required=True) or "",
        format=audio_format,
        speed=float(speed),
    )


def _get_speaking_model(context: SandboxContext, owner: Account, voice_id: str) -> StoredObject:
    """The account's ready model with this voice_id; a model_id is refused. Raises RequestRefused."""
    if voice_id == STOCK_VOICE["voice_id"]:
        raise CodedRefusal(400, "invalid_voice", "The sandbox speaks with cloned voices only.", "voice")
    for model in _list_ready_models(context, owner):
        if model.details["voice_id"] == voice_id:
            return model
    raise CodedRefusal(400, "invalid_voice", "There is no such voice.", "voice")


def _list_ready_models(context: SandboxContext, owner: Account) -> list[StoredObject]:
    with context.store.transaction() as db:
        return [model for model in store.list_objects(db, VENDOR, owner.hint) if model.status == "ready"]


def _synthesize(context: SandboxContext, model: StoredObject, seconds: float) -> Waveform:
    return synthesis.concatenate_recordings([context.store.get_audio_path(model.id, AUDIO_FILE)], seconds, None)


def _render_audio(audio: Waveform, audio_format: str) -> HttpResponse:
    kind, content_type = FORMATS[audio_format]
    file = io.BytesIO()
    soundfile.write(file, audio.samples, audio.rate, format=kind)
    return HttpResponse(file.getvalue(), content_type=content_type)


def _record_usage(context: SandboxContext, owner: Account, model_id: str, characters: int) -> None:
    """Record the charge, and the use of the model if it still exists."""
    with context.store.transaction() as db:
        if model := store.find_object(db, VENDOR, model_id):
            used = model.details | {"usage_count": model.details["usage_count"] + 1}
            store.save_object(db, replace(model, details=used))
        name = model.name if model else ""
        record_ledger_entry(
            db, account=owner.hint, operation="sg_speech", name=name, voice=model_id, charged=characters
        )


@operation("sg_list_voices", render_error)
def list_voices(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    own = [
        {"voice_id": model.details["voice_id"], "name": model.name, "language": None, "type": "custom"}
        for model in _list_ready_models(request.context, owner)
    ]
    return JsonResponse({"voices": [STOCK_VOICE, *own]})


@operation("sg_sample", render_error)
def get_sample(request: SandboxRequest, sample_id: str) -> HttpResponse:
    """A sentence that the new voice speaks. As on a CDN, the request needs only the URL and no key."""
    with request.context.store.transaction() as db:
        model = store.find_object(db, VENDOR, f"vm_{sample_id}")
    if model is None or model.status != "ready":
        raise RequestRefused(404, "There is no such sample, or its model is not ready.")
    seconds = len(constants.SAMPLE_TEXT) / vendor_defaults.CHARACTERS_PER_SECOND
    return _render_audio(_synthesize(request.context, model, seconds), "mp3")
