"""Speech, which says nothing new: it plays what the voice was made of."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import soundfile
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from sandbox import synthesis, vendor_defaults
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import Account, RequestRefused, invalid, json_body, text_field
from sandbox.store import bill
from sandbox.synthesis import Waveform
from sandbox.voiceai import constants
from sandbox.voiceai.auth import account, choice_field, error_form, seen_voice
from sandbox.voiceai.training import DECODED

FORMATS = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
"""Vendor's formats and how they are announced; PCM is bare 16-bit samples, little-endian. It has variants too."""

WAV_HEAD = 44
SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    text: str
    voice: str
    format: str

    @property
    def seconds(self) -> float:
        return max(1.0, len(self.text) / vendor_defaults.CHARACTERS_PER_SECOND)


@operation("va_speech", error_form)
def speech(request: SandboxRequest) -> HttpResponse:
    wanted, content = _said(request)
    return HttpResponse(content, content_type=FORMATS[wanted.format])


@operation("va_speech", error_form)
def stream(request: SandboxRequest) -> HttpResponseBase:
    wanted, content = _said(request)
    return StreamingHttpResponse(_pieces(content), content_type=FORMATS[wanted.format])


def _pieces(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), constants.STREAM_BLOCK):
        yield content[at : at + constants.STREAM_BLOCK]


def _said(request: SandboxRequest) -> tuple[SpeechRequest, bytes]:
    """Speak, and write down what it cost. Raises RequestRefused."""
    owner = account(request, charged=True)
    wanted = _wanted(json_body(request))
    content = _encoded(_played(request, owner, wanted), wanted.format)
    credits = len(wanted.text) * constants.CREDITS_PER_CHARACTER
    with request.house.store.transaction() as db:
        name = seen_voice(db, owner, wanted.voice).name
        bill(db, account=owner.hint, operation="va_speech", name=name, voice=wanted.voice, charged=credits)
    return wanted, content


def _wanted(body: dict[str, Any]) -> SpeechRequest:
    """Raises RequestRefused. `model` is taken, and changes nothing here."""
    _check_number(body, "temperature", constants.HOTTEST)
    _check_number(body, "top_p", constants.MOST_TOP_P)
    choice_field(body, "language", constants.LANGUAGES, constants.DEFAULT_LANGUAGE)
    return SpeechRequest(
        text=text_field(body, "text", constants.LONGEST_TEXT, required=True) or "",
        voice=text_field(body, "voice_id", 100, required=True) or "",
        format=choice_field(body, "audio_format", tuple(FORMATS), constants.DEFAULT_FORMAT),
    )


def _check_number(body: dict[str, Any], field: str, most: float) -> None:
    value = body.get(field, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise invalid(field, f"must be a number from 0 to {most:g}")


def _played(request: SandboxRequest, owner: Account, wanted: SpeechRequest) -> Waveform:
    with request.house.store.transaction() as db:
        voice = seen_voice(db, owner, wanted.voice)
    if voice.status != "AVAILABLE":
        raise RequestRefused(409, "The voice is not available yet.")
    return synthesis.play([request.house.store.audio(voice.id, DECODED)], wanted.seconds, None)


def _encoded(sound: Waveform, given: str) -> bytes:
    if given == "mp3":
        file = io.BytesIO()
        soundfile.write(file, sound.samples, sound.rate, format="MP3")
        return file.getvalue()
    wav = synthesis.wav(sound, SAMPLE_BYTES)
    return wav[WAV_HEAD:] if given == "pcm" else wav
