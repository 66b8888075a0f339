"""Speakers of the sample audio are distinguished, also with room echo, noise, telephone band and codecs."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from audio.findings.thresholds import THRESHOLDS
from audio.networks import speaker_match
from audio.networks.speaker_match import (
    Voiceprint,
    compute_centroid,
    compute_similarity,
    compute_voiceprint,
    find_outliers,
    match_speaker,
)
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32, load_samples, read_header
from tests.support.degradations import add_reverberation, add_white_noise, limit_bandwidth, lower_level
from tests.support.wav import RATE, SAMPLE_FOLDER, make_speech_like, make_wav_file, make_white_noise

MANIFEST: list[dict[str, Any]] = json.loads((SAMPLE_FOLDER / "manifest.json").read_text())

Voiceprints = dict[str, Voiceprint | None]


def read_sample(file: str) -> Float32:
    samples, rate = soundfile.read(SAMPLE_FOLDER / file, dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


@pytest.fixture(scope="module")
def voiceprints() -> Voiceprints:
    return {entry["file"]: compute_voiceprint(read_sample(entry["file"]), RATE) for entry in MANIFEST}


def list_files(**criteria: str) -> list[str]:
    return [entry["file"] for entry in MANIFEST if criteria.items() <= entry.items()]


def get_voiceprints(voiceprints: Voiceprints, reader: str) -> list[Voiceprint | None]:
    return [voiceprints[name] for name in list_files(kind="recording", speaker=reader)]


def require_voiceprint(voiceprint: Voiceprint | None) -> Voiceprint:
    assert voiceprint is not None
    return voiceprint


def make_similar_voiceprint(
    voiceprint: Voiceprint, similarity: float, seed: int = 0, seconds: float = 10.0
) -> Voiceprint:
    """Return a voiceprint that has the similarity `similarity` to `voiceprint`."""
    other = np.random.default_rng(seed).standard_normal(256)
    other -= (other @ voiceprint.vector) * voiceprint.vector
    vector = similarity * voiceprint.vector + (1 - similarity**2) ** 0.5 * other / np.linalg.norm(other)
    return Voiceprint(vector.astype(np.float32), seconds)


def compress_to_mp3(samples: Float32) -> Float32:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.9)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


DEGRADATIONS: dict[str, Callable[[Float32], Float32]] = {
    "noise": lambda samples: add_white_noise(samples, 15),
    "room": lambda samples: add_reverberation(samples, RATE, 0.3),
    "telephone": lambda samples: limit_bandwidth(samples, RATE, 3400),
    "low level": lambda samples: lower_level(samples, 25),
    "codec": compress_to_mp3,
    "two seconds": lambda samples: samples[RATE : 3 * RATE],
}


def test_voiceprint_has_unit_length_and_its_repr_hides_the_vector(voiceprints: Voiceprints) -> None:
    voiceprint = require_voiceprint(voiceprints["slt-01.flac"])
    assert voiceprint.vector.shape == (256,) and voiceprint.vector.dtype == np.dtype("float32")
    assert np.linalg.norm(voiceprint.vector) == pytest.approx(1, abs=1e-5)
    assert compute_similarity(voiceprint, voiceprint) == pytest.approx(1, abs=1e-5)
    assert repr(voiceprint) == "Voiceprint(5.4 s)"


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_voiceprint_does_not_depend_on_the_sample_rate(voiceprints: Voiceprints, rate: int) -> None:
    other = compute_voiceprint(soxr.resample(read_sample("slt-01.flac"), RATE, rate), rate)
    assert compute_similarity(require_voiceprint(voiceprints["slt-01.flac"]), require_voiceprint(other)) > (
        0.9 if rate == 8000 else 0.99
    )


def test_pauses_do_not_change_the_voiceprint(voiceprints: Voiceprints) -> None:
    samples = read_sample("slt-01.flac")
    room = make_white_noise(4.0, -66.0).astype(np.float32)
    padded = require_voiceprint(
        compute_voiceprint(np.concatenate((room, samples[:40000], room, samples[40000:], room)), RATE)
    )
    assert padded.voiced_seconds == pytest.approx(
        require_voiceprint(voiceprints["slt-01.flac"]).voiced_seconds, abs=0.4
    )
    assert compute_similarity(padded, require_voiceprint(voiceprints["slt-01.flac"])) > 0.97


@pytest.mark.parametrize(
    "samples", [np.zeros(0), np.zeros(10), np.zeros(RATE), make_white_noise(3.0, -20.0), make_white_noise(9.0, -60.0)]
)
def test_audio_without_speech_has_no_voiceprint(samples: "np.typing.NDArray[np.float64]") -> None:
    assert compute_voiceprint(samples.astype(np.float32), RATE) is None


def test_less_than_a_second_of_speech_has_no_voiceprint() -> None:
    samples = read_sample("slt-01.flac")
    assert compute_voiceprint(samples[: int(0.9 * RATE)], RATE) is None
    assert compute_voiceprint(samples[: 2 * RATE], RATE) is not None


def test_only_the_first_30_seconds_of_speech_are_used() -> None:
    long = np.tile(read_sample("slt-01.flac"), 30)
    assert require_voiceprint(compute_voiceprint(long, RATE)).voiced_seconds == 30.0


def test_wrong_speaker_is_the_only_outlier_of_the_rms_recordings(voiceprints: Voiceprints) -> None:
    names = [name for name in list_files(set="rms") if not name.startswith("consent")]
    flagged = [
        name
        for name, is_outlier in zip(names, find_outliers([voiceprints[name] for name in names]), strict=True)
        if is_outlier
    ]
    assert flagged == list_files(kind="wrong_speaker")


@pytest.mark.parametrize("other_clip", list_files(kind="recording", speaker="rms"))
def test_clip_of_another_reader_is_the_only_outlier_of_the_slt_recordings(
    voiceprints: Voiceprints, other_clip: str
) -> None:
    assert find_outliers([*get_voiceprints(voiceprints, "slt"), voiceprints[other_clip]]) == [False] * 8 + [True]


@pytest.mark.parametrize(("own_count", "other_count"), [(6, 4), (4, 2), (3, 1), (8, 5)])
def test_minority_of_another_reader_is_flagged(voiceprints: Voiceprints, own_count: int, other_count: int) -> None:
    mixed = get_voiceprints(voiceprints, "slt")[:own_count] + get_voiceprints(voiceprints, "rms")[:other_count]
    assert find_outliers(mixed) == [False] * own_count + [True] * other_count
    assert find_outliers(mixed[::-1]) == [True] * other_count + [False] * own_count


@pytest.mark.parametrize("reader", ["slt", "rms"])
def test_genuine_set_has_no_outliers(voiceprints: Voiceprints, reader: str) -> None:
    assert not any(find_outliers(get_voiceprints(voiceprints, reader)))


@pytest.mark.parametrize("degradation", DEGRADATIONS)
@pytest.mark.parametrize("reader", ["slt", "rms"])
def test_degraded_clip_is_closer_than_a_clean_clip_of_another_reader(
    voiceprints: Voiceprints, reader: str, degradation: str
) -> None:
    centroid = require_voiceprint(compute_centroid(get_voiceprints(voiceprints, reader)))
    degraded = require_voiceprint(compute_voiceprint(DEGRADATIONS[degradation](read_sample(f"{reader}-06.flac")), RATE))
    other = max(
        compute_similarity(require_voiceprint(voiceprint), centroid)
        for voiceprint in get_voiceprints(voiceprints, {"slt": "rms", "rms": "slt"}[reader])
    )
    assert compute_similarity(degraded, centroid) > other + 0.03


def test_small_set_has_no_outliers(voiceprints: Voiceprints) -> None:
    assert find_outliers([]) == []
    slt, rms = get_voiceprints(voiceprints, "slt"), get_voiceprints(voiceprints, "rms")
    assert find_outliers([slt[0], slt[1], rms[0]]) == [False] * 3
    assert find_outliers([slt[0], slt[1], rms[0], None]) == [False] * 4
    assert find_outliers([slt[0], slt[1], rms[0], slt[2]]) == [False, False, True, False]


def test_short_clip_has_a_lower_threshold_and_very_short_clip_none(voiceprints: Voiceprints) -> None:
    recordings = get_voiceprints(voiceprints, "slt")
    centroid = require_voiceprint(compute_centroid(recordings))
    for seconds, similarity, is_outlier in ((3.0, 0.72, True), (2.9, 0.72, False), (2.9, 0.6, True), (1.4, 0.1, False)):
        assert (
            find_outliers([*recordings, make_similar_voiceprint(centroid, similarity, seconds=seconds)])[-1]
            is is_outlier
        ), (seconds, similarity)


def test_outlier_threshold_can_be_set_and_no_voiceprints_have_no_centroid(voiceprints: Voiceprints) -> None:
    strict = replace(THRESHOLDS, speaker_outlier=0.999)
    assert any(find_outliers(get_voiceprints(voiceprints, "slt"), strict))
    assert compute_centroid([None]) is compute_centroid([]) is None


@pytest.mark.parametrize("reader", ["slt", "rms"])
def test_consent_matches_only_recordings_of_its_reader(voiceprints: Voiceprints, reader: str) -> None:
    other_matches = {
        name: match_speaker(voiceprints[name], get_voiceprints(voiceprints, reader))
        for name in list_files(kind="consent")
    }
    own_match = other_matches.pop(f"consent-{reader}.flac")
    assert (own_match.verdict, own_match.threshold, own_match.finding) == ("same", 0.75, None)
    assert own_match.compared_with == len(get_voiceprints(voiceprints, reader))
    assert own_match.score is not None and own_match.score > 0.9
    assert {match.verdict for match in other_matches.values()} <= {"different", "unsure"}
    assert all(match.finding is not None for match in other_matches.values())


def test_verdict_follows_the_thresholds(voiceprints: Voiceprints) -> None:
    recordings = get_voiceprints(voiceprints, "slt")
    centroid = require_voiceprint(compute_centroid(recordings))
    matches = {
        similarity: match_speaker(make_similar_voiceprint(centroid, similarity), recordings)
        for similarity in (0.76, 0.74, 0.63, 0.615, 0.1)
    }
    assert [match.verdict for match in matches.values()] == ["same", "unsure", "unsure", "different", "different"]
    assert [match.finding.code if match.finding else "" for match in matches.values()] == [
        "",
        "take_voice_unsure",
        "take_voice_unsure",
        "take_other_voice",
        "take_other_voice",
    ]
    assert "similarity 0.61, below 0.62" in matches[0.615].text
    assert all(match.error_rate is not None and 0 < match.error_rate < 0.1 for match in matches.values())
    stricter = replace(THRESHOLDS, speaker_same=0.8, speaker_different=0.7)
    assert match_speaker(make_similar_voiceprint(centroid, 0.76), recordings, stricter).verdict == "unsure"
    assert match_speaker(make_similar_voiceprint(centroid, 0.69), recordings, stricter).verdict == "different"


def test_take_is_compared_with_recordings_and_earlier_takes(voiceprints: Voiceprints) -> None:
    recordings, take = get_voiceprints(voiceprints, "slt")[:2], voiceprints["consent-slt.flac"]
    match = match_speaker(take, recordings, earlier_takes=[voiceprints["consent-slt-negated.flac"], None])
    assert (match.verdict, match.compared_with, match.takes) == ("same", 3, 1)
    assert match.text.startswith("The voice matches 2 recordings and 1 earlier take: ")
    other = match_speaker(voiceprints["consent-rms.flac"], recordings[:1], earlier_takes=recordings)
    assert "that of 1 recording and 2 earlier takes: " in other.text


def test_match_without_enough_speech_or_model_is_unchecked(
    voiceprints: Voiceprints, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings, take = get_voiceprints(voiceprints, "slt"), voiceprints["consent-slt.flac"]
    few_match = match_speaker(take, [*recordings[:2], None])
    assert (few_match.verdict, few_match.compared_with, few_match.score, few_match.error_rate) == (
        "waiting",
        2,
        None,
        None,
    )
    assert "2 recordings" in few_match.text and "too few" in few_match.text
    assert match_speaker(take, []).verdict == "waiting" and match_speaker(None, recordings).verdict == "unchecked"
    assert "too little speech in the take" in match_speaker(None, recordings).text
    monkeypatch.setattr(speaker_match, "load_encoder", lambda: MissingModel("Resemblyzer is not installed."))
    assert compute_voiceprint(read_sample("slt-01.flac"), RATE) is None
    match = match_speaker(None, [None] * 9)
    assert match.text == "The voice was not compared: Resemblyzer is not installed."
    assert match.finding is not None and match.finding.code == "take_voice_unchecked"


def test_stored_match_has_no_voiceprint(voiceprints: Voiceprints) -> None:
    for take in (voiceprints["consent-slt.flac"], voiceprints["consent-rms.flac"], None):
        stored = json.dumps(match_speaker(take, get_voiceprints(voiceprints, "slt")).as_dict())
        assert "vector" not in stored and len(stored) < 700


def test_load_samples_reads_only_the_first_seconds() -> None:
    file = make_wav_file(make_speech_like(9.0))
    assert len(load_samples(file, read_header(file), max_seconds=2.0)) == 2 * RATE
    samples = load_samples(file, read_header(file))
    assert samples.dtype == np.float32
    assert np.abs(samples - make_speech_like(9.0)).max() < 1e-4
