"""Speechgen in the sandbox, called as in the vendor's examples: plain HTTP with a Bearer key."""

import io
from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import requests
import soundfile

from tests.support.sandbox import TIMEOUT_SECONDS, SandboxProcess, poll_until
from tests.support.sounds import encode_with_ffmpeg, encode_with_libsndfile
from tests.support.wav import SAMPLE_FOLDER, Samples, make_wav_bytes, make_white_noise

RATE = 16000


@cache
def make_speech(seconds: float) -> Samples:
    """Concatenate and repeat the clips of the sample talent."""
    parts = [soundfile.read(SAMPLE_FOLDER / f"slt-0{number}.flac")[0] for number in range(1, 9)]
    return np.asarray(np.resize(np.concatenate(parts), round(seconds * RATE)))


@cache
def make_mp3(seconds: float = 12.0) -> bytes:
    return encode_with_libsndfile(make_speech(seconds), RATE, "MP3", "MPEG_LAYER_III")


class SpeechgenAccount:
    """An account with its own key."""

    def __init__(self, sandbox: SandboxProcess, key: str = "") -> None:
        self.sandbox = sandbox
        self.key = key or f"sk_live_{uuid4().hex}"

    def call_api(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | options.pop("headers", {})
        url = f"{self.sandbox.address}/speechgen/v1/{path}"
        return requests.request(method, url, headers=headers, timeout=TIMEOUT_SECONDS, **options)

    def send_sample(self, audio: bytes, **fields: str) -> requests.Response:
        """Send the clone call. The default fields are those of the example in the vendor's documentation."""
        form = {"name": "My Custom Voice", "description": "Professional narrator voice", "enhance_quality": "true"}
        return self.call_api("POST", "voice-clone", files={"audio": ("voice_sample.mp3", audio)}, data=form | fields)

    def clone_voice(self, audio: bytes) -> dict[str, Any]:
        """Return the model as described in the response to the clone call."""
        response = self.send_sample(audio)
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json()
        return created

    def wait_for_end(self, model_id: str) -> dict[str, Any]:
        def fetch_ended_model() -> dict[str, Any] | None:
            model: dict[str, Any] = self.call_api("GET", f"models/{model_id}").json()
            return model if model["status"] != "processing" else None

        return poll_until(fetch_ended_model)

    def synthesize(self, **body: Any) -> requests.Response:
        return self.call_api("POST", "text-to-speech", json=body)


ReadyModel = tuple[SpeechgenAccount, dict[str, Any], dict[str, Any]]


@pytest.fixture
def account(sandbox: SandboxProcess) -> SpeechgenAccount:
    return SpeechgenAccount(sandbox)


@pytest.fixture(scope="module")
def ready_model(running_sandbox: SandboxProcess) -> ReadyModel:
    """An account with one ready model, the response to its clone call, and the ready model."""
    account = SpeechgenAccount(running_sandbox)
    created = account.clone_voice(make_mp3())
    return account, created, account.wait_for_end(created["model_id"])


def read_error(response: requests.Response) -> tuple[int, str, str | None]:
    """Return status, code and parameter. Check that the error has the vendor's form."""
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert error["message"]
    assert set(error) <= {"code", "message", "param"}
    return response.status_code, error["code"], error.get("param")


def list_audio_folders(account: SpeechgenAccount) -> set[str]:
    """List the model folders in the sandbox's data folder."""
    return {path.name for path in (account.sandbox.folder / "audio").glob("vm_*")}


# --- creation, training and deletion of a model ---


def test_new_model_has_the_documented_fields(account: SpeechgenAccount, sandbox: SandboxProcess) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 60})
    created = account.clone_voice(make_mp3())
    (sample,) = created.pop("samples")
    assert set(sample) == {"title", "text", "audio_url"}
    assert sample["audio_url"].startswith(f"{sandbox.address}/speechgen/cdn/samples/")
    created_at, estimated_at = (
        datetime.strptime(created.pop(f), "%Y-%m-%dT%H:%M:%SZ") for f in ("created_at", "estimated_completion")
    )
    assert 59 <= (estimated_at - created_at).total_seconds() <= 63
    assert created.pop("model_id").startswith("vm_")
    assert created == {
        "name": "My Custom Voice",
        "description": "Professional narrator voice",
        "status": "processing",
    }


