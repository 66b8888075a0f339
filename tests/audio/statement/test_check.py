"""The statement check on real audio: the sample readings, cut, spliced, shuffled, hidden in noise."""

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
from tests.support.wav import RATE, SAMPLE, noise, tone
from tests.support.worse import echoing

TEXT = (
    "I am aware that recordings of my voice will be used by {company} to train and create a synthetic version of my"
    " voice by Resemble AI."
)
COMPANY = "Northlight Voices"
RIGHT = TEXT.replace("{company}", COMPANY)
WORDS = RIGHT.rstrip(".").split()
READERS = ("slt", "rms", "awb")
# Northlight is in no dictionary, and rms says it nearly as northwife: every word is heard, and a person listens.
UNSURE = (Verdict.LISTEN, {"statement_name_unsure"})
OF_READER: dict[str, tuple[Verdict, set[str]]] = {
    "slt": (Verdict.ACCEPT, set()),
    "rms": UNSURE,
    "awb": (Verdict.ACCEPT, set()),
}


@cache
def clip(name: str) -> Float32:
    samples, rate = soundfile.read(SAMPLE / f"{name}.flac", dtype="float32")
    assert rate == RATE
    return np.asarray(samples, np.float32)


def judged(samples: Any, text: str = RIGHT, company: str = COMPANY, rate: int = RATE, **more: Any) -> StatementCheck:
    asked = {"language": "en-US", "talent": ""} | more
    return check_statement(np.asarray(samples, np.float32), rate, text, company=company, **asked)


@cache
def read_by(name: str) -> StatementCheck:
    return judged(clip(name))


def codes(result: StatementCheck) -> set[str]:
    return {found.code for found in result.findings}


def texts(result: StatementCheck, state: State) -> list[str]:
    return [word.text for word in result.words if word.state is state]


def without(name: str, first: int, last: int) -> Float32:
    """A reading with these words cut out of the sound."""
    words = read_by(name).words
    start, end = (round(at * RATE) for at in (words[first].start, words[last].end))
    return np.concatenate((clip(name)[:start], clip(name)[end:]))


@pytest.mark.parametrize("name", READERS)
def test_every_word_of_the_statement_is_heard_in_its_place(name: str) -> None:
    result = read_by(f"consent-{name}")
    assert (result.verdict, codes(result), result.match) == (*OF_READER[name], 1.0)
    assert [word.text for word in result.words] == WORDS
    assert {word.state for word in result.words} == {State.RECOGNIZED}
    places = [edge for word in result.words for edge in (word.start, word.end)]
    assert places == sorted(places)
    assert 0.0 < places[0] < 0.5 and places[-1] > len(clip(f"consent-{name}")) / RATE - 0.5


def test_times_move_with_the_sound() -> None:
    later = judged(np.concatenate((noise(1.5, -66.0), clip("consent-slt"))))
    assert later.verdict is Verdict.ACCEPT
    for one, other in zip(read_by("consent-slt").words, later.words, strict=True):
        assert other.start == pytest.approx(one.start + 1.5, abs=0.05), one.text


def test_another_company_is_shown_where_it_is_said() -> None:
    result = read_by("consent-awb-other-company")
    assert (result.verdict, codes(result)) == (Verdict.REVIEW, {"statement_company"})
    assert texts(result, State.MISSING) == ["Northlight", "Voices"]
    said = [word for word in result.words if word.state is State.OTHER_NAME]
    used_by, to_train = result.words[11], next(word for word in result.words if word.text == "to")
    assert said and all(used_by.end <= word.start and word.end <= to_train.start for word in said)
    assert result.findings[0].at == pytest.approx(used_by.end, abs=0.05)
    assert all(word.text in result.why for word in said) and "Northlight" in result.why


@pytest.mark.parametrize("company", ["Bluebird Media", "Southgate Pictures", "Northland Voices", "Northlight Boys"])
@pytest.mark.parametrize("name", READERS)
def test_a_text_with_another_company_is_not_accepted(name: str, company: str) -> None:
    result = judged(clip(f"consent-{name}"), TEXT.replace("{company}", company), company)
    assert result.verdict is Verdict.REVIEW
    assert "statement_company" in codes(result)


def test_the_company_that_was_read_is_accepted() -> None:
    company = "Southgate Pictures"
    result = judged(clip("consent-awb-other-company"), TEXT.replace("{company}", company), company)
    assert result.verdict is Verdict.ACCEPT


def test_another_talent_is_not_accepted() -> None:
    text = RIGHT.replace("I am", "I, Anna Berg, am")
    result = judged(clip("consent-slt"), text, talent="Anna Berg")
    assert (result.verdict, codes(result)) == (Verdict.REVIEW, {"statement_talent"})
    assert texts(result, State.MISSING) == ["Anna", "Berg"]


def test_a_negation_is_heard_where_it_is() -> None:
    result = read_by("consent-slt-negated")
    assert (result.verdict, codes(result)) == (Verdict.REVIEW, {"statement_negated"})
    assert texts(result, State.INSERTED) == ["not"]
    names = [word.text for word in result.words]
    assert names[names.index("not") - 1 : names.index("not") + 2] == ["will", "not", "be"]
    assert result.findings[0].at == pytest.approx(result.words[names.index("not")].start, abs=0.01)


