"""The report on an audio file: findings as chips, facts colored by their findings, measures with units."""

from dataclasses import fields
from typing import Any

import pytest
from django.template import Context, Template

from audio.analysis.measures import LEVEL_NAMES, MEANINGS, merge_measures
from audio.findings.catalog import CODES
from audio.findings.findings import make_finding
from audio.levels.measure import Levels
from voicehub import sound_report
from voicehub.templatetags import sound

LEVELS: dict[str, Any] = {
    "peak_dbfs": -3.26, "rms_dbfs": -21.4, "dc_offset": 0.0, "clipped_share": 0.0, "noise_floor_dbfs": -60.2,
    "snr_db": 38.4, "speech_seconds": 7.1, "leading_silence": 0.31, "trailing_silence": 0.42, "clipped": [],
}  # fmt: skip
ANALYSIS: dict[str, Any] = {"rms_dbfs": -21.4, "reverberation_seconds": 0.21, "bandwidth_hz": 7930}
FILE_FACTS = {"sample_rate": 44100, "seconds": 9.04, "size": 797_000}


def render_template(source: str, **context: Any) -> str:
    return Template("{% load sound %}" + source).render(Context(context))


def describe_fact(fact: sound_report.Fact) -> tuple[str, str, str]:
    return fact.label, fact.value, fact.tone