def test_model_is_processing_until_the_training_ends(account: SpeechgenAccount, sandbox: SandboxProcess) -> None:
    sandbox.call_control("POST", "settings", {"training_seconds": 600})
    created = account.clone_voice(make_mp3())
    model = account.call_api("GET", f"models/{created['model_id']}").json()
    assert model["status"] == "processing"
    assert "voice_id" not in model
    assert requests.get(created["samples"][0]["audio_url"], timeout=TIMEOUT_SECONDS).status_code == 404
    sandbox.call_control("POST", "clock", {"forward": 601})
    assert account.wait_for_end(created["model_id"])["status"] == "ready"


def test_ready_model_has_the_documented_fields(ready_model: ReadyModel) -> None:
    _account, created, model = ready_model
    assert set(model) == {"model_id", "name", "status", "voice_id", "created_at", "usage_count"}
    assert {key: model[key] for key in ("model_id", "name", "created_at")} == {
        key: created[key] for key in ("model_id", "name", "created_at")
    }
    assert model["voice_id"].startswith("custom-")
    assert model["voice_id"] != model["model_id"]


@pytest.mark.parametrize(
    "samples", [np.zeros(12 * RATE), make_white_noise(12, -75.0)], ids=["digital silence", "room noise"]
)
def test_model_of_silence_fails_with_a_reason(account: SpeechgenAccount, samples: Samples) -> None:
    model = account.wait_for_end(account.clone_voice(make_wav_bytes(samples))["model_id"])
    assert model["status"] == "failed"
    assert "no speech" in model["failure_reason"]
    assert "voice_id" not in model
    assert len(account.call_api("GET", "voices").json()["voices"]) == 1


def test_list_has_the_models_of_this_account_oldest_first(account: SpeechgenAccount, sandbox: SandboxProcess) -> None:
    created = [account.clone_voice(make_mp3())["model_id"] for _ in range(2)]
    SpeechgenAccount(sandbox).clone_voice(make_mp3())
    assert [model["model_id"] for model in account.call_api("GET", "models").json()["models"]] == created


def test_hide_fault_leaves_new_models_out_of_the_list(account: SpeechgenAccount, sandbox: SandboxProcess) -> None:
    account.clone_voice(make_mp3())
    sandbox.set_faults({"operation": "sg_list_models", "do": "hide:60"})
    assert account.call_api("GET", "models").json()["models"] == []


