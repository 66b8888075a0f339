"""AudioStack in the sandbox: calls by the vendor's client, and by plain HTTP where the client has no call."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import audiostack
import pytest
import requests
import soundfile
from audiostack.files.file import AccessControl, File
from audiostack.helpers.request_interface import RequestInterface
from audiostack.helpers.request_types import RequestTypes
from audiostack.speech.voice import Voice

from sandbox import store
from sandbox.audiostack import clones
from sandbox.context import SandboxContext
from sandbox.store import Store, StoredObject
from tests.support.sandbox import TIMEOUT_SECONDS, SandboxProcess, poll_until
from tests.support.sounds import encode_with_libsndfile
from tests.support.wav import SAMPLE_FOLDER, load_sample_wav, make_speech_like, make_wav_bytes

SLT_CLIPS = tuple(f"slt-0{number}" for number in range(1, 5))
INSTANT, STANDARD = "voice_engine_3", "voice_engine_2"


class AudioStackAccount:
    """An account with its own key. It calls by the vendor's client, and by plain HTTP where the client has no call."""

    def __init__(self, sandbox: SandboxProcess, folder: Path) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.use_key(f"key-{uuid4().hex}")

    def use_key(self, key: str) -> None:
        """Switch to another key. The client stores the key and the URL in its module."""
        self.key = key
        audiostack.api_key = key
        audiostack.api_base = f"{self.sandbox.address}/audiostack"

    def call_api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"x-api-key": self.key} | options.pop("headers", {})
        return requests.request(
            method, f"{self.sandbox.address}/audiostack/{path}", headers=headers, timeout=TIMEOUT_SECONDS, **options
        )

    def upload_file(self, content: bytes, name: str = "line.wav") -> str:
        """Create and upload a file with the vendor's client, which waits until it is stored. Return the file's id."""
        path = self.folder / f"{uuid4().hex}.wav"
        path.write_bytes(content)
        return str(File.create(str(path), name).fileId)

    def upload_samples(self, *names: str) -> list[str]:
        return [self.upload_file(load_sample_wav(name)) for name in names]

    def request_clone(
        self, file_ids: list[str], engine: str = INSTANT, alias: str = "", **options: Any
    ) -> dict[str, Any]:
        """Send the documented clone call with the SDK's RequestInterface, which raises Exception for every error."""
        body = {"fileIds": file_ids, "alias": alias or f"clone-{uuid4().hex}", "engine": engine} | options
        response: dict[str, Any] = CLONING.send_request(rtype=RequestTypes.POST, route="voice-cloning", json=body)
        return response

    def fetch_voice(self, alias: str) -> dict[str, Any]:
        """Send the documented call for the state of a clone."""
        response = CLONING.send_request(
            rtype=RequestTypes.GET, route="voice-cloning", query_parameters={"alias": alias}
        )
        state: dict[str, Any] = response["data"]
        return state

    def wait_for_end(self, alias: str) -> dict[str, Any]:
        def fetch_ended_voice() -> dict[str, Any] | None:
            state = self.fetch_voice(alias)
            return state if state["status"] != "processing" else None

        return poll_until(fetch_ended_voice)

    def clone_voice(self, file_ids: list[str], engine: str = INSTANT) -> dict[str, Any]:
        return self.wait_for_end(self.request_clone(file_ids, engine)["data"]["alias"])

    def list_charges(self, alias: str) -> list[tuple[str, float]]:
        return [(line["operation"], line["charged"]) for line in self.sandbox.read_ledger(voice=alias)]


CLONING = RequestInterface(family="speech")


@pytest.fixture
def account(sandbox: SandboxProcess, tmp_path: Path) -> Iterator[AudioStackAccount]:
    sandbox.call_control("POST", "settings", {"training_seconds": 0.0, "professional_seconds": 5.0})
    yield AudioStackAccount(sandbox, tmp_path)
    audiostack.api_key = None


# --- files, with the vendor's client ---


