"""Estimates of quality: what lowers them, what does not move them, and what is said when they cannot be made."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from audio.networks import estimates
from audio.networks.estimates import NOTES, Estimates, estimate_quality, list_missing_parts
from audio.networks.weights import MissingModel
from tests.support.processes import ROOT
from tests.support.wav import RATE, SAMPLE
from tests.support.worse import Float32, clipped, echoing, noisy, quieter

whole = pytest.mark.skipif(bool(list_missing_parts()), reason=" ".join(list_missing_parts()))
VALUES = tuple(NOTES)


@pytest.fixture(scope="module")
def speech() -> Float32:
    samples, rate = soundfile.read(SAMPLE / "rms-03.flac", dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


@pytest.fixture(scope="module")
def clean(speech: Float32) -> Estimates:
    return estimate_quality(speech, RATE)


def told(judged: Estimates) -> dict[str, float]:
    """Its values, all of which must be there."""
    values = {name: getattr(judged, name) for name in VALUES}
    assert all(value is not None and math.isfinite(value) for value in values.values()), judged
    return values


@whole
def test_clean_speech_is_rated_as_such(clean: Estimates) -> None:
    values = told(clean)
    assert clean.missing == ()
    assert 2.8 < values["dnsmos_overall"] < 3.5
    assert values["dnsmos_background"] > 3.7
    assert values["stoi"] > 0.99
    assert 12 < values["si_sdr"] < 20


@whole
def test_noise_lowers_each_step_by_step(speech: Float32, clean: Estimates) -> None:
    steps = [told(clean), *(told(estimate_quality(noisy(speech, snr), RATE)) for snr in (20, 5))]
    for name in ("dnsmos_overall", "dnsmos_background", "stoi", "si_sdr"):
        values = [step[name] for step in steps]
        assert values == sorted(values, reverse=True) and values[0] > values[2], name


@whole
def test_what_the_notes_say_is_so(speech: Float32, clean: Estimates) -> None:
    """A denoiser's output as the reference shows clipping; listeners' opinions show an echoing room."""
    cut, room = (
        told(estimate_quality(clipped(speech, 0.1), RATE)),
        told(estimate_quality(echoing(speech, RATE, 0.6), RATE)),
    )
    assert cut["stoi"] < told(clean)["stoi"] - 0.03
    assert cut["si_sdr"] < told(clean)["si_sdr"] - 1
    assert room["dnsmos_overall"] < told(clean)["dnsmos_overall"] - 0.3
    assert abs(cut["dnsmos_overall"] - told(clean)["dnsmos_overall"]) < 0.2


@whole
@pytest.mark.parametrize("decibels", [-12.0, 30.0])
def test_level_does_not_count(speech: Float32, clean: Estimates, decibels: float) -> None:
    assert told(estimate_quality(quieter(speech, decibels), RATE)) == pytest.approx(told(clean), abs=0.02)


@whole
def test_offset_does_not_count(speech: Float32, clean: Estimates) -> None:
    assert told(estimate_quality(speech + np.float32(0.2), RATE)) == pytest.approx(told(clean), abs=0.02)


@whole
@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_any_rate_is_judged(speech: Float32, rate: int) -> None:
    told(estimate_quality(soxr.resample(speech, RATE, rate), rate))


@whole
def test_only_the_beginning_counts(speech: Float32, clean: Estimates, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "MAX_SECONDS", len(speech) / RATE)
    assert estimate_quality(np.concatenate((speech, noisy(speech, -20))), RATE) == clean


@whole
def test_same_again_gives_the_same(speech: Float32, clean: Estimates) -> None:
    """RNNoise remembers what it heard; the next recording must not suffer from it."""
    estimate_quality(noisy(speech, 0), RATE)
    assert estimate_quality(speech, RATE) == clean


@whole
@pytest.mark.parametrize(
    "samples",
    [
        np.random.default_rng(2).standard_normal(3 * RATE).astype(np.float32) * np.float32(0.1),
        np.sin(np.arange(3 * RATE) / 9).astype(np.float32),
        np.sign(np.sin(np.arange(3 * RATE) / 50)).astype(np.float32),
        np.r_[np.zeros(3 * RATE), 1.0].astype(np.float32),
        np.r_[np.ones(3 * RATE), -np.ones(3 * RATE)].astype(np.float32),
    ],
    ids=["noise", "tone", "square", "click", "step"],
)
def test_odd_sounds_give_numbers_or_nothing(samples: Float32) -> None:
    json.dumps(estimate_quality(samples, RATE).as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (np.zeros(0, np.float32), "too short"),
        (np.ones(RATE // 2, np.float32), "too short"),
        (np.zeros(2 * RATE, np.float32), "silent"),
        (np.full(2 * RATE, 0.3, np.float32), "silent"),
    ],
)
def test_nothing_to_judge_is_said(samples: Float32, why: str) -> None:
    judged = estimate_quality(samples, RATE)
    assert all(getattr(judged, name) is None for name in VALUES)
    assert why in judged.missing[0]


@pytest.fixture
def without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One of the parts is not installed."""
    monkeypatch.setattr(estimates, request.param, lambda: MissingModel("this part is not installed."))
    yield


@whole
@pytest.mark.parametrize(
    ("without", "left"),
    [
        ("_load_dnsmos_model", {"stoi", "si_sdr"}),
        ("_load_denoiser", {"dnsmos_overall", "dnsmos_signal", "dnsmos_background"}),
        ("_load_stoi", {"dnsmos_overall", "dnsmos_signal", "dnsmos_background", "si_sdr"}),
    ],
    indirect=["without"],
)
@pytest.mark.usefixtures("without")
def test_what_is_not_installed_is_named_and_the_rest_is_told(speech: Float32, left: set[str]) -> None:
    judged = estimate_quality(speech, RATE)
    assert {name for name in VALUES if getattr(judged, name) is not None} == left
    assert judged.missing == ("The quality extra is incomplete: this part is not installed. Run: make extras",)


@pytest.mark.parametrize("part", ["onnxruntime", "pystoi"])
def test_missing_library_is_a_reason(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setitem(sys.modules, part, None)
    make = {"onnxruntime": estimates._load_dnsmos_model, "pystoi": estimates._load_stoi}[part]
    assert make.__wrapped__() == MissingModel(f"{part} is not installed.")


def test_library_of_another_machine_is_a_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "librnnoise.so").write_bytes(b"not of this machine")
    monkeypatch.setattr(estimates, "locate_wheel_file", lambda package, path: tmp_path / "librnnoise.so")
    assert isinstance(estimates._load_denoiser.__wrapped__(), MissingModel)


def test_each_estimate_has_its_note() -> None:
    assert {*VALUES, "missing"} == set(Estimates.__slots__)
    for note in NOTES.values():
        assert "(estimated)" in note.name
        assert note.strengths and "Level" in note.blind_spots


def test_values_are_written_as_fine_as_recordings_differ() -> None:
    forms = {name: NOTES[name].value_format.format(3.14159) for name in ("dnsmos_overall", "stoi", "si_sdr")}
    assert forms == {"dnsmos_overall": "3.14", "stoi": "3.142", "si_sdr": "3.1 dB"}


def test_the_docs_say_the_same() -> None:
    page = (ROOT / "docs" / "listening.md").read_text()
    for note in NOTES.values():
        assert f"| {note.name} | {note.scale} | {note.strengths} | {note.blind_spots} |" in page


def test_nothing_of_the_extra_is_loaded_before_it_is_wanted() -> None:
    seen = "import sys, audio.networks.estimates; print({'onnxruntime', 'pystoi', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
