"""Speech synthesis of Resemble v2 in the sandbox."""

import io
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
import soundfile

from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount
from tests.support.sandbox import SandboxProcess

TEXT = "Every great journey begins with a good pair of shoes, and a reason to be home by supper."


@pytest.fixture(scope="module")
def finished_voice(running_sandbox: SandboxProcess) -> Iterator[tuple[str, str]]:
    account = SandboxAccount(running_sandbox.address)
    voice = account.create_voice()
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.build_voice(voice)["status"] == "finished"
    yield account.key, voice


def _synthesize(account: SandboxAccount, finished_voice: tuple[str, str], **options: Any) -> dict[str, Any]:
    account.use_key(finished_voice[0])
    response: dict[str, Any] = account.clips.create_direct("project", finished_voice[1], TEXT, **options)
    assert response["success"], response
    return response


def _open_audio(response: dict[str, Any]) -> soundfile.SoundFile:
    return soundfile.SoundFile(io.BytesIO(b64decode(response["audio_content"])))


def test_synthesis_length_matches_the_text_and_audio_is_reproducible(
    account: SandboxAccount, finished_voice: tuple[str, str]
) -> None:
    response = _synthesize(account, finished_voice)
    with _open_audio(response) as audio:
        assert (audio.format, audio.subtype, audio.channels) == ("WAV", "PCM_16", 1)
        assert audio.frames / audio.samplerate == pytest.approx(response["duration"], abs=0.01)
        assert abs(audio.read()).max() > 0.05
    assert response["duration"] == pytest.approx(len(TEXT) / 15, abs=0.01)
    assert response["audio_timestamps"]["graph_chars"] == list(TEXT)
    assert _synthesize(account, finished_voice)["audio_content"] == response["audio_content"], (
        "the same text gives the same audio"
    )


@pytest.mark.parametrize("precision", ["PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_audio_has_the_requested_rate_and_precision(
    account: SandboxAccount, finished_voice: tuple[str, str], rate: int, precision: str
) -> None:
    with _open_audio(_synthesize(account, finished_voice, sample_rate=rate, precision=precision)) as audio:
        assert (audio.samplerate, audio.subtype) == (rate, precision)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"voice_uuid": "unknown"}, 404),
        ({"data": ""}, 422),
        ({"data": "x" * 3001}, 422),
        ({"sample_rate": 11025}, 422),
        ({"precision": "MULAW"}, 422),
        ({"output_format": "mp3"}, 422),
    ],
)
def test_invalid_synthesis_request_is_refused(
    account: SandboxAccount, finished_voice: tuple[str, str], change: dict[str, Any], status: int
) -> None:
    account.use_key(finished_voice[0])
    body = {"voice_uuid": finished_voice[1], "data": TEXT} | change
    response = account.call_api("POST", "../../synthesize", json=body)
    assert (response.status_code, response.json()["success"]) == (status, False)


def test_synthesis_with_an_unfinished_voice_is_refused(account: SandboxAccount) -> None:
    assert account.clips.create_direct("project", account.create_voice(), TEXT)["success"] is False


def test_key_is_accepted_in_the_access_token_header_and_without_a_scheme(
    account: SandboxAccount, finished_voice: tuple[str, str]
) -> None:
    account.use_key(finished_voice[0])
    body = {"voice_uuid": finished_voice[1], "data": TEXT}
    for headers in (
        {"Authorization": "", "x-access-token": account.key},
        {"Authorization": account.key},
    ):
        assert account.call_api("POST", "../../synthesize", json=body, headers=headers).status_code == 200


def test_synthesis_is_billed_by_length(
    account: SandboxAccount, finished_voice: tuple[str, str], sandbox: SandboxProcess
) -> None:
    before = len(sandbox.read_ledger(operation="synthesize", voice=finished_voice[1]))
    response = _synthesize(account, finished_voice)
    lines = sandbox.read_ledger(operation="synthesize", voice=finished_voice[1])
    assert len(lines) == before + 1
    assert lines[-1]["charged"] == pytest.approx(response["duration"] * 0.05, abs=0.001)
