"""Rate limits, the calls about an account, PCM at Voice.ai, and files with two speakers."""

import io
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
import requests
import soundfile

from tests.sandbox.conftest import SandboxAccount
from tests.support.sandbox import TIMEOUT_SECONDS, SandboxProcess, poll_until
from tests.support.wav import SAMPLE_FOLDER, make_speech_like, make_wav_bytes

SLT = ("slt-01", "slt-02", "slt-03")
RMS = ("rms-01", "rms-02", "rms-03")


def call(sandbox: SandboxProcess, path: str, scheme: str, key: str) -> requests.Response:
    headers = {"Authorization": scheme.format(key)}
    return requests.get(f"{sandbox.address}/resemble/api/{path}", headers=headers, timeout=TIMEOUT_SECONDS)


@pytest.mark.parametrize(("version", "scheme"), [("v1", "Token token={}"), ("v2", "Bearer {}")])
def test_call_above_the_rate_limit_gets_429(sandbox: SandboxProcess, version: str, scheme: str) -> None:
    """The limit is one call per second here, so that two calls suffice and no time is measured."""
    sandbox.call_control("POST", "settings", {f"resemble_{version}_calls_per_second": 1})
    key, other_key = f"key-{uuid4().hex}", f"other-{uuid4().hex}"
    statuses = [call(sandbox, f"{version}/voices", scheme, key).status_code for _ in range(3)]
    assert statuses[0] == 200
    assert 429 in statuses
    assert call(sandbox, f"{version}/voices", scheme, other_key).status_code == 200


def test_default_rate_limits_are_those_of_the_vendor(start_sandbox: Any, folder: Any) -> None:
    settings = start_sandbox(folder).call_control("GET", "settings")["settings"]
    assert (settings["resemble_v1_calls_per_second"], settings["resemble_v2_calls_per_second"]) == (10, 40)


def test_account_reports_its_team_and_its_seconds_of_speech(account: SandboxAccount) -> None:
    (team,) = account.call_api("GET", "account/teams").json()["items"]
    assert set(team) == {"uuid", "name", "plan", "voice_limit", "units", "rate", "current_usage"}
    assert account.call_api("GET", f"account/teams/{team['uuid']}").json() == {"success": True, "item": team}
    assert account.call_api("GET", "account/teams/other").status_code == 404
    usage = account.call_api("GET", "account/billing_usage?start_date=2024-01-01&end_date=2024-12-10").json()
    assert usage == {"success": True, "items": {"detect": "0", "synth": "0"}}
    assert account.call_api("GET", "account/billing_usage?start_date=yesterday").status_code == 400


def test_speech_counts_as_usage(account: SandboxAccount) -> None:
    voice = account.create_voice()
    account.upload_samples(voice, *SLT)
    assert account.build_voice(voice)["status"] == "finished"
    assert account.clips.create_direct("project", voice, "x" * 150)["success"]
    (team,) = account.call_api("GET", "account/teams").json()["items"]
    usage = account.call_api("GET", "account/billing_usage").json()["items"]
    assert 9 <= team["current_usage"] <= 11
    assert usage["synth"] == str(team["current_usage"])
    assert account.call_api("GET", "account/billing_usage?end_date=2020-01-01").json()["items"]["synth"] == "0"


# --- files ---


def join_samples(*names: str) -> bytes:
    sounds = [soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float64") for name in names]
    file = io.BytesIO()
    soundfile.write(file, np.concatenate([samples for samples, _rate in sounds]), sounds[0][1], format="WAV")
    return file.getvalue()


def clone_at_voiceai(sandbox: SandboxProcess, file: tuple[str, bytes, str]) -> requests.Response:
    headers = {"Authorization": "Bearer key-of-speakers"}
    url = f"{sandbox.address}/voiceai/api/v1/tts/clone-voice"
    return requests.post(url, headers=headers, files={"file": file}, timeout=TIMEOUT_SECONDS)


def wait_for_voiceai(sandbox: SandboxProcess, voice: str) -> dict[str, Any]:
    def fetch_ended() -> dict[str, Any] | None:
        headers = {"Authorization": "Bearer key-of-speakers"}
        url = f"{sandbox.address}/voiceai/api/v1/tts/voice/{voice}"
        item: dict[str, Any] = requests.get(url, headers=headers, timeout=TIMEOUT_SECONDS).json()
        return item if item["status"] in ("AVAILABLE", "FAILED") else None

    return poll_until(fetch_ended)


def train_at_speechgen(sandbox: SandboxProcess, wav: bytes) -> dict[str, Any]:
    headers, url = {"Authorization": "Bearer key-of-speakers"}, f"{sandbox.address}/speechgen/v1"
    files, data = {"audio": ("voice.wav", wav, "audio/wav")}, {"name": "Two"}
    model = requests.post(f"{url}/voice-clone", headers=headers, files=files, data=data, timeout=TIMEOUT_SECONDS).json()

    def fetch_ended() -> dict[str, Any] | None:
        path = f"{url}/models/{model['model_id']}"
        item: dict[str, Any] = requests.get(path, headers=headers, timeout=TIMEOUT_SECONDS).json()
        return item if item["status"] != "processing" else None

    return poll_until(fetch_ended)


@pytest.mark.parametrize(("name", "content_type"), [("voice.pcm", "application/octet-stream"), ("voice", "audio/pcm")])
def test_voiceai_accepts_pcm(sandbox: SandboxProcess, name: str, content_type: str) -> None:
    pcm = make_wav_bytes(make_speech_like(12.0))[44:]
    response = clone_at_voiceai(sandbox, (name, pcm, content_type))
    assert response.status_code == 200, response.text
    assert wait_for_voiceai(sandbox, response.json()["voice_id"])["status"] == "AVAILABLE"


@pytest.mark.parametrize(
    ("name", "content"), [("voice.txt", b"x" * 1000), ("voice.pcm", b"x" * 1001), ("voice.pcm", b"")]
)
def test_voiceai_refuses_what_is_no_pcm(sandbox: SandboxProcess, name: str, content: bytes) -> None:
    assert clone_at_voiceai(sandbox, (name, content, "application/octet-stream")).status_code == 422


def test_two_speakers_in_one_file_fail_at_voiceai(sandbox: SandboxProcess) -> None:
    response = clone_at_voiceai(sandbox, ("voice.wav", join_samples(*SLT, *RMS), "audio/wav"))
    voice = wait_for_voiceai(sandbox, response.json()["voice_id"])
    assert (voice["status"], voice["error"]) == ("FAILED", "There is more than one speaker in the file.")


def test_two_speakers_in_one_file_fail_at_speechgen(sandbox: SandboxProcess) -> None:
    model = train_at_speechgen(sandbox, join_samples(*SLT, *RMS))
    assert (model["status"], model["failure_reason"]) == ("failed", "There is more than one speaker in the audio.")


def test_one_speaker_does_not_fail(sandbox: SandboxProcess) -> None:
    assert train_at_speechgen(sandbox, join_samples(*RMS))["status"] == "ready"
