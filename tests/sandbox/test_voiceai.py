"""Voice.ai in the sandbox: the calls of the vendor's documentation, and the statuses of a voice."""

import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import requests
import soundfile

from sandbox import store
from sandbox.context import SandboxContext
from sandbox.store import Store
from sandbox.voiceai import training
from tests.support.sandbox import TIMEOUT_SECONDS, SandboxProcess, poll_until
from tests.support.wav import RATE, Samples, make_speech_like, make_wav_bytes

TEXT = "Every great journey begins with a good pair of shoes, and a reason to be home by supper."
MAX_FILE_BYTES = 7_500_000


class VoiceAiAccount:
    """An account with its own key. It calls by plain HTTP because the vendor's SDK is for browsers."""

    def __init__(self, address: str, key: str | None = None) -> None:
        self.address = address
        self.key = key or f"vk_{uuid4().hex}"

    @property
    def key_digest(self) -> str:
        return sha256(self.key.encode()).hexdigest()[:12]

    def call_api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        url = f"{self.address}/voiceai/api/v1/tts/{path}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS, **options)

    def clone_voice(self, audio: bytes | None = None, **fields: str) -> requests.Response:
        """Send the clone call of the vendor's documentation."""
        files = {"file": ("voice_sample.wav", make_speech() if audio is None else audio, "audio/wav")}
        return self.call_api("POST", "clone-voice", files=files, data=fields)

    def create_voice(self, audio: bytes | None = None, **fields: str) -> str:
        """Return the id of the new voice."""
        response = self.clone_voice(audio, **fields)
        assert response.status_code == 200, response.text
        return str(response.json()["voice_id"])

    def get_voice(self, voice: str) -> dict[str, Any]:
        response = self.call_api("GET", f"voice/{voice}")
        assert response.status_code == 200, response.text
        voice_data: dict[str, Any] = response.json()
        return voice_data

    def wait_for_end(self, voice: str) -> dict[str, Any]:
        def fetch_ended_voice() -> dict[str, Any] | None:
            voice_data = self.get_voice(voice)
            return voice_data if voice_data["status"] in ("AVAILABLE", "FAILED") else None

        return poll_until(fetch_ended_voice)


def make_speech(seconds: float = 12.0) -> bytes:
    return make_wav_bytes(make_speech_like(seconds))


def make_audio_file(kind: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, make_speech_like(12.0), RATE, format=kind)
    return file.getvalue()


@pytest.fixture
def account(sandbox: SandboxProcess) -> VoiceAiAccount:
    return VoiceAiAccount(sandbox.address)


@pytest.fixture(scope="module")
def available_voice(running_sandbox: SandboxProcess) -> Iterator[tuple[str, str]]:
    """The API key and the voice id of a voice whose training has finished."""
    account = VoiceAiAccount(running_sandbox.address)
    voice = account.create_voice(voice_visibility="PRIVATE")
    assert account.wait_for_end(voice)["status"] == "AVAILABLE"
    yield account.key, voice


# --- creation and training of a voice ---


def test_documented_clone_call_creates_a_voice(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    response = account.clone_voice(name="My Cloned Voice", voice_visibility="PRIVATE")
    assert response.status_code == 200
    assert response.json() == {"voice_id": response.json()["voice_id"], "status": "PENDING"}
    voice = response.json()["voice_id"]
    assert account.wait_for_end(voice) == {
        "voice_id": voice,
        "status": "AVAILABLE",
        "name": "My Cloned Voice",
        "voice_visibility": "PRIVATE",
    }
    (line,) = sandbox.read_ledger(account=account.key_digest)
    assert (line["operation"], line["voice"], line["charged"]) == ("va_clone", voice, 100)


def test_voice_is_public_by_default(account: VoiceAiAccount) -> None:
    assert account.get_voice(account.create_voice())["voice_visibility"] == "PUBLIC"


def test_voice_status_is_pending_then_processing_then_available(
    account: VoiceAiAccount, sandbox: SandboxProcess
) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 4000.0})
    voice = account.create_voice()
    assert account.get_voice(voice)["status"] == "PENDING"
    sandbox.forward_clock(2000)
    assert account.get_voice(voice)["status"] == "PROCESSING"
    sandbox.forward_clock(2000)
    assert account.wait_for_end(voice)["status"] == "AVAILABLE"


