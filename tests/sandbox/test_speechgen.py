"""Speechgen in the sandbox, asked as the vendor's own examples ask: plain HTTP with a Bearer key."""

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

from tests.support.sandbox import PATIENCE, Sandbox, until
from tests.support.sounds import by_ffmpeg, by_libsndfile
from tests.support.wav import SAMPLE, Samples, noise, wav_bytes

RATE = 16000


@cache
def spoken(seconds: float) -> Samples:
    """The sample studio's talent, clip after clip."""
    parts = [soundfile.read(SAMPLE / f"slt-0{number}.flac")[0] for number in range(1, 9)]
    return np.asarray(np.resize(np.concatenate(parts), round(seconds * RATE)))


@cache
def mp3(seconds: float = 12.0) -> bytes:
    return by_libsndfile(spoken(seconds), RATE, "MP3", "MPEG_LAYER_III")


class Studio:
    """A customer with a key of its own."""

    def __init__(self, sandbox: Sandbox, key: str = "") -> None:
        self.sandbox = sandbox
        self.key = key or f"sk_live_{uuid4().hex}"

    def call(self, method: str, path: str, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
        url = f"{self.sandbox.address}/speechgen/v1/{path}"
        return requests.request(method, url, headers=headers, timeout=PATIENCE, **more)

    def sends(self, audio: bytes, **fields: str) -> requests.Response:
        """The page's clone, with what it has in its example unless told otherwise."""
        form = {"name": "My Custom Voice", "description": "Professional narrator voice", "enhance_quality": "true"}
        return self.call("POST", "voice-clone", files={"audio": ("voice_sample.mp3", audio)}, data=form | fields)

    def cloned(self, audio: bytes) -> dict[str, Any]:
        """A model, as the answer to the clone describes it."""
        answer = self.sends(audio)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def ended(self, model_id: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            model: dict[str, Any] = self.call("GET", f"models/{model_id}").json()
            return model if model["status"] != "processing" else None

        return until(look)

    def says(self, **body: Any) -> requests.Response:
        return self.call("POST", "text-to-speech", json=body)


@pytest.fixture
def studio(sandbox: Sandbox) -> Studio:
    return Studio(sandbox)


@pytest.fixture(scope="module")
def ready(running_sandbox: Sandbox) -> tuple[Studio, dict[str, Any], dict[str, Any]]:
    """A studio with one model that is ready: as it was made, and as it is now."""
    studio = Studio(running_sandbox)
    made = studio.cloned(mp3())
    return studio, made, studio.ended(made["model_id"])


def error_of(answer: requests.Response) -> tuple[int, str, str | None]:
    """Status, code and parameter; and that the form is the vendor's."""
    assert set(answer.json()) == {"error"}
    error = answer.json()["error"]
    assert error["message"]
    assert set(error) <= {"code", "message", "param"}
    return answer.status_code, error["code"], error.get("param")


def kept_audio(studio: Studio) -> set[str]:
    """The folders of models that the sandbox keeps on disk."""
    return {path.name for path in (studio.sandbox.folder / "audio").glob("vm_*")}


# --- a model's life ---


def test_new_model_has_the_fields_of_the_page(studio: Studio, sandbox: Sandbox) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 60})
    made = studio.cloned(mp3())
    (sample,) = made.pop("samples")
    assert set(sample) == {"title", "text", "audio_url"}
    assert sample["audio_url"].startswith(f"{sandbox.address}/speechgen/cdn/samples/")
    begun, done = (datetime.strptime(made.pop(f), "%Y-%m-%dT%H:%M:%SZ") for f in ("created_at", "estimated_completion"))
    assert 59 <= (done - begun).total_seconds() <= 63
    assert made.pop("model_id").startswith("vm_")
    assert made == {
        "name": "My Custom Voice",
        "description": "Professional narrator voice",
        "status": "processing",
    }


