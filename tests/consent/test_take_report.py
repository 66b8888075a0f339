"""What programs heard in a take, as the review shows it: word by word, who speaks, how it sounds, and that it waits."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Take, TakeCheck
from consent.take_report import COMPARISON_TIME, WORD_STATES, TakeReport, make_take_report
from tests.consent.rows import ConsentFactory, get_url, read_page

pytestmark = pytest.mark.django_db

WORDS = [
    {"text": "I", "state": "heard", "role": "text", "start": 0.4, "end": 0.5},
    {"text": "never", "state": "inserted", "role": None, "start": 0.55, "end": 0.8},
    {"text": "allow", "state": "missing", "role": "text", "start": 0.8, "end": 0.8},
    {"text": "Northlight", "state": "doubtful", "role": "company", "start": 1.0, "end": 1.4},
    {"text": "<Acme>", "state": "other_company", "role": None, "start": None, "end": None},
]
STATEMENT = {"verdict": "review", "why": "“never” was heard.", "match": 0.91, "words": WORDS}
SPEAKER = {"verdict": "same", "score": 0.83, "threshold": 0.75, "error_rate": 0.004, "compared_with": 5, "text": "Yes."}


def checked(take: Take, **fields: Any) -> Take:
    """The take with a check that says this."""
    values = {"checked_at": timezone.now(), "statement": STATEMENT, "speaker": SPEAKER, "measures": {}, **fields}
    TakeCheck.objects.update_or_create(take=take, defaults=values)
    return Take.objects.get(pk=take.pk)


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_submitted_consent()


@pytest.fixture
def take(consent: Consent) -> Take:
    return Take.objects.get(consent=consent)


def review(client: Client, consent: Consent) -> str:
    return read_page(client, consent.get_absolute_url())


def buttons(shown: str) -> list[tuple[str, str, str]]:
    """(state, from where it plays, text with what is said to who does not see it) of each word that is a button."""
    pattern = r'class="word word-(\w+)" data-at="([\d.]+)">(.*?)</button>'
    return [(state, start, re.sub("<[^>]+>", "", text)) for state, start, text in re.findall(pattern, shown)]


def test_each_word_is_marked_as_heard_and_plays_from_its_place(as_viewer: Client, consent: Consent, take: Take) -> None:
    checked(take)
    shown = review(as_viewer, consent)
    assert buttons(shown) == [
        ("heard", "0.30", "I"),
        ("inserted", "0.45", "never, added"),
        ("missing", "0.70", "allow, not recognized"),
        ("doubtful", "0.90", "Northlight, uncertain"),
    ]
    assert '<span class="word word-other_company">&lt;Acme&gt;<span class="visually-hidden">, another company' in shown
    for words in (
        "Listen closely",
        "91% of the words recognized",
        "This result comes from a program. Listen before you decide.",
    ):
        assert words in shown
    assert consent.text in shown, "the words as they were shown stay beside it"


def test_the_legend_tells_of_the_states_that_occur(take: Take) -> None:
    found = make_take_report(checked(take, statement={**STATEMENT, "words": WORDS[:2]}))
    assert found.legend == [("heard", "recognized", 1), ("inserted", "added", 1)]
    everything = make_take_report(checked(take))
    assert {state for state, _meaning, _count in everything.legend} == set(WORD_STATES)


def test_a_state_that_nobody_knows_is_shown_as_not_sure(take: Take) -> None:
    odd = [{"text": "well", "state": "sung", "start": 1.0, "end": 2.0}]
    assert [word.state for word in make_take_report(checked(take, statement={**STATEMENT, "words": odd})).words] == [
        "doubtful"
    ]


@pytest.mark.parametrize(
    ("verdict", "tone", "words"),
    [
        ("accept", "good", "Matches the statement"),
        ("review", "wait", "Listen closely"),
        ("reject", "bad", "Different words recognized"),
        ("retake", "wait", "Hard to understand"),
        ("listen", "over", "Not checked"),
        ("unheard of", "over", "Not checked"),
    ],
)
def test_every_verdict_leaves_the_decision_to_the_person(
    as_producer: Client, consent: Consent, take: Take, verdict: str, tone: str, words: str
) -> None:
    checked(take, statement={**STATEMENT, "verdict": verdict})
    shown = review(as_producer, consent)
    assert f'<span class="state state-{tone}">{words}</span>' in shown
    assert '<button class="btn btn-primary" data-approve>Approve</button>' in shown


def test_who_speaks_is_told_with_what_it_rests_on(as_viewer: Client, consent: Consent, take: Take) -> None:
    checked(take)
    shown = review(as_viewer, consent)
    assert "Same person" in shown
    for name, value in (
        ("Similarity", "0.83"),
        ("Same person from", "0.75"),
        ("Error rate in tests", "0.4%"),
        ("with", "5 recordings"),
    ):
        assert re.search(rf"{name}</dt><dd>{re.escape(value)}</dd>", shown), name


def test_who_sounds_like_another_is_told_below_which_likeness(take: Take) -> None:
    told = {**SPEAKER, "verdict": "different", "score": 0.599, "threshold": 0.6}
    speaker = make_take_report(checked(take, speaker=told)).speaker
    assert speaker and speaker.figures[:2] == (("Similarity", "0.59"), ("Different person below", "0.60"))
    assert speaker.figures[3] == ("Compared with", "5 recordings") and speaker.tone == "bad"


def test_a_voice_that_could_not_be_compared_has_no_figures(as_viewer: Client, consent: Consent, take: Take) -> None:
    speaker = {"verdict": "unchecked", "score": None, "threshold": 0.75, "text": "There are no recordings yet."}
    checked(take, speaker=speaker)
    shown = review(as_viewer, consent)
    assert "Not compared" in shown and "There are no recordings yet." in shown
    assert "Similarity" not in shown


def test_the_sound_is_told_line_by_line_with_what_was_measured_later(
    as_viewer: Client, consent: Consent, take: Take
) -> None:
    hum = {"severity": "look", "code": "hum", "text": "A hum at 50 Hz.", "advice": "Unplug it.", "at": 1.2}
    about_words = {**hum, "code": "statement_negated", "text": "This stands with the words."}
    checked(take, findings=[hum, about_words], measures={"reverberation_seconds": 0.21})
    shown = review(as_viewer, consent)
    assert "Sound decays in 0.21 s" in shown and "A hum at 50 Hz." in shown and 'data-at="0.70"' in shown
    assert "This stands with the words." not in shown


def test_the_deep_look_takes_the_place_of_the_quick_one(factory: ConsentFactory) -> None:
    quick = {"severity": "look", "code": "silence_at_end", "text": "Quick.", "advice": "-", "at": 3.0}
    short = {"severity": "refused", "code": "too_short", "text": "Short.", "advice": "-", "at": None}
    take = factory.make_take(factory.make_consent())
    take.findings = [quick, short]
    deep = TakeCheck(take=take, measures={"lufs": -20.0}, findings=[{**quick, "text": "Deep.", "at": 3.1}])
    texts = [one.text for fact in TakeReport(take, deep).facts for one in fact.chips]
    assert texts == ["Short.", "Deep."]
    assert [one.text for fact in TakeReport(take, None).facts for one in fact.chips] == ["Short.", "Quick."]


# --- waiting ------------------------------------------------------------------------------


def polled(take: Take, stage: str) -> str:
    return f"{get_url('take_check', take)}?seen={stage}"


def test_a_page_that_waits_asks_until_the_check_is_there(as_viewer: Client, consent: Consent, take: Take) -> None:
    shown = review(as_viewer, consent)
    assert f'hx-get="{polled(take, "waiting")}"' in shown and "Checking" in shown and consent.text in shown
    assert as_viewer.get(polled(take, "waiting")).status_code == 204
    checked(take)
    answer = read_page(as_viewer, polled(take, "waiting"))
    assert "Listen closely" in answer and "hx-trigger" not in answer and "<html" not in answer
    assert f'id="take-report-{take.pk}"' in answer


def test_the_voice_is_waited_for_a_little_longer(as_viewer: Client, take: Take) -> None:
    checked(take, speaker={})
    answer = read_page(as_viewer, polled(take, "waiting"))
    assert "Listen closely" in answer and "Comparing" in answer and polled(take, "comparing") in answer
    assert as_viewer.get(polled(take, "comparing")).status_code == 204
    checked(take)
    assert "Same person" in read_page(as_viewer, polled(take, "comparing"))
    checked(take, speaker={}, checked_at=timezone.now() - COMPARISON_TIME)
    answer = read_page(as_viewer, polled(take, "comparing"))
    assert "Not compared" in answer and "hx-trigger" not in answer


def test_an_old_take_that_nobody_checked_says_so(as_viewer: Client, consent: Consent, take: Take) -> None:
    TakeCheck.objects.all().delete()
    shown = review(as_viewer, consent)
    assert "The words were not checked." in shown and get_url("take_check", take) not in shown


def test_why_nothing_was_checked_is_told(as_viewer: Client, consent: Consent, take: Take) -> None:
    checked(take, statement={}, speaker={}, error="The file could not be opened.")
    shown = review(as_viewer, consent)
    assert "Not checked" in shown and "The file could not be opened." in shown
    assert get_url("take_check", take) not in shown


def test_what_cannot_be_used_is_not_waited_for(factory: ConsentFactory, as_viewer: Client) -> None:
    consent = factory.make_consent()
    take = factory.make_take(consent, b"no sound at all")
    shown = read_page(as_viewer, consent.get_absolute_url())
    assert "This is not a WAV file." in shown and get_url("take_check", take) not in shown and "Checking" not in shown


# --- names --------------------------------------------------------------------------------


def test_admins_are_led_to_where_it_is_told_how_a_name_is_said(
    as_admin: Client, as_producer: Client, consent: Consent, take: Take
) -> None:
    assert make_take_report(checked(take)).unsure_names == ["Northlight"]
    assert "Tell how “Northlight” is said" not in review(as_producer, consent)
    assert f"{reverse('admin:consent_pronunciation_add')}?name=Northlight" in review(as_admin, consent)


# --- the waveform -------------------------------------------------------------------------


def test_the_finer_outline_is_there_for_those_who_ask(as_viewer: Client, take: Take) -> None:
    checked(take, fine_peaks=[-128, 127, -64, 64, 0, 0])
    path = get_url("take_peaks", take)
    assert as_viewer.get(f"{path}?fine").json()["peaks"] == [[0.992, 0.5, 0.0], [-1.0, -0.5, 0.0]]
    assert len(as_viewer.get(path).json()["peaks"][0]) == 400
    TakeCheck.objects.update(fine_peaks=[])
    assert len(as_viewer.get(f"{path}?fine").json()["peaks"][0]) == 400