def test_a_negation_of_the_statement_itself_is_none_and_must_be_there() -> None:
    text = RIGHT.replace("will be", "will not be")
    assert judged(clip("consent-slt-negated"), text).verdict is Verdict.ACCEPT
    result = judged(clip("consent-slt"), text)
    assert (result.verdict, codes(result)) == (Verdict.REVIEW, {"statement_words_missing"})
    assert texts(result, State.MISSING) == ["not"]


@pytest.mark.parametrize(("first", "last"), [(0, 4), (0, 13), (8, 15), (15, 20), (18, 26), (22, 26), (25, 26)])
@pytest.mark.parametrize("name", ["slt", "rms"])
def test_cut_words_are_missed(name: str, first: int, last: int) -> None:
    result = judged(without(f"consent-{name}", first, last))
    assert result.verdict in (Verdict.REVIEW, Verdict.REJECT)
    missing = [word for word in result.words if word.state is State.MISSING]
    assert {WORDS[place] for place in range(first + 1, last)} <= {word.text for word in missing}
    cut_at = read_by(f"consent-{name}").words[first].start
    assert any(word.start - 0.3 <= cut_at <= word.end + 0.3 for word in missing)


def test_words_put_in_are_said_to_be_too_much() -> None:
    place = round(read_by("consent-slt").words[11].end * RATE)
    spliced = np.concatenate((clip("consent-slt")[:place], clip("slt-04")[: 3 * RATE], clip("consent-slt")[place:]))
    result = judged(spliced)
    assert result.verdict is Verdict.REVIEW
    assert {"statement_words_added", "statement_company"} & codes(result)
    behind = judged(np.concatenate((clip("consent-slt"), clip("slt-04")[: 3 * RATE])))
    assert (behind.verdict, codes(behind)) == (Verdict.REVIEW, {"statement_words_added"})
    assert behind.findings[0].at == pytest.approx(len(clip("consent-slt")) / RATE, abs=0.5)


@pytest.mark.parametrize("name", ["slt-01", "slt-05", "rms-01", "rms-04", "rms-wrong-speaker"])
def test_another_text_is_rejected(name: str) -> None:
    result = read_by(name)
    assert (result.verdict, codes(result)) == (Verdict.REJECT, {"statement_not_read"})
    assert result.match is not None and result.match < 0.3


def test_shuffled_pieces_are_not_accepted() -> None:
    pieces = np.array_split(clip("consent-rms"), 6)
    shuffled = np.concatenate([pieces[place] for place in (3, 0, 5, 2, 4, 1)])
    assert judged(shuffled).verdict in (Verdict.REVIEW, Verdict.REJECT)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0),
        np.zeros(1),
        np.zeros(RATE * 5),
        np.full(RATE * 5, 0.5),
        np.full(RATE * 5, np.nan),
        np.full(RATE * 5, np.inf),
        noise(6.0, -66.0),
        noise(6.0, -20.0),
        tone(6.0),
        np.resize([1.0, -1.0], RATE * 5),
    ],
    ids=["nothing", "one sample", "silence", "offset", "nan", "inf", "room", "noise", "tone", "square"],
)
def test_what_holds_no_speech_asks_for_another_take(samples: Float32) -> None:
    result = judged(samples)
    assert (result.verdict, codes(result), result.match) == (Verdict.RETAKE, {"statement_too_short"}, None)


def test_speech_in_strong_noise_asks_for_another_take() -> None:
    hidden = clip("consent-slt") + noise(len(clip("consent-slt")) / RATE, -27.0)
    result = judged(hidden)
    assert (result.verdict, codes(result)) == (Verdict.RETAKE, {"statement_too_noisy"})


def test_only_the_first_minute_is_judged() -> None:
    late = np.concatenate((noise(60.0, -66.0), clip("consent-slt")))
    assert codes(judged(late)) == {"statement_too_short"}


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_every_rate_is_heard(rate: int) -> None:
    result = judged(soxr.resample(clip("consent-awb"), RATE, rate), rate=rate)
    assert result.verdict is Verdict.ACCEPT
    assert result.words[-1].end == pytest.approx(read_by("consent-awb").words[-1].end, abs=0.1)


@pytest.mark.parametrize(("factor", "offset"), [(0.02, 0.0), (2.5, 0.0), (0.5, 0.3)])
def test_level_and_offset_do_not_matter(factor: float, offset: float) -> None:
    assert judged(clip("consent-awb") * factor + offset).verdict is Verdict.ACCEPT


def test_the_same_sound_is_judged_the_same_again() -> None:
    judged(clip("slt-01"))
    assert judged(clip("consent-slt-negated")) == read_by("consent-slt-negated")


@pytest.mark.parametrize("name", READERS)
def test_names_in_an_echoing_room_are_left_to_a_person(name: str) -> None:
    echo = echoing(clip(f"consent-{name}"), RATE, 0.35)
    result = judged(echo)
    assert "statement_name_in_echo" in codes(result)
    assert result.verdict in (Verdict.LISTEN, Verdict.REVIEW)
    assert "statement_name_in_echo" not in codes(judged(echo, RIGHT.replace(COMPANY, "{anybody}"), company=""))


