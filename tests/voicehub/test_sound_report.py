"""What is said of a sound: findings as chips, facts with their verdicts, measures with their units."""

from dataclasses import fields
from typing import Any

import pytest
from django.template import Context, Template

from audio.analysis.measures import MEANINGS
from audio.findings.catalog import CODES
from audio.findings.findings import make_finding
from audio.levels.measure import Levels
from voicehub import sound_report
from voicehub.templatetags import sound

LEVELS: dict[str, Any] = {
    "peak_dbfs": -3.26, "rms_dbfs": -21.4, "dc_offset": 0.0, "clipped_share": 0.0, "noise_floor_dbfs": -60.2,
    "snr_db": 38.4, "speech_seconds": 7.1, "leading_silence": 0.31, "trailing_silence": 0.42, "clipped": [],
}  # fmt: skip
OF_FILE = {"sample_rate": 44100, "seconds": 9.04, "size": 797_000}


def shown(source: str, **context: Any) -> str:
    return Template("{% load sound %}" + source).render(Context(context))


def words(fact: sound_report.Fact) -> tuple[str, str, str]:
    return fact.label, fact.value, fact.tone


@pytest.mark.parametrize(
    ("code", "few_words"),
    [
        ("clipping", "Clipping"),
        ("silence_at_end", "Silence at end"),
        ("dc_offset", "DC offset"),
        ("is_mp3", "MP3"),
        ("not_wav", "Not WAV"),
        ("not_16_bit", "Not 16 bits"),
        ("transcript_digits", "Transcript: digits"),
    ],
)
def test_a_code_in_few_words(code: str, few_words: str) -> None:
    assert sound_report.format_code(code) == few_words


def test_every_code_has_its_few_words() -> None:
    for code in CODES:
        assert 2 < len(sound_report.format_code(code)) < 40 and "_" not in sound_report.format_code(code), code
        assert sound_report.format_code(code)[0].isupper() or sound_report.format_code(code)[0].isdigit(), code


@pytest.mark.parametrize(
    ("at", "place", "played"),
    [(0.0, "0.0 s", "0.00"), (0.3, "0.3 s", "0.00"), (1.23, "1.2 s", "0.73"), (65.0, "1:05", "64.50")],
)
def test_a_place_plays_from_half_a_second_before(at: float, place: str, played: str) -> None:
    assert (sound_report.make_time_mark(at).label, sound_report.make_time_mark(at).play_from) == (place, played)


def test_chips_say_what_it_is_and_what_to_do_the_gravest_first() -> None:
    found = [make_finding("too_quiet", level=-40.0).as_dict(), make_finding("not_wav").as_dict()]
    out = shown("{% chips found %}", found=[*found, {**found[0], "text": "<b>", "severity": "unheard of"}])
    assert "It is quiet: -40 dBFS" in out and "Record closer" in out and "too_quiet" in out
    assert out.index("This is not a WAV file.") < out.index("It is quiet")
    assert out.count("<details open>") == 1, "only what keeps it from being used is open at once"
    assert "&lt;b&gt;" in out and "<b>" not in out
    assert shown("{% chips found %}", found=[]).strip() == ""


def test_a_chip_with_a_time_plays_where_there_is_a_sound_to_play() -> None:
    found = [make_finding("clipping", at=65.0, share=0.01).as_dict()]
    assert 'data-at="64.50"' in shown("{% chips found %}", found=found).partition("</details>")[2]
    out = shown("{% chips found playable=no %}", found=found, no=False)
    assert "data-at" not in out and "at 1:05" in out


def test_what_a_comparison_found_is_told_apart() -> None:
    one = make_finding("noisy", snr=9.0).as_dict()
    assert shown("{% chips found found %}", found=[one]).count("compared with the others") == 1


def test_a_sound_that_is_fine_is_fine_in_every_line() -> None:
    assert [
        words(fact) for fact in sound_report.make_facts({**sound_report.merge_measures(LEVELS, {}), **OF_FILE}, [])
    ] == [
        ("Format", "WAV, 16-bit, mono, 44.1 kHz", "good"),
        ("Length", "9.0 s, 778.3\xa0KB", "good"),
        ("Level", "−21 dBFS on average, −3.3 dBFS peak", "good"),
        ("Noise", "38 dB below the speech", "good"),
        ("Clipping", "None", "good"),
        ("Silence", "0.3 s before, 0.4 s after", "good"),
    ]


