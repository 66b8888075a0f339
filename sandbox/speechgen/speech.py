"""Speech, which says nothing new: it plays what the voice was made of. The stock voices cannot speak here."""

import io
from dataclasses import dataclass, replace
from typing import Any

import soundfile
from django.http import HttpResponse, JsonResponse

from sandbox import store, synthesis, vendor_defaults
from sandbox.context import House, SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import Account, RequestRefused, json_body, text_field
from sandbox.speechgen import constants
from sandbox.speechgen.auth import VENDOR, CodedRefusal, account, error_form
from sandbox.speechgen.models import AUDIO_FILE
from sandbox.store import Kept, bill
from sandbox.synthesis import Waveform

FORMATS = {"mp3": ("MP3", "audio/mpeg"), "wav": ("WAV", "audio/wav"), "ogg": ("OGG", "audio/ogg")}
"""Vendor's formats of speech, with what writes them and how they are announced."""

STOCK = {"voice_id": "en-us-stock-1", "name": "Stock voice", "language": "en-US", "type": "stock"}


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    text: str
    voice: str
    format: str
    speed: float

    @property
    def seconds(self) -> float:
        return max(1.0, len(self.text) / vendor_defaults.CHARACTERS_PER_SECOND) / self.speed


@operation("sg_speech", error_form)
def speech(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    wanted = _wanted(json_body(request))
    model = _speaking(request.house, owner, wanted.voice)
    sound = _played(request.house, model, wanted.seconds)
    answer = _audio(sound, wanted.format)
    answer["X-Audio-Duration"] = f"{sound.seconds:.2f}"
    answer["X-Characters-Used"] = str(len(wanted.text))
    _count(request.house, owner, model.id, len(wanted.text))
    return answer


def _wanted(body: dict[str, Any]) -> SpeechRequest:
    """Raises RequestRefused. `pitch` is taken, and changes nothing here."""
    given, speed = body.get("format") or constants.DEFAULT_FORMAT, body.get("speed", 1.0)
    if given not in FORMATS:
        raise CodedRefusal(400, "invalid_format", f"format must be one of {', '.join(FORMATS)}.", "format")
    if not isinstance(speed, int | float) or not constants.SLOWEST <= speed <= constants.FASTEST:
        raise CodedRefusal(
            400, "invalid_speed", f"speed must be {constants.SLOWEST:g} to {constants.FASTEST:g}.", "speed"
        )
    return SpeechRequest(
        text=text_field(body, "text", constants.LONGEST_TEXT, required=True) or "",
        voice=text_field(body, "voice", 100, required=True) or "",
        format=given,
        speed=float(speed),
    )


def _speaking(house: House, owner: Account, voice_id: str) -> Kept:
    """The account's model that is ready and speaks as this voice; a model_id is none. Raises RequestRefused."""
    if voice_id == STOCK["voice_id"]:
        raise CodedRefusal(400, "invalid_voice", "The sandbox speaks with cloned voices only.", "voice")
    for model in _ready(house, owner):
        if model.details["voice_id"] == voice_id:
            return model
    raise CodedRefusal(400, "invalid_voice", "There is no such voice.", "voice")


def _ready(house: House, owner: Account) -> list[Kept]:
    with house.store.transaction() as db:
        return [model for model in store.all_of(db, VENDOR, owner.hint) if model.status == "ready"]


def _played(house: House, model: Kept, seconds: float) -> Waveform:
    return synthesis.play([house.store.audio(model.id, AUDIO_FILE)], seconds, None)


def _audio(sound: Waveform, given: str) -> HttpResponse:
    kind, content_type = FORMATS[given]
    file = io.BytesIO()
    soundfile.write(file, sound.samples, sound.rate, format=kind)
    return HttpResponse(file.getvalue(), content_type=content_type)


def _count(house: House, owner: Account, model_id: str, characters: int) -> None:
    """Write down what the speech cost, and that the model, if it is still there, was used."""
    with house.store.transaction() as db:
        if model := store.get(db, VENDOR, model_id):
            used = model.details | {"usage_count": model.details["usage_count"] + 1}
            store.put(db, replace(model, details=used))
        name = model.name if model else ""
        bill(db, account=owner.hint, operation="sg_speech", name=name, voice=model_id, charged=characters)


@operation("sg_list_voices", error_form)
def list_voices(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    own = [
        {"voice_id": model.details["voice_id"], "name": model.name, "language": None, "type": "custom"}
        for model in _ready(request.house, owner)
    ]
    return JsonResponse({"voices": [STOCK, *own]})


@operation("sg_sample", error_form)
def sample(request: SandboxRequest, sample_id: str) -> HttpResponse:
    """The new voice saying the sample's text; as on a content network, whoever knows the address may hear it."""
    with request.house.store.transaction() as db:
        model = store.get(db, VENDOR, f"vm_{sample_id}")
    if model is None or model.status != "ready":
        raise RequestRefused(404, "There is no such sample, or not yet.")
    seconds = len(constants.SAMPLE_TEXT) / vendor_defaults.CHARACTERS_PER_SECOND
    return _audio(_played(request.house, model, seconds), "mp3")
