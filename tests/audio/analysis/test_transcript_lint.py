"""What the text of a recording tells: each slip is planted and found, and clean texts raise nothing."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.analysis.transcript_lint import compute_speaking_rate, count_syllables, lint_transcript, split_words
from audio.findings import catalog_transcript as table
from audio.findings.catalog import CODES
from audio.findings.findings import Severity
from audio.findings.thresholds import THRESHOLDS
from tests.support.wav import SAMPLE

MANIFEST = json.loads((SAMPLE / "manifest.json").read_text())
SPOKEN = "The lighthouse keeper wound the old clock every evening, long before the first boats came home."


def codes(text: str, seconds: float | None = None, language: str = "en-US") -> set[str]:
    return {found.code for found in lint_transcript(text, seconds, language)}


PLANTED = [
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


@pytest.mark.parametrize(("text", "code"), PLANTED)
def test_planted_slip_is_found_and_nothing_else(text: str, code: str) -> None:
    assert codes(text) == {f"transcript_{code}"}


def test_every_code_is_planted_and_only_asks_to_look() -> None:
    planted = {f"transcript_{code}" for _, code in PLANTED} | {"transcript_too_much", "transcript_too_little"}
    assert planted == set(table.CODES)
    assert {CODES[code].severity for code in planted} == {Severity.WARNING}


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_samples_have_nothing(entry: dict[str, str]) -> None:
    assert codes(entry["transcript"], float(entry["seconds"])) == set()


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
def test_clean_text_has_nothing(text: str, language: str) -> None:
    assert codes(text, None, language) == set()


@pytest.mark.parametrize("seconds", [4.0, 6.0, 9.0, 15.0])
def test_usual_rates_are_fine(seconds: float) -> None:
    assert codes(SPOKEN, seconds) == set()


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
def test_text_that_cannot_be_of_this_recording(text: str, seconds: float, language: str, code: str) -> None:
    assert codes(text, seconds, language) == {code}


@pytest.mark.parametrize(
    ("text", "seconds", "language"),
    [
        ("Yes.", 1.5, "en-US"),
        ("灯台守は古い時計のネジを毎晩巻いていた。", 4.0, "ja-JP"),
        ("灯台守は古い時計のネジを毎晩巻いていた。", 9.0, "ja-JP"),
        ("किताब खेत में है।", 4.0, "hi-IN"),
    ],
)
def test_short_clips_and_dense_scripts_are_judged_by_their_own(text: str, seconds: float, language: str) -> None:
    assert codes(text, seconds, language) == set()


def test_text_over_the_limit_is_not_judged_by_its_rate() -> None:
    assert codes("One more word. " * 200, 1.0) == {"transcript_over_limit"}


def test_figures_stand_for_more_than_they_show() -> None:
    assert codes("1998, 2004, 2011.", 8.0) == {"transcript_digits"}


@pytest.mark.parametrize("seconds", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_without_a_length_no_rate_is_told(seconds: float | None) -> None:
    assert compute_speaking_rate(SPOKEN, seconds) is None
    assert codes(SPOKEN, seconds) == set()


def test_finding_names_the_places_once_and_not_too_many() -> None:
    (found,) = lint_transcript("In 1998, 1998 again, then 2004, 2011 and 2020.", None)
    assert found.text == "Digits can be read in several ways: “1998”, “2004”, “2011” and 1 more."
    (found,) = lint_transcript("The light\u200bhouse stands.", None)
    assert "U+200B after 9 characters" in found.text


def test_finding_of_a_hostile_text_is_short_and_printable() -> None:
    hostile = "".join(map(chr, range(1, 0x300))) * 9
    for found in lint_transcript(hostile, 3.0):
        assert len(found.text) < 300
        assert found.text.isprintable()


def test_thresholds_decide() -> None:
    long = "The lighthouse keeper wound the old clock. " * 3
    assert {found.code for found in lint_transcript(long, None)} == set()
    short = THRESHOLDS.with_overrides({"transcript_longest": 100})
    assert "transcript_over_limit" in {found.code for found in lint_transcript(long, None, "en", short)}
    fast = THRESHOLDS.with_overrides({"transcript_fastest_characters": 5})
    assert {found.code for found in lint_transcript(SPOKEN, 6.0, "en", fast)} == {"transcript_too_much"}


def test_speaking_rate_counts_what_is_spoken() -> None:
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
def test_syllables(word: str, count: int) -> None:
    assert count_syllables(word) == count


def test_words_are_told_without_the_marks_around_them() -> None:
    assert split_words("“Well,” he said — it’s (half-)eaten…") == ["Well", "he", "said", "it’s", "half-)eaten"]


@given(st.text(max_size=300), st.none() | st.floats(), st.sampled_from(["en", "fr-FR", "zh", "ru", "", "x_y", "🙂"]))
def test_no_text_breaks_it(text: str, seconds: float | None, language: str) -> None:
    for found in lint_transcript(text, seconds, language):
        assert found.code in table.CODES
        assert found.text.isprintable()
    rate = compute_speaking_rate(text, seconds)
    assert rate is None or rate.words_per_minute >= 0


@pytest.mark.parametrize("unit", ["(", "<a", "a ", "&#1", "*", "a\u200b", "Ã", "1", "st. ", "*a", "[(", "\ud800"])
def test_long_text_takes_no_long(unit: str) -> None:
    """Patterns that backtrack would take minutes here."""
    lint_transcript(unit * 200_000, 5.0, "en", THRESHOLDS.with_overrides({"transcript_longest": 100_000}))
