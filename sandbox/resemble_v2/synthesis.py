"""The stand-in for synthesis: it says nothing new, it plays the voice's own recordings back.

The answer is audibly tied to the voice and about as long as the text would take to say; which recording comes
first follows from the text, so the same request gets the same sound.
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
from sandbox.requests import Account, RequestRefused, invalid, json_body, text_field
from sandbox.resemble_v2 import constants, rows
from sandbox.resemble_v2.auth import own_voice, with_account
from sandbox.resemble_v2.rows import Status, Voice
from sandbox.store import bill

RATES = (8000, 16000, 22050, 32000, 44100, 48000)
PRECISIONS = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4}
"""Bytes per sample. The vendor has MULAW too, and PCM_32 as its default; ours is PCM_16."""


@dataclass(frozen=True, slots=True)
class SynthesisRequest:
    """What a request asks for; without a rate the recordings' own is kept."""

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
    wanted = _wanted(json_body(request))
    with request.house.store.transaction() as db:
        voice = own_voice(db, account, wanted.voice)
        files = _sources(request, voice, rows.recordings_of(db, voice.uuid), wanted.seed)
    sound = synthesis.play(files, wanted.seconds, wanted.sample_rate)
    price = round(sound.seconds * constants.SYNTHESIS_PRICE_PER_SECOND, 4)
    with request.house.store.transaction() as db:
        bill(db, account=account.hint, operation="synthesize", name=voice.name, voice=voice.uuid, charged=price)
    return JsonResponse(_answer(wanted, sound))


def _wanted(body: dict[str, Any]) -> SynthesisRequest:
    """Raises RequestRefused for what the vendor or this stand-in does not offer."""
    rate, precision = body.get("sample_rate"), body.get("precision") or "PCM_16"
    if rate is not None and rate not in RATES:
        raise invalid("sample_rate", f"must be one of {', '.join(map(str, RATES))}")
    if precision not in PRECISIONS:
        raise invalid("precision", f"must be one of {', '.join(PRECISIONS)} in the sandbox")
    if (body.get("output_format") or "wav") != "wav":
        raise invalid("output_format", "must be wav in the sandbox")
    return SynthesisRequest(
        voice=text_field(body, "voice_uuid", 64, required=True) or "",
        text=text_field(body, "data", constants.SYNTHESIS_CHARACTERS, required=True) or "",
        title=text_field(body, "title", 256),
        sample_rate=rate,
        sample_bytes=PRECISIONS[precision],
    )


def _sources(request: SandboxRequest, voice: Voice, recordings: list[rows.Recording], seed: int) -> list[Path]:
    """The files of the recordings that the voice was trained on, beginning where the seed says."""
    good = [one for one in recordings if one.is_active and not one.is_silent]
    if voice.status is not Status.FINISHED or not good:
        raise RequestRefused(vendor_defaults.INVALID, "This voice is not ready for synthesis.")
    first = seed % len(good)
    return [request.house.store.audio(voice.uuid, one.file) for one in good[first:] + good[:first]]


def _answer(wanted: SynthesisRequest, sound: synthesis.Waveform) -> dict[str, Any]:
    """The vendor's answer. Times per character are spread evenly; there are no phonemes to tell of."""
    step = sound.seconds / len(wanted.text)
    times = [[round(at * step, 3), round((at + 1) * step, 3)] for at in range(len(wanted.text))]
    return {
        "success": True,
        "audio_content": b64encode(synthesis.wav(sound, wanted.sample_bytes)).decode(),
        "audio_timestamps": {
            "graph_chars": list(wanted.text),
            "graph_times": times,
            "phon_chars": [],
            "phon_times": [],
        },
        "duration": round(sound.seconds, 3),
        "synth_duration": round(sound.seconds, 3),
        "issues": [],
        "output_format": "wav",
        "sample_rate": sound.rate,
        "seed": wanted.seed,
        "title": wanted.title,
    }
