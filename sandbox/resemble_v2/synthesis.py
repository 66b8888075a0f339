"""Simulated synthesis: it plays the voice's own recordings.

The result is audibly that voice and about as long as the text would take to speak. The text determines which
recording comes first, so the same request returns the same audio.
"""

import zlib
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.http import HttpResponse, JsonResponse

from sandbox import synthesis, vendor_defaults
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import Account, RequestRefused, make_field_error, parse_text_field, read_json_body
from sandbox.resemble_v2 import constants, rows
from sandbox.resemble_v2.auth import get_own_voice, with_account
from sandbox.resemble_v2.rows import Status, Voice
from sandbox.store import record_ledger_entry

SAMPLE_RATES = (8000, 16000, 22050, 32000, 44100, 48000)
PRECISIONS = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4}
"""Bytes per sample. The vendor also has MULAW, and its default is PCM_32. The sandbox's default is PCM_16."""


@dataclass(frozen=True, slots=True)
class SynthesisRequest:
    """The fields of a request. Without `sample_rate`, the sample rate of the recordings is used."""

    voice: str
    text: str
    title: str | None
    sample_rate: int | None
    sample_bytes: int

    @property
    def seconds(self) -> float:
        return max(1.0, len(self.text) / vendor_defaults.CHARACTERS_PER_SECOND)

    @property
    def seed(self) -> int:
        return zlib.crc32(self.text.encode())


@operation("synthesize")
@with_account
def synthesize(request: SandboxRequest, account: Account) -> HttpResponse:
    synthesis_request = _parse_synthesis_request(read_json_body(request))
    with request.context.store.transaction() as db:
        voice = get_own_voice(db, account, synthesis_request.voice)
        files = _select_audio_files(request, voice, rows.list_recordings(db, voice.uuid), synthesis_request.seed)
    audio = synthesis.concatenate_recordings(files, synthesis_request.seconds, synthesis_request.sample_rate)
    price = round(audio.seconds * constants.SYNTHESIS_CENTS_PER_SECOND, 4)
    with request.context.store.transaction() as db:
        record_ledger_entry(
            db, account=account.hint, operation="synthesize", name=voice.name, voice=voice.uuid, charged=price
        )
    return JsonResponse(_make_response(synthesis_request, audio))


def _parse_synthesis_request(body: dict[str, Any]) -> SynthesisRequest:
    """Read the request. Raises RequestRefused for options that the vendor or the sandbox does not have."""
    rate, precision = body.get("sample_rate"), body.get("precision") or "PCM_16"
    if rate is not None and rate not in SAMPLE_RATES:
        raise make_field_error("sample_rate", f"must be one of {', '.join(map(str, SAMPLE_RATES))}")
    if precision not in PRECISIONS:
        raise make_field_error("precision", f"must be one of {', '.join(PRECISIONS)} in the sandbox")
    if (body.get("output_format") or "wav") != "wav":
        raise make_field_error("output_format", "must be wav in the sandbox")
    return SynthesisRequest(
        voice=parse_text_field(body, "voice_uuid", 64, required=True) or "",
        text=parse_text_field(body, "data", constants.MAX_SYNTHESIS_CHARACTERS, required=True) or "",
        title=parse_text_field(body, "title", 256),
        sample_rate=rate,
        sample_bytes=PRECISIONS[precision],
    )


def _select_audio_files(
    request: SandboxRequest, voice: Voice, recordings: list[rows.Recording], seed: int
) -> list[Path]:
    """Files of the recordings that the voice was trained on; the seed selects the first recording."""
    usable = [recording for recording in recordings if recording.is_active and not recording.is_silent]
    if voice.status is not Status.FINISHED or not usable:
        raise RequestRefused(vendor_defaults.INVALID_STATUS, "This voice is not ready for synthesis.")
    first = seed % len(usable)
    return [
        request.context.store.get_audio_path(voice.uuid, recording.file)
        for recording in usable[first:] + usable[:first]
    ]


def _make_response(synthesis_request: SynthesisRequest, audio: synthesis.Waveform) -> dict[str, Any]:
    """The vendor's response. Times per character are spread evenly; there are no phonemes."""
    step = audio.seconds / len(synthesis_request.text)
    times = [[round(at * step, 3), round((at + 1) * step, 3)] for at in range(len(synthesis_request.text))]
    return {
        "success": True,
        "audio_content": b64encode(synthesis.encode_wav(audio, synthesis_request.sample_bytes)).decode(),
        "audio_timestamps": {
            "graph_chars": list(synthesis_request.text),
            "graph_times": times,
            "phon_chars": [],
            "phon_times": [],
        },
        "duration": round(audio.seconds, 3),
        "synth_duration": round(audio.seconds, 3),
        "issues": [],
        "output_format": "wav",
        "sample_rate": audio.rate,
        "seed": synthesis_request.seed,
        "title": synthesis_request.title,
    }
