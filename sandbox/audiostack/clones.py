"""Voice cloning: one call with file ids, an alias and an engine, then the clone's state by alias.

Also the catalog of voices, and a preview, which plays the recordings that the voice was cloned from.
"""

import secrets
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.http import HttpResponse

from audio.levels.measure import measure_levels
from audio.wav.riff import read_header
from sandbox import clip_evaluation, clock, store, synthesis, training, vendor_defaults
from sandbox.audiostack import constants
from sandbox.audiostack.auth import VENDOR, authenticate, get_own_file, get_own_voice, render_envelope, render_error
from sandbox.context import SandboxContext, SandboxRequest
from sandbox.endpoints import apply_list_lag, operation
from sandbox.requests import Account, RequestRefused, make_field_error, parse_text_field, read_json_body
from sandbox.store import Store, StoredObject, record_ledger_entry


@dataclass(frozen=True, slots=True)
class CloneRequest:
    """The fields of a request that can be checked without the files."""

    alias: str
    engine: str
    file_ids: tuple[str, ...]
    gender: str

    @property
    def has_consent_file(self) -> bool:
        return self.engine == constants.STANDARD


@operation("clone_voice", render_error)
def clone_voice(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request, needs_write=True)
    clone_request = _parse_clone_request(read_json_body(request))
    request.entry.options = {"gender": clone_request.gender}
    context = request.context
    with context.store.transaction() as db:
        if store.find_object(db, VENDOR, clone_request.alias):
            raise RequestRefused(409, f"The alias {clone_request.alias} is not globally unique.")
        files = [get_own_file(db, owner, file_id) for file_id in clone_request.file_ids]
        _check_files(clone_request, files, context)
        folder = secrets.token_hex(8)
        details = {
            "engine": clone_request.engine,
            "gender": clone_request.gender,
            "folder": folder,
            "files": [_link_audio(context.store, file, folder) for file in files],
            "discarded": [],
            "message": "",
        }
        ready_at = clock.now() + context.settings.training_seconds
        voice = StoredObject(
            VENDOR,
            clone_request.alias,
            owner.hint,
            clone_request.alias,
            constants.PROCESSING,
            details=details,
            ready_at=ready_at,
        )
        store.save_object(db, voice)
        record_ledger_entry(
            db, account=owner.hint, operation="clone_voice", name=clone_request.alias, voice=clone_request.alias
        )
    training.start_training(context, VENDOR, clone_request.alias)
    return render_envelope(make_state(voice), "The voice is being created.", status=202)


def _parse_clone_request(body: dict[str, Any]) -> CloneRequest:
    """Read the request. Of `metadata`, only the gender is stored. Raises RequestRefused."""
    alias = parse_text_field(body, "alias", constants.MAX_ALIAS_LENGTH, required=True) or ""
    engine = parse_text_field(body, "engine", 64, required=True) or ""
    if engine not in constants.MAX_FILES:
        raise make_field_error("engine", f"must be one of {', '.join(constants.MAX_FILES)}")
    file_ids = body.get("fileIds")
    if not isinstance(file_ids, list) or not file_ids or not all(isinstance(file_id, str) for file_id in file_ids):
        raise make_field_error("fileIds", "must be a list of file ids")
    if len(set(file_ids)) < len(file_ids):
        raise make_field_error("fileIds", "must not contain an id twice")
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict):
        raise make_field_error("metadata", "must be an object")
    gender = parse_text_field(metadata, "gender", constants.MAX_GENDER_LENGTH) or ""
    return CloneRequest(alias, engine, tuple(file_ids), gender)


