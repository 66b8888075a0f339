"""Voices told apart, on the sample audio and on what rooms, noise, telephones and codecs make of it."""

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
    flag_outliers,
    match_speaker,
)
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32, load_samples, read_header
from tests.support.wav import RATE, SAMPLE, noise, speech_like, wav_file
from tests.support.worse import echoing, narrow, noisy, quieter

MANIFEST: list[dict[str, Any]] = json.loads((SAMPLE / "manifest.json").read_text())

Prints = dict[str, Voiceprint | None]


def samples_of(file: str) -> Float32:
    samples, rate = soundfile.read(SAMPLE / file, dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


@pytest.fixture(scope="module")
def prints() -> Prints:
    return {entry["file"]: compute_voiceprint(samples_of(entry["file"]), RATE) for entry in MANIFEST}


def files(**wanted: str) -> list[str]:
    return [entry["file"] for entry in MANIFEST if wanted.items() <= entry.items()]


def of(prints: Prints, reader: str) -> list[Voiceprint | None]:
    return [prints[name] for name in files(kind="recording", speaker=reader)]


def known(one: Voiceprint | None) -> Voiceprint:
    assert one is not None
    return one


def turned(one: Voiceprint, share: float, seed: int = 0, seconds: float = 10.0) -> Voiceprint:
    """A print of this likeness to `one`."""
    other = np.random.default_rng(seed).standard_normal(256)
    other -= (other @ one.vector) * one.vector
    vector = share * one.vector + (1 - share**2) ** 0.5 * other / np.linalg.norm(other)
    return Voiceprint(vector.astype(np.float32), seconds)


def mp3(samples: Float32) -> Float32:
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.9)
    file.seek(0)
    return np.asarray(soundfile.read(file, dtype="float32")[0])


WORSE: dict[str, Callable[[Float32], Float32]] = {
    "noise": lambda samples: noisy(samples, 15),
    "room": lambda samples: echoing(samples, RATE, 0.3),
    "telephone": lambda samples: narrow(samples, RATE, 3400),
    "whisper of a level": lambda samples: quieter(samples, 25),
    "codec": mp3,
    "two seconds": lambda samples: samples[RATE : 3 * RATE],
}


def test_print_has_length_one_and_hides_itself(prints: Prints) -> None:
    one = known(prints["slt-01.flac"])
    assert one.vector.shape == (256,) and one.vector.dtype == np.dtype("float32")
    assert np.linalg.norm(one.vector) == pytest.approx(1, abs=1e-5)
    assert compute_similarity(one, one) == pytest.approx(1, abs=1e-5)
    assert repr(one) == "Voiceprint(5.4 s)"


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_voice_is_the_same_at_every_rate(prints: Prints, rate: int) -> None:
    other = compute_voiceprint(soxr.resample(samples_of("slt-01.flac"), RATE, rate), rate)
    assert compute_similarity(known(prints["slt-01.flac"]), known(other)) > (0.9 if rate == 8000 else 0.99)


def test_pauses_do_not_count(prints: Prints) -> None:
    samples = samples_of("slt-01.flac")
    room = noise(4.0, -66.0).astype(np.float32)
    padded = known(compute_voiceprint(np.concatenate((room, samples[:40000], room, samples[40000:], room)), RATE))
    assert padded.voiced_seconds == pytest.approx(known(prints["slt-01.flac"]).voiced_seconds, abs=0.4)
    assert compute_similarity(padded, known(prints["slt-01.flac"])) > 0.97


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(10), np.zeros(RATE), noise(3.0, -20.0), noise(9.0, -60.0)])
def test_without_speech_there_is_no_print(samples: "np.typing.NDArray[np.float64]") -> None:
    assert compute_voiceprint(samples.astype(np.float32), RATE) is None


def test_under_a_second_of_speech_is_no_print() -> None:
    samples = samples_of("slt-01.flac")
    assert compute_voiceprint(samples[: int(0.9 * RATE)], RATE) is None
    assert compute_voiceprint(samples[: 2 * RATE], RATE) is not None


def test_only_the_first_half_minute_of_speech_is_heard() -> None:
    long = np.tile(samples_of("slt-01.flac"), 30)
    assert known(compute_voiceprint(long, RATE)).voiced_seconds == 30.0


def test_wrong_speaker_is_the_only_outlier_of_rms(prints: Prints) -> None:
    names = [name for name in files(set="rms") if not name.startswith("consent")]
    flagged = [name for name, out in zip(names, flag_outliers([prints[name] for name in names]), strict=True) if out]
    assert flagged == files(kind="wrong_speaker")


@pytest.mark.parametrize("foreign", files(kind="recording", speaker="rms"))
def test_one_foreign_clip_is_the_only_outlier_of_slt(prints: Prints, foreign: str) -> None:
    assert flag_outliers([*of(prints, "slt"), prints[foreign]]) == [False] * 8 + [True]


@pytest.mark.parametrize(("own", "foreign"), [(6, 4), (4, 2), (3, 1), (8, 5)])
def test_a_minority_by_one_stranger_does_not_become_the_voice(prints: Prints, own: int, foreign: int) -> None:
    mixed = of(prints, "slt")[:own] + of(prints, "rms")[:foreign]
    assert flag_outliers(mixed) == [False] * own + [True] * foreign
    assert flag_outliers(mixed[::-1]) == [True] * foreign + [False] * own


