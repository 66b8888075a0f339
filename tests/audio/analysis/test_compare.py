"""What is wrong with a set is found at the clips that it is wrong with, and nothing in a good set."""

import io
import json
from collections.abc import Iterator
from datetime import date
from typing import Any, BinaryIO

import numpy as np
import pytest
import soundfile
import soxr

from audio.analysis.compare import SetClip, SetReport, _extract_features, compare_recordings, flag_unlike_levels
from audio.findings.thresholds import THRESHOLDS
from audio.networks import speaker_match
from audio.networks.weights import MissingModel
from audio.wav.riff import Float32
from tests.support.wav import RATE, SAMPLE, noise, wav_bytes

SLT = [f"slt-0{number}" for number in range(1, 9)]
MONDAY, TUESDAY, FRIDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 20)


def sound(name: str) -> Float32:
    return np.asarray(soundfile.read(SAMPLE / f"{name}.flac", dtype="float32")[0])


def clip(id: str, samples: Float32 | str, rate: int = RATE, **told: Any) -> SetClip:
    data = wav_bytes((sound(samples) if isinstance(samples, str) else samples).astype(np.float64), rate=rate)
    return SetClip(id, f"{id}.wav", lambda: io.BytesIO(data), **told)


def slt(**told: Any) -> list[SetClip]:
    return [clip(name, name, transcript=f"Sentence {name}.", **told) for name in SLT]


def codes(report: SetReport) -> dict[str, list[str]]:
    """The codes by id, of clips that have any."""
    return {key: [one.code for one in found] for key, found in report.clips.items() if found}


def texts(report: SetReport, id: str) -> str:
    return " ".join(one.text for one in report.clips[id])


