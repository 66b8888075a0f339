"""The stand-in for synthesis."""

import io
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
import soundfile

from tests.sandbox.conftest import SLT_CLIPS, SandboxAccount
from tests.support.sandbox import Sandbox

TEXT = "Every great journey begins with a good pair of shoes, and a reason to be home by supper."


@pytest.fixture(scope="module")
def finished(running_sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """(key, uuid) of a finished voice."""
    account = SandboxAccount(running_sandbox.address)
    voice = account.create_voice()
    account.upload_samples(voice, *SLT_CLIPS[:3])
    assert account.build_voice(voice)["status"] == "finished"
    yield account.key, voice


def _said(account: SandboxAccount, finished: tuple[str, str], **more: Any) -> dict[str, Any]:
    account.use_key(finished[0])
    answer: dict[str, Any] = account.clips.create_direct("project", finished[1], TEXT, **more)
    assert answer["success"], answer
    return answer


def _sound(answer: dict[str, Any]) -> soundfile.SoundFile:
    return soundfile.SoundFile(io.BytesIO(b64decode(answer["audio_content"])))


def test_it_is_as_long_as_the_text_and_made_of_the_voice(account: SandboxAccount, finished: tuple[str, str]) -> None:
    answer = _said(account, finished)
    with _sound(answer) as sound:
        assert (sound.format, sound.subtype, sound.channels) == ("WAV", "PCM_16", 1)
        assert sound.frames / sound.samplerate == pytest.approx(answer["duration"], abs=0.01)
        assert abs(sound.read()).max() > 0.05
    assert answer["duration"] == pytest.approx(len(TEXT) / 15, abs=0.01)
    assert answer["audio_timestamps"]["graph_chars"] == list(TEXT)
    assert _said(account, finished)["audio_content"] == answer["audio_content"], "the same text, the same sound"


@pytest.mark.parametrize("precision", ["PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_rate_and_precision_as_asked(
    account: SandboxAccount, finished: tuple[str, str], rate: int, precision: str
) -> None:
    with _sound(_said(account, finished, sample_rate=rate, precision=precision)) as sound:
        assert (sound.samplerate, sound.subtype) == (rate, precision)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"voice_uuid": "nobody"}, 404),
        ({"data": ""}, 422),
        ({"data": "x" * 3001}, 422),
        ({"sample_rate": 11025}, 422),
        ({"precision": "MULAW"}, 422),
        ({"output_format": "mp3"}, 422),
    ],
)
def test_what_cannot_be_said_is_refused(
    account: SandboxAccount, finished: tuple[str, str], change: dict[str, Any], status: int
) -> None:
    account.use_key(finished[0])
    body = {"voice_uuid": finished[1], "data": TEXT} | change
    answer = account.call_api("POST", "../../synthesize", json=body)
    assert (answer.status_code, answer.json()["success"]) == (status, False)


def test_an_unfinished_voice_cannot_speak(account: SandboxAccount) -> None:
    assert account.clips.create_direct("project", account.create_voice(), TEXT)["success"] is False


def test_the_other_ways_of_sending_the_key(account: SandboxAccount, finished: tuple[str, str]) -> None:
    account.use_key(finished[0])
    body = {"voice_uuid": finished[1], "data": TEXT}
    for headers in (
        {"Authorization": "", "x-access-token": account.key},
        {"Authorization": account.key},
    ):
        assert account.call_api("POST", "../../synthesize", json=body, headers=headers).status_code == 200


def test_it_is_billed_by_length(account: SandboxAccount, finished: tuple[str, str], sandbox: Sandbox) -> None:
    before = len(sandbox.ledger(operation="synthesize", voice=finished[1]))
    answer = _said(account, finished)
    lines = sandbox.ledger(operation="synthesize", voice=finished[1])
    assert len(lines) == before + 1
    assert lines[-1]["charged"] == pytest.approx(answer["duration"] * 0.05, abs=0.001)