@pytest.mark.parametrize("kind", ["MP3", "OGG"])
def test_mp3_and_ogg_files_are_decoded(account: VoiceAiAccount, kind: str) -> None:
    assert account.wait_for_end(account.create_voice(make_audio_file(kind)))["status"] == "AVAILABLE"


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (make_wav_bytes(np.zeros(RATE * 12)), "no speech"),
        (make_speech(9.0), "10 to 60 seconds, not 9.0"),
        (make_speech(61.0), "10 to 60 seconds, not 61.0"),
        (b"RIFF" + bytes(100), "cannot be read"),
    ],
    ids=["silent", "short", "long", "broken"],
)
def test_unusable_audio_fails_with_a_message(account: VoiceAiAccount, audio: bytes, message: str) -> None:
    ended_voice = account.wait_for_end(account.create_voice(audio))
    assert ended_voice["status"] == "FAILED"
    assert message in ended_voice["error"]


def test_interrupted_training_can_be_repeated(tmp_path: Path) -> None:
    """If the sandbox is killed while it decodes, an incomplete decoded file is left. The restart must replace it."""
    context = SandboxContext(Store(tmp_path, store.SCHEMA))
    voice = store.StoredObject("voiceai", "one", "me", "One", "PENDING")
    context.store.get_audio_path("one", training.ORIGINAL_FILE).write_bytes(make_audio_file("OGG"))
    context.store.get_audio_path("one", training.DECODED_FILE).write_bytes(b"RIFF")
    assert training.decide_outcome(context, voice).status == "AVAILABLE"
    context.store.close()


# --- visibility and changes ---


def test_private_voice_is_not_found_by_another_account(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    voice = account.create_voice(voice_visibility="PRIVATE")
    other_account = VoiceAiAccount(sandbox.address)
    for method in ("GET", "PATCH", "DELETE"):
        response = other_account.call_api(method, f"voice/{voice}", json={"name": "Mine"})
        assert (response.status_code, response.json()) == (404, {"error": "Voice not found.", "code": "not_found"})
    assert other_account.call_api("GET", "voices").json() == []


def test_public_voice_is_visible_to_all_and_changed_only_by_its_owner(
    account: VoiceAiAccount, sandbox: SandboxProcess
) -> None:
    voice = account.create_voice()
    other_account = VoiceAiAccount(sandbox.address)
    assert other_account.get_voice(voice)["voice_visibility"] == "PUBLIC"
    for method in ("PATCH", "DELETE"):
        assert other_account.call_api(method, f"voice/{voice}", json={"name": "Mine"}).status_code == 403
    assert other_account.call_api("GET", "voices").json() == []
    account.call_api("PATCH", f"voice/{voice}", json={"voice_visibility": "PRIVATE"})
    assert other_account.call_api("GET", f"voice/{voice}").status_code == 404


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_update_changes_only_the_sent_fields(account: VoiceAiAccount, method: str) -> None:
    voice = account.create_voice(name="First", voice_visibility="PRIVATE")
    renamed = account.call_api(method, f"voice/{voice}", json={"name": "Second"}).json()
    assert (renamed["name"], renamed["voice_visibility"]) == ("Second", "PRIVATE")
    published = account.call_api(method, f"voice/{voice}", json={"voice_visibility": "PUBLIC"}).json()
    assert (published["name"], published["voice_visibility"]) == ("Second", "PUBLIC")
    assert account.get_voice(voice)["name"] == "Second"


def test_list_is_a_bare_array_oldest_first(account: VoiceAiAccount) -> None:
    voice_ids = [account.create_voice(name=name) for name in ("a", "b", "c")]
    assert [voice["voice_id"] for voice in account.call_api("GET", "voices").json()] == voice_ids


def test_deleted_voice_is_not_found_but_its_audio_is_kept(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    voice = account.create_voice(voice_visibility="PUBLIC")
    account.wait_for_end(voice)
    response = account.call_api("DELETE", f"voice/{voice}")
    assert (response.status_code, response.json()) == (200, {"status": "deleted", "voice_id": voice})
    assert account.call_api("GET", "voices").json() == []
    for method, path in (("GET", f"voice/{voice}"), ("PATCH", f"voice/{voice}"), ("DELETE", f"voice/{voice}")):
        assert account.call_api(method, path, json={}).status_code == 404
    assert account.call_api("POST", "speech", json={"text": TEXT, "voice_id": voice}).status_code == 404
    assert (sandbox.folder / "audio" / voice / "sent").exists()


def test_voice_deleted_in_training_stays_deleted(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 4000.0})
    deleted_voice, other_voice = account.create_voice(), account.create_voice()
    account.call_api("DELETE", f"voice/{deleted_voice}")
    sandbox.forward_clock(4000)
    assert account.wait_for_end(other_voice)["status"] == "AVAILABLE"
    assert [voice["voice_id"] for voice in account.call_api("GET", "voices").json()] == [other_voice]


def test_rename_during_training_is_stored(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 4000.0})
    voice = account.create_voice(name="First")
    account.call_api("PATCH", f"voice/{voice}", json={"name": "Second", "voice_visibility": "PRIVATE"})
    sandbox.forward_clock(4000)
    ended_voice = account.wait_for_end(voice)
    assert (ended_voice["name"], ended_voice["voice_visibility"]) == ("Second", "PRIVATE")