def test_file_can_be_created_downloaded_changed_and_deleted(account: AudioStackAccount, tmp_path: Path) -> None:
    wav = load_sample_wav("slt-01")
    source = tmp_path / "one.wav"
    source.write_bytes(wav)
    file = File.create(str(source), "one.wav")
    assert (file.fileName, file.status, file.size) == ("one.wav", "uploaded", len(wav))
    assert file.duration == pytest.approx((len(wav) - 44) / 2 / 16000, abs=0.01)
    file.download("back.wav", str(tmp_path))
    assert (tmp_path / "back.wav").read_bytes() == wav
    changed = File.patch(
        UUID(file.fileId), fileName="two.wav", categoryName="voice", accessControl=AccessControl.private
    )
    assert (changed.fileName, changed.accessControl, changed.fileCategory) == (
        "two.wav",
        "private",
        {"id": "voice", "name": "voice"},
    )
    File.delete(UUID(file.fileId))
    with pytest.raises(Exception, match="was not found"):
        File.get(UUID(file.fileId))
    assert requests.get(str(file.url), timeout=TIMEOUT_SECONDS).status_code == 403


def announce_file(account: AudioStackAccount, name: str = "a.wav") -> dict[str, Any]:
    response = account.call_api("POST", "files", json={"file_name": name})
    assert response.status_code == 200, response.text
    file: dict[str, Any] = response.json()
    return file


def put_file(file: dict[str, Any], content: bytes, **changes: str) -> int:
    headers = {"Content-Type": file["mimeType"]} | {name.replace("_", "-"): value for name, value in changes.items()}
    return requests.put(file["uploadUrl"], data=content, headers=headers, timeout=TIMEOUT_SECONDS).status_code


def test_file_is_pending_until_sent_and_can_be_sent_again(account: AudioStackAccount) -> None:
    file = announce_file(account)
    assert file["mimeType"] == "audio/wav"
    pending = account.call_api("GET", f"files/{file['fileId']}").json()
    assert (pending["status"], pending["size"], "url" in pending) == ("pending", 0, False)
    for name in ("slt-01", "slt-02"):
        assert put_file(file, load_sample_wav(name)) == 200
    uploaded = account.call_api("GET", f"files/{file['fileId']}").json()
    assert (uploaded["status"], uploaded["size"]) == ("uploaded", len(load_sample_wav("slt-02")))


def test_camel_case_body_of_the_older_client_is_accepted(account: AudioStackAccount) -> None:
    body = {"fileName": "old.mp3", "folderId": str(uuid4())}
    response = account.call_api("POST", "v3/file/create-upload-url", json=body).json()
    assert (response["fileName"], response["folderId"], response["mimeType"]) == (
        "old.mp3",
        body["folderId"],
        "audio/mpeg",
    )
    assert put_file(response, b"content") == 200


def test_upload_url_needs_no_key_and_takes_only_the_announced_file(account: AudioStackAccount) -> None:
    file = announce_file(account)
    assert put_file(file, b"x", Content_Type="audio/mpeg") == 403
    assert put_file(file | {"uploadUrl": file["uploadUrl"] + "x"}, b"x") == 403
    assert put_file(file, b"x") == 200
    keys = {entry["operation"]: "X-Api-Key" in entry["headers"] for entry in account.sandbox.list_requests()}
    assert (keys["create_file"], keys["upload_file"]) == (True, False)


def test_upload_url_is_valid_for_seven_days(account: AudioStackAccount) -> None:
    file = announce_file(account)
    account.sandbox.call_control("POST", "clock", {"forward": 7 * 24 * 3600 - 60})
    assert put_file(file, b"x") == 200
    account.sandbox.call_control("POST", "clock", {"forward": 120})
    assert put_file(file, b"x") == 403


