"""Voices: list, create, get, update, delete, build."""

from dataclasses import replace
from io import BytesIO
from typing import Any

from django.http import HttpResponse, JsonResponse

from audio.wav.riff import WavRefused, read_header
from sandbox import clock, vendor_defaults
from sandbox.context import SandboxRequest, Settings
from sandbox.endpoints import apply_list_lag, operation
from sandbox.requests import (
    Account,
    RequestRefused,
    make_field_error,
    parse_base64_field,
    parse_boolean_field,
    parse_page,
    parse_text_field,
    parse_url_field,
    read_json_body,
    render_page,
)
from sandbox.resemble_v2 import constants, rows, training
from sandbox.resemble_v2.auth import get_own_voice, with_account, with_write_account
from sandbox.resemble_v2.rows import Status, Voice
from sandbox.store import format_now, record_ledger_entry

VOICE_TYPES = {"rapid": "rapid", "rapid_voice": "rapid", "professional": "professional"}
"""The vendor's documentation uses both spellings of rapid."""

CONSENT_FILE = "consent.wav"


def make_voice_item(voice: Voice) -> dict[str, Any]:
    """A voice in the vendor's format. A finished voice also has its scores, under a key of ours."""
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


def render_voice(voice: Voice) -> JsonResponse:
    return JsonResponse({"success": True, "item": make_voice_item(voice)})


@operation("list_voices")
@with_account
def list_voices(request: SandboxRequest, account: Account) -> HttpResponse:
    page, size = parse_page(request)
    with request.context.store.transaction() as db:
        total = rows.count_voices(db, account.hint)
        found = rows.list_voices(db, account.hint, page, size)
    items = [
        make_voice_item(voice) | {"dataset_analysis_failure": voice.dataset_analysis_failure}
        for voice in apply_list_lag(request, found)
    ]
    return render_page(items, page=page, size=size, total=total)


@operation("create_voice")
@with_write_account
def create_voice(request: SandboxRequest, account: Account) -> HttpResponse:
    body = read_json_body(request)
    consent = _parse_consent(body, account)
    voice = Voice(
        account=account.hint,
        name=parse_text_field(body, "name", 256, required=True) or "",
        voice_type=_parse_voice_type(body),
        consent=CONSENT_FILE if consent else None,
        dataset_url=parse_url_field(body, "dataset_url", 30_000),
        callback_uri=parse_url_field(body, "callback_uri", 1000),
        language=parse_text_field(body, "language", 16) or "en-US",
        description=parse_text_field(body, "description", 2000),
    )
    request.entry.options = {"description": voice.description, "consent": bool(consent)}
    if consent:
        request.context.store.get_audio_path(voice.uuid, CONSENT_FILE).write_bytes(consent)
    is_auto_trained = bool(voice.voice_type == "professional" and voice.dataset_url)
    _save_new_voice(request, voice, is_auto_trained)
    return render_voice(voice)


def _save_new_voice(request: SandboxRequest, voice: Voice, is_auto_trained: bool) -> None:
    """Commit the new voice and its charge. A professional voice with a dataset trains automatically."""
    context = request.context
    price = constants.RAPID_PRICE_CENTS if voice.voice_type == "rapid" else constants.PROFESSIONAL_PRICE_CENTS
    with context.store.transaction() as db:
        ready_at = clock.now() + context.settings.training_seconds if is_auto_trained else None
        rows.save_voice(db, replace(voice, ready_at=ready_at))
        record_ledger_entry(
            db,
            account=voice.account,
            operation="create_voice",
            name=voice.name,
            voice=voice.uuid,
            charged=price,
        )
    if is_auto_trained:
        training.start_training(context, voice.uuid)


def _parse_voice_type(body: dict[str, Any]) -> str:
    value = parse_text_field(body, "voice_type", 64) or constants.DEFAULT_VOICE_TYPE
    if value not in VOICE_TYPES:
        raise make_field_error("voice_type", "must be rapid or professional")
    return VOICE_TYPES[value]


def _parse_consent(body: dict[str, Any], account: Account) -> bytes | None:
    """The consent's WAV. Invalid base64 or a file that is not a WAV is refused; training evaluates the audio."""
    value = parse_text_field(body, "consent", vendor_defaults.MAX_BODY_BYTES)
    if value is None:
        if account.is_authorized_uploader:
            return None
        raise make_field_error("consent", "is required unless you are an authorized uploader")
    wav = parse_base64_field(value, "consent")
    try:
        read_header(BytesIO(wav))
    except WavRefused as refused:
        if refused.finding.code != "data_empty":
            raise make_field_error("consent", f"is not a valid WAV file: {refused.finding.text}") from None
    return wav


@operation("get_voice")
@with_account
def get_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    with request.context.store.transaction() as db:
        return render_voice(get_own_voice(db, account, uuid))


@operation("update_voice")
@with_write_account
def update_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    """Change the given fields. The vendor's SDK sends only the name."""
    body = read_json_body(request)
    changes = {
        "name": parse_text_field(body, "name", 256),
        "description": parse_text_field(body, "description", 2000),
        "dataset_url": parse_url_field(body, "dataset_url", 30_000),
        "callback_uri": parse_url_field(body, "callback_uri", 1000),
        "language": parse_text_field(body, "language", 16),
    }
    request.entry.options = {"description": changes["description"]}
    with request.context.store.transaction() as db:
        voice = get_own_voice(db, account, uuid)
        changed: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
        voice = replace(voice, **changed, updated_at=format_now())
        rows.save_voice(db, voice)
    return render_voice(voice)


@operation("delete_voice")
@with_account
def delete_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    store = request.context.store
    with store.transaction() as db:
        voice = get_own_voice(db, account, uuid)
        rows.delete_voice(db, uuid)
        record_ledger_entry(db, account=account.hint, operation="delete_voice", name=voice.name, voice=uuid)
    store.delete_audio(uuid)
    return JsonResponse({"success": True, "message": "Voice was deleted."})


@operation("build_voice")
@with_write_account
def build_voice(request: SandboxRequest, account: Account, uuid: str) -> HttpResponse:
    request.entry.options = {"fill": parse_boolean_field(read_json_body(request), "fill", default=False)}
    context = request.context
    with context.store.transaction() as db:
        voice = get_own_voice(db, account, uuid)
        if voice.ready_at is not None:
            raise RequestRefused(vendor_defaults.INVALID_STATUS, "This voice is already being built.")
        active = [recording for recording in rows.list_recordings(db, uuid) if recording.is_active]
        _check_recording_count(voice, len(active), context.settings)
        ready_at = clock.now() + context.settings.training_seconds
        rows.save_voice(
            db, replace(voice, status=Status.RUNNING, issue=None, ready_at=ready_at, updated_at=format_now())
        )
        record_ledger_entry(db, account=account.hint, operation="build_voice", name=voice.name, voice=uuid)
    training.start_training(context, uuid)
    return JsonResponse({"success": True, "message": "The voice is being built."})


def _check_recording_count(voice: Voice, active_count: int, settings: Settings) -> None:
    """Check the minimum number of recordings, which does not apply to a voice with a dataset. Raises RequestRefused."""
    is_rapid = voice.voice_type == "rapid"
    needed = settings.rapid_recordings if is_rapid else settings.professional_recordings
    if not voice.dataset_url and active_count < needed:
        raise RequestRefused(
            vendor_defaults.INVALID_STATUS,
            f"At least {needed} active recordings are needed to build a {voice.voice_type} voice;"
            f" this voice has {active_count}.",
        )