# --- faults ---


@pytest.mark.parametrize("visibility", ["PRIVATE", "PUBLIC"])
def test_public_fault_makes_voices_of_its_operation_public(
    account: VoiceAiAccount, sandbox: SandboxProcess, visibility: str
) -> None:
    sandbox.set_faults({"operation": "va_clone", "do": "public"})
    voice = account.create_voice(voice_visibility=visibility)
    assert account.get_voice(voice)["voice_visibility"] == "PUBLIC"
    response = account.call_api("PATCH", f"voice/{voice}", json={"voice_visibility": "PRIVATE"})
    assert response.json()["voice_visibility"] == "PRIVATE", "the fault is set for va_clone only"
    sandbox.set_faults({"operation": "va_update_voice", "do": "public"})
    response = account.call_api("PATCH", f"voice/{voice}", json={"voice_visibility": "PRIVATE"})
    assert response.json()["voice_visibility"] == account.get_voice(voice)["voice_visibility"] == "PUBLIC"


def test_ignored_deletion_is_confirmed_but_the_voice_remains(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    voice = account.create_voice()
    sandbox.set_faults({"operation": "va_delete_voice", "do": "ignore"})
    assert account.call_api("DELETE", f"voice/{voice}").json()["status"] == "deleted"
    assert account.get_voice(voice)["voice_id"] == voice


def test_hide_fault_leaves_new_voices_out_of_the_list(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    account.create_voice()
    sandbox.set_faults({"operation": "va_list_voices", "do": "hide:3000"})
    assert account.call_api("GET", "voices").json() == []
    sandbox.forward_clock(3001)
    assert len(account.call_api("GET", "voices").json()) == 1


# --- refusals ---


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"voice_visibility": "private"}, "voice_visibility"),
        ({"language": "ja"}, "language"),
        ({"name": "x" * 257}, "name"),
    ],
)
def test_invalid_field_is_refused_in_the_form_of_fastapi(
    account: VoiceAiAccount, sandbox: SandboxProcess, fields: dict[str, str], field: str
) -> None:
    response = account.clone_voice(None, **fields)
    assert response.status_code == 422
    (error,) = response.json()["detail"]
    assert (error["loc"], error["type"]) == (["body", field], "value_error")
    assert error["msg"]
    assert sandbox.read_ledger(account=account.key_digest) == []


def test_file_is_required(account: VoiceAiAccount) -> None:
    response = account.call_api("POST", "clone-voice", data={"name": "No file"})
    error = {"loc": ["body", "file"], "msg": "can't be blank", "type": "missing"}
    assert (response.status_code, response.json()) == (422, {"detail": [error]})


@pytest.mark.parametrize("audio", [b"", b"fLaC" + bytes(100), b"just some text", bytes(1000)])
def test_file_that_is_no_supported_audio_is_refused(account: VoiceAiAccount, audio: bytes) -> None:
    response = account.clone_voice(audio)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "file"]


