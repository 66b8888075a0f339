"""Recordings: list, create, get, update, delete, and the audio itself."""

import sqlite3
from dataclasses import replace
from typing import Any, BinaryIO, cast

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpResponse, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError

from audio.wav.riff import WavHeader, WavRefused, read_header
from sandbox import clip_evaluation
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import (
    Account,
    RequestRefused,
    make_field_error,
    parse_boolean_field,
    parse_page,
    parse_text_field,
    read_json_body,
    render_page,
)
from sandbox.resemble_v2 import constants, rows
from sandbox.resemble_v2.auth import get_own_recording, get_own_voice, with_account, with_write_account
from sandbox.resemble_v2.rows import Recording
from sandbox.store import format_now

METRICS = ("signal_to_noise_ratio", "loudness_grade", "resemble_sample_score")


def make_recording_item(request: SandboxRequest, recording: Recording, *, metrics: bool = True) -> dict[str, Any]:
    """A recording in the vendor's format. List and get include `metrics`; create and update do not."""
    path = f"/resemble/recordings/{recording.voice}/{recording.uuid}/{recording.file}"
    item = {
        "uuid": recording.uuid,
        "name": recording.name,
        "text": recording.text,
        "emotion": recording.emotion,
        "fill": recording.fill,
        "is_active": recording.is_active,
        "audio_src": f"http://{request.headers.get('Host', 'localhost')}{path}",
        "created_at": recording.created_at,
        "updated_at": recording.updated_at,
    }
    return item | ({"metrics": {name: recording.scores.get(name) for name in METRICS}} if metrics else {})


def render_recording(request: SandboxRequest, recording: Recording, *, metrics: bool = False) -> JsonResponse:
    return JsonResponse({"success": True, "item": make_recording_item(request, recording, metrics=metrics)})


@operation("list_recordings")
@with_account
def list_recordings(request: SandboxRequest, account: Account, voice: str) -> HttpResponse:
    page, size = parse_page(request)
    with request.context.store.transaction() as db:
        get_own_voice(db, account, voice)
        total = rows.count_recordings(db, voice)
        found = rows.list_recordings(db, voice, page, size)
    return render_page(
        [make_recording_item(request, recording) for recording in found], page=page, size=size, total=total
    )


@operation("create_recording")
@with_write_account
def create_recording(request: SandboxRequest, account: Account, voice: str) -> HttpResponse:
    fields, upload = _read_form(request)
    with request.context.store.transaction() as db:
        get_own_voice(db, account, voice)
    header = _read_accepted_header(upload)
    recording = Recording(
        voice=voice,
        name=parse_text_field(fields, "name", 256, required=True) or "",
        text=parse_text_field(fields, "text", 1024, required=True) or "",
        emotion=parse_text_field(fields, "emotion", 64),
        fill=parse_boolean_field(fields, "fill", default=False),
        is_active=parse_boolean_field(fields, "is_active", default=True),
        file=f"{rows.make_id()}{rows.make_id()}.wav",
        seconds=header.seconds,
        scores=clip_evaluation.compute_upload_scores(upload, header),
    )
    request.entry.options = {"emotion": recording.emotion, "fill": recording.fill}
    _save_recording(request, recording, upload)
    return render_recording(request, recording)


def _read_form(request: SandboxRequest) -> tuple[dict[str, Any], BinaryIO]:
    """The fields and the file of a multipart form. Raises RequestRefused."""
    try:
        fields, upload = request.POST.dict(), request.FILES.get("file")
    except (MultiPartParserError, SuspiciousOperation) as problem:
        raise RequestRefused(400, f"The form cannot be read: {problem}") from None
    if not isinstance(upload, UploadedFile) or upload.file is None:
        raise make_field_error("file", "can't be blank")
    return fields, cast(BinaryIO, upload.file)


def _read_accepted_header(upload: BinaryIO) -> WavHeader:
    """The header of a WAV of an accepted length. Silence is accepted, and flagged at the build."""
    try:
        header = read_header(upload)
    except WavRefused as refused:
        raise make_field_error("file", f"is not a usable WAV file: {refused.finding.text}") from None
    if not constants.MIN_RECORDING_SECONDS <= header.seconds <= constants.MAX_RECORDING_SECONDS:
        span = f"{constants.MIN_RECORDING_SECONDS:g} to {constants.MAX_RECORDING_SECONDS:g} seconds"
        raise make_field_error("file", f"must last {span}, not {header.seconds:.1f}")
    return header


def _save_recording(request: SandboxRequest, recording: Recording, upload: BinaryIO) -> None:
    """Write the audio, then the row. If the name is taken, delete the audio and raise RequestRefused."""
    path = request.context.store.get_audio_path(recording.voice, recording.file)
    upload.seek(0)
    try:
        with path.open("wb") as file:
            while block := upload.read(1 << 20):
                file.write(block)
        with request.context.store.transaction() as db:
            rows.save_recording(db, recording)
    except sqlite3.IntegrityError:
        path.unlink(missing_ok=True)
        raise make_field_error("name", "has already been taken") from None


@operation("get_recording")
@with_account
def get_recording(request: SandboxRequest, account: Account, voice: str, uuid: str) -> HttpResponse:
    with request.context.store.transaction() as db:
        _, recording = get_own_recording(db, account, voice, uuid)
    return render_recording(request, recording, metrics=True)


@operation("update_recording")
@with_write_account
def update_recording(request: SandboxRequest, account: Account, voice: str, uuid: str) -> HttpResponse:
    """Change the given fields. An outlier cannot be made active again (vendor)."""
    body = read_json_body(request)
    try:
        with request.context.store.transaction() as db:
            _, recording = get_own_recording(db, account, voice, uuid)
            changed = _apply_changes(recording, body)
            rows.save_recording(db, changed)
    except sqlite3.IntegrityError:
        raise make_field_error("name", "has already been taken") from None
    return render_recording(request, changed)


def _apply_changes(recording: Recording, body: dict[str, Any]) -> Recording:
    is_active = parse_boolean_field(body, "is_active", recording.is_active)
    if recording.is_outlier and is_active:
        raise make_field_error("is_active", "cannot be set: this recording is an outlier")
    return replace(
        recording,
        name=parse_text_field(body, "name", 256) or recording.name,
        text=parse_text_field(body, "text", 1024) or recording.text,
        emotion=parse_text_field(body, "emotion", 64) or recording.emotion,
        fill=parse_boolean_field(body, "fill", recording.fill),
        is_active=is_active,
        updated_at=format_now(),
    )


@operation("delete_recording")
@with_write_account
def delete_recording(request: SandboxRequest, account: Account, voice: str, uuid: str) -> HttpResponse:
    store = request.context.store
    with store.transaction() as db:
        _, recording = get_own_recording(db, account, voice, uuid)
        rows.delete_recording(db, uuid)
    store.delete_audio(voice, recording.file)
    return JsonResponse({"success": True})


@operation("get_audio")
def get_audio(request: SandboxRequest, voice: str, uuid: str, file: str) -> HttpResponseBase:
    """The WAV at a recording's `audio_src`. The request needs no key, because the URL is secret."""
    with request.context.store.transaction() as db:
        recording = rows.find_recording(db, voice, uuid)
    if recording is None or recording.file != file:
        raise RequestRefused(404, "Recording not found.")
    return FileResponse(request.context.store.get_audio_path(voice, file).open("rb"), content_type="audio/wav")