def test_deletion_removes_the_model_and_its_sample(account: SpeechgenAccount) -> None:
    created = account.clone_voice(make_mp3())
    path = f"models/{created['model_id']}"
    account.wait_for_end(created["model_id"])
    assert created["model_id"] in list_audio_folders(account)
    response = account.call_api("DELETE", path)
    assert (response.status_code, response.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert read_error(account.call_api(method, path)) == (404, "model_not_found", None)
    assert requests.get(created["samples"][0]["audio_url"], timeout=TIMEOUT_SECONDS).status_code == 404
    assert account.call_api("GET", "models").json() == {"models": []}
    assert created["model_id"] not in list_audio_folders(account)


def test_training_continues_after_a_restart(folder: Any, start_sandbox: Callable[..., SandboxProcess]) -> None:
    sandbox = start_sandbox(folder, training_seconds=600)
    account = SpeechgenAccount(sandbox)
    created = account.clone_voice(make_mp3())
    sandbox.kill()
    account.sandbox = start_sandbox(folder)
    assert account.call_api("GET", f"models/{created['model_id']}").json()["status"] == "processing"
    account.sandbox.call_control("POST", "clock", {"forward": 601})
    assert account.wait_for_end(created["model_id"])["status"] == "ready"


# --- audio and fields of the clone call ---


@pytest.mark.parametrize(
    ("file_format", "subtype"),
    [("MP3", "MPEG_LAYER_III"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")],
)
def test_documented_formats_are_decoded(account: SpeechgenAccount, file_format: str, subtype: str) -> None:
    audio = encode_with_libsndfile(make_speech(12), RATE, file_format, subtype)
    assert account.wait_for_end(account.clone_voice(audio)["model_id"])["status"] == "ready"


def test_m4a_is_decoded(account: SpeechgenAccount) -> None:
    audio = encode_with_ffmpeg(make_speech(12), RATE, "ipod", "aac")
    assert account.wait_for_end(account.clone_voice(audio)["model_id"])["status"] == "ready"


def make_large_wav() -> bytes:
    return make_wav_bytes(make_speech(312.5)) + bytes(1)


@pytest.mark.parametrize(
    ("make_audio", "error"),
    [
        (lambda: make_mp3(9.0), (400, "audio_too_short", "audio")),
        (lambda: make_mp3(302.0), (400, "audio_too_long", "audio")),
        (make_large_wav, (413, "file_too_large", "audio")),
        (lambda: b"no audio at all", (400, "unsupported_format", "audio")),
        (lambda: make_mp3()[:40], (400, "unsupported_format", "audio")),
        (lambda: encode_with_libsndfile(make_speech(12), RATE, "AIFF", "PCM_16"), (400, "unsupported_format", "audio")),
        (lambda: b"", (400, "unsupported_format", "audio")),
    ],
    ids=["9 s", "302 s", "10,000,045 bytes", "text", "truncated MP3", "AIFF", "empty"],
)
def test_unusable_audio_is_refused_and_not_stored(
    account: SpeechgenAccount, make_audio: Callable[[], bytes], error: tuple[int, str, str]
) -> None:
    before = list_audio_folders(account)
    assert read_error(account.send_sample(make_audio())) == error
    assert account.call_api("GET", "models").json() == {"models": []}
    assert list_audio_folders(account) == before


def test_audio_at_the_duration_limits_is_accepted(account: SpeechgenAccount) -> None:
    for audio in (make_mp3(10.2), encode_with_libsndfile(make_speech(299.9), RATE, "MP3", "MPEG_LAYER_III")):
        assert account.send_sample(audio).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "n" * 101), ("description", "d" * 501), ("enhance_quality", "perhaps")],
)
def test_refusal_names_the_invalid_field(account: SpeechgenAccount, field: str, value: str) -> None:
    assert read_error(account.send_sample(make_mp3(), **{field: value})) == (400, "invalid_request", field)
    assert account.call_api("GET", "models").json() == {"models": []}


def test_clone_without_a_file_or_a_valid_form_is_refused(account: SpeechgenAccount) -> None:
    assert read_error(account.call_api("POST", "voice-clone", data={"name": "x"})) == (400, "missing_audio", "audio")
    broken = {"data": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}}
    assert read_error(account.call_api("POST", "voice-clone", **broken)) == (400, "invalid_request", None)


# --- keys ---


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("", (401, "missing_api_key", None)),
        ("Bearer", (401, "missing_api_key", None)),
        ("Bearer bad-key", (401, "invalid_api_key", None)),
    ],
)
def test_missing_or_invalid_key_is_refused(
    account: SpeechgenAccount, header: str, error: tuple[int, str, None]
) -> None:
    for method, path in (
        ("POST", "voice-clone"),
        ("GET", "models"),
        ("GET", "models/vm_x"),
        ("DELETE", "models/vm_x"),
        ("POST", "text-to-speech"),
        ("GET", "voices"),
    ):
        assert read_error(account.call_api(method, path, headers={"Authorization": header})) == error


def test_plan_without_cloning_can_list_models(sandbox: SandboxProcess) -> None:
    account = SpeechgenAccount(sandbox, f"plan-{uuid4().hex}")
    assert read_error(account.send_sample(make_mp3())) == (403, "plan_required", None)
    assert account.call_api("GET", "models").json() == {"models": []}


def test_model_of_another_account_is_not_found(sandbox: SandboxProcess, ready_model: ReadyModel) -> None:
    _account, _created, model = ready_model
    other_account = SpeechgenAccount(sandbox)
    for method in ("GET", "DELETE"):
        response = other_account.call_api(method, f"models/{model['model_id']}")
        assert read_error(response) == (404, "model_not_found", None)
    assert read_error(other_account.synthesize(text="Hello.", voice=model["voice_id"])) == (
        400,
        "invalid_voice",
        "voice",
    )


def test_fault_response_has_the_vendors_form(account: SpeechgenAccount, sandbox: SandboxProcess) -> None:
    for status, code in ((429, "rate_limit_exceeded"), (422, "internal_error"), (500, "internal_error")):
        sandbox.set_faults({"operation": "sg_list_models", "do": f"status:{status}"})
        assert read_error(account.call_api("GET", "models")) == (status, code, None)


# --- speech ---