@pytest.mark.parametrize("reader", ["slt", "rms"])
def test_genuine_set_has_no_outliers(prints: Prints, reader: str) -> None:
    assert not any(flag_outliers(of(prints, reader)))


@pytest.mark.parametrize("how", WORSE)
@pytest.mark.parametrize("reader", ["slt", "rms"])
def test_poor_clip_of_the_reader_is_nearer_than_a_good_one_of_another(prints: Prints, reader: str, how: str) -> None:
    middle = known(compute_centroid(of(prints, reader)))
    worse = known(compute_voiceprint(WORSE[how](samples_of(f"{reader}-06.flac")), RATE))
    other = max(compute_similarity(known(one), middle) for one in of(prints, {"slt": "rms", "rms": "slt"}[reader]))
    assert compute_similarity(worse, middle) > other + 0.03


def test_outliers_need_a_set_to_stand_out_of(prints: Prints) -> None:
    assert flag_outliers([]) == []
    slt, rms = of(prints, "slt"), of(prints, "rms")
    assert flag_outliers([slt[0], slt[1], rms[0]]) == [False] * 3
    assert flag_outliers([slt[0], slt[1], rms[0], None]) == [False] * 4
    assert flag_outliers([slt[0], slt[1], rms[0], slt[2]]) == [False, False, True, False]


def test_short_clips_are_judged_more_mildly_and_very_short_ones_not_at_all(prints: Prints) -> None:
    own = of(prints, "slt")
    middle = known(compute_centroid(own))
    for seconds, share, out in ((3.0, 0.72, True), (2.9, 0.72, False), (2.9, 0.6, True), (1.4, 0.1, False)):
        assert flag_outliers([*own, turned(middle, share, seconds=seconds)])[-1] is out, (seconds, share)


def test_outlier_threshold_is_data(prints: Prints) -> None:
    strict = replace(THRESHOLDS, speaker_outlier=0.999)
    assert any(flag_outliers(of(prints, "slt"), strict))
    assert compute_centroid([None]) is compute_centroid([]) is None


@pytest.mark.parametrize("reader", ["slt", "rms"])
def test_consent_matches_the_recordings_of_its_reader_only(prints: Prints, reader: str) -> None:
    found = {name: match_speaker(prints[name], of(prints, reader)) for name in files(kind="consent")}
    mine = found.pop(f"consent-{reader}.flac")
    assert (mine.verdict, mine.threshold, mine.finding) == ("same", 0.75, None)
    assert mine.compared_with == len(of(prints, reader))
    assert mine.score is not None and mine.score > 0.9
    assert {one.verdict for one in found.values()} <= {"different", "unsure"}
    assert all(one.finding is not None for one in found.values())


def test_verdict_follows_the_thresholds(prints: Prints) -> None:
    recordings = of(prints, "slt")
    middle = known(compute_centroid(recordings))
    told = {share: match_speaker(turned(middle, share), recordings) for share in (0.76, 0.74, 0.63, 0.615, 0.1)}
    assert [one.verdict for one in told.values()] == ["same", "unsure", "unsure", "different", "different"]
    assert [one.finding.code if one.finding else "" for one in told.values()] == [
        "",
        "take_voice_unsure",
        "take_voice_unsure",
        "take_other_voice",
        "take_other_voice",
    ]
    assert "similarity 0.61, below 0.62" in told[0.615].text
    assert all(one.error_rate is not None and 0 < one.error_rate < 0.1 for one in told.values())
    moved = replace(THRESHOLDS, speaker_same=0.8, speaker_different=0.7)
    assert match_speaker(turned(middle, 0.76), recordings, moved).verdict == "unsure"
    assert match_speaker(turned(middle, 0.69), recordings, moved).verdict == "different"


def test_what_cannot_be_compared_is_unchecked_and_says_why(prints: Prints, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings, take = of(prints, "slt"), prints["consent-slt.flac"]
    few = match_speaker(take, [*recordings[:2], None])
    assert (few.verdict, few.compared_with, few.score, few.error_rate) == ("unchecked", 2, None, None)
    assert "2 recordings" in few.text and "too few" in few.text
    assert "too little speech in the take" in match_speaker(None, recordings).text
    monkeypatch.setattr(speaker_match, "load_encoder", lambda: MissingModel("Resemblyzer is not installed."))
    assert compute_voiceprint(samples_of("slt-01.flac"), RATE) is None
    gone = match_speaker(None, [None] * 9)
    assert gone.text == "The voice was not compared with the recordings: Resemblyzer is not installed."
    assert gone.finding is not None and gone.finding.code == "take_voice_unchecked"


def test_what_is_kept_of_a_match_holds_no_print(prints: Prints) -> None:
    for take in (prints["consent-slt.flac"], prints["consent-rms.flac"], None):
        kept = json.dumps(match_speaker(take, of(prints, "slt")).as_dict())
        assert "vector" not in kept and len(kept) < 700


def test_load_takes_only_the_start() -> None:
    file = wav_file(speech_like(9.0))
    assert len(load_samples(file, read_header(file), max_seconds=2.0)) == 2 * RATE
    whole = load_samples(file, read_header(file))
    assert whole.dtype == np.float32
    assert np.abs(whole - speech_like(9.0)).max() < 1e-4
