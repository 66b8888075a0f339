"""Voices told apart, on synthetic voices and on the sample audio."""

import json
import math
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.support.wav import RATE, SAMPLE, noise, speech_like, wav_file
from voicehub.audio.riff import read_header
from voicehub.audio.samples import load
from voicehub.audio.speaker import Voiceprint, centroid, distance, loudness_outliers, outliers, voiceprint

MANIFEST: list[dict[str, Any]] = json.loads((SAMPLE / "manifest.json").read_text())


def samples_of(file: str) -> "np.typing.NDArray[np.float32]":
    samples, rate = soundfile.read(SAMPLE / file, dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


@pytest.fixture(scope="module")
def prints() -> dict[str, Voiceprint]:
    return {entry["file"]: voiceprint(samples_of(entry["file"]), RATE) for entry in MANIFEST}


def files(**wanted: str) -> list[str]:
    return [entry["file"] for entry in MANIFEST if wanted.items() <= entry.items()]


def made(pitch: float, rate: int = RATE) -> Voiceprint:
    return voiceprint(speech_like(3.0, rate, pitch=pitch).astype(np.float32), rate)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 44100, 48000])
@pytest.mark.parametrize("pitch", [85.0, 120.0, 210.0, 300.0])
def test_pitch_is_found_at_every_rate(pitch: float, rate: int) -> None:
    assert made(pitch, rate).pitch_hz == pytest.approx(pitch, rel=0.03)


def test_too_little_voice_is_no_voice() -> None:
    for samples in (np.zeros(0), np.zeros(10), np.zeros(RATE), noise(2.0, -20.0), speech_like(0.3)):
        one = voiceprint(samples.astype(np.float32), RATE)
        assert not one.usable
        assert distance(one, made(120.0)) == math.inf


def test_distance_is_zero_to_itself_and_the_same_both_ways() -> None:
    low, high = made(100.0), made(190.0)
    assert distance(low, low) == 0.0
    assert distance(low, high) == distance(high, low) > 1.5


def test_loudness_does_not_change_a_voice() -> None:
    samples = speech_like(3.0, room_dbfs=-90.0).astype(np.float32)
    assert distance(voiceprint(samples, RATE), voiceprint(samples * 0.1, RATE)) < 0.2


def test_wrong_speaker_is_the_only_outlier_of_rms(prints: dict[str, Voiceprint]) -> None:
    names = [name for name in files(set="rms") if not name.startswith("consent")]
    flagged = [name for name, out in zip(names, outliers([prints[name] for name in names]), strict=True) if out]
    assert flagged == files(kind="wrong_speaker")


@pytest.mark.parametrize("foreign", files(kind="recording", speaker="rms"))
def test_one_foreign_clip_is_the_only_outlier_of_slt(prints: dict[str, Voiceprint], foreign: str) -> None:
    names = [*files(kind="recording", speaker="slt"), foreign]
    assert outliers([prints[name] for name in names]) == [False] * 8 + [True]


@pytest.mark.parametrize("speaker", ["slt", "rms"])
def test_genuine_set_has_no_outliers(prints: dict[str, Voiceprint], speaker: str) -> None:
    names = files(kind="recording", speaker=speaker)
    assert not any(outliers([prints[name] for name in names]))


@pytest.mark.parametrize("speaker", ["slt", "rms"])
def test_consent_lies_nearest_to_the_recordings_of_its_reader(prints: dict[str, Voiceprint], speaker: str) -> None:
    middle = centroid([prints[name] for name in files(kind="recording", speaker=speaker)])
    assert middle is not None
    consents = files(kind="consent")
    nearest = min(consents, key=lambda name: distance(prints[name], middle))
    assert nearest == f"consent-{speaker}.flac"
    assert distance(prints[nearest], middle) < 1.0
    assert all(distance(prints[name], middle) > 1.25 for name in consents if name != nearest)


def test_outliers_need_a_set_to_stand_out_of() -> None:
    assert outliers([]) == []
    assert outliers([made(100.0), made(200.0), made(100.0)]) == [False] * 3
    assert outliers([made(100.0), made(101.0), made(102.0), made(220.0)]) == [False, False, False, True]


def test_silent_clip_is_not_called_another_speaker() -> None:
    silent = voiceprint(np.zeros(RATE, np.float32), RATE)
    assert outliers([made(100.0), silent, made(101.0), made(102.0), made(220.0)])[1] is False
    assert outliers([silent] * 5) == [False] * 5
    assert centroid([silent]) is None


def test_loudness_outliers() -> None:
    assert loudness_outliers([]) == []
    levels = [-20.0, -20.0, -20.0, -29.1, -10.9, -28.9, -11.1]
    assert loudness_outliers(levels) == [False, False, False, True, True, False, False]


def test_load_takes_only_the_start() -> None:
    file = wav_file(speech_like(9.0))
    assert len(load(file, read_header(file), max_seconds=2.0)) == 2 * RATE
    whole = load(file, read_header(file))
    assert whole.dtype == np.float32
    assert np.abs(whole - speech_like(9.0)).max() < 1e-4
