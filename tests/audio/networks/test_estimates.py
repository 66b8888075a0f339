"""Quality estimates: what lowers them, what does not change them, and the reasons when they are missing."""

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
from audio.networks.estimates import NOTES, Estimates, describe_missing_parts, estimate_quality
from audio.networks.weights import MissingModel
from tests.support.degradations import Float32, add_reverberation, add_white_noise, clip_peaks, lower_level
from tests.support.processes import ROOT
from tests.support.wav import RATE, SAMPLE_FOLDER

needs_quality_extra = pytest.mark.skipif(bool(describe_missing_parts()), reason=" ".join(describe_missing_parts()))
VALUES = tuple(NOTES)


@pytest.fixture(scope="module")
def speech() -> Float32:
    samples, rate = soundfile.read(SAMPLE_FOLDER / "rms-03.flac", dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


@pytest.fixture(scope="module")
def clean(speech: Float32) -> Estimates:
    return estimate_quality(speech, RATE)


def list_values(quality: Estimates) -> dict[str, float]:
    """Return the estimates by name, after asserting that each is a finite number."""
    values = {name: getattr(quality, name) for name in VALUES}
    assert all(value is not None and math.isfinite(value) for value in values.values()), quality
    return values


@needs_quality_extra
def test_clean_speech_has_good_estimates(clean: Estimates) -> None:
    values = list_values(clean)
    assert clean.missing == ()
    assert 2.8 < values["dnsmos_overall"] < 3.5
    assert values["dnsmos_background"] > 3.7
    assert values["stoi"] > 0.99
    assert 12 < values["si_sdr"] < 20


@needs_quality_extra
def test_more_noise_lowers_each_estimate(speech: Float32, clean: Estimates) -> None:
    steps = [
        list_values(clean),
        *(list_values(estimate_quality(add_white_noise(speech, snr), RATE)) for snr in (20, 5)),
    ]
    for name in ("dnsmos_overall", "dnsmos_background", "stoi", "si_sdr"):
        values = [step[name] for step in steps]
        assert values == sorted(values, reverse=True) and values[0] > values[2], name


@needs_quality_extra
def test_clipping_lowers_stoi_and_echo_lowers_dnsmos(speech: Float32, clean: Estimates) -> None:
    """STOI and SI-SDR, which compare with a denoised reference, show clipping. DNSMOS shows an echoing room."""
    clipped_values, echoing_values = (
        list_values(estimate_quality(clip_peaks(speech, 0.1), RATE)),
        list_values(estimate_quality(add_reverberation(speech, RATE, 0.6), RATE)),
    )
    assert clipped_values["stoi"] < list_values(clean)["stoi"] - 0.03
    assert clipped_values["si_sdr"] < list_values(clean)["si_sdr"] - 1
    assert echoing_values["dnsmos_overall"] < list_values(clean)["dnsmos_overall"] - 0.3
    assert abs(clipped_values["dnsmos_overall"] - list_values(clean)["dnsmos_overall"]) < 0.2


@needs_quality_extra
@pytest.mark.parametrize("decibels", [-12.0, 30.0])
def test_level_does_not_change_the_estimates(speech: Float32, clean: Estimates, decibels: float) -> None:
    assert list_values(estimate_quality(lower_level(speech, decibels), RATE)) == pytest.approx(
        list_values(clean), abs=0.02
    )


@needs_quality_extra
def test_dc_offset_does_not_change_the_estimates(speech: Float32, clean: Estimates) -> None:
    assert list_values(estimate_quality(speech + np.float32(0.2), RATE)) == pytest.approx(list_values(clean), abs=0.02)


@needs_quality_extra
@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_any_sample_rate_is_estimated(speech: Float32, rate: int) -> None:
    list_values(estimate_quality(soxr.resample(speech, RATE, rate), rate))


@needs_quality_extra
def test_sound_after_the_maximum_duration_is_not_estimated(
    speech: Float32, clean: Estimates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimates, "MAX_SECONDS", len(speech) / RATE)
    assert estimate_quality(np.concatenate((speech, add_white_noise(speech, -20))), RATE) == clean


@needs_quality_extra
def test_estimate_does_not_depend_on_the_recording_before(speech: Float32, clean: Estimates) -> None:
    """RNNoise has state, which must not affect the next recording."""
    estimate_quality(add_white_noise(speech, 0), RATE)
    assert estimate_quality(speech, RATE) == clean


@needs_quality_extra
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
def test_unusual_sound_gives_finite_numbers_or_none(samples: Float32) -> None:
    json.dumps(estimate_quality(samples, RATE).as_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (np.zeros(0, np.float32), "too short"),
        (np.ones(RATE // 2, np.float32), "too short"),
        (np.zeros(2 * RATE, np.float32), "silent"),
        (np.full(2 * RATE, 0.3, np.float32), "silent"),
    ],
)
def test_short_or_silent_audio_has_no_estimates_and_a_reason(samples: Float32, reason: str) -> None:
    quality = estimate_quality(samples, RATE)
    assert all(getattr(quality, name) is None for name in VALUES)
    assert reason in quality.missing[0]


@pytest.fixture
def missing_part(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One part of the quality extra is not installed."""
    monkeypatch.setattr(estimates, request.param, lambda: MissingModel("this part is not installed."))
    yield


@needs_quality_extra
@pytest.mark.parametrize(
    ("missing_part", "available"),
    [
        ("_load_dnsmos_model", {"stoi", "si_sdr"}),
        ("_load_denoiser", {"dnsmos_overall", "dnsmos_signal", "dnsmos_background"}),
        ("_load_stoi", {"dnsmos_overall", "dnsmos_signal", "dnsmos_background", "si_sdr"}),
    ],
    indirect=["missing_part"],
)
@pytest.mark.usefixtures("missing_part")
def test_missing_part_of_the_extra_is_named_and_other_estimates_remain(speech: Float32, available: set[str]) -> None:
    quality = estimate_quality(speech, RATE)
    assert {name for name in VALUES if getattr(quality, name) is not None} == available
    assert quality.missing == ("The quality extra is incomplete: this part is not installed. Run: make extras",)


@pytest.mark.parametrize("part", ["onnxruntime", "pystoi"])
def test_missing_library_has_a_reason(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.setitem(sys.modules, part, None)
    load = {"onnxruntime": estimates._load_dnsmos_model, "pystoi": estimates._load_stoi}[part]
    assert load.__wrapped__() == MissingModel(f"{part} is not installed.")


def test_denoiser_library_for_another_platform_is_a_missing_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "librnnoise.so").write_bytes(b"for another platform")
    monkeypatch.setattr(estimates, "locate_wheel_file", lambda package, path: tmp_path / "librnnoise.so")
    assert isinstance(estimates._load_denoiser.__wrapped__(), MissingModel)


def test_each_estimate_has_its_note() -> None:
    assert {*VALUES, "missing"} == set(Estimates.__slots__)
    for note in NOTES.values():
        assert "(estimated)" in note.name
        assert note.strengths and "Level" in note.blind_spots


def test_each_estimate_is_formatted_with_its_precision() -> None:
    forms = {name: NOTES[name].value_format.format(3.14159) for name in ("dnsmos_overall", "stoi", "si_sdr")}
    assert forms == {"dnsmos_overall": "3.14", "stoi": "3.142", "si_sdr": "3.1 dB"}


def test_docs_list_the_note_of_each_estimate() -> None:
    page = (ROOT / "docs" / "listening.md").read_text()
    for note in NOTES.values():
        assert f"| {note.name} | {note.scale} | {note.strengths} | {note.blind_spots} |" in page


def test_import_does_not_load_the_quality_extra() -> None:
    code = "import sys, audio.networks.estimates; print({'onnxruntime', 'pystoi', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