@pytest.mark.parametrize(
    ("audio_format", "file_format", "content_type"),
    [
        ("mp3", "MP3", "audio/mpeg"),
        ("wav", "WAV", "audio/wav"),
        ("ogg", "OGG", "audio/ogg"),
        (None, "MP3", "audio/mpeg"),
    ],
)
def test_speech_length_matches_the_text_and_the_header(
    ready_model: ReadyModel, audio_format: str | None, file_format: str, content_type: str
) -> None:
    account, _created, model = ready_model
    text = "Hello, this is my cloned voice speaking! " * 3
    response = account.synthesize(
        text=text, voice=model["voice_id"], **({"format": audio_format} if audio_format else {})
    )
    assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
    assert response.headers["X-Characters-Used"] == str(len(text))
    with soundfile.SoundFile(io.BytesIO(response.content)) as audio:
        assert audio.format == file_format
        seconds = audio.frames / audio.samplerate
        assert abs(audio.read()).max() > 0.05
    assert float(response.headers["X-Audio-Duration"]) == pytest.approx(len(text) / 15, abs=0.01)
    assert seconds == pytest.approx(len(text) / 15, abs=0.1)


def test_double_speed_halves_the_duration(ready_model: ReadyModel) -> None:
    account, _created, model = ready_model
    response = account.synthesize(text="x" * 60, voice=model["voice_id"], format="wav", speed=2.0, pitch=0)
    assert float(response.headers["X-Audio-Duration"]) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"voice": "custom-unknown"}, "invalid_voice", "voice"),
        ({"voice": "en-us-stock-1"}, "invalid_voice", "voice"),
        ({"voice": ""}, "invalid_request", "voice"),
        ({"text": ""}, "invalid_request", "text"),
        ({"text": "x" * 5001}, "invalid_request", "text"),
        ({"format": "flac"}, "invalid_format", "format"),
        ({"speed": 3}, "invalid_speed", "speed"),
        ({"speed": "fast"}, "invalid_speed", "speed"),
    ],
)
def test_invalid_speech_request_is_refused(
    ready_model: ReadyModel, change: dict[str, Any], code: str, param: str
) -> None:
    account, _created, model = ready_model
    response = account.synthesize(**{"text": "Hello.", "voice": model["voice_id"]} | change)
    assert read_error(response) == (400, code, param)


def test_model_id_is_refused_as_a_voice(ready_model: ReadyModel) -> None:
    account, _created, model = ready_model
    assert read_error(account.synthesize(text="Hello.", voice=model["model_id"])) == (400, "invalid_voice", "voice")


def test_voice_is_listed_and_its_usage_is_counted(account: SpeechgenAccount) -> None:
    model = account.wait_for_end(account.clone_voice(make_mp3())["model_id"])
    assert model["usage_count"] == 0
    assert account.synthesize(text="Hello.", voice=model["voice_id"]).status_code == 200
    assert account.wait_for_end(model["model_id"])["usage_count"] == 1
    stock_voice, own_voice = account.call_api("GET", "voices").json()["voices"]
    assert (stock_voice["type"], own_voice["type"], own_voice["voice_id"]) == ("stock", "custom", model["voice_id"])


def test_sample_of_a_ready_model_needs_no_key(ready_model: ReadyModel) -> None:
    _account, created, _model = ready_model
    response = requests.get(created["samples"][0]["audio_url"], timeout=TIMEOUT_SECONDS)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/mpeg")
    with soundfile.SoundFile(io.BytesIO(response.content)) as audio:
        assert audio.format == "MP3"
        assert audio.frames / audio.samplerate == pytest.approx(len(created["samples"][0]["text"]) / 15, abs=0.1)


def test_ledger_lists_the_charges_with_characters_for_speech(
    account: SpeechgenAccount, sandbox: SandboxProcess
) -> None:
    created = account.clone_voice(make_mp3())
    model = account.wait_for_end(created["model_id"])
    account.synthesize(text="Hello.", voice=model["voice_id"])
    account.call_api("DELETE", f"models/{created['model_id']}")
    lines = sandbox.read_ledger(voice=created["model_id"])
    assert [(line["operation"], line["charged"]) for line in lines] == [
        ("sg_clone", 1000),
        ("sg_speech", 6),
        ("sg_delete_model", 0),
    ]
    assert {line["name"] for line in lines} == {"My Custom Voice"}
