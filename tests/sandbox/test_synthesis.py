"""The stand-in for synthesis."""

import io
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
import soundfile

from tests.sandbox.conftest import SLT, Studio
from tests.support.sandbox import Sandbox

TEXT = "Every great journey begins with a good pair of shoes, and a reason to be home by supper."


@pytest.fixture(scope="module")
def finished(running: Sandbox) -> Iterator[tuple[str, str]]:
    """(key, uuid) of a finished voice."""
    studio = Studio(running.address)
    voice = studio.voice()
    studio.record_samples(voice, *SLT[:3])
    assert studio.build(voice)["status"] == "finished"
    yield studio.key, voice


def _said(studio: Studio, finished: tuple[str, str], **more: Any) -> dict[str, Any]:
    studio.use(finished[0])
    answer: dict[str, Any] = studio.clips.create_direct("project", finished[1], TEXT, **more)
    assert answer["success"], answer
    return answer


def _sound(answer: dict[str, Any]) -> soundfile.SoundFile:
    return soundfile.SoundFile(io.BytesIO(b64decode(answer["audio_content"])))


def test_it_is_as_long_as_the_text_and_made_of_the_voice(studio: Studio, finished: tuple[str, str]) -> None:
    answer = _said(studio, finished)
    with _sound(answer) as sound:
        assert (sound.format, sound.subtype, sound.channels) == ("WAV", "PCM_16", 1)
        assert sound.frames / sound.samplerate == pytest.approx(answer["duration"], abs=0.01)
        assert abs(sound.read()).max() > 0.05
    assert answer["duration"] == pytest.approx(len(TEXT) / 15, abs=0.01)
    assert answer["audio_timestamps"]["graph_chars"] == list(TEXT)
    assert _said(studio, finished)["audio_content"] == answer["audio_content"], "the same text, the same sound"


@pytest.mark.parametrize("precision", ["PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_rate_and_precision_as_asked(studio: Studio, finished: tuple[str, str], rate: int, precision: str) -> None:
    with _sound(_said(studio, finished, sample_rate=rate, precision=precision)) as sound:
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
    studio: Studio, finished: tuple[str, str], change: dict[str, Any], status: int
) -> None:
    studio.use(finished[0])
    body = {"voice_uuid": finished[1], "data": TEXT} | change
    answer = studio.call("POST", "../../synthesize", json=body)
    assert (answer.status_code, answer.json()["success"]) == (status, False)


def test_an_unfinished_voice_cannot_speak(studio: Studio) -> None:
    assert studio.clips.create_direct("project", studio.voice(), TEXT)["success"] is False


def test_the_other_ways_of_sending_the_key(studio: Studio, finished: tuple[str, str]) -> None:
    studio.use(finished[0])
    body = {"voice_uuid": finished[1], "data": TEXT}
    for headers in (
        {"Authorization": "", "x-access-token": studio.key},
        {"Authorization": studio.key},
    ):
        assert studio.call("POST", "../../synthesize", json=body, headers=headers).status_code == 200


def test_it_is_billed_by_length(studio: Studio, finished: tuple[str, str], sandbox: Sandbox) -> None:
    before = len(sandbox.ledger(operation="synthesize", voice=finished[1]))
    answer = _said(studio, finished)
    lines = sandbox.ledger(operation="synthesize", voice=finished[1])
    assert len(lines) == before + 1
    assert lines[-1]["charged"] == pytest.approx(answer["duration"] * 0.05, abs=0.001)
