"""Voices: list, create, get, update, delete, build."""

from dataclasses import replace
from io import BytesIO
from typing import Any

from django.http import HttpResponse, JsonResponse

from audio.wav.riff import WavRefused, read_header
from sandbox import clock, vendor_defaults
from sandbox.context import SandboxRequest, Settings
from sandbox.endpoints import operation, shown
from sandbox.requests import (
    Account,
    RequestRefused,
    address_field,
    base64_field,
    invalid,
    json_body,
    page_answer,
    page_of,
    text_field,
)
from sandbox.resemble_v2 import constants, rows, training
from sandbox.resemble_v2.auth import own_voice, with_account, with_changing_account
from sandbox.resemble_v2.rows import Status, Voice
from sandbox.store import bill, now

VOICE_TYPES = {"rapid": "rapid", "rapid_voice": "rapid", "professional": "professional"}
"""Both spellings of the vendor's pages."""

CONSENT_FILE = "consent.wav"


def voice_item(voice: Voice) -> dict[str, Any]:
    """A voice as the vendor returns it, with its scores (our choice of place) once it is finished."""
    ready = voice.status is Status.FINISHED
    component = {"status": "ready" if ready else voice.status.value}
    item = {
        "uuid": voice.uuid,
        "name": voice.name,
        "status": voice.status.value,
        "voice_status": voice.status.value,
        "voice_type": voice.voice_type,
        "description": voice.description,
        "default_language": voice.language,
        "supported_languages": [voice.language],
        "dataset_url": voice.dataset_url,
        "callback_uri": voice.callback_uri,
        "source": "Custom Voice",
        "component_status": dict.fromkeys(("text_to_speech", "fill", "voice_conversion"), component),
        "api_support": dict.fromkeys(("sync_tts", "async_tts", "fill", "sts"), ready),
        "created_at": voice.created_at,
        "updated_at": voice.updated_at,
    }
    return item | ({constants.SCORES_KEY: voice.scores} if ready else {})


def voice_answer(voice: Voice) -> JsonResponse:
    return JsonResponse({"success": True, "item": voice_item(voice)})


@operation("list_voices")
@with_account
def list_voices(request: SandboxRequest, account: Account) -> HttpResponse:
    page, size = page_of(request)
    with request.house.store.transaction() as db:
        total = rows.count_voices(db, account.hint)
        found = rows.voices_of(db, account.hint, page, size)
    items = [
        voice_item(voice) | {"dataset_analysis_failure": voice.dataset_analysis_failure}
        for voice in shown(request, found)
    ]
    return page_answer(items, page=page, size=size, total=total)


@operation("create_voice")
@with_changing_account
def create_voice(request: SandboxRequest, account: Account) -> HttpResponse:
    body = json_body(request)
    consent = _consent(body, account)
    voice = Voice(
        account=account.hint,
        name=text_field(body, "name", 256, required=True) or "",
        voice_type=_voice_type(body),
        consent=CONSENT_FILE if consent else None,
        dataset_url=address_field(body, "dataset_url", 30_000),
        callback_uri=address_field(body, "callback_uri", 1000),
        language=text_field(body, "language", 16) or "en-US",
        description=text_field(body, "description", 2000),
    )
    if consent:
        request.house.store.audio(voice.uuid, CONSENT_FILE).write_bytes(consent)
    starts_itself = bool(voice.voice_type == "professional" and voice.dataset_url)
    _enter(request, voice, starts_itself)
    return voice_answer(voice)


def _enter(request: SandboxRequest, voice: Voice, starts_itself: bool) -> None:
    """Commit the new voice and what it costs; a professional voice with a dataset trains by itself."""
    house = request.house
    price = constants.RAPID_PRICE if voice.voice_type == "rapid" else constants.PROFESSIONAL_PRICE
    with house.store.transaction() as db:
        ready_at = clock.now() + house.settings.training_seconds if starts_itself else None
        rows.save_voice(db, replace(voice, ready_at=ready_at))
        bill(
            db,
            account=voice.account,
            operation="create_voice",
            name=voice.name,
            voice=voice.uuid,
            charged=price,
        )
    if starts_itself:
        training.start(house, voice.uuid)


def _voice_type(body: dict[str, Any]) -> str:
    given = text_field(body, "voice_type", 64) or constants.DEFAULT_VOICE_TYPE
    if given not in VOICE_TYPES:
        raise invalid("voice_type", "must be rapid or professional")
    return VOICE_TYPES[given]


def _consent(body: dict[str, Any], account: Account) -> bytes | None:
    """The consent's WAV. What is no base64 or no WAV is refused at once; its sound is judged in training."""
    given = text_field(body, "consent", vendor_defaults.LONGEST_BODY)
    if given is None:
        if account.authorized_uploader:
            return None
        raise invalid("consent", "is required unless you are an authorized uploader")
    wav = base64_field(given, "consent")
    try:
        read_header(BytesIO(wav))
    except WavRefused as refused:
        if refused.finding.code != "data_empty":
            raise invalid("consent", f"is not a valid WAV file: {refused.finding.text}") from None
    return wav


@operation("get_voice")
@with_account
def get_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    with request.house.store.transaction() as db:
        return voice_answer(own_voice(db, account, uuid))


@operation("update_voice")
@with_changing_account
def update_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    """Change the fields that were sent; the vendor's SDK sends the name only."""
    body = json_body(request)
    changes = {
        "name": text_field(body, "name", 256),
        "description": text_field(body, "description", 2000),
        "dataset_url": address_field(body, "dataset_url", 30_000),
        "callback_uri": address_field(body, "callback_uri", 1000),
        "language": text_field(body, "language", 16),
    }
    with request.house.store.transaction() as db:
        voice = own_voice(db, account, uuid)
        sent: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
        voice = replace(voice, **sent, updated_at=now())
        rows.save_voice(db, voice)
    return voice_answer(voice)


@operation("delete_voice")
@with_account
def delete_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    store = request.house.store
    with store.transaction() as db:
        voice = own_voice(db, account, uuid)
        rows.delete_voice(db, uuid)
        bill(db, account=account.hint, operation="delete_voice", name=voice.name, voice=uuid)
    store.forget_audio(uuid)
    return JsonResponse({"success": True, "message": "Voice was deleted."})


@operation("build_voice")
@with_changing_account
def build_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    json_body(request)
    house = request.house
    with house.store.transaction() as db:
        voice = own_voice(db, account, uuid)
        if voice.ready_at is not None:
            raise RequestRefused(vendor_defaults.INVALID, "This voice is already being built.")
        active = [recording for recording in rows.recordings_of(db, uuid) if recording.is_active]
        _demand_recordings(voice, len(active), house.settings)
        ready_at = clock.now() + house.settings.training_seconds
        rows.save_voice(db, replace(voice, status=Status.RUNNING, issue=None, ready_at=ready_at, updated_at=now()))
        bill(db, account=account.hint, operation="build_voice", name=voice.name, voice=uuid)
    training.start(house, uuid)
    return JsonResponse({"success": True, "message": "The voice is being built."})


def _demand_recordings(voice: Voice, active: int, settings: Settings) -> None:
    """The vendor's counts, which do not apply where a dataset was given. Raises RequestRefused."""
    rapid = voice.voice_type == "rapid"
    needed = settings.rapid_recordings if rapid else settings.professional_recordings
    if not voice.dataset_url and active < needed:
        raise RequestRefused(
            vendor_defaults.INVALID,
            f"At least {needed} active recordings are needed to build a {voice.voice_type} voice;"
            f" this voice has {active}.",
        )