def day_codes(report: SetReport) -> dict[date, list[str]]:
    return {day: [one.code for one in found] for day, found in report.days.items()}


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the speaker model, which takes most of the time; what is tested does not need it."""
    monkeypatch.setattr(speaker_match, "load_encoder", lambda: MissingModel("Resemblyzer is not installed."))


def test_good_set_has_no_findings() -> None:
    report = compare_recordings([*slt(day=MONDAY)[:4], *slt(day=TUESDAY)[4:]])
    assert codes(report) == {} and report.days == {}
    assert report.summary == {"clips": 8, "unread": [], "voices": 8, "voices_missing": "", "codes": {}}


def test_stranger_is_found_with_the_numbers() -> None:
    report = compare_recordings([*slt(), clip("guest", "rms-02")])
    assert codes(report) == {"guest": ["other_speaker"]}
    assert "similarity to the rest 0.6" in texts(report, "guest") and "below 0.75" in texts(report, "guest")
    assert report.summary["codes"] == {"other_speaker": 1}


def test_without_the_model_nobody_is_a_stranger_and_it_is_said(deaf: None) -> None:
    report = compare_recordings([*slt(), clip("guest", "rms-02")])
    assert codes(report) == {}
    assert (report.summary["voices"], report.summary["voices_missing"]) == (0, "Resemblyzer is not installed.")


@pytest.mark.usefixtures("deaf")
def test_same_sound_is_found_exactly_and_nearly() -> None:
    other = soxr.resample(sound("slt-03")[2000:] * np.float32(0.8), RATE, 44100)
    report = compare_recordings(
        [*slt(), clip("again", "slt-01", transcript="Sentence slt-01."), clip("export", other, 44100)]
    )
    assert codes(report) == {
        "slt-01": ["same_sound"],
        "again": ["same_sound"],
        "slt-03": ["nearly_same_sound"],
        "export": ["nearly_same_sound"],
    }
    assert "again.wav" in texts(report, "slt-01") and "slt-01.wav" in texts(report, "again")
    assert "export.wav" in texts(report, "slt-03") and "slt-03.wav" in texts(report, "export")


@pytest.mark.usefixtures("deaf")
def test_export_of_a_clip_that_is_there_twice_is_told_of_both() -> None:
    export = sound("slt-01") * np.float32(0.7)
    report = compare_recordings(
        [clip("one", "slt-01"), clip("two", "slt-01"), clip("three", export), clip("four", "slt-02")]
    )
    assert codes(report) == {
        "one": ["same_sound", "nearly_same_sound"],
        "two": ["same_sound", "nearly_same_sound"],
        "three": ["nearly_same_sound"],
    }
    assert "one.wav, two.wav" in texts(report, "three")


@pytest.mark.usefixtures("deaf")
def test_same_sound_with_another_transcript() -> None:
    one = clip("one", "slt-01", transcript="The lamp is lit.")
    loud = sound("slt-01") * np.float32(0.9)
    for other in (clip("two", "slt-01", transcript="The camp is lit."), clip("two", loud, transcript="Nothing.")):
        assert codes(compare_recordings([one, other])) == {key: ["same_sound_other_words"] for key in ("one", "two")}
    for words in ("", "the lamp — is lit"):
        assert "same_sound" in codes(compare_recordings([one, clip("two", "slt-01", transcript=words)]))["two"]


@pytest.mark.usefixtures("deaf")
def test_same_transcript_under_other_sounds() -> None:
    words = ("Don’t go, there.", "don't  GO there", "", "", "Don t go there")
    report = compare_recordings([clip(name, name, transcript=text) for name, text in zip(SLT, words, strict=False)])
    assert codes(report) == {"slt-01": ["same_transcript"], "slt-02": ["same_transcript"]}
    assert "slt-02.wav" in texts(report, "slt-01")


@pytest.mark.usefixtures("deaf")
def test_many_others_are_counted_not_listed() -> None:
    report = compare_recordings([clip(name, name, transcript="One text.") for name in SLT])
    assert texts(report, "slt-08") == "It has the same words as slt-01.wav, slt-02.wav, slt-03.wav and 4 more."


@pytest.mark.usefixtures("deaf")
def test_level_unlike_the_rest() -> None:
    names = {"quiet": ("rms-01", -7), "loud": ("rms-02", 7), "near": ("rms-03", 5), "nearer": ("rms-04", -5)}
    changed = {id: sound(name) * np.float32(10 ** (by / 20)) for id, (name, by) in names.items()}
    report = compare_recordings([*slt(), *(clip(id, np.clip(samples, -1, 1)) for id, samples in changed.items())])
    assert codes(report) == {"quiet": ["unlike_level"], "loud": ["unlike_level"]}
    assert "7 dB quieter" in texts(report, "quiet") and "7 dB louder" in texts(report, "loud")


@pytest.mark.usefixtures("deaf")
def test_silent_clips_are_neither_copies_nor_quiet() -> None:
    silence, room = np.zeros(3 * RATE, np.float32), noise(3.0, -66.0).astype(np.float32)
    report = compare_recordings([*slt(), *(clip(f"{n}", one) for n, one in enumerate((silence, silence, room, room)))])
    assert codes(report) == {}


def test_unlike_levels() -> None:
    assert flag_unlike_levels([]) == []
    levels = [-20.0, -20.0, -20.0, -26.1, -13.9, -25.9, -14.1]
    assert flag_unlike_levels(levels) == [False, False, False, True, True, False, False]
    assert flag_unlike_levels(levels, THRESHOLDS.with_overrides({"set_level_db": 5.0}))[-2:] == [True, True]


def week(**friday: Any) -> list[SetClip]:
    """Six quiet days' clips and, on Friday, three of another kind."""
    gain, floor = np.float32(10 ** (friday.get("by_db", 0) / 20)), friday.get("floor", -66.0)
    changed = [sound(name) * gain + noise(len(sound(name)) / RATE, floor).astype(np.float32) for name in SLT[5:]]
    measures = [{"bandwidth_hz": friday.get("band", 8000.0), "reverberation_seconds": friday.get("room", 0.2)}] * 3
    usual = {"bandwidth_hz": 7900.0, "reverberation_seconds": 0.22}
    return [
        *(clip(name, name, day=MONDAY, measures=usual) for name in SLT[:3]),
        *(clip(name, name, day=TUESDAY, measures=usual) for name in ("rms-01", "rms-02", "rms-03")),
        *(clip(SLT[5 + n], one, day=FRIDAY, measures=measures[n]) for n, one in enumerate(changed)),
    ]


