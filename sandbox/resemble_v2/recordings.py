"""Recordings: list, create, get, update, delete, and the audio itself."""

import sqlite3
from dataclasses import replace
from typing import Any, BinaryIO, cast

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpResponse, HttpResponseBase, JsonResponse
from django.http.multipartparser import MultiPartParserError

from audio.wav.riff import WavHeader, WavRefused, read_header
from sandbox import judging
from sandbox.context import SandboxRequest
from sandbox.endpoints import operation
from sandbox.requests import Account, RequestRefused, flag_field, invalid, json_body, page_answer, page_of, text_field
from sandbox.resemble_v2 import constants, rows
from sandbox.resemble_v2.auth import own_recording, own_voice, with_account, with_changing_account
from sandbox.resemble_v2.rows import Recording
from sandbox.store import now

METRICS = ("signal_to_noise_ratio", "loudness_grade", "resemble_sample_score")


def recording_item(request: SandboxRequest, recording: Recording, *, metrics: bool = True) -> dict[str, Any]:
    """A recording as the vendor returns it; list and get carry `metrics`, create and update do not."""
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


def recording_answer(request: SandboxRequest, recording: Recording, *, metrics: bool = False) -> JsonResponse:
    return JsonResponse({"success": True, "item": recording_item(request, recording, metrics=metrics)})


@operation("list_recordings")
@with_account
def list_recordings(request: SandboxRequest, account: Account, voice: str) -> HttpResponse:
    page, size = page_of(request)
    with request.house.store.transaction() as db:
        own_voice(db, account, voice)
        total = rows.count_recordings(db, voice)
        found = rows.recordings_of(db, voice, page, size)
    return page_answer([recording_item(request, recording) for recording in found], page=page, size=size, total=total)


@operation("create_recording")
@with_changing_account
def create_recording(request: SandboxRequest, account: Account, voice: str) -> HttpResponse:
    fields, upload = _form(request)
    with request.house.store.transaction() as db:
        own_voice(db, account, voice)
    header = _accepted(upload)
    recording = Recording(
        voice=voice,
        name=text_field(fields, "name", 256, required=True) or "",
        text=text_field(fields, "text", 1024, required=True) or "",
        emotion=text_field(fields, "emotion", 64),
        fill=flag_field(fields, "fill", default=False),
        is_active=flag_field(fields, "is_active", default=True),
        file=f"{rows.new_id()}{rows.new_id()}.wav",
        seconds=header.seconds,
        scores=judging.first_scores(upload, header),
    )
    _keep(request, recording, upload)
    return recording_answer(request, recording)


def _form(request: SandboxRequest) -> tuple[dict[str, Any], BinaryIO]:
    """The fields and the file of a multipart form. Raises RequestRefused."""
    try:
        fields, upload = request.POST.dict(), request.FILES.get("file")
    except (MultiPartParserError, SuspiciousOperation) as problem:
        raise RequestRefused(400, f"The form cannot be read: {problem}") from None
    if not isinstance(upload, UploadedFile) or upload.file is None:
        raise invalid("file", "can't be blank")
    return fields, cast(BinaryIO, upload.file)


def _accepted(upload: BinaryIO) -> WavHeader:
    """The header of a WAV whose length the vendor takes. Silence is taken too, and flagged at the build."""
    try:
        header = read_header(upload)
    except WavRefused as refused:
        raise invalid("file", f"is not a usable WAV file: {refused.finding.text}") from None
    if not constants.SHORTEST_RECORDING <= header.seconds <= constants.LONGEST_RECORDING:
        span = f"{constants.SHORTEST_RECORDING:g} to {constants.LONGEST_RECORDING:g} seconds"
        raise invalid("file", f"must last {span}, not {header.seconds:.1f}")
    return header


def _keep(request: SandboxRequest, recording: Recording, upload: BinaryIO) -> None:
    """Write the audio, then the row; without a row the audio goes again. Raises RequestRefused for a taken name."""
    path = request.house.store.audio(recording.voice, recording.file)
    upload.seek(0)
    try:
        with path.open("wb") as file:
            while block := upload.read(1 << 20):
                file.write(block)
        with request.house.store.transaction() as db:
            rows.save_recording(db, recording)
    except sqlite3.IntegrityError:
        path.unlink(missing_ok=True)
        raise invalid("name", "has already been taken") from None


@operation("get_recording")
@with_account
def get_recording(request: SandboxRequest, account: Account, voice: str, uuid: str) -> HttpResponse:
    with request.house.store.transaction() as db:
        _, recording = own_recording(db, account, voice, uuid)
    return recording_answer(request, recording, metrics=True)


@operation("update_recording")
@with_changing_account
def update_recording(request: SandboxRequest, account: Account, voice: str, uuid: str) -> HttpResponse:
    """Change the fields that were sent. An outlier cannot be made active again (the vendor's rule)."""
    body = json_body(request)
    try:
        with request.house.store.transaction() as db:
            _, recording = own_recording(db, account, voice, uuid)
            changed = _changed(recording, body)
            rows.save_recording(db, changed)
    except sqlite3.IntegrityError:
        raise invalid("name", "has already been taken") from None
    return recording_answer(request, changed)


def _changed(recording: Recording, body: dict[str, Any]) -> Recording:
    is_active = flag_field(body, "is_active", recording.is_active)
    if recording.is_outlier and is_active:
        raise invalid("is_active", "cannot be set: this recording is an outlier")
    return replace(
        recording,
        name=text_field(body, "name", 256) or recording.name,
        text=text_field(body, "text", 1024) or recording.text,
        emotion=text_field(body, "emotion", 64) or recording.emotion,
        fill=flag_field(body, "fill", recording.fill),
        is_active=is_active,
        updated_at=now(),
    )


@operation("delete_recording")
@with_changing_account
def delete_recording(request: SandboxRequest, account: Account, voice: str, uuid: str) -> HttpResponse:
    store = request.house.store
    with store.transaction() as db:
        _, recording = own_recording(db, account, voice, uuid)
        rows.delete_recording(db, uuid)
    store.forget_audio(voice, recording.file)
    return JsonResponse({"success": True})


@operation("get_audio")
def audio(request: SandboxRequest, voice: str, uuid: str, file: str) -> HttpResponseBase:
    """The WAV behind `audio_src`; its name cannot be guessed, so no key is asked."""
    with request.house.store.transaction() as db:
        recording = rows.recording_by_id(db, voice, uuid)
    if recording is None or recording.file != file:
        raise RequestRefused(404, "Recording not found.")
    return FileResponse(request.house.store.audio(voice, file).open("rb"), content_type="audio/wav")
