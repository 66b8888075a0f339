"""The statement check of real audio: sample readings, also with words removed or inserted, shuffled, and in noise."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from audio.findings.thresholds import THRESHOLDS
from audio.statement import State, StatementCheck, Verdict, check_statement, decoder
from audio.wav.riff import Float32
from tests.support.degradations import add_reverberation
from tests.support.wav import RATE, SAMPLE_FOLDER, make_sine_tone, make_white_noise

TEXT = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my"
    " voice by Resemble AI."
)
COMPANY = "Northlight Voices"
STATEMENT = TEXT.replace("{company}", COMPANY)
WORDS = STATEMENT.rstrip(".").split()
READERS = ("slt", "rms", "awb")
# Northlight is in no dictionary, and rms pronounces it almost as northwife, so staff must listen to this reading.
NAME_UNCERTAIN = (Verdict.LISTEN, {"statement_name_unsure"})
EXPECTED: dict[str, tuple[Verdict, set[str]]] = {
    "slt": (Verdict.ACCEPT, set()),
    "rms": NAME_UNCERTAIN,
    "awb": (Verdict.ACCEPT, set()),
}


@cache
def load_clip(name: str) -> Float32:
    samples, rate = soundfile.read(SAMPLE_FOLDER / f"{name}.flac", dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


def check_samples(
    samples: Any, text: str = STATEMENT, company: str = COMPANY, rate: int = RATE, **overrides: Any
) -> StatementCheck:
    options = {"language": "en-US", "talent": ""} | overrides
    return check_statement(np.asarray(samples, np.float32), rate, text, company=company, **options)


@cache
def check_clip(name: str) -> StatementCheck:
    return check_samples(load_clip(name))


def list_codes(result: StatementCheck) -> set[str]:
    return {finding.code for finding in result.findings}


def list_texts(result: StatementCheck, state: State) -> list[str]:
    return [word.text for word in result.words if word.state is state]


def remove_words(name: str, first: int, last: int) -> Float32:
    """Return the audio of a clip without its words `first` to `last`, counted from 0."""
    words = check_clip(name).words
    start, end = (round(time * RATE) for time in (words[first].start, words[last].end))
    return np.concatenate((load_clip(name)[:start], load_clip(name)[end:]))


@pytest.mark.parametrize("name", READERS)
def test_every_word_of_the_statement_is_recognized_in_order(name: str) -> None:
    result = check_clip(f"consent-{name}")
    assert (result.verdict, list_codes(result), result.match) == (*EXPECTED[name], 1.0)
    assert [word.text for word in result.words] == WORDS
    assert {word.state for word in result.words} == {State.RECOGNIZED}
    times = [edge for word in result.words for edge in (word.start, word.end)]
    assert times == sorted(times)
    assert 0.0 < times[0] < 0.5 and times[-1] > len(load_clip(f"consent-{name}")) / RATE - 0.5


def test_word_times_move_with_the_start_of_the_reading() -> None:
    later = check_samples(np.concatenate((make_white_noise(1.5, -66.0), load_clip("consent-slt"))))
    assert later.verdict is Verdict.ACCEPT
    for word, later_word in zip(check_clip("consent-slt").words, later.words, strict=True):
        assert later_word.start == pytest.approx(word.start + 1.5, abs=0.05), word.text


def test_other_company_is_reported_at_its_time() -> None:
    result = check_clip("consent-awb-other-company")
    assert (result.verdict, list_codes(result)) == (Verdict.REVIEW, {"statement_company"})
    assert list_texts(result, State.MISSING) == ["Northlight", "Voices"]
    other_names = [word for word in result.words if word.state is State.OTHER_NAME]
    used_by, to_train = result.words[11], next(word for word in result.words if word.text == "to")
    assert other_names and all(used_by.end <= word.start and word.end <= to_train.start for word in other_names)
    assert result.findings[0].at == pytest.approx(used_by.end, abs=0.05)
    assert all(word.text in result.why for word in other_names) and "Northlight" in result.why


OTHER_COMPANIES = ["Bluebird Media", "Southgate Pictures", "Northland Voices", "Northlight Boys"]


@pytest.mark.parametrize(
    ("name", "company"),
    [*(("slt", company) for company in OTHER_COMPANIES), ("rms", "Northland Voices"), ("awb", "Northlight Boys")],
)
def test_reading_is_not_accepted_for_another_company(name: str, company: str) -> None:
    result = check_samples(load_clip(f"consent-{name}"), TEXT.replace("{company}", company), company)
    assert result.verdict is Verdict.REVIEW
    assert "statement_company" in list_codes(result)


def test_reading_is_accepted_for_the_company_it_names() -> None:
    company = "Southgate Pictures"
    result = check_samples(load_clip("consent-awb-other-company"), TEXT.replace("{company}", company), company)
    assert result.verdict is Verdict.ACCEPT


def test_reading_without_the_talent_name_needs_review() -> None:
    text = STATEMENT.replace("I am", "I, Anna Berg, am")
    result = check_samples(load_clip("consent-slt"), text, talent="Anna Berg")
    assert (result.verdict, list_codes(result)) == (Verdict.REVIEW, {"statement_talent"})
    assert list_texts(result, State.MISSING) == ["Anna", "Berg"]


def test_added_negation_is_reported_at_its_time() -> None:
    result = check_clip("consent-slt-negated")
    assert (result.verdict, list_codes(result)) == (Verdict.REVIEW, {"statement_negated"})
    assert list_texts(result, State.INSERTED) == ["not"]
    names = [word.text for word in result.words]
    assert names[names.index("not") - 1 : names.index("not") + 2] == ["will", "not", "be"]
    assert result.findings[0].at == pytest.approx(result.words[names.index("not")].start, abs=0.01)


def test_negation_in_the_statement_is_required_and_accepted() -> None:
    text = STATEMENT.replace("will be", "will not be")
    assert check_samples(load_clip("consent-slt-negated"), text).verdict is Verdict.ACCEPT
    result = check_samples(load_clip("consent-slt"), text)
    assert (result.verdict, list_codes(result)) == (Verdict.REVIEW, {"statement_words_missing"})
    assert list_texts(result, State.MISSING) == ["not"]


REMOVED = [(0, 4), (0, 13), (8, 15), (15, 20), (18, 26), (22, 26), (25, 26)]


@pytest.mark.parametrize(
    ("name", "first", "last"), [*(("slt", *words) for words in REMOVED), ("rms", 8, 15), ("rms", 22, 26)]
)
def test_words_removed_from_the_audio_are_reported_missing(name: str, first: int, last: int) -> None:
    result = check_samples(remove_words(f"consent-{name}", first, last))
    assert result.verdict in (Verdict.REVIEW, Verdict.REJECT)
    missing = [word for word in result.words if word.state is State.MISSING]
    assert {WORDS[position] for position in range(first + 1, last)} <= {word.text for word in missing}
    cut_time = check_clip(f"consent-{name}").words[first].start
    assert any(word.start - 0.3 <= cut_time <= word.end + 0.3 for word in missing)


def test_inserted_words_need_review() -> None:
    clip, inserted = load_clip("consent-slt"), load_clip("slt-04")[: 3 * RATE]
    position = round(check_clip("consent-slt").words[11].end * RATE)
    spliced = np.concatenate((clip[:position], inserted, clip[position:]))
    result = check_samples(spliced)
    assert result.verdict is Verdict.REVIEW
    assert {"statement_words_added", "statement_company"} & list_codes(result)
    appended = check_samples(np.concatenate((clip, inserted)))
    assert (appended.verdict, list_codes(appended)) == (Verdict.REVIEW, {"statement_words_added"})
    assert appended.findings[0].at == pytest.approx(len(clip) / RATE, abs=0.5)


@pytest.mark.parametrize("name", ["slt-01", "slt-05", "rms-01", "rms-04", "rms-wrong-speaker"])
def test_reading_of_another_text_is_rejected(name: str) -> None:
    result = check_clip(name)
    assert (result.verdict, list_codes(result)) == (Verdict.REJECT, {"statement_not_read"})
    assert result.match is not None and result.match < 0.3


def test_shuffled_statement_is_not_accepted() -> None:
    segments = np.array_split(load_clip("consent-rms"), 6)
    shuffled = np.concatenate([segments[position] for position in (3, 0, 5, 2, 4, 1)])
    assert check_samples(shuffled).verdict in (Verdict.REVIEW, Verdict.REJECT)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0),
        np.zeros(1),
        np.zeros(RATE * 5),
        np.full(RATE * 5, 0.5),
        np.full(RATE * 5, np.nan),
        np.full(RATE * 5, np.inf),
        make_white_noise(6.0, -66.0),
        make_white_noise(6.0, -20.0),
        make_sine_tone(6.0),
        np.resize([1.0, -1.0], RATE * 5),
    ],
    ids=["nothing", "one sample", "silence", "offset", "nan", "inf", "room", "noise", "tone", "square"],
)
def test_audio_without_speech_needs_a_retake(samples: Float32) -> None:
    result = check_samples(samples)
    assert (result.verdict, list_codes(result), result.match) == (Verdict.RETAKE, {"statement_too_short"}, None)


def test_speech_in_strong_noise_needs_a_retake() -> None:
    clip = load_clip("consent-slt")
    result = check_samples(clip + make_white_noise(len(clip) / RATE, -27.0))
    assert (result.verdict, list_codes(result)) == (Verdict.RETAKE, {"statement_too_noisy"})


def test_only_the_first_minute_is_checked() -> None:
    delayed = np.concatenate((make_white_noise(60.0, -66.0), load_clip("consent-slt")))
    assert list_codes(check_samples(delayed)) == {"statement_too_short"}


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
def test_every_sample_rate_is_recognized(rate: int) -> None:
    result = check_samples(soxr.resample(load_clip("consent-awb"), RATE, rate), rate=rate)
    assert result.verdict is Verdict.ACCEPT
    assert result.words[-1].end == pytest.approx(check_clip("consent-awb").words[-1].end, abs=0.1)


@pytest.mark.parametrize(("factor", "offset"), [(0.02, 0.0), (2.5, 0.0), (0.5, 0.3)])
def test_level_and_offset_do_not_change_the_verdict(factor: float, offset: float) -> None:
    assert check_samples(load_clip("consent-awb") * factor + offset).verdict is Verdict.ACCEPT


def test_result_does_not_depend_on_the_audio_checked_before() -> None:
    check_samples(load_clip("slt-01"))
    assert check_samples(load_clip("consent-slt-negated")) == check_clip("consent-slt-negated")


@pytest.mark.parametrize("name", ["slt", "rms"])
def test_names_in_an_echoing_room_need_staff_to_listen(name: str) -> None:
    echo = add_reverberation(load_clip(f"consent-{name}"), RATE, 0.35)
    result = check_samples(echo)
    assert "statement_name_in_echo" in list_codes(result)
    assert result.verdict in (Verdict.LISTEN, Verdict.REVIEW)
    assert "statement_name_in_echo" not in list_codes(check_samples(echo, TEXT, company=""))


@pytest.mark.parametrize("language", ["de", "de-DE", "fr_FR", "", "eng", "x-en"])
def test_statement_in_another_language_needs_staff_to_listen(language: str) -> None:
    result = check_samples(load_clip("consent-slt"), language=language)
    assert (result.verdict, list_codes(result), result.words) == (Verdict.LISTEN, {"statement_unjudged"}, ())
    assert "English" in result.why


@pytest.mark.parametrize("language", ["en", "EN", "en-GB", "en_US"])
def test_every_english_language_tag_is_checked(language: str) -> None:
    assert check_samples(load_clip("slt-01"), language=language).verdict is Verdict.REJECT


def test_missing_recognizer_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "load_engine", lambda: None)
    result = check_samples(load_clip("consent-slt"))
    assert result.verdict is Verdict.LISTEN
    assert "not installed" in result.why


@pytest.mark.parametrize("company", ["Zyntrex", "Иванов", "Kaleido Labs"])
def test_name_in_no_dictionary_is_doubtful_and_not_accepted(company: str) -> None:
    result = check_samples(load_clip("consent-slt"), TEXT.replace("{company}", company), company)
    assert result.verdict is not Verdict.ACCEPT
    unknown = company.split()[0]
    assert [word.text for word in result.words if word.state is State.DOUBTFUL and word.token][0] == unknown
    assert unknown not in list_texts(result, State.MISSING)
    if company != "Kaleido Labs":
        assert result.verdict is Verdict.LISTEN
        assert result.match == 1.0


def test_staff_pronunciation_of_a_name_is_used() -> None:
    company = "Nørthleit Voices"
    text = TEXT.replace("{company}", company)
    sounds_like = {"Nørthleit": "north light"}
    assert check_samples(load_clip("consent-slt"), text, company).verdict is Verdict.LISTEN
    assert check_samples(load_clip("consent-slt"), text, company, sounds_like=sounds_like).verdict is Verdict.ACCEPT
    wrong = check_samples(load_clip("consent-slt"), text, company, sounds_like={"Nørthleit": "blue bird"})
    assert (wrong.verdict, list_texts(wrong, State.MISSING)) == (Verdict.REVIEW, ["Nørthleit"])


def test_any_words_are_accepted_for_a_blank() -> None:
    for name in ("consent-slt", "consent-awb-other-company"):
        result = check_samples(load_clip(name), TEXT, "")
        assert (result.verdict, result.match) == (Verdict.ACCEPT, 1.0)


HOSTILE_TEXTS = {
    "empty": "",
    "blank": " \n\t",
    "braces": "{ } {} {{company}} {company",
    "one blank": "{company}",
    "format": "%s %(a)s {0} {a.b}",
    "punctuation": "… — !!! ???",
    "nul": "I am\x00aware\x1b[31m",
    "model marks": "<s> </s> \\data\\ ngram 1=2 \\end\\ word(2) [NOISE] #comment",
    "cyrillic": "Я знаю, что записи моего голоса",
    "chinese": "我知道我的声音",
    "emoji": "I 😀 am 👍🏽 aware",
    "combining": "a\u0301\u0327" * 200,
    "no vowels": "brrr tsk pst hmm grrl",
    "one letter": "x",
    "long word": "a" * 10_000,
    "long number": "9" * 10_000,
    "ten thousand words": "voice " * 10_000,
    "apostrophes": "'''' don't o'' rock'n'roll's's",
    "right to left": "\u202eI am aware\u202c שלום",
}


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_hostile_text_is_never_accepted(text: str) -> None:
    sound = load_clip("slt-07")
    for company in ("", text):
        result = check_samples(sound, text, company, talent=text)
        assert result.verdict is not Verdict.ACCEPT
        json.dumps(result.as_dict(), allow_nan=False)


def test_temporary_files_are_private_and_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    modes = []
    original = Path.write_text

    def write_text(path: Path, *rest: str) -> int:
        modes.append(path.parent.stat().st_mode & 0o077)
        return original(path, *rest)

    monkeypatch.setattr(Path, "write_text", write_text)
    assert check_samples(load_clip("slt-03")).verdict is Verdict.REJECT
    assert modes == [0, 0]
    assert list(tmp_path.iterdir()) == []


def test_thresholds_can_be_overridden() -> None:
    strict = THRESHOLDS.with_overrides({"statement_reject_match": 1.01})
    assert check_samples(load_clip("consent-slt"), thresholds=strict).verdict is Verdict.REJECT
    strict_snr = THRESHOLDS.with_overrides({"statement_snr_db": 99.0})
    assert check_samples(load_clip("consent-slt"), thresholds=strict_snr).verdict is Verdict.RETAKE
    loose = THRESHOLDS.with_overrides({"statement_added_words": 99})
    appended = np.concatenate((load_clip("consent-slt"), load_clip("slt-04")[: 3 * RATE]))
    assert check_samples(appended, thresholds=loose).verdict is Verdict.ACCEPT


def test_result_serializes_to_json() -> None:
    entry = check_clip("consent-slt-negated").as_dict()
    assert entry == json.loads(json.dumps(entry))
    assert entry["verdict"] == "review" and entry["match"] == 1.0
    assert entry["findings"][0]["code"] == "statement_negated"
    first, added = entry["words"][0], entry["words"][9]
    assert first.keys() == {"text", "state", "role", "start", "end"}
    assert (first["text"], first["state"], first["role"]) == ("I", "heard", "text")
    assert (added["text"], added["state"], added["role"]) == ("not", "inserted", None)
    assert [word["text"] for word in entry["words"] if word["role"] == "company"] == ["Northlight", "Voices"]


def test_moderate_noise_causes_no_rejection() -> None:
    clip = load_clip("consent-rms")
    level = 20 * np.log10(np.sqrt(np.mean(clip**2)))
    result = check_samples(clip + make_white_noise(len(clip) / RATE, level - 20))
    assert result.verdict in (Verdict.ACCEPT, Verdict.REVIEW, Verdict.LISTEN)
    assert result.match and result.match > 0.85