@pytest.mark.usefixtures("deaf")
@pytest.mark.parametrize(
    ("friday", "code", "words"),
    [
        ({"by_db": -5.0}, "day_unlike_level", "20 November 2026 are 5 dB quieter"),
        ({"by_db": 5.0}, "day_unlike_level", "louder"),
        ({"floor": -45.0}, "day_unlike_floor", "dB louder"),
        ({"band": 4000.0}, "day_unlike_band", "up to 4.0 kHz, those of the other days to 7.9 kHz"),
        ({"room": 0.5}, "day_unlike_room", "0.50 s, that of the other days 0.22 s"),
    ],
)
def test_day_unlike_the_others_is_found_alone(friday: dict[str, float], code: str, words: str) -> None:
    report = compare_recordings(week(**friday))
    assert code in day_codes(report)[FRIDAY] and list(report.days) == [FRIDAY]
    assert words in " ".join(one.text for one in report.days[FRIDAY])
    assert report.summary["codes"][code] == 1


@pytest.mark.usefixtures("deaf")
def test_days_that_differ_little_or_have_few_clips_are_as_usual() -> None:
    assert (
        compare_recordings(week()).days
        == compare_recordings(week(by_db=-3.0, floor=-62.0, band=6500.0, room=0.3)).days
        == {}
    )
    assert compare_recordings(week(by_db=-5.0)[:-1]).days == {}
    assert compare_recordings(week(by_db=-5.0)[-3:]).days == {}


@pytest.mark.usefixtures("deaf")
def test_of_two_days_the_one_with_fewer_clips_is_the_odd_one() -> None:
    for flipped, by in ((False, 5.0), (True, 5.0), (False, -5.0), (True, -5.0)):
        clips = [one for one in week(by_db=by) if one.day != TUESDAY] + [clip("extra", "slt-04", day=MONDAY)]
        assert list(compare_recordings(clips[::-1] if flipped else clips).days) == [FRIDAY]


@pytest.mark.usefixtures("deaf")
def test_unreadable_clips_are_told_of_and_the_rest_is_compared() -> None:
    def gone() -> BinaryIO:
        raise FileNotFoundError("gone")

    text = SetClip("text", "text.wav", lambda: io.BytesIO(b"Not a WAV file."))
    report = compare_recordings([SetClip("gone", "gone.wav", gone), text, clip("a", "slt-01"), clip("b", "slt-01")])
    assert report.summary["unread"] == ["gone", "text"] and report.summary["clips"] == 4
    assert codes(report) == {"a": ["same_sound"], "b": ["same_sound"]}


@pytest.mark.usefixtures("deaf")
def test_clips_are_opened_one_at_a_time_and_closed() -> None:
    opened: list[io.BytesIO] = []

    def opener(data: bytes) -> BinaryIO:
        assert all(file.closed for file in opened)
        opened.append(io.BytesIO(data))
        return opened[-1]

    def told() -> Iterator[SetClip]:
        for name in SLT[:4]:
            data = wav_bytes(sound(name).astype(np.float64))
            yield SetClip(name, name, lambda data=data: opener(data))  # type: ignore[misc] # binds the loop's value
            assert opened[-1].closed

    compare_recordings(told())
    assert len(opened) == 4 and all(file.closed for file in opened)


def test_report_keeps_no_print_of_a_voice() -> None:
    report = compare_recordings([*slt()[:4], clip("guest", "rms-02")])
    kept = json.dumps([report.summary, [one.as_dict() for found in report.clips.values() for one in found]])
    assert len(kept) < 1000
    assert "vector" not in kept


@pytest.mark.usefixtures("deaf")
def test_what_is_kept_of_a_clip_does_not_grow_with_its_length() -> None:
    long = np.tile(sound("slt-01"), 20)
    heard = _extract_features(clip("long", long), THRESHOLDS)
    assert len(heard.fingerprint) < 4000 and len(heard.content_hash) == 64