def test_incomplete_upload_is_refused(account: AudioStackAccount) -> None:
    file = announce_file(account)
    url = urlsplit(file["uploadUrl"])
    headers = f"Host: {url.netloc}\r\nContent-Type: audio/wav\r\nContent-Length: 99\r\n"
    with socket.create_connection((str(url.hostname), url.port or 0), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(f"PUT {url.path} HTTP/1.1\r\n{headers}\r\n".encode() + bytes(50))
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.recv(100)
    assert account.call_api("GET", f"files/{file['fileId']}").json()["status"] == "pending"


def test_file_of_another_organization_is_not_found(account: AudioStackAccount) -> None:
    file_id, own_key = account.upload_file(load_sample_wav("slt-01")), account.key
    account.use_key("key-of-another-organization")
    for method in ("GET", "DELETE"):
        assert account.call_api(method, f"files/{file_id}").status_code == 404
    assert account.call_api("PATCH", f"files/{file_id}", json={"file_name": "mine"}).status_code == 404
    with pytest.raises(Exception, match=f"File {file_id} was not found"):
        account.request_clone([file_id])
    account.use_key(own_key)
    assert File.get(UUID(file_id)).fileName == "line.wav"


# --- cloning, with the client's RequestInterface ---


def test_instant_voice_is_charged_when_it_succeeds(account: AudioStackAccount) -> None:
    account.sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    files = account.upload_samples(*SLT_CLIPS)
    response = account.request_clone(files, metadata={"gender": "female"})
    alias = response["data"]["alias"]
    assert response["statusCode"] == 202
    assert response["data"]["status"] == "processing"
    assert account.list_charges(alias) == [("clone_voice", 0.0)]
    account.sandbox.call_control("POST", "clock", {"forward": 600})
    assert account.wait_for_end(alias) == {
        "alias": alias,
        "status": "succeeded",
        "engine": INSTANT,
        "discardedFiles": [],
    }
    assert account.list_charges(alias) == [("clone_voice", 0.0), ("clone_succeeded", 300.0)]


def test_standard_voice_uses_a_consent_and_costs_more_credits(account: AudioStackAccount) -> None:
    state = account.clone_voice([*account.upload_samples(*SLT_CLIPS), *account.upload_samples("consent-slt")], STANDARD)
    assert (state["status"], state["discardedFiles"]) == ("succeeded", [])
    assert account.list_charges(state["alias"])[-1] == ("clone_succeeded", 1200.0)


def test_response_envelope_has_the_documented_keys(account: AudioStackAccount) -> None:
    success = account.call_api("GET", "speech/voice").json()
    assert set(success) == {"statusCode", "message", "warnings", "data", "metadata"}
    assert set(success["metadata"]) == {"requestId", "version", "creditsUsed", "creditsRemaining"}
    refusal = account.call_api("POST", "speech/voice-cloning", json={"alias": "a", "engine": "b"})
    assert (refusal.status_code, refusal.json()["statusCode"]) == (400, 400)
    assert refusal.json()["errors"] == [f"must be one of {STANDARD}, {INSTANT}"]


@pytest.mark.parametrize(
    ("consent", "message"),
    [(load_sample_wav("rms-silent"), "agrees to have their voice cloned"), (b"no sound", "not readable as audio")],
    ids=["silent", "no sound"],
)
def test_standard_voice_without_spoken_consent_fails_without_charge(
    account: AudioStackAccount, consent: bytes, message: str
) -> None:
    state = account.clone_voice([*account.upload_samples(*SLT_CLIPS), account.upload_file(consent)], STANDARD)
    assert state["status"] == "failed"
    assert message in state["message"]
    assert account.list_charges(state["alias"]) == [("clone_voice", 0.0)]


def test_consent_quieter_than_the_recordings_is_accepted(account: AudioStackAccount) -> None:
    samples, rate = soundfile.read(SAMPLE_FOLDER / "consent-slt.flac")
    quiet = account.upload_file(make_wav_bytes(samples / 30, rate=rate))
    state = account.clone_voice([*account.upload_samples(*SLT_CLIPS), quiet], STANDARD)
    assert (state["status"], state["discardedFiles"]) == ("succeeded", [])
    as_recording = account.clone_voice([*account.upload_samples(*SLT_CLIPS), quiet])
    assert [item["fileId"] for item in as_recording["discardedFiles"]] == [quiet]


def test_consent_does_not_count_as_training_audio(account: AudioStackAccount) -> None:
    """The clone is refused although the consent alone is longer than the 3 s needed."""
    account.sandbox.call_control("POST", "settings", {"professional_seconds": 3.0})
    short, consent = account.upload_file(make_wav_bytes(make_speech_like(2.0))), account.upload_samples("consent-slt")
    with pytest.raises(Exception, match="2.0 seconds of audio"):
        account.request_clone([short, *consent], STANDARD)


def test_each_discarded_file_has_a_reason(account: AudioStackAccount) -> None:
    usable = account.upload_samples(*SLT_CLIPS)
    reasons = {
        account.upload_file(load_sample_wav("rms-silent")): "There is no speech",
        account.upload_file(make_wav_bytes(make_speech_like(1.4))): "shorter than 1.5 seconds",
        account.upload_file(b"no sound at all"): "not readable as audio",
        account.upload_file(
            make_wav_bytes(make_speech_like(3.0, rms_dbfs=-45.0, room_dbfs=-80.0))
        ): "unlike the others",
    }
    state = account.clone_voice([*usable, *reasons])
    assert state["status"] == "succeeded"
    assert {item["fileId"] for item in state["discardedFiles"]} == set(reasons)
    for item in state["discardedFiles"]:
        assert reasons[item["fileId"]] in item["reason"]


def test_mp3_file_is_measured_and_cloned(account: AudioStackAccount) -> None:
    samples, rate = soundfile.read(SAMPLE_FOLDER / "slt-01.flac")
    file = announce_file(account, "line.mp3")
    assert put_file(file, encode_with_libsndfile(samples, rate, "MP3", "MPEG_LAYER_III")) == 200
    assert account.call_api("GET", f"files/{file['fileId']}").json()["duration"] == pytest.approx(
        len(samples) / rate, abs=0.1
    )
    assert account.clone_voice([file["fileId"]])["status"] == "succeeded"


def test_clone_without_usable_audio_fails_with_a_message(account: AudioStackAccount) -> None:
    files = account.upload_samples("rms-silent")
    state = account.clone_voice(files)
    assert (state["status"], [item["fileId"] for item in state["discardedFiles"]]) == ("failed", files)
    assert "0.0 seconds of usable audio" in state["message"]
    assert account.list_charges(state["alias"]) == [("clone_voice", 0.0)]


def test_alias_is_unique_among_all_accounts(account: AudioStackAccount) -> None:
    alias = account.request_clone(account.upload_samples("slt-01"))["data"]["alias"]
    account.use_key(f"key-{uuid4().hex}")
    second = account.upload_samples("slt-01")
    with pytest.raises(Exception, match="not globally unique"):
        account.request_clone(second, alias=alias)
    response = account.call_api(
        "POST", "speech/voice-cloning", json={"fileIds": second, "alias": alias, "engine": INSTANT}
    )
    assert response.status_code == 409
    with pytest.raises(Exception, match="no voice with the alias"):
        account.fetch_voice(alias)
    assert [operation for operation, _charged in account.list_charges(alias)].count("clone_voice") == 1


def list_refused_uploads(account: AudioStackAccount) -> dict[str, tuple[str, Callable[[], list[str]]]]:
    def announce_one() -> list[str]:
        return [announce_file(account)["fileId"]]

    def upload_short(count: int) -> list[str]:
        return [account.upload_file(make_wav_bytes(make_speech_like(0.1))) for _ in range(count)]

    def upload_large() -> list[str]:
        return [account.upload_file(bytes(5_000_001)), account.upload_file(bytes(5_000_000))]

    return {
        "not uploaded": ("not uploaded yet", announce_one),
        "too many": ("more than the 25 files", lambda: upload_short(26)),
        "too large": ("more than the 10MB", upload_large),
        "too short": ("needs at least 1.5", lambda: upload_short(14)),
        "unknown": ("was not found", lambda: [str(uuid4())]),
        "twice": ("an id twice", lambda: upload_short(1) * 2),
    }


@pytest.mark.parametrize("problem", ["not uploaded", "too many", "too large", "too short", "unknown", "twice"])
def test_files_outside_the_vendors_limits_are_refused_at_once(account: AudioStackAccount, problem: str) -> None:
    message, upload_files = list_refused_uploads(account)[problem]
    alias = f"clone-{uuid4().hex}"
    with pytest.raises(Exception, match=message):
        account.request_clone(upload_files(), alias=alias)
    assert account.list_charges(alias) == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"alias": "", "engine": INSTANT, "fileIds": ["a"]},
        {"alias": "a" * 129, "engine": INSTANT, "fileIds": ["a"]},
        {"alias": "a", "engine": ["x"], "fileIds": ["a"]},
        {"alias": "a", "engine": INSTANT, "fileIds": "a"},
        {"alias": "a", "engine": INSTANT, "fileIds": []},
        {"alias": "a", "engine": INSTANT, "fileIds": [5]},
        {"alias": "a", "engine": INSTANT, "fileIds": ["a"], "metadata": "female"},
    ],
)
def test_malformed_clone_body_is_refused(account: AudioStackAccount, body: dict[str, Any]) -> None:
    response = account.call_api("POST", "speech/voice-cloning", json=body)
    assert (response.status_code, bool(response.json()["errors"])) == (400, True)


