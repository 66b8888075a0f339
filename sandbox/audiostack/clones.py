"""Voice cloning: one call of file ids, an alias and an engine; then the state of what is made of them, by alias.

Also the catalogue of voices, and a preview of one, which plays what the voice was made of.
"""

import secrets
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.http import HttpResponse

from audio.levels.measure import measure_levels
from audio.wav.riff import read_header
from sandbox import clock, judging, store, synthesis, training, vendor_defaults
from sandbox.audiostack import constants
from sandbox.audiostack.auth import VENDOR, account, envelope, error_form, own_file, own_voice
from sandbox.context import House, SandboxRequest
from sandbox.endpoints import operation, shown
from sandbox.requests import Account, RequestRefused, invalid, json_body, text_field
from sandbox.store import Kept, Store, bill


@dataclass(frozen=True, slots=True)
class CloneRequest:
    """A request as far as it can be read without looking at the files."""

    alias: str
    engine: str
    file_ids: tuple[str, ...]

    @property
    def with_consent(self) -> bool:
        return self.engine == constants.STANDARD


@operation("clone_voice", error_form)
def clone_voice(request: SandboxRequest) -> HttpResponse:
    owner = account(request, changing=True)
    wanted = _wanted(json_body(request))
    house = request.house
    with house.store.transaction() as db:
        if store.get(db, VENDOR, wanted.alias):
            raise RequestRefused(409, f"The alias {wanted.alias} is not globally unique.")
        files = [own_file(db, owner, file_id) for file_id in wanted.file_ids]
        _check(wanted, files, house)
        folder = secrets.token_hex(8)
        details = {
            "engine": wanted.engine,
            "folder": folder,
            "files": [_kept_for_good(house.store, file, folder) for file in files],
            "discarded": [],
            "message": "",
        }
        ready_at = clock.now() + house.settings.training_seconds
        voice = Kept(
            VENDOR, wanted.alias, owner.hint, wanted.alias, constants.PROCESSING, details=details, ready_at=ready_at
        )
        store.put(db, voice)
        bill(db, account=owner.hint, operation="clone_voice", name=wanted.alias, voice=wanted.alias)
    training.start(house, VENDOR, wanted.alias)
    return envelope(state(voice), "The voice is being created.", status=202)


def _wanted(body: dict[str, Any]) -> CloneRequest:
    """Raises RequestRefused. `metadata` is taken, and changes nothing here."""
    alias = text_field(body, "alias", constants.LONGEST_ALIAS, required=True) or ""
    engine = text_field(body, "engine", 64, required=True) or ""
    if engine not in constants.MOST_FILES:
        raise invalid("engine", f"must be one of {', '.join(constants.MOST_FILES)}")
    told = body.get("fileIds")
    if not isinstance(told, list) or not told or not all(isinstance(one, str) for one in told):
        raise invalid("fileIds", "must be a list of ids of files")
    if len(set(told)) < len(told):
        raise invalid("fileIds", "must not hold an id twice")
    if not isinstance(body.get("metadata", {}), dict):
        raise invalid("metadata", "must be an object")
    return CloneRequest(alias, engine, tuple(told))


def _check(wanted: CloneRequest, files: list[Kept], house: House) -> None:
    """Refuse what the page's table rules out. Raises RequestRefused."""
    if waiting := [file.id for file in files if file.status != constants.UPLOADED]:
        raise invalid("fileIds", f"has files that are not uploaded yet: {', '.join(waiting)}")
    recordings = files[:-1] if wanted.with_consent else files
    most, largest = constants.MOST_FILES[wanted.engine], constants.MOST_BYTES[wanted.engine]
    if len(recordings) > most:
        raise invalid("fileIds", f"has more than the {most} files of {wanted.engine}")
    if sum(file.details["size"] for file in recordings) > largest:
        raise invalid("fileIds", f"has more than the {largest // 1_000_000}MB of {wanted.engine}")
    seconds, least = sum(file.details["seconds"] or 0 for file in recordings), _least_seconds(wanted.engine, house)
    if seconds < least:
        raise invalid("fileIds", f"has {seconds:.1f} seconds of audio; {wanted.engine} needs at least {least:g}")


def _least_seconds(engine: str, house: House) -> float:
    return house.settings.professional_seconds if engine == constants.STANDARD else constants.INSTANT_SECONDS


def _kept_for_good(store: Store, file: Kept, folder: str) -> dict[str, Any]:
    """The voice's own hold on a file's audio: deleting the file takes nothing from the voice."""
    if file.details["listen_to"]:
        store.audio(folder, file.id).hardlink_to(store.audio(file.id, file.details["listen_to"]))
    return {"id": file.id, "seconds": file.details["seconds"]}


def state(voice: Kept) -> dict[str, Any]:
    """What the page calls a state; of its keys the page has `status` and `discardedFiles`."""
    known = voice.details
    told = {
        "alias": voice.name,
        "status": voice.status,
        "engine": known["engine"],
        "discardedFiles": known["discarded"],
    }
    return told | ({"message": known["message"]} if known["message"] else {})


