"""Transcript checks: each problem gives its own finding. Clean texts give no findings."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.analysis.transcript_lint import compute_speaking_rate, count_syllables, lint_transcript, split_words
from audio.findings import catalog_transcript as table
from audio.findings.catalog import CODES
from audio.findings.findings import Severity
from audio.findings.thresholds import THRESHOLDS
from tests.support.wav import SAMPLE_FOLDER

MANIFEST = json.loads((SAMPLE_FOLDER / "manifest.json").read_text())
SPOKEN = "The lighthouse keeper wound the old clock every evening, long before the first boats came home."


def list_codes(text: str, seconds: float | None = None, language: str = "en-US") -> set[str]:
    return {finding.code for finding in lint_transcript(text, seconds, language)}


CASES = [
    ("", "empty"),
    (" … ?! —", "empty"),
    ("It was in 1998.", "digits"),
    ("Chapter Ⅳ begins.", "digits"),
    ("Half of it, ½ a cup, was gone.", "digits"),
    ("Ask Dr. Miller about it.", "abbreviation"),
    ("We met on Main St. at noon.", "abbreviation"),
    ("Bring paper, pens, etc.", "abbreviation"),
    ("Some fruit, e.g. pears, was left.", "abbreviation"),
    ("A rise of ten %, they said.", "symbol"),
    ("Johnson & Johnson called.", "symbol"),
    ("Ten € is enough.", "symbol"),
    ("What a day 🙂, he said.", "symbol"),
    ("WELCOME TO THE MUSEUM OF LIGHT.", "capitals"),
    ("Wait <break time='1s'/> for it.", "markup"),
    ("Tom &amp; Jerry are here.", "markup"),
    ("Go to www.example.test today.", "markup"),
    ("It was **very** cold.", "markup"),
    ("(laughs) I never said so.", "brackets"),
    ("I never [noise] said so.", "brackets"),
    ("*sighs* I never said so.", "brackets"),
    ("I never (said so.", "brackets"),
    ("I never said) so.", "brackets"),
    ("The light\u200bhouse.", "invisible"),
    ("\ufeffThe lighthouse.", "invisible"),
    ("The \x07lighthouse.", "invisible"),
    ("The \u202elighthouse.", "invisible"),
    ("The \ud800lighthouse.", "invisible"),
    ("The lighthouse.\nThe keeper.", "newline"),
    ("The lighthouse.\u2028The keeper.", "newline"),
    ("clip-one|The lighthouse.", "pipe"),
    ("We had a cafÃ© there.", "garbled"),
    ("â€œAll wellâ€\x9d, he said.", "garbled"),
    ("We had a caf\ufffd there.", "garbled"),
    ("Привет, мир.".encode().decode("latin-1"), "garbled"),
    ("It’s a long way, and naïve cafÃ© people know it.", "garbled"),
    ("Маяк на горе стоит давно.", "wrong_script"),
    ("The lighthоuse on the hill.", "mixed_scripts"),
    ("The keeper of of the light.", "repeated_word"),
    ("Then then he left.", "repeated_word"),
    ("The keeper of the light", "no_end"),
    ("The keeper of the light,", "no_end"),
    ("One more word. " * 200, "over_limit"),
]


@pytest.mark.parametrize(("text", "code"), CASES)
def test_each_problem_gives_only_its_own_finding(text: str, code: str) -> None:
    assert list_codes(text) == {f"transcript_{code}"}


def test_every_transcript_code_has_a_case_and_is_a_warning() -> None:
    codes = {f"transcript_{code}" for _, code in CASES} | {"transcript_too_much", "transcript_too_little"}
    assert codes == set(table.CODES)
    assert {CODES[code].severity for code in codes} == {Severity.WARNING}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_sample_transcripts_have_no_findings(entry: dict[str, str]) -> None:
    assert list_codes(entry["transcript"], float(entry["seconds"])) == set()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("“Is this the café…?” “No, it isn’t!”", "en-GB"),
        ("He said ‘never again’, and meant it.", "en-US"),
        ("The BBC said so, and NASA agreed.", "en-US"),
        ("She had had enough of that, no, no, no.", "en-US"),
        ("The man—half asleep—said that that was fine.", "en-US"),
        ("He moved to Ohio in March, and said no.", "en-US"),
        ("Nous nous sommes levés à l’aube, « sans café ».", "fr-FR"),
        ("„Schöne Grüße aus Österreich“, sagte die, die kam.", "de-AT"),
        ("A avó não quis pão, só maçã.", "pt-BR"),
        ("El niño gritó: ¡mañana sí!", "es-ES"),
        ("Маяк на горе стоит давно, он старше, чем Google.", "ru-RU"),
        ("Ο φάρος είναι παλιός.", "el"),
        ("我喜欢在晚上看 Netflix。", "zh-CN"),
        ("灯台守は古い時計のネジを巻いた。", "ja-JP"),
        ("등대지기는 매일 저녁 시계를 감았다.", "ko-KR"),
        ("किसान खेत में काम करता है।", "hi-IN"),
        ("می\u200cخواهم بروم.", "fa-IR"),
        ("ประภาคารเก่าอยู่บนเนินเขา", "th-TH"),
        ("Светионик је стар. Svetionik je star.", "sr-RS"),
        ("Ｇｏｏｇｌｅで灯台を調べた。", "ja-JP"),
        ("Das war Dr. Müller in St. Gallen.", "de-CH"),
        ("IBM?", "en-GB"),
        ("Lighthouse.\n", ""),
    ],
)
def test_clean_text_has_no_findings(text: str, language: str) -> None:
    assert list_codes(text, None, language) == set()


@pytest.mark.parametrize("seconds", [4.0, 6.0, 9.0, 15.0])
def test_usual_speaking_rate_has_no_findings(seconds: float) -> None:
    assert list_codes(SPOKEN, seconds) == set()


@pytest.mark.parametrize(
    ("text", "seconds", "language", "code"),
    [
        (SPOKEN, 3.0, "en-US", "transcript_too_much"),
        (SPOKEN, 25.0, "en-US", "transcript_too_little"),
        ("Yes.", 5.0, "en-US", "transcript_too_little"),
        ("灯台守は古い時計のネジを毎晩巻いていた。", 1.0, "ja-JP", "transcript_too_much"),
        ("灯台守は古い時計のネジを毎晩巻いていた。", 15.0, "ja-JP", "transcript_too_little"),
    ],
)
def test_impossible_speaking_rate_is_flagged(text: str, seconds: float, language: str, code: str) -> None:
    assert list_codes(text, seconds, language) == {code}


@pytest.mark.parametrize(
    ("text", "seconds", "language"),
    [
        ("Yes.", 1.5, "en-US"),
        ("灯台守は古い時計のネジを毎晩巻いていた。", 4.0, "ja-JP"),
        ("灯台守は古い時計のネジを毎晩巻いていた。", 9.0, "ja-JP"),
        ("किताब खेत में है।", 4.0, "hi-IN"),
    ],
)
def test_short_clips_and_dense_scripts_have_their_own_rate_limits(text: str, seconds: float, language: str) -> None:
    assert list_codes(text, seconds, language) == set()


def test_text_over_the_length_limit_gets_no_rate_finding() -> None:
    assert list_codes("One more word. " * 200, 1.0) == {"transcript_over_limit"}


def test_digits_count_as_more_speech_than_their_characters() -> None:
    assert list_codes("1998, 2004, 2011.", 8.0) == {"transcript_digits"}


@pytest.mark.parametrize("seconds", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_speaking_rate_is_checked_only_with_a_valid_duration(seconds: float | None) -> None:
    assert compute_speaking_rate(SPOKEN, seconds) is None
    assert list_codes(SPOKEN, seconds) == set()


def test_finding_quotes_each_match_once_and_at_most_three() -> None:
    (finding,) = lint_transcript("In 1998, 1998 again, then 2004, 2011 and 2020.", None)
    assert finding.text == "Digits can be read in several ways: “1998”, “2004”, “2011” and 1 more."
    (finding,) = lint_transcript("The light\u200bhouse stands.", None)
    assert "U+200B after 9 characters" in finding.text


def test_findings_for_hostile_text_are_short_and_printable() -> None:
    hostile = "".join(map(chr, range(1, 0x300))) * 9
    for finding in lint_transcript(hostile, 3.0):
        assert len(finding.text) < 300
        assert finding.text.isprintable()


def test_thresholds_can_be_overridden() -> None:
    long_text = "The lighthouse keeper wound the old clock. " * 3
    assert {finding.code for finding in lint_transcript(long_text, None)} == set()
    low_limit = THRESHOLDS.with_overrides({"transcript_longest": 100})
    assert "transcript_over_limit" in {finding.code for finding in lint_transcript(long_text, None, "en", low_limit)}
    low_rate = THRESHOLDS.with_overrides({"transcript_fastest_characters": 5})
    assert {finding.code for finding in lint_transcript(SPOKEN, 6.0, "en", low_rate)} == {"transcript_too_much"}


def test_speaking_rate_counts_words_syllables_and_characters() -> None:
    rate = compute_speaking_rate("Well, the table—made of oak—wanted repair.", 4.0)
    assert rate is not None
    assert (rate.words, rate.syllables, rate.characters) == (8, 11, 33)
    assert (rate.words_per_minute, rate.syllables_per_second) == (120.0, 2.75)


@pytest.mark.parametrize(
    ("word", "count"),
    [
        *(("made", 1), ("makes", 1), ("liked", 1), ("table", 2), ("tables", 2), ("wanted", 2), ("wishes", 2)),
        *(("pages", 2), ("the", 1), ("I", 1), ("rhythm", 1), ("Breakfast", 2), ("don’t", 1), ("café", 2)),
        *(("synthetic", 3), ("recordings", 3), ("1998", 4), ("灯台", 1), ("", 1)),
    ],
)
def test_syllables_are_counted(word: str, count: int) -> None:
    assert count_syllables(word) == count


def test_words_are_split_without_surrounding_punctuation() -> None:
    assert split_words("“Well,” he said — it’s (half-)eaten…") == ["Well", "he", "said", "it’s", "half-)eaten"]


@given(st.text(max_size=300), st.none() | st.floats(), st.sampled_from(["en", "fr-FR", "zh", "ru", "", "x_y", "🙂"]))
def test_any_text_can_be_checked(text: str, seconds: float | None, language: str) -> None:
    for finding in lint_transcript(text, seconds, language):
        assert finding.code in table.CODES
        assert finding.text.isprintable()
    rate = compute_speaking_rate(text, seconds)
    assert rate is None or rate.words_per_minute >= 0


@pytest.mark.parametrize("unit", ["(", "<a", "a ", "&#1", "*", "a\u200b", "Ã", "1", "st. ", "*a", "[(", "\ud800"])
def test_repetitive_long_text_is_checked_quickly(unit: str) -> None:
    """A regular expression that backtracks would take minutes on these texts."""
    lint_transcript(unit * 200_000, 5.0, "en", THRESHOLDS.with_overrides({"transcript_longest": 100_000}))