def _check_files(clone_request: CloneRequest, files: list[StoredObject], context: SandboxContext) -> None:
    """Check the limits in the vendor's documentation. Raises RequestRefused."""
    if waiting := [file.id for file in files if file.status != constants.UPLOADED]:
        raise make_field_error("fileIds", f"has files that are not uploaded yet: {', '.join(waiting)}")
    recordings = files[:-1] if clone_request.has_consent_file else files
    max_files, max_bytes = constants.MAX_FILES[clone_request.engine], constants.MAX_BYTES[clone_request.engine]
    if len(recordings) > max_files:
        raise make_field_error("fileIds", f"has more than the {max_files} files of {clone_request.engine}")
    if sum(file.details["size"] for file in recordings) > max_bytes:
        raise make_field_error("fileIds", f"has more than the {max_bytes // 1_000_000}MB of {clone_request.engine}")
    seconds = sum(file.details["seconds"] or 0 for file in recordings)
    min_seconds = _get_min_seconds(clone_request.engine, context)
    if seconds < min_seconds:
        raise make_field_error(
            "fileIds", f"has {seconds:.1f} seconds of audio; {clone_request.engine} needs at least {min_seconds:g}"
        )


def _get_min_seconds(engine: str, context: SandboxContext) -> float:
    return context.settings.professional_seconds if engine == constants.STANDARD else constants.MIN_INSTANT_SECONDS


def _link_audio(store: Store, file: StoredObject, folder: str) -> dict[str, Any]:
    """Link a file's audio into the voice's folder, so that the voice keeps it if the file is deleted."""
    if file.details["listen_to"]:
        store.get_audio_path(folder, file.id).hardlink_to(store.get_audio_path(file.id, file.details["listen_to"]))
    return {"id": file.id, "seconds": file.details["seconds"]}


def make_state(voice: StoredObject) -> dict[str, Any]:
    """The state of a clone. `status` and `discardedFiles` are documented by the vendor, the other keys are ours."""
    details = voice.details
    state = {
        "alias": voice.name,
        "status": voice.status,
        "engine": details["engine"],
        "discardedFiles": details["discarded"],
    }
    return state | ({"message": details["message"]} if details["message"] else {})