def test_file_above_the_size_limit_is_refused(account: VoiceAiAccount) -> None:
    wav = make_speech(11.0)
    largest = wav + bytes(MAX_FILE_BYTES - len(wav))
    assert account.clone_voice(largest).status_code == 200
    response = account.clone_voice(largest + b"x")
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [("bad-key", 401, "unauthorized"), ("plan-key", 403, "forbidden"), ("broke-key", 402, "payment_required")],
)
def test_key_without_permission_or_credit_cannot_clone(
    sandbox: SandboxProcess, key: str, status: int, code: str
) -> None:
    account = VoiceAiAccount(sandbox.address, f"{key}-{uuid4().hex}")
    response = account.clone_voice()
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.json()["error"]
    assert sandbox.read_ledger(account=account.key_digest) == []


@pytest.mark.parametrize("header", ["", "vk_key", "Token token=vk_key", "Basic vk_key"])
def test_key_in_another_header_form_is_refused(account: VoiceAiAccount, header: str) -> None:
    assert account.call_api("GET", "voices", headers={"Authorization": header}).status_code == 401


# --- speech ---


def synthesize(
    sandbox: SandboxProcess, available_voice: tuple[str, str], path: str = "speech", **options: Any
) -> requests.Response:
    body = {"text": TEXT, "voice_id": available_voice[1]} | options
    return VoiceAiAccount(sandbox.address, available_voice[0]).call_api("POST", path, json=body)


@pytest.mark.parametrize("path", ["speech", "speech/stream"])
def test_speech_is_returned_in_every_format(
    sandbox: SandboxProcess, available_voice: tuple[str, str], path: str
) -> None:
    for audio_format, content_type in (("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("pcm", "audio/pcm")):
        response = synthesize(
            sandbox, available_voice, path, audio_format=audio_format, temperature=2, top_p=1.0, language="de"
        )
        assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
        samples = _read_samples(response.content, audio_format)
        assert len(samples) / RATE == pytest.approx(len(TEXT) / 15, abs=0.1)
        assert abs(samples).max() > 0.05


def _read_samples(content: bytes, audio_format: str) -> Samples:
    options: dict[str, Any] = {"format": "RAW", "subtype": "PCM_16", "samplerate": RATE, "channels": 1}
    samples, _rate = soundfile.read(io.BytesIO(content), **options if audio_format == "pcm" else {})
    return np.asarray(samples, np.float64)


def test_speech_is_mp3_by_default(sandbox: SandboxProcess, available_voice: tuple[str, str]) -> None:
    assert synthesize(sandbox, available_voice).headers["Content-Type"] == "audio/mpeg"


def test_speech_is_billed_by_character(sandbox: SandboxProcess, available_voice: tuple[str, str]) -> None:
    before = len(sandbox.read_ledger(operation="va_speech", voice=available_voice[1]))
    synthesize(sandbox, available_voice)
    *_, last = lines = sandbox.read_ledger(operation="va_speech", voice=available_voice[1])
    assert (len(lines), last["charged"]) == (before + 1, len(TEXT))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"text": ""}, "text"),
        ({"text": "x" * 5001}, "text"),
        ({"voice_id": None}, "voice_id"),
        ({"audio_format": "flac"}, "audio_format"),
        ({"language": "ja"}, "language"),
    ],
)
def test_invalid_speech_request_is_refused(
    sandbox: SandboxProcess, available_voice: tuple[str, str], change: dict[str, Any], field: str
) -> None:
    response = synthesize(sandbox, available_voice, **change)
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", field]


def test_speech_with_a_wrong_key_or_voice_is_refused(sandbox: SandboxProcess, available_voice: tuple[str, str]) -> None:
    owner, voice = available_voice
    for key, status in ((f"vk_{uuid4().hex}", 404), ("bad", 401), ("broke", 402)):
        assert synthesize(sandbox, (key, voice)).status_code == status
    assert synthesize(sandbox, (owner, "unknown")).status_code == 404


def test_voice_in_training_cannot_speak(account: VoiceAiAccount, sandbox: SandboxProcess) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 4000.0})
    response = synthesize(sandbox, (account.key, account.create_voice()))
    assert (response.status_code, response.json()["code"]) == (409, "voice_not_available")
