"""The catalogue of voices, and a preview of one: it says nothing new, it plays what the voice was made of."""

import zlib
from typing import Any

from django.http import HttpResponse

from voices.sandbox import choices as common
from voices.sandbox import playback, shelf
from voices.sandbox.audiostack import choices
from voices.sandbox.audiostack.clones import trained_on
from voices.sandbox.audiostack.gate import VENDOR, account, envelope, error_form, own_voice
from voices.sandbox.house import SandboxRequest
from voices.sandbox.operations import operation, shown
from voices.sandbox.state import bill
from voices.sandbox.wire import Account, Refused, invalid, json_body, text_field


@operation("list_speech_voices", error_form)
def list_voices(request: SandboxRequest) -> HttpResponse:
    return envelope({"voices": _catalogue(request, account(request))})


@operation("list_speech_voices", error_form)
def query_voices(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    body = json_body(request)
    page, size = body.get("page", 1), body.get("pageLimit", 1000)
    if not all(isinstance(number, int) and number > 0 for number in (page, size)):
        raise invalid("page", "and pageLimit must be whole numbers from 1")
    return envelope({"voices": _catalogue(request, owner)[(page - 1) * size : page * size]})


def _catalogue(request: SandboxRequest, owner: Account) -> list[dict[str, Any]]:
    with request.house.store.transaction() as db:
        made = shelf.all_of(db, VENDOR, owner.hint)
    own = [voice for voice in shown(request, made) if voice.status == choices.SUCCEEDED]
    return [choices.STOCK_VOICE, *({"provider": "audiostack", "alias": voice.name} for voice in own)]


@operation("tts_preview", error_form)
def preview(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    body = json_body(request)
    text = text_field(body, "text", choices.LONGEST_TEXT, required=True) or ""
    alias = text_field(body, "voice", choices.LONGEST_ALIAS, required=True) or ""
    with request.house.store.transaction() as db:
        voice = own_voice(db, owner, alias)
    if voice.status != choices.SUCCEEDED:
        raise Refused(400, "This voice is not ready to speak.")
    files = trained_on(request.house, voice)
    first = zlib.crc32(text.encode()) % len(files)
    sound = playback.play(files[first:] + files[:first], max(1.0, len(text) / common.CHARACTERS_PER_SECOND), None)
    with request.house.store.transaction() as db:
        bill(
            db,
            account=owner.hint,
            operation="tts_preview",
            name=alias,
            voice=alias,
            charged=choices.PREVIEW_CREDITS,
        )
    return HttpResponse(playback.wav(sound, 2), content_type="audio/wav")