def test_key_without_permission_is_refused(account: AudioStackAccount) -> None:
    for key, status in (("", 401), ("bad-key", 401), ("plan-key", 403)):
        account.key = key
        assert account.call_api("POST", "files", json={"file_name": "a.wav"}).status_code == status
        assert account.call_api("POST", "speech/voice-cloning", json={}).status_code == status
    assert account.call_api("GET", "speech/voice").status_code == 200
    assert (
        account.call_api("GET", "speech/voice", headers={"Authorization": "Bearer x", "x-api-key": ""}).status_code
        == 401
    )


# --- voices and their preview ---


def test_catalog_lists_a_voice_once_it_succeeds(account: AudioStackAccount) -> None:
    account.sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    alias = account.request_clone(account.upload_samples(*SLT_CLIPS))["data"]["alias"]
    assert alias not in [voice.alias for voice in Voice.list()]
    account.sandbox.call_control("POST", "clock", {"forward": 600})
    account.wait_for_end(alias)
    assert alias in [voice.alias for voice in Voice.list()]
    assert [voice.alias for voice in Voice.query(page=2, pageLimit=1)] == [alias]
    account.use_key(f"key-{uuid4().hex}")
    assert alias not in [voice.alias for voice in Voice.list()]


def test_preview_works_after_the_files_are_deleted(account: AudioStackAccount) -> None:
    files = account.upload_samples(*SLT_CLIPS)
    alias = account.clone_voice(files)["alias"]
    for file_id in files:
        File.delete(UUID(file_id))
    response = account.call_api("POST", "speech/tts/preview", json={"text": "Good morning. " * 3, "voice": alias})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/wav")
    assert response.content.startswith(b"RIFF")
    assert account.list_charges(alias)[-1] == ("tts_preview", 1.0)
    account.use_key(f"key-{uuid4().hex}")
    assert account.call_api("POST", "speech/tts/preview", json={"text": "Hello.", "voice": alias}).status_code == 404


def test_training_continues_after_a_sandbox_restart(
    start_sandbox: Callable[..., SandboxProcess], folder: Path, tmp_path: Path
) -> None:
    first = start_sandbox(folder, training_seconds=600.0)
    account = AudioStackAccount(first, tmp_path)
    alias = account.request_clone(account.upload_samples(*SLT_CLIPS))["data"]["alias"]
    first.kill()
    second = start_sandbox(folder)
    account.sandbox = second
    account.use_key(account.key)
    second.call_control("POST", "clock", {"forward": 600})
    assert account.wait_for_end(alias)["status"] == "succeeded"
    assert account.list_charges(alias) == [("clone_voice", 0.0), ("clone_succeeded", 300.0)]
    assert second.stop() == 0


def test_charge_repeated_after_a_crash_is_recorded_once(folder: Path) -> None:
    context = SandboxContext(Store(folder, store.SCHEMA))
    voice = StoredObject("audiostack", "one", "account", "one", "processing", details={"engine": STANDARD})
    for _ in range(2):
        clones.charge_credits(context, voice)
    assert [line["charged"] for line in context.store.list_ledger()] == [1200.0]
    context.store.close()