@pytest.mark.parametrize("language", ["de", "de-DE", "fr_FR", "", "eng", "x-en"])
def test_other_languages_are_left_to_a_person(language: str) -> None:
    result = judged(clip("consent-slt"), language=language)
    assert (result.verdict, codes(result), result.words) == (Verdict.LISTEN, {"statement_unjudged"}, ())
    assert "English" in result.why


@pytest.mark.parametrize("language", ["en", "EN", "en-GB", "en_US"])
def test_english_is_judged(language: str) -> None:
    assert judged(clip("slt-01"), language=language).verdict is Verdict.REJECT


def test_without_the_recogniser_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "load_engine", lambda: None)
    result = judged(clip("consent-slt"))
    assert result.verdict is Verdict.LISTEN
    assert "not installed" in result.why


@pytest.mark.parametrize("company", ["Zyntrex", "Иванов", "Kaleido Labs"])
def test_a_name_that_nobody_knows_is_left_to_a_person(company: str) -> None:
    result = judged(clip("consent-slt"), TEXT.replace("{company}", company), company)
    assert result.verdict is not Verdict.ACCEPT
    unknown = company.split()[0]
    assert [word.text for word in result.words if word.state is State.DOUBTFUL and word.token][0] == unknown
    assert unknown not in texts(result, State.MISSING)
    if company != "Kaleido Labs":
        assert result.verdict is Verdict.LISTEN
        assert result.match == 1.0


def test_staff_can_say_what_a_name_sounds_like() -> None:
    text = TEXT.replace("{company}", "Nørthleit Voices")
    told = {"Nørthleit": "north light"}
    assert judged(clip("consent-slt"), text, "Nørthleit Voices").verdict is Verdict.LISTEN
    assert judged(clip("consent-slt"), text, "Nørthleit Voices", sounds_like=told).verdict is Verdict.ACCEPT
    wrong = judged(clip("consent-slt"), text, "Nørthleit Voices", sounds_like={"Nørthleit": "blue bird"})
    assert (wrong.verdict, texts(wrong, State.MISSING)) == (Verdict.REVIEW, ["Nørthleit"])


def test_a_blank_takes_any_words() -> None:
    for name in ("consent-slt", "consent-awb-other-company"):
        result = judged(clip(name), TEXT, "")
        assert (result.verdict, result.match) == (Verdict.ACCEPT, 1.0)


HOSTILE = {
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


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_texts_are_never_accepted(text: str) -> None:
    sound = clip("slt-07")
    for company in ("", text):
        result = judged(sound, text, company, talent=text)
        assert result.verdict is not Verdict.ACCEPT
        json.dumps(result.as_dict(), allow_nan=False)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    modes = []
    written = Path.write_text

    def noted(path: Path, *rest: str) -> int:
        modes.append(path.parent.stat().st_mode & 0o077)
        return written(path, *rest)

    monkeypatch.setattr(Path, "write_text", noted)
    assert judged(clip("slt-03")).verdict is Verdict.REJECT
    assert modes == [0, 0]
    assert list(tmp_path.iterdir()) == []


def test_the_thresholds_are_data() -> None:
    strict = THRESHOLDS.with_overrides({"statement_reject_match": 1.01})
    assert judged(clip("consent-slt"), thresholds=strict).verdict is Verdict.REJECT
    silent = THRESHOLDS.with_overrides({"statement_snr_db": 99.0})
    assert judged(clip("consent-slt"), thresholds=silent).verdict is Verdict.RETAKE
    loose = THRESHOLDS.with_overrides({"statement_added_words": 99})
    behind = np.concatenate((clip("consent-slt"), clip("slt-04")[: 3 * RATE]))
    assert judged(behind, thresholds=loose).verdict is Verdict.ACCEPT


def test_a_result_as_json() -> None:
    told = read_by("consent-slt-negated").as_dict()
    assert told == json.loads(json.dumps(told))
    assert told["verdict"] == "review" and told["match"] == 1.0
    assert told["findings"][0]["code"] == "statement_negated"
    first, added = told["words"][0], told["words"][9]
    assert first.keys() == {"text", "state", "role", "start", "end"}
    assert (first["text"], first["state"], first["role"]) == ("I", "heard", "text")
    assert (added["text"], added["state"], added["role"]) == ("not", "inserted", None)
    assert [word["text"] for word in told["words"] if word["role"] == "company"] == ["Northlight", "Voices"]


def test_weak_speech_is_still_judged() -> None:
    """Noise that is there but not too strong leads to no false rejection."""
    level = 20 * np.log10(np.sqrt(np.mean(clip("consent-rms") ** 2)))
    result = judged(clip("consent-rms") + noise(len(clip("consent-rms")) / RATE, level - 20))
    assert result.verdict in (Verdict.ACCEPT, Verdict.REVIEW, Verdict.LISTEN)
    assert result.match and result.match > 0.85