def test_model_is_processing_until_its_time_is_over(studio: Studio, sandbox: Sandbox) -> None:
    sandbox.control("POST", "settings", {"training_seconds": 600})
    made = studio.cloned(mp3())
    model = studio.call("GET", f"models/{made['model_id']}").json()
    assert model["status"] == "processing"
    assert "voice_id" not in model
    assert requests.get(made["samples"][0]["audio_url"], timeout=PATIENCE).status_code == 404
    sandbox.control("POST", "clock", {"forward": 601})
    assert studio.ended(made["model_id"])["status"] == "ready"


def test_ready_model_has_the_fields_of_the_page(ready: tuple[Studio, dict[str, Any], dict[str, Any]]) -> None:
    _studio, made, model = ready
    assert set(model) == {"model_id", "name", "status", "voice_id", "created_at", "usage_count"}
    assert {key: model[key] for key in ("model_id", "name", "created_at")} == {
        key: made[key] for key in ("model_id", "name", "created_at")
    }
    assert model["voice_id"].startswith("custom-")
    assert model["voice_id"] != model["model_id"]


@pytest.mark.parametrize("samples", [np.zeros(12 * RATE), noise(12, -75.0)], ids=["digital silence", "an empty room"])
def test_model_of_silence_fails_and_says_why(studio: Studio, samples: Samples) -> None:
    model = studio.ended(studio.cloned(wav_bytes(samples))["model_id"])
    assert model["status"] == "failed"
    assert "no speech" in model["failure_reason"]
    assert "voice_id" not in model
    assert len(studio.call("GET", "voices").json()["voices"]) == 1


def test_list_is_of_this_account_and_oldest_first(studio: Studio, sandbox: Sandbox) -> None:
    made = [studio.cloned(mp3())["model_id"] for _ in range(2)]
    Studio(sandbox).cloned(mp3())
    assert [model["model_id"] for model in studio.call("GET", "models").json()["models"]] == made


def test_list_may_lag(studio: Studio, sandbox: Sandbox) -> None:
    studio.cloned(mp3())
    sandbox.faults({"operation": "sg_list_models", "do": "hide:60"})
    assert studio.call("GET", "models").json()["models"] == []


def test_deleted_model_is_gone_with_its_sample(studio: Studio) -> None:
    made = studio.cloned(mp3())
    path = f"models/{made['model_id']}"
    studio.ended(made["model_id"])
    assert made["model_id"] in kept_audio(studio)
    answer = studio.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert error_of(studio.call(method, path)) == (404, "model_not_found", None)
    assert requests.get(made["samples"][0]["audio_url"], timeout=PATIENCE).status_code == 404
    assert studio.call("GET", "models").json() == {"models": []}
    assert made["model_id"] not in kept_audio(studio)


def test_restart_goes_on_with_a_training(folder: Any, start_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = start_sandbox(folder, training_seconds=600)
    studio = Studio(sandbox)
    made = studio.cloned(mp3())
    sandbox.kill()
    studio.sandbox = start_sandbox(folder)
    assert studio.call("GET", f"models/{made['model_id']}").json()["status"] == "processing"
    studio.sandbox.control("POST", "clock", {"forward": 601})
    assert studio.ended(made["model_id"])["status"] == "ready"


# --- what is sent ---


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("MP3", "MPEG_LAYER_III"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("FLAC", "PCM_16"), ("OGG", "VORBIS")],
)
def test_formats_of_the_page_are_decoded(studio: Studio, kind: str, subtype: str) -> None:
    audio = by_libsndfile(spoken(12), RATE, kind, subtype)
    assert studio.ended(studio.cloned(audio)["model_id"])["status"] == "ready"


def test_m4a_is_decoded(studio: Studio) -> None:
    audio = by_ffmpeg(spoken(12), RATE, "ipod", "aac")
    assert studio.ended(studio.cloned(audio)["model_id"])["status"] == "ready"


