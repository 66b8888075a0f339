"""Comparison of a set of clips: each problem is found at its clips and days. A good set has no findings."""

import io
import json
from dataclasses import replace
from datetime import date
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from audio.analysis import compare
from audio.analysis.analyze import analyze_recording
from audio.analysis.compare import SetClip, SetReport, flag_unlike_levels
from audio.analysis.fingerprint import compute_difference, compute_fingerprint
from audio.analysis.sound_features import SoundFeatures, build_features, extract_features
from audio.findings.thresholds import THRESHOLDS
from audio.networks import speaker_match
from audio.networks.speaker_match import Voiceprint
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32, read_header
from audio.wav.riff import load_samples as load_wav_samples
from tests.support.wav import RATE, SAMPLE_FOLDER, make_wav_bytes, make_white_noise

SLT = [f"slt-0{number}" for number in range(1, 9)]
MONDAY, TUESDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 20)


def load_samples(name: str) -> Float32:
    return np.asarray(soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float32")[0])


def make_clip(id: str, samples: Float32 | str, rate: int = RATE, **fields: Any) -> SetClip:
    """Make a clip as the analysis of a file leaves it. Its features are stored as JSON and read again."""
    file = io.BytesIO(
        make_wav_bytes((load_samples(samples) if isinstance(samples, str) else samples).astype(np.float64), rate=rate)
    )
    header = read_header(file)
    sound = SoundFeatures.from_dict(json.loads(json.dumps(extract_features(file, header).as_dict())))
    assert sound
    if not sound.is_silent():
        VOICEPRINTS[id] = speaker_match.compute_voiceprint(load_wav_samples(file, header), header.sample_rate)
    return SetClip(id, f"{id}.wav", sound, **fields)


VOICEPRINTS: dict[str, Voiceprint | None] = {}
"""The voiceprints of the clips that this test made."""


@pytest.fixture(autouse=True)
def forget_voiceprints() -> None:
    VOICEPRINTS.clear()


def compare_recordings(clips: list[SetClip]) -> SetReport:
    """Compare the clips, with speakers judged by the center of all of them."""
    center = speaker_match.compute_centroid(VOICEPRINTS.get(clip.id) for clip in clips)
    judged = [replace(clip, speaker=speaker_match.judge_speaker(VOICEPRINTS.get(clip.id), center)) for clip in clips]
    return compare.compare_recordings(judged)


def make_slt_set(**fields: Any) -> list[SetClip]:
    return [make_clip(name, name, transcript=f"Sentence {name}.", **fields) for name in SLT]


def list_codes(report: SetReport) -> dict[str, list[str]]:
    """Return the finding codes by clip id, only for clips with findings."""
    return {key: [finding.code for finding in findings] for key, findings in report.clips.items() if findings}


def join_texts(report: SetReport, id: str) -> str:
    return " ".join(finding.text for finding in report.clips[id])


def list_day_codes(report: SetReport) -> dict[date, list[str]]:
    return {day: [finding.code for finding in findings] for day, findings in report.days.items()}


@pytest.fixture
def no_speaker_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the test without the speaker model, which takes most of the time. These tests do not need it."""
    monkeypatch.setattr(speaker_match, "load_encoder", lambda: MissingModel("Resemblyzer is not installed."))


def test_good_set_has_no_findings() -> None:
    report = compare_recordings([*make_slt_set(day=MONDAY)[:4], *make_slt_set(day=TUESDAY)[4:]])
    assert list_codes(report) == {} and report.days == {}
    assert report.summary == {"clips": 8, "unread": [], "voices": 8, "voices_missing": "", "codes": {}}


def test_other_speaker_is_found_with_its_similarity() -> None:
    report = compare_recordings([*make_slt_set(), make_clip("guest", "rms-02")])
    assert list_codes(report) == {"guest": ["other_speaker"]}
    assert "similarity to the rest 0.6" in join_texts(report, "guest") and "below 0.75" in join_texts(report, "guest")
    assert report.summary["codes"] == {"other_speaker": 1}


def test_missing_speaker_model_is_reported_and_flags_no_clip(no_speaker_model: None) -> None:
    report = compare_recordings([*make_slt_set(), make_clip("guest", "rms-02")])
    assert list_codes(report) == {}
    assert (report.summary["voices"], report.summary["voices_missing"]) == (0, "Resemblyzer is not installed.")


@pytest.mark.usefixtures("no_speaker_model")
def test_exact_and_near_duplicates_are_found() -> None:
    export = soxr.resample(load_samples("slt-03")[2000:] * np.float32(0.8), RATE, 44100)
    report = compare_recordings(
        [
            *make_slt_set(),
            make_clip("again", "slt-01", transcript="Sentence slt-01."),
            make_clip("export", export, 44100),
        ]
    )
    assert list_codes(report) == {
        "slt-01": ["same_sound"],
        "again": ["same_sound"],
        "slt-03": ["nearly_same_sound"],
        "export": ["nearly_same_sound"],
    }
    assert "again.wav" in join_texts(report, "slt-01") and "slt-01.wav" in join_texts(report, "again")
    assert "export.wav" in join_texts(report, "slt-03") and "slt-03.wav" in join_texts(report, "export")


@pytest.mark.usefixtures("no_speaker_model")
def test_near_duplicate_of_two_identical_clips_names_both() -> None:
    export = load_samples("slt-01") * np.float32(0.7)
    report = compare_recordings(
        [
            make_clip("one", "slt-01"),
            make_clip("two", "slt-01"),
            make_clip("three", export),
            make_clip("four", "slt-02"),
        ]
    )
    assert list_codes(report) == {
        "one": ["same_sound", "nearly_same_sound"],
        "two": ["same_sound", "nearly_same_sound"],
        "three": ["nearly_same_sound"],
    }
    assert "one.wav, two.wav" in join_texts(report, "three")


@pytest.mark.usefixtures("no_speaker_model")
def test_same_sound_with_another_transcript_is_flagged() -> None:
    first = make_clip("one", "slt-01", transcript="The lamp is lit.")
    loud = load_samples("slt-01") * np.float32(0.9)
    for second in (
        make_clip("two", "slt-01", transcript="The camp is lit."),
        make_clip("two", loud, transcript="Nothing."),
    ):
        assert list_codes(compare_recordings([first, second])) == {
            key: ["same_sound_other_words"] for key in ("one", "two")
        }
    for transcript in ("", "the lamp — is lit"):
        assert (
            "same_sound"
            in list_codes(compare_recordings([first, make_clip("two", "slt-01", transcript=transcript)]))["two"]
        )


@pytest.mark.usefixtures("no_speaker_model")
def test_different_sounds_with_the_same_transcript_are_flagged() -> None:
    transcripts = ("Don’t go, there.", "don't  GO there", "", "", "Don t go there")
    report = compare_recordings(
        [make_clip(name, name, transcript=text) for name, text in zip(SLT, transcripts, strict=False)]
    )
    assert list_codes(report) == {"slt-01": ["same_transcript"], "slt-02": ["same_transcript"]}
    assert "slt-02.wav" in join_texts(report, "slt-01")


@pytest.mark.usefixtures("no_speaker_model")
def test_finding_names_three_duplicates_and_counts_the_others() -> None:
    report = compare_recordings([make_clip(name, name, transcript="One text.") for name in SLT])
    assert join_texts(report, "slt-08") == "It has the same words as slt-01.wav, slt-02.wav, slt-03.wav and 4 more."


@pytest.mark.usefixtures("no_speaker_model")
def test_clip_at_another_level_is_flagged() -> None:
    names = {"quiet": ("rms-01", -7), "loud": ("rms-02", 7), "near": ("rms-03", 5), "nearer": ("rms-04", -5)}
    changed = {id: load_samples(name) * np.float32(10 ** (gain_db / 20)) for id, (name, gain_db) in names.items()}
    clips = [make_clip(id, np.clip(samples, -1, 1)) for id, samples in changed.items()]
    report = compare_recordings([*make_slt_set(), *clips])
    assert list_codes(report) == {"quiet": ["unlike_level"], "loud": ["unlike_level"]}
    assert "7 dB quieter" in join_texts(report, "quiet") and "7 dB louder" in join_texts(report, "loud")


@pytest.mark.usefixtures("no_speaker_model")
def test_silent_clips_are_neither_duplicates_nor_quiet() -> None:
    silence, room = np.zeros(3 * RATE, np.float32), make_white_noise(3.0, -66.0).astype(np.float32)
    clips = [make_clip(f"{n}", samples) for n, samples in enumerate((silence, silence, room, room))]
    report = compare_recordings([*make_slt_set(), *clips])
    assert list_codes(report) == {}


def test_levels_far_from_the_median_are_flagged() -> None:
    assert flag_unlike_levels([]) == []
    levels = [-20.0, -20.0, -20.0, -26.1, -13.9, -25.9, -14.1]
    assert flag_unlike_levels(levels) == [False, False, False, True, True, False, False]
    assert flag_unlike_levels(levels, THRESHOLDS.with_overrides({"set_level_db": 5.0}))[-2:] == [True, True]


def make_week(**friday_changes: Any) -> list[SetClip]:
    """Return three unchanged clips on Monday, three on Tuesday, and three with these changes on Friday."""
    gain, floor = np.float32(10 ** (friday_changes.get("gain_db", 0) / 20)), friday_changes.get("floor", -66.0)
    usual = [load_samples(name) for name in SLT[5:]]
    changed = [samples * gain + make_white_noise(len(samples) / RATE, floor).astype(np.float32) for samples in usual]
    reverberation = friday_changes.get("room", 0.2)
    measures = {"bandwidth_hz": friday_changes.get("band", 8000.0), "reverberation_seconds": reverberation}
    usual_measures = {"bandwidth_hz": 7900.0, "reverberation_seconds": 0.22}
    return [
        *(make_clip(name, name, day=MONDAY, measures=usual_measures) for name in SLT[:3]),
        *(make_clip(name, name, day=TUESDAY, measures=usual_measures) for name in ("rms-01", "rms-02", "rms-03")),
        *(make_clip(SLT[5 + n], samples, day=FRIDAY, measures=measures) for n, samples in enumerate(changed)),
    ]


@pytest.mark.usefixtures("no_speaker_model")
@pytest.mark.parametrize(
    ("friday_changes", "code", "text"),
    [
        ({"gain_db": -5.0}, "day_unlike_level", "November 20, 2026 are 5 dB quieter"),
        ({"gain_db": 5.0}, "day_unlike_level", "louder"),
        ({"floor": -45.0}, "day_unlike_floor", "dB louder"),
        ({"band": 4000.0}, "day_unlike_band", "up to 4.0 kHz, those of the other days to 7.9 kHz"),
        ({"room": 0.5}, "day_unlike_room", "0.50 s, that of the other days 0.22 s"),
    ],
)
def test_only_the_day_that_differs_is_flagged(friday_changes: dict[str, float], code: str, text: str) -> None:
    report = compare_recordings(make_week(**friday_changes))
    assert code in list_day_codes(report)[FRIDAY] and list(report.days) == [FRIDAY]
    assert text in " ".join(finding.text for finding in report.days[FRIDAY])
    assert report.summary["codes"][code] == 1


@pytest.mark.usefixtures("no_speaker_model")
def test_days_with_small_differences_or_few_clips_are_not_flagged() -> None:
    assert (
        compare_recordings(make_week()).days
        == compare_recordings(make_week(gain_db=-3.0, floor=-62.0, band=6500.0, room=0.3)).days
        == {}
    )
    assert compare_recordings(make_week(gain_db=-5.0)[:-1]).days == {}
    assert compare_recordings(make_week(gain_db=-5.0)[-3:]).days == {}


@pytest.mark.usefixtures("no_speaker_model")
def test_of_two_different_days_the_one_with_fewer_clips_is_flagged() -> None:
    for is_reversed, gain_db in ((False, 5.0), (True, 5.0), (False, -5.0), (True, -5.0)):
        clips = [clip for clip in make_week(gain_db=gain_db) if clip.day != TUESDAY]
        clips.append(make_clip("extra", "slt-04", day=MONDAY))
        assert list(compare_recordings(clips[::-1] if is_reversed else clips).days) == [FRIDAY]


@pytest.mark.usefixtures("no_speaker_model")
def test_unreadable_clips_are_listed_and_the_rest_compared() -> None:
    unread = [SetClip("text", "text.wav", None), SetClip("missing", "missing.wav", None)]
    report = compare_recordings([*unread, make_clip("a", "slt-01"), make_clip("b", "slt-01")])
    assert report.summary["unread"] == ["text", "missing"] and report.summary["clips"] == 4
    assert list_codes(report) == {"a": ["same_sound"], "b": ["same_sound"]}


def test_features_kept_by_the_analysis_equal_those_of_the_file() -> None:
    file = io.BytesIO(make_wav_bytes(load_samples("slt-01").astype(np.float64)))
    header = read_header(file)
    analysis = analyze_recording(file, header)
    samples = load_wav_samples(file, header)
    features = build_features(analysis.content_hash, analysis.levels, samples, header.sample_rate)
    assert features == extract_features(file, header)


@pytest.mark.parametrize("name", ["content_hash", "fingerprint", "rms_dbfs"])
def test_features_with_a_missing_value_are_none(name: str) -> None:
    sound = make_clip("one", "slt-01").sound
    assert sound
    values = sound.as_dict()
    del values[name]
    assert SoundFeatures.from_dict(values) is SoundFeatures.from_dict({}) is None


def test_report_contains_no_voiceprint() -> None:
    report = compare_recordings([*make_slt_set()[:4], make_clip("guest", "rms-02")])
    entries = [finding.as_dict() for findings in report.clips.values() for finding in findings]
    report_json = json.dumps([report.summary, entries])
    assert len(report_json) < 1000
    assert "vector" not in report_json


@pytest.mark.usefixtures("no_speaker_model")
def test_size_of_the_features_does_not_grow_with_the_clip() -> None:
    sound = make_clip("long", np.tile(load_samples("slt-01"), 20)).sound
    assert sound and len(json.dumps(sound.as_dict())) < 4200


def test_features_do_not_tell_two_readers_apart() -> None:
    """They are stored, so they must not be biometric: clips of one reader are as different as clips of two readers."""
    prints = {name: compute_sample_fingerprint(name) for name in (*SLT[:4], *(f"rms-0{n}" for n in range(1, 5)))}
    differences: dict[bool, list[float]] = {True: [], False: []}
    for one, other in combinations(prints, 2):
        differences[one[:3] == other[:3]].append(compute_difference(prints[one], prints[other]))
    assert min(differences[True]) > 0.3, "the same voice with other words is no match"
    assert abs(np.median(differences[True]) - np.median(differences[False])) < 0.02


def compute_sample_fingerprint(name: str) -> str:
    return compute_fingerprint(load_samples(name), RATE)