@operation("get_clone", render_error)
def get_clone(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    alias = request.GET.get("alias")
    if not alias:
        raise make_field_error("alias", "can't be blank")
    with request.context.store.transaction() as db:
        return render_envelope(make_state(get_own_voice(db, owner, alias)))


def list_training_audio(context: SandboxContext, voice: StoredObject) -> list[Path]:
    """Audio of the files that were not discarded, without the consent file of a standard voice."""
    discarded_ids = {item["fileId"] for item in voice.details["discarded"]}
    return [
        context.store.get_audio_path(voice.details["folder"], file["id"])
        for file in _list_recordings(voice)
        if file["id"] not in discarded_ids
    ]


def _list_recordings(voice: StoredObject) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = voice.details["files"]
    return files[:-1] if voice.details["engine"] == constants.STANDARD else files


def decide_outcome(context: SandboxContext, voice: StoredObject) -> StoredObject:
    """Check the consent first. If it is not valid, the voice fails and no recording is evaluated."""
    if voice.details["engine"] == constants.STANDARD and (issue := _find_consent_issue(context, voice)):
        return _set_outcome(voice, constants.FAILED, message=issue)
    discarded, seconds = _evaluate_files(context, voice)
    min_seconds = _get_min_seconds(voice.details["engine"], context)
    if seconds < min_seconds:
        message = f"There are only {seconds:.1f} seconds of usable audio; at least {min_seconds:g} are needed."
        return _set_outcome(voice, constants.FAILED, discarded, message)
    charge_credits(context, voice)
    return _set_outcome(voice, constants.SUCCEEDED, discarded)


def _set_outcome(
    voice: StoredObject, status: str, discarded: list[dict[str, str]] | None = None, message: str = ""
) -> StoredObject:
    return replace(voice, status=status, details=voice.details | {"discarded": discarded or [], "message": message})


def _find_consent_issue(context: SandboxContext, voice: StoredObject) -> str | None:
    """Why the last file cannot contain the consent, or None. Files in doubt are accepted."""
    file = voice.details["files"][-1]
    if file["seconds"] is None:
        return "The consent file, the last one, is not readable as audio."
    with context.store.get_audio_path(voice.details["folder"], file["id"]).open("rb") as audio:
        levels = measure_levels(audio, read_header(audio)).levels
    if levels.speech_seconds < constants.MIN_CONSENT_SPEECH_SECONDS:
        return "In the consent file, the last one, no speaker agrees to have their voice cloned by AudioStack."
    return None


def _evaluate_files(context: SandboxContext, voice: StoredObject) -> tuple[list[dict[str, str]], float]:
    """The discarded files with their reasons, and the seconds of usable audio."""
    reasons: dict[str, str] = {}
    clips = []
    for file in _list_recordings(voice):
        if file["seconds"] is None:
            reasons[file["id"]] = constants.UNREADABLE
        elif file["seconds"] < constants.MIN_FILE_SECONDS:
            reasons[file["id"]] = constants.TOO_SHORT
        else:
            clips.append(
                clip_evaluation.AudioClip(file["id"], context.store.get_audio_path(voice.details["folder"], file["id"]))
            )
    evaluations = clip_evaluation.evaluate_clips(clips)
    for file_id, evaluation in evaluations.clips.items():
        if evaluation.is_silent or evaluation.is_outlier:
            reasons[file_id] = constants.SILENT if evaluation.is_silent else constants.OUTLIER
    return [{"fileId": file_id, "reason": reason} for file_id, reason in reasons.items()], evaluations.usable_seconds


def charge_credits(context: SandboxContext, voice: StoredObject) -> None:
    """Charge the credits of a successful voice, once even if the sandbox stops before it saves the outcome."""
    engine, query = voice.details["engine"], "SELECT 1 FROM ledger WHERE operation = 'clone_succeeded' AND voice = ?"
    with context.store.transaction() as db:
        if not db.execute(query, (voice.id,)).fetchone():
            record_ledger_entry(
                db,
                account=voice.account,
                operation="clone_succeeded",
                name=voice.name,
                voice=voice.id,
                charged=constants.CLONE_CREDITS[engine],
            )


@operation("list_speech_voices", render_error)
def list_voices(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    return render_envelope({"voices": _list_catalog(request, owner)}, remaining=_count_credits(request, owner))


@operation("list_speech_voices", render_error)
def query_voices(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    body = read_json_body(request)
    page, size = body.get("page", 1), body.get("pageLimit", 1000)
    if not all(isinstance(number, int) and number > 0 for number in (page, size)):
        raise make_field_error("page", "and pageLimit must be whole numbers from 1")
    voices = _list_catalog(request, owner)[(page - 1) * size : page * size]
    return render_envelope({"voices": voices}, remaining=_count_credits(request, owner))


def _count_credits(request: SandboxRequest, owner: Account) -> float:
    with request.context.store.transaction() as db:
        return constants.GRANTED_CREDITS - store.sum_charges(db, owner.hint, ("clone_succeeded", "tts_preview"))


def _list_catalog(request: SandboxRequest, owner: Account) -> list[dict[str, Any]]:
    with request.context.store.transaction() as db:
        cloned = store.list_objects(db, VENDOR, owner.hint)
    own = [voice for voice in apply_list_lag(request, cloned) if voice.status == constants.SUCCEEDED]
    return [constants.STOCK_VOICE, *({"provider": "audiostack", "alias": voice.name} for voice in own)]


@operation("tts_preview", render_error)
def preview_voice(request: SandboxRequest) -> HttpResponse:
    owner = authenticate(request)
    body = read_json_body(request)
    text = parse_text_field(body, "text", constants.MAX_TEXT_LENGTH, required=True) or ""
    alias = parse_text_field(body, "voice", constants.MAX_ALIAS_LENGTH, required=True) or ""
    with request.context.store.transaction() as db:
        voice = get_own_voice(db, owner, alias)
    if voice.status != constants.SUCCEEDED:
        raise RequestRefused(400, "This voice is not ready to speak.")
    files = list_training_audio(request.context, voice)
    first = zlib.crc32(text.encode()) % len(files)
    seconds = max(1.0, len(text) / vendor_defaults.CHARACTERS_PER_SECOND)
    audio = synthesis.concatenate_recordings(files[first:] + files[:first], seconds, None)
    with request.context.store.transaction() as db:
        record_ledger_entry(
            db,
            account=owner.hint,
            operation="tts_preview",
            name=alias,
            voice=alias,
            charged=constants.PREVIEW_CREDITS,
        )
    return HttpResponse(synthesis.encode_wav(audio, 2), content_type="audio/wav")