@pytest.mark.parametrize(
    ("found", "label", "tone"),
    [
        (make_finding("too_quiet", level=-40.0), "Level", "wait"),
        (make_finding("noisy", snr=9.0), "Noise", "wait"),
        (make_finding("clipping", at=1.0, share=0.01), "Clipping", "wait"),
        (make_finding("silence_at_end", at=8.0, seconds=1.5), "Silence", "wait"),
        (make_finding("too_long", seconds=200.0, limit=120), "Length", "bad"),
    ],
)
def test_a_finding_stands_in_its_line_and_changes_the_verdict_of_that_line_alone(
    found: Any, label: str, tone: str
) -> None:
    facts = sound_report.make_facts({**sound_report.merge_measures(LEVELS, {}), **OF_FILE}, [found.as_dict()])
    assert {fact.label: fact.tone for fact in facts if fact.tone != "good"} == {label: tone}
    (chip,) = next(fact for fact in facts if fact.label == label).chips
    assert chip.text == found.text


def test_of_a_file_that_cannot_be_read_only_the_reason_is_told() -> None:
    facts = sound_report.make_facts({"sample_rate": 0, "seconds": 0, "size": 5}, [make_finding("not_wav").as_dict()])
    assert [words(fact) for fact in facts] == [("Not WAV", "", "bad")]


def test_a_finding_that_is_told_twice_is_shown_once() -> None:
    one = make_finding("noisy", snr=9.0).as_dict()
    assert (
        sum(
            len(fact.chips)
            for fact in sound_report.make_facts(sound_report.merge_measures(LEVELS, {}), [one, dict(one)])
        )
        == 1
    )


def test_clipped_places_play() -> None:
    levels = {**LEVELS, "clipped_share": 0.002, "clipped": [[1.2, 1.25], [3.0, 3.01]]}
    clipping = next(
        fact
        for fact in sound_report.make_facts(sound_report.merge_measures(levels, {}), [])
        if fact.label == "Clipping"
    )
    assert [place.play_from for place in clipping.marks] == ["0.70", "2.50"]
    many = {**levels, "clipped": [[float(second), second + 0.1] for second in range(11)]}
    out = shown("{% measures levels more %}", levels=many, more={})
    assert out.count("data-at=") == sound.MAX_MARKS_SHOWN and "and 3 more places" in out


def test_measures_have_plain_names_and_units() -> None:
    more = {
        "lufs": -20.96,
        "bandwidth_hz": 7930,
        "speech_share": 0.84,
        "unheard_of": 3,
        "missing": ["There was no model."],
        "reverberation_seconds": None,
    }
    out = shown("{% measures levels more %}", levels=LEVELS, more=more)
    for text in ("−21.0 LUFS", "7.9 kHz", "84%", "−60 dBFS"):
        assert text in out
    assert "Not measured: There was no model." in out
    assert "unheard_of" not in out and "Reverberation" not in out and "Estimated" not in out


def test_all_that_is_measured_is_shown_by_the_names_that_it_is_measured_by() -> None:
    assert set(sound.MEASURES) <= set(MEANINGS) and set(sound_report.MEASURE_NAMES.values()) <= set(MEANINGS)
    assert {needed for _label, _words, needed, _codes in sound_report.FACTS} <= {*MEANINGS, "sample_rate"}
    assert set().union(*(codes for *_rest, codes in sound_report.FACTS)) <= set(CODES)
    assert set(sound_report.MEASURE_NAMES) <= {one.name for one in fields(Levels)}


def test_a_deep_look_goes_over_a_quick_one() -> None:
    assert sound_report.merge_measures({"snr_db": 20.0, "dc_offset": 0.1}, {"snr_db": 22.0, "lufs": None}) == {
        "snr_db": 22.0,
        "dc_offset_share": 0.1,
    }


def test_nothing_is_offered_where_nothing_was_measured() -> None:
    assert shown("{% measures levels more %}", levels={}, more={}).strip() == ""
