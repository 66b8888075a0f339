"""Simulated speech: it plays the recording that the voice was cloned from."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import soundfile
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from sandbox import synthesis, vendor_defaults
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import Account, RequestRefused, make_field_error, parse_text_field, read_json_body
from sandbox.store import record_ledger_entry
from sandbox.synthesis import Waveform
from sandbox.voiceai import constants
from sandbox.voiceai.auth import authenticate, get_visible_voice, parse_choice_field, render_error
from sandbox.voiceai.training import DECODED_FILE

FORMATS = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm": "audio/pcm"}
"""Vendor's formats with their media types, without their variants; PCM is raw 16-bit little-endian samples."""

WAV_HEADER_BYTES = 44
SAMPLE_BYTES = 2


@dataclass(frozen=True, slots=True)
class SpeechRequest:
    text: str
    voice: str
    format: str

    @property
    def seconds(self) -> float:
        return max(1.0, len(self.text) / vendor_defaults.CHARACTERS_PER_SECOND)


@operation("va_speech", render_error)
def create_speech(request: SandboxRequest) -> HttpResponse:
    speech_request, content = _generate_speech(request)
    return HttpResponse(content, content_type=FORMATS[speech_request.format])


@operation("va_speech", render_error)
def stream_speech(request: SandboxRequest) -> HttpResponseBase:
    speech_request, content = _generate_speech(request)
    return StreamingHttpResponse(_split_blocks(content), content_type=FORMATS[speech_request.format])


def _split_blocks(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), constants.STREAM_BLOCK_BYTES):
        yield content[at : at + constants.STREAM_BLOCK_BYTES]


def _generate_speech(request: SandboxRequest) -> tuple[SpeechRequest, bytes]:
    """Create the speech and record its charge. Raises RequestRefused."""
    owner = authenticate(request, needs_credits=True)
    speech_request = _parse_speech_request(read_json_body(request))
    content = _encode_audio(_synthesize(request, owner, speech_request), speech_request.format)
    credits = len(speech_request.text) * constants.CREDITS_PER_CHARACTER
    with request.context.store.transaction() as db:
        name = get_visible_voice(db, owner, speech_request.voice).name
        record_ledger_entry(
            db, account=owner.hint, operation="va_speech", name=name, voice=speech_request.voice, charged=credits
        )
    return speech_request, content


def _parse_speech_request(body: dict[str, Any]) -> SpeechRequest:
    """Read the request. `model` is accepted and has no effect. Raises RequestRefused."""
    _check_number(body, "temperature", constants.MAX_TEMPERATURE)
    _check_number(body, "top_p", constants.MAX_TOP_P)
    parse_choice_field(body, "language", constants.LANGUAGES, constants.DEFAULT_LANGUAGE)
    return SpeechRequest(
        text=parse_text_field(body, "text", constants.MAX_TEXT_LENGTH, required=True) or "",
        voice=parse_text_field(body, "voice_id", 100, required=True) or "",
        format=parse_choice_field(body, "audio_format", tuple(FORMATS), constants.DEFAULT_FORMAT),
    )


def _check_number(body: dict[str, Any], field: str, maximum: float) -> None:
    value = body.get(field, 0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= maximum:
        raise make_field_error(field, f"must be a number from 0 to {maximum:g}")


def _synthesize(request: SandboxRequest, owner: Account, speech_request: SpeechRequest) -> Waveform:
    with request.context.store.transaction() as db:
        voice = get_visible_voice(db, owner, speech_request.voice)
    if voice.status != "AVAILABLE":
        raise RequestRefused(409, "The voice is not available yet.")
    return synthesis.concatenate_recordings(
        [request.context.store.get_audio_path(voice.id, DECODED_FILE)], speech_request.seconds, None
    )


def _encode_audio(audio: Waveform, audio_format: str) -> bytes:
    if audio_format == "mp3":
        file = io.BytesIO()
        soundfile.write(file, audio.samples, audio.rate, format="MP3")
        return file.getvalue()
    wav = synthesis.encode_wav(audio, SAMPLE_BYTES)
    return wav[WAV_HEADER_BYTES:] if audio_format == "pcm" else wav