@operation("get_clone", error_form)
def get_clone(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    alias = request.GET.get("alias")
    if not alias:
        raise invalid("alias", "can't be blank")
    with request.house.store.transaction() as db:
        return envelope(state(own_voice(db, owner, alias)))


def trained_on(house: House, voice: Kept) -> list[Path]:
    """The audio of the files that were not discarded; of a standard voice without the consent."""
    gone = {item["fileId"] for item in voice.details["discarded"]}
    return [
        house.store.audio(voice.details["folder"], file["id"]) for file in _recordings(voice) if file["id"] not in gone
    ]


def _recordings(voice: Kept) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = voice.details["files"]
    return files[:-1] if voice.details["engine"] == constants.STANDARD else files


def decide_outcome(house: House, voice: Kept) -> Kept:
    """Consent first: without it nothing of the voice is listened to."""
    if voice.details["engine"] == constants.STANDARD and (issue := _consent_issue(house, voice)):
        return _ended(voice, constants.FAILED, message=issue)
    discarded, seconds = _listened(house, voice)
    least = _least_seconds(voice.details["engine"], house)
    if seconds < least:
        words = f"There are only {seconds:.1f} seconds of usable audio; at least {least:g} are needed."
        return _ended(voice, constants.FAILED, discarded, words)
    charge(house, voice)
    return _ended(voice, constants.SUCCEEDED, discarded)


def _ended(voice: Kept, status: str, discarded: list[dict[str, str]] | None = None, message: str = "") -> Kept:
    return replace(voice, status=status, details=voice.details | {"discarded": discarded or [], "message": message})


def _consent_issue(house: House, voice: Kept) -> str | None:
    """Why nobody can have agreed in the last file, or None; what is doubtful passes."""
    file = voice.details["files"][-1]
    if file["seconds"] is None:
        return "The consent file, the last one, is not readable as audio."
    with house.store.audio(voice.details["folder"], file["id"]).open("rb") as sound:
        levels = measure_levels(sound, read_header(sound)).levels
    if levels.speech_seconds < constants.SHORTEST_CONSENT_SPEECH:
        return "In the consent file, the last one, nobody agrees to have their voice cloned by AudioStack."
    return None


def _listened(house: House, voice: Kept) -> tuple[list[dict[str, str]], float]:
    """The files that are not used, each with its reason, and the seconds of those that are."""
    reasons: dict[str, str] = {}
    clips = []
    for file in _recordings(voice):
        if file["seconds"] is None:
            reasons[file["id"]] = constants.UNREADABLE
        elif file["seconds"] < constants.SHORTEST_FILE:
            reasons[file["id"]] = constants.TOO_SHORT
        else:
            clips.append(judging.JudgedFile(file["id"], house.store.audio(voice.details["folder"], file["id"])))
    judgement = judging.judge(clips)
    for file_id, heard in judgement.clips.items():
        if heard.is_silent or heard.is_outlier:
            reasons[file_id] = constants.SILENT if heard.is_silent else constants.OUTLIER
    return [{"fileId": file_id, "reason": reason} for file_id, reason in reasons.items()], judgement.usable_seconds


def charge(house: House, voice: Kept) -> None:
    """The credits of a voice that succeeded, once, also if the sandbox was stopped before it could say so."""
    engine, query = voice.details["engine"], "SELECT 1 FROM ledger WHERE operation = 'clone_succeeded' AND voice = ?"
    with house.store.transaction() as db:
        if not db.execute(query, (voice.id,)).fetchone():
            bill(
                db,
                account=voice.account,
                operation="clone_succeeded",
                name=voice.name,
                voice=voice.id,
                charged=constants.CREDITS[engine],
            )


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
        made = store.all_of(db, VENDOR, owner.hint)
    own = [voice for voice in shown(request, made) if voice.status == constants.SUCCEEDED]
    return [constants.STOCK_VOICE, *({"provider": "audiostack", "alias": voice.name} for voice in own)]


@operation("tts_preview", error_form)
def preview(request: SandboxRequest) -> HttpResponse:
    owner = account(request)
    body = json_body(request)
    text = text_field(body, "text", constants.LONGEST_TEXT, required=True) or ""
    alias = text_field(body, "voice", constants.LONGEST_ALIAS, required=True) or ""
    with request.house.store.transaction() as db:
        voice = own_voice(db, owner, alias)
    if voice.status != constants.SUCCEEDED:
        raise RequestRefused(400, "This voice is not ready to speak.")
    files = trained_on(request.house, voice)
    first = zlib.crc32(text.encode()) % len(files)
    seconds = max(1.0, len(text) / vendor_defaults.CHARACTERS_PER_SECOND)
    sound = synthesis.play(files[first:] + files[:first], seconds, None)
    with request.house.store.transaction() as db:
        bill(
            db,
            account=owner.hint,
            operation="tts_preview",
            name=alias,
            voice=alias,
            charged=constants.PREVIEW_CREDITS,
        )
    return HttpResponse(synthesis.wav(sound, 2), content_type="audio/wav")
