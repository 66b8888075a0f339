"""What the browser reported about its microphone: what is stored, and what pages say of it."""

import json
from typing import Any

import pytest

from consent.device_info import (
    INTERRUPTED,
    describe_absent_processing,
    describe_applied_processing,
    describe_losses,
    parse_device_info,
)
from consent.models import Take

ALL_OFF = {"echoCancellation": False, "noiseSuppression": False, "autoGainControl": False}


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        ({}, ""),
        ({"label": "Mic"}, ""),
        (ALL_OFF, "The browser applied no audio processing."),
        (
            {"echoCancellation": False},
            "The browser applied no echo cancellation. It did not report noise suppression or automatic gain control.",
        ),
        (
            {"echoCancellation": False, "autoGainControl": False},
            "The browser applied no echo cancellation or automatic gain control. It did not report noise suppression.",
        ),
        ({"echoCancellation": True}, "The browser applied echo cancellation, which changes the voice."),
        (ALL_OFF | {"echoCancellation": "all"}, "The browser applied echo cancellation, which changes the voice."),
        (
            ALL_OFF | {"noiseSuppression": True, "autoGainControl": True},
            "The browser applied noise suppression and automatic gain control, which changes the voice.",
        ),
    ],
)
def test_page_says_only_what_the_browser_reported(device: dict[str, Any], sentence: str) -> None:
    take = Take(device=device)
    is_applied = "changes the voice" in sentence
    assert describe_applied_processing(take) == (sentence if is_applied else "")
    assert describe_absent_processing(take) == ("" if is_applied else sentence)


@pytest.mark.parametrize("key", ["sampleRate", "channelCount", "contextRate"])
def test_rate_or_count_of_zero_is_not_stored(key: str) -> None:
    assert parse_device_info(json.dumps({key: 0, "label": "Mic"})) == {"label": "Mic"}
    assert parse_device_info(json.dumps({key: 1})) == {key: 1}


@pytest.mark.parametrize("text", ["", "[]", "no JSON", "[" * 100_000])
def test_text_that_is_no_json_object_stores_nothing(text: str) -> None:
    assert parse_device_info(text) == {}


def test_recording_that_the_page_ended_is_named() -> None:
    device = parse_device_info('{"isInterrupted": true}')
    assert describe_losses(Take(device=device)) == INTERRUPTED
    assert describe_losses(Take(device=device | {"lostSeconds": 1})).endswith(f"are missing. {INTERRUPTED}")


def test_missing_sound_is_stored_and_shown() -> None:
    device = parse_device_info('{"lostSeconds": 0.8, "gapSeconds": 0.25, "deviceId": "secret"}')
    assert device == {"lostSeconds": 0.8, "gapSeconds": 0.25}
    assert describe_losses(Take(device=device)) == "The recorder reported that about 1.1 s of the sound are missing."
    for device in ({}, {"lostSeconds": 0}, {"lostSeconds": -3}, {"gapSeconds": "long"}):
        assert describe_losses(Take(device=device)) == ""