@pytest.mark.parametrize(
    ("code", "title"),
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
def test_code_is_written_as_a_short_title(code: str, title: str) -> None:
    assert sound_report.format_code(code) == title


def test_every_code_has_a_short_title() -> None:
    for code in CODES:
        assert 2 < len(sound_report.format_code(code)) < 40 and "_" not in sound_report.format_code(code), code
        assert sound_report.format_code(code)[0].isupper() or sound_report.format_code(code)[0].isdigit(), code


@pytest.mark.parametrize(
    ("at", "label", "play_from"),
    [(0.0, "0.0 s", "0.00"), (0.3, "0.3 s", "0.00"), (1.23, "1.2 s", "0.73"), (65.0, "1:05", "64.50")],
)
def test_time_mark_plays_from_half_a_second_earlier(at: float, label: str, play_from: str) -> None:
    assert (sound_report.make_time_mark(at).label, sound_report.make_time_mark(at).play_from) == (label, play_from)


def test_chips_show_text_and_advice_worst_first() -> None:
    findings = [make_finding("too_quiet", level=-40.0).as_dict(), make_finding("not_wav").as_dict()]
    html = render_template(
        "{% chips findings %}", findings=[*findings, {**findings[0], "text": "<b>", "severity": "unknown"}]
    )
    assert "It is quiet: -40 dBFS" in html and "Record closer" in html and "too_quiet" in html
    assert html.index("This is not a WAV file.") < html.index("It is quiet")
    assert html.count("<details open>") == 1, "only a finding that blocks the file is unfolded"
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert render_template("{% chips findings %}", findings=[]).strip() == ""


def test_chip_with_a_time_has_a_play_button_only_if_audio_is_playable() -> None:
    findings = [make_finding("clipping", at=65.0, share=0.01).as_dict()]
    assert 'data-at="64.50"' in render_template("{% chips findings %}", findings=findings).partition("</details>")[2]
    html = render_template("{% chips findings playable=no %}", findings=findings, no=False)
    assert "data-at" not in html and "at 1:05" in html


def test_chip_of_a_finding_from_the_comparison_is_labeled() -> None:
    finding = make_finding("noisy", snr=9.0).as_dict()
    assert render_template("{% chips findings findings %}", findings=[finding]).count("compared with the others") == 1


def test_every_fact_of_a_file_without_findings_has_the_tone_good() -> None:
    assert [
        describe_fact(fact) for fact in sound_report.make_facts({**merge_measures(LEVELS, ANALYSIS), **FILE_FACTS}, [])
    ] == [
        ("Format", "WAV, 16-bit, mono, 44.1 kHz", "good"),
        ("Length", "9.0 s, 778.3\xa0KB", "good"),
        ("Level", "−21 dBFS on average, −3.3 dBFS peak", "good"),
        ("Noise", "38 dB below the speech", "good"),
        ("Clipping", "None", "good"),
        ("Silence", "0.3 s before, 0.4 s after", "good"),
        ("Room", "Sound decays in 0.21 s", "good"),
        ("Treble", "Up to 7.9 kHz", "good"),
    ]


@pytest.mark.parametrize(
    ("finding", "label", "tone"),
    [
        (make_finding("too_quiet", level=-40.0), "Level", "wait"),
        (make_finding("noisy", snr=9.0), "Noise", "wait"),
        (make_finding("clipping", at=1.0, share=0.01), "Clipping", "wait"),
        (make_finding("silence_at_end", at=8.0, seconds=1.5), "Silence", "wait"),
        (make_finding("too_long", seconds=200.0, limit=120), "Length", "bad"),
    ],
)
def test_finding_changes_only_the_tone_of_its_own_fact(finding: Any, label: str, tone: str) -> None:
    sound_measures = {**merge_measures(LEVELS, ANALYSIS), **FILE_FACTS}
    facts = sound_report.make_facts(sound_measures, [finding.as_dict()])
    assert {fact.label: fact.tone for fact in facts if fact.tone != "good"} == {label: tone}
    (chip,) = next(fact for fact in facts if fact.label == label).chips
    assert chip.text == finding.text


def test_unreadable_file_shows_only_the_reason_and_that_nothing_was_measured() -> None:
    facts = sound_report.make_facts({"sample_rate": 0, "seconds": 0, "size": 5}, [make_finding("not_wav").as_dict()])
    assert [describe_fact(fact) for fact in facts] == [("Not WAV", "", "bad"), ("Sound", "", "over")]
    assert facts[1].missing == "the file could not be read." and facts[1].verdict == "Not measured"


@pytest.mark.parametrize("code", ["silent", "no_speech"])
def test_checks_of_speech_are_not_measured_without_speech(code: str) -> None:
    """A silent file has no clipping and no noise, but that says nothing about how the person would sound."""
    measures = merge_measures(LEVELS, ANALYSIS)
    facts = sound_report.make_facts({**measures, **FILE_FACTS}, [make_finding(code).as_dict()])
    states = {fact.label: (fact.tone, fact.verdict, fact.missing) for fact in facts}
    assert states.pop("Level" if code == "silent" else "Silence") == ("wait", "Check this", "")
    assert {states.pop("Format"), states.pop("Length")} == {("good", "Fine", "")}
    assert len(states) == 5 and set(states.values()) == {("over", "Not measured", "no speech was found.")}
    assert not any(fact.value for fact in facts if fact.tone != "good")


def test_digital_silence_without_a_finding_is_not_fine() -> None:
    silence = {**merge_measures(LEVELS, {"speech_seconds": 0.0, "rms_dbfs": -100.0}), **FILE_FACTS}
    assert {fact.tone for fact in sound_report.make_facts(silence, [])} == {"good", "over"}


@pytest.mark.parametrize(
    ("analysis", "is_analyzed", "reasons"),
    [
        ({}, False, {"Room": "the full analysis was not made.", "Treble": "the full analysis was not made."}),
        (
            {**ANALYSIS, "reverberation_seconds": None},
            True,
            {"Room": "there are too few places where speech stops."},
        ),
    ],
)
def test_fact_that_was_not_measured_says_why(
    analysis: dict[str, Any], is_analyzed: bool, reasons: dict[str, str]
) -> None:
    measures = merge_measures(LEVELS, analysis)
    facts = sound_report.make_facts({**measures, **FILE_FACTS}, [], is_analyzed=is_analyzed)
    assert {fact.label: fact.missing for fact in facts if fact.missing} == reasons
    html = render_template('{% include "studio/audio_facts.html" %}', facts=facts)
    for reason in reasons.values():
        assert f"Not measured: {reason}" in html
    assert html.count("fact-over") == len(reasons)


def test_measures_of_speech_are_not_shown_without_speech() -> None:
    found = [make_finding("silent").as_dict()]
    html = render_template("{% measures levels analysis found %}", levels=LEVELS, analysis=ANALYSIS, found=found)
    shown, _details, listed = html.partition("<details")
    assert "Not measured: no speech was found." in shown
    for name in ("silence before", "clipped samples", "noise in the pauses", "average level", "reverberation time"):
        assert name in shown and name not in listed.lower()
    assert "Peak level" in listed
    with_speech = render_template("{% measures levels analysis %}", levels=LEVELS, analysis=ANALYSIS)
    assert "Not measured" not in with_speech and "Silence before" in with_speech


def test_failed_analysis_is_shown_without_opening_the_measurements() -> None:
    analysis = {"missing": ["The file is missing from storage. Upload the recording again."]}
    for levels in ({}, LEVELS):
        html = render_template("{% measures levels analysis %}", levels=levels, analysis=analysis)
        assert "Not measured: The file is missing from storage." in html.partition("<details")[0]
        assert html.count("Not measured") == 1


def test_missing_estimate_is_not_a_dash() -> None:
    html = render_template(
        "{% estimate measures 'stoi' %}{% estimate measures 'si_sdr' %}", measures={"estimates": {"stoi": 0.9}}
    )
    assert html == "0.900Not measured"


def test_duplicate_finding_is_shown_once() -> None:
    finding = make_finding("noisy", snr=9.0).as_dict()
    assert (
        sum(len(fact.chips) for fact in sound_report.make_facts(merge_measures(LEVELS, {}), [finding, dict(finding)]))
        == 1
    )


def test_clipped_spans_can_be_played() -> None:
    levels = {**LEVELS, "clipped_share": 0.002, "clipped": [[1.2, 1.25], [3.0, 3.01]]}
    clipping = next(
        fact for fact in sound_report.make_facts(merge_measures(levels, {}), []) if fact.label == "Clipping"
    )
    assert [mark.play_from for mark in clipping.marks] == ["0.70", "2.50"]
    many_spans = {**levels, "clipped": [[float(second), second + 0.1] for second in range(11)]}
    html = render_template("{% measures levels analysis %}", levels=many_spans, analysis={})
    assert html.count("data-at=") == sound.MAX_MARKS_SHOWN and "and 3 more places" in html


def test_measures_have_labels_and_units() -> None:
    analysis = {
        "lufs": -20.96,
        "bandwidth_hz": 7930,
        "speech_share": 0.84,
        "unknown_measure": 3,
        "missing": ["There was no model."],
        "reverberation_seconds": None,
    }
    html = render_template("{% measures levels analysis %}", levels=LEVELS, analysis=analysis)
    for text in ("−21.0 LUFS", "7.9 kHz", "84%", "−60 dBFS"):
        assert text in html
    assert "Not measured: There was no model." in html
    assert "unknown_measure" not in html and "Reverberation" not in html and "Estimated" not in html


def test_names_of_shown_measures_and_codes_exist_in_the_analysis() -> None:
    assert set(sound.MEASURES) <= set(MEANINGS) and set(LEVEL_NAMES.values()) <= set(MEANINGS)
    needed_measures = {name for kind in sound_report.FACTS for name in kind.needed}
    assert needed_measures <= {*MEANINGS, "sample_rate"}
    assert set().union(*(kind.codes for kind in sound_report.FACTS)) <= set(CODES)
    assert set(LEVEL_NAMES) <= {field.name for field in fields(Levels)}


def test_measure_of_the_analysis_replaces_that_of_the_level_check() -> None:
    assert merge_measures({"snr_db": 20.0, "dc_offset": 0.1}, {"snr_db": 22.0, "lufs": None}) == {
        "snr_db": 22.0,
        "dc_offset_share": 0.1,
    }


def test_nothing_is_shown_without_measures() -> None:
    assert render_template("{% measures levels analysis %}", levels={}, analysis={}).strip() == ""