def too_large() -> bytes:
    return wav_bytes(spoken(312.5)) + bytes(1)


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda: mp3(9.0), (400, "audio_too_short", "audio")),
        (lambda: mp3(302.0), (400, "audio_too_long", "audio")),
        (too_large, (413, "file_too_large", "audio")),
        (lambda: b"no audio at all", (400, "unsupported_format", "audio")),
        (lambda: mp3()[:40], (400, "unsupported_format", "audio")),
        (lambda: by_libsndfile(spoken(12), RATE, "AIFF", "PCM_16"), (400, "unsupported_format", "audio")),
        (lambda: b"", (400, "unsupported_format", "audio")),
    ],
    ids=["9 s", "302 s", "10,000,045 bytes", "text", "the beginning of an MP3", "AIFF", "nothing"],
)
def test_audio_that_is_not_taken(studio: Studio, make: Callable[[], bytes], wanted: tuple[int, str, str]) -> None:
    before = kept_audio(studio)
    assert error_of(studio.sends(make())) == wanted
    assert studio.call("GET", "models").json() == {"models": []}
    assert kept_audio(studio) == before


def test_the_edges_are_taken(studio: Studio) -> None:
    for audio in (mp3(10.2), by_libsndfile(spoken(299.9), RATE, "MP3", "MPEG_LAYER_III")):
        assert studio.sends(audio).status_code == 201


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "n" * 101), ("description", "d" * 501), ("enhance_quality", "perhaps")],
)
def test_fields_that_are_not_taken(studio: Studio, field: str, value: str) -> None:
    assert error_of(studio.sends(mp3(), **{field: value})) == (400, "invalid_request", field)
    assert studio.call("GET", "models").json() == {"models": []}


def test_form_without_a_file_and_without_a_form(studio: Studio) -> None:
    assert error_of(studio.call("POST", "voice-clone", data={"name": "x"})) == (400, "missing_audio", "audio")
    broken = {"data": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data"}}
    assert error_of(studio.call("POST", "voice-clone", **broken)) == (400, "invalid_request", None)


# --- keys ---


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("", (401, "missing_api_key", None)),
        ("Bearer", (401, "missing_api_key", None)),
        ("Bearer bad-key", (401, "invalid_api_key", None)),
    ],
)
def test_keys_that_are_not_taken(studio: Studio, header: str, wanted: tuple[int, str, None]) -> None:
    for method, path in (
        ("POST", "voice-clone"),
        ("GET", "models"),
        ("GET", "models/vm_x"),
        ("DELETE", "models/vm_x"),
        ("POST", "text-to-speech"),
        ("GET", "voices"),
    ):
        assert error_of(studio.call(method, path, headers={"Authorization": header})) == wanted


def test_plan_without_cloning_may_read(sandbox: Sandbox) -> None:
    studio = Studio(sandbox, f"plan-{uuid4().hex}")
    assert error_of(studio.sends(mp3())) == (403, "plan_required", None)
    assert studio.call("GET", "models").json() == {"models": []}


def test_models_of_others_are_not_there(sandbox: Sandbox, ready: tuple[Studio, dict[str, Any], dict[str, Any]]) -> None:
    _studio, _made, model = ready
    stranger = Studio(sandbox)
    for method in ("GET", "DELETE"):
        answer = stranger.call(method, f"models/{model['model_id']}")
        assert error_of(answer) == (404, "model_not_found", None)
    assert error_of(stranger.says(text="Hello.", voice=model["voice_id"])) == (400, "invalid_voice", "voice")


def test_fault_has_the_vendors_form(studio: Studio, sandbox: Sandbox) -> None:
    for status, code in ((429, "rate_limit_exceeded"), (422, "internal_error"), (500, "internal_error")):
        sandbox.faults({"operation": "sg_list_models", "do": f"status:{status}"})
        assert error_of(studio.call("GET", "models")) == (status, code, None)


# --- speech ---


@pytest.mark.parametrize(
    ("given", "kind", "content_type"),
    [
        ("mp3", "MP3", "audio/mpeg"),
        ("wav", "WAV", "audio/wav"),
        ("ogg", "OGG", "audio/ogg"),
        (None, "MP3", "audio/mpeg"),
    ],
)
def test_speech_is_as_long_as_its_headers_say(
    ready: tuple[Studio, dict[str, Any], dict[str, Any]], given: str | None, kind: str, content_type: str
) -> None:
    studio, _made, model = ready
    text = "Hello, this is my cloned voice speaking! " * 3
    answer = studio.says(text=text, voice=model["voice_id"], **({"format": given} if given else {}))
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.headers["X-Characters-Used"] == str(len(text))
    with soundfile.SoundFile(io.BytesIO(answer.content)) as sound:
        assert sound.format == kind
        seconds = sound.frames / sound.samplerate
        assert abs(sound.read()).max() > 0.05
    assert float(answer.headers["X-Audio-Duration"]) == pytest.approx(len(text) / 15, abs=0.01)
    assert seconds == pytest.approx(len(text) / 15, abs=0.1)


def test_speed_shortens(ready: tuple[Studio, dict[str, Any], dict[str, Any]]) -> None:
    studio, _made, model = ready
    answer = studio.says(text="x" * 60, voice=model["voice_id"], format="wav", speed=2.0, pitch=0)
    assert float(answer.headers["X-Audio-Duration"]) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"voice": "custom-nobody"}, "invalid_voice", "voice"),
        ({"voice": "en-us-stock-1"}, "invalid_voice", "voice"),
        ({"voice": ""}, "invalid_request", "voice"),
        ({"text": ""}, "invalid_request", "text"),
        ({"text": "x" * 5001}, "invalid_request", "text"),
        ({"format": "flac"}, "invalid_format", "format"),
        ({"speed": 3}, "invalid_speed", "speed"),
        ({"speed": "fast"}, "invalid_speed", "speed"),
    ],
)
def test_speech_that_is_refused(
    ready: tuple[Studio, dict[str, Any], dict[str, Any]], change: dict[str, Any], code: str, param: str
) -> None:
    studio, _made, model = ready
    answer = studio.says(**{"text": "Hello.", "voice": model["voice_id"]} | change)
    assert error_of(answer) == (400, code, param)


def test_model_id_is_no_voice(ready: tuple[Studio, dict[str, Any], dict[str, Any]]) -> None:
    studio, _made, model = ready
    assert error_of(studio.says(text="Hello.", voice=model["model_id"])) == (400, "invalid_voice", "voice")


def test_voice_is_listed_and_its_use_is_counted(studio: Studio) -> None:
    model = studio.ended(studio.cloned(mp3())["model_id"])
    assert model["usage_count"] == 0
    assert studio.says(text="Hello.", voice=model["voice_id"]).status_code == 200
    assert studio.ended(model["model_id"])["usage_count"] == 1
    stock, own = studio.call("GET", "voices").json()["voices"]
    assert (stock["type"], own["type"], own["voice_id"]) == ("stock", "custom", model["voice_id"])


def test_sample_of_a_ready_model_needs_no_key(ready: tuple[Studio, dict[str, Any], dict[str, Any]]) -> None:
    _studio, made, _model = ready
    answer = requests.get(made["samples"][0]["audio_url"], timeout=PATIENCE)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/mpeg")
    with soundfile.SoundFile(io.BytesIO(answer.content)) as sound:
        assert sound.format == "MP3"
        assert sound.frames / sound.samplerate == pytest.approx(len(made["samples"][0]["text"]) / 15, abs=0.1)


def test_ledger_counts_characters(studio: Studio, sandbox: Sandbox) -> None:
    made = studio.cloned(mp3())
    model = studio.ended(made["model_id"])
    studio.says(text="Hello.", voice=model["voice_id"])
    studio.call("DELETE", f"models/{made['model_id']}")
    lines = sandbox.ledger(voice=made["model_id"])
    assert [(line["operation"], line["charged"]) for line in lines] == [
        ("sg_clone", 1000),
        ("sg_speech", 6),
        ("sg_delete_model", 0),
    ]
    assert {line["name"] for line in lines} == {"My Custom Voice"}
