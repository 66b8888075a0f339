"""The take report on the review page: statement words, speaker, sound, and polling while the check runs."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Take, TakeCheck
from consent.take_report import COMPARISON_TIME, WORD_STATES, TakeReport, make_take_report
from tests.consent.rows import ConsentFactory, allow_comparison, get_url, read_page
from voicehub.sound_report import Fact

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WORDS = [
    {"text": "I", "state": "heard", "role": "text", "start": 0.4, "end": 0.5},
    {"text": "never", "state": "inserted", "role": None, "start": 0.55, "end": 0.8},
    {"text": "allow", "state": "missing", "role": "text", "start": 0.8, "end": 0.8},
    {"text": "Northlight", "state": "doubtful", "role": "company", "start": 1.0, "end": 1.4},
    {"text": "<Acme>", "state": "other_company", "role": None, "start": None, "end": None},
]
STATEMENT = {"verdict": "review", "why": "“never” was recognized.", "match": 0.91, "words": WORDS}
SPEAKER = {"verdict": "same", "score": 0.83, "threshold": 0.75, "error_rate": 0.004, "compared_with": 5, "text": "Yes."}


def add_check(take: Take, **fields: Any) -> Take:
    """Store a check with these fields. Return the take, read again from the database."""
    values = {"checked_at": timezone.now(), "statement": STATEMENT, "speaker": SPEAKER, "measures": {}, **fields}
    TakeCheck.objects.update_or_create(take=take, defaults=values)
    return Take.objects.get(pk=take.pk)


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    consent = factory.make_submitted_consent()
    allow_comparison(consent.talent)
    return consent


@pytest.fixture
def take(consent: Consent) -> Take:
    return Take.objects.get(consent=consent)


def read_consent_page(client: Client, consent: Consent) -> str:
    return read_page(client, consent.get_absolute_url())


def list_word_buttons(page: str) -> list[tuple[str, str, str]]:
    """(state, start of playback, text including the visually hidden part) of each word that is a button."""
    pattern = r'class="word word-(\w+)" data-at="([\d.]+)">(.*?)</button>'
    return [(state, start, re.sub("<[^>]+>", "", text).strip()) for state, start, text in re.findall(pattern, page)]


def test_each_word_shows_its_state_and_plays_from_its_time(
    producer_client: Client, consent: Consent, take: Take
) -> None:
    add_check(take)
    page = read_consent_page(producer_client, consent)
    assert list_word_buttons(page) == [
        ("heard", "0.30", "I"),
        ("inserted", "0.45", "never, added"),
        ("missing", "0.70", "allow, not recognized"),
        ("doubtful", "0.90", "Northlight, uncertain"),
    ]
    assert '<span class="word word-other_company">&lt;Acme&gt;<span class="visually-hidden">, another company' in page
    for text in (
        "Listen closely",
        "1 of 4 words",
        "This result comes from a program. Listen before you decide.",
    ):
        assert text in page
    assert consent.text in page, "the statement as shown to the talent stays on the page"


def test_legend_lists_only_states_that_occur(take: Take) -> None:
    report = make_take_report(add_check(take, statement={**STATEMENT, "words": WORDS[:2]}))
    assert report.legend == [("heard", "recognized", 1), ("inserted", "added", 1)]
    full_report = make_take_report(add_check(take))
    assert {state for state, _meaning, _count in full_report.legend} == set(WORD_STATES)


def test_unknown_word_state_is_shown_as_doubtful(take: Take) -> None:
    words = [{"text": "well", "state": "sung", "start": 1.0, "end": 2.0}]
    report = make_take_report(add_check(take, statement={**STATEMENT, "words": words}))
    assert [word.state for word in report.words] == ["doubtful"]


@pytest.mark.parametrize(
    ("verdict", "tone", "text"),
    [
        ("accept", "good", "Matches the statement"),
        ("review", "wait", "Listen closely"),
        ("reject", "bad", "Different words recognized"),
        ("retake", "wait", "Hard to understand"),
        ("listen", "over", "Not checked"),
        ("unknown", "over", "Not checked"),
    ],
)
def test_every_verdict_leaves_approval_to_staff(
    producer_client: Client, consent: Consent, take: Take, verdict: str, tone: str, text: str
) -> None:
    add_check(take, statement={**STATEMENT, "verdict": verdict})
    page = read_consent_page(producer_client, consent)
    assert f'<span class="state state-{tone}">{text}</span>' in page
    assert '<button class="btn btn-primary" data-approve>Approve</button>' in page


def test_speaker_verdict_shows_its_figures(producer_client: Client, consent: Consent, take: Take) -> None:
    add_check(take)
    page = read_consent_page(producer_client, consent)
    assert "Same person" in page
    for name, value in (
        ("Similarity", "0.83"),
        ("Same person from", "0.75"),
        ("Error rate in tests", "0.4%"),
        ("with", "5 recordings"),
    ):
        assert re.search(rf"{name}</dt><dd>{re.escape(value)}</dd>", page), name


def test_different_speaker_verdict_shows_similarity_threshold(take: Take) -> None:
    result = {**SPEAKER, "verdict": "different", "score": 0.599, "threshold": 0.6}
    speaker = make_take_report(add_check(take, speaker=result)).speaker
    assert speaker and speaker.figures[:2] == (("Similarity", "0.59"), ("Different person below", "0.60"))
    assert speaker.figures[3] == ("Compared with", "5 recordings") and speaker.tone == "bad"


def test_speaker_section_shows_no_scores_without_a_comparison(
    producer_client: Client, consent: Consent, take: Take
) -> None:
    speaker = {"verdict": "unchecked", "score": None, "threshold": 0.75, "text": "There are no recordings yet."}
    add_check(take, speaker=speaker)
    page = read_consent_page(producer_client, consent)
    assert "Not compared" in page and "There are no recordings yet." in page
    assert "Similarity" not in page


def test_sound_section_includes_measures_and_findings_of_check(
    producer_client: Client, consent: Consent, take: Take
) -> None:
    hum_finding = {"severity": "look", "code": "hum", "text": "A hum at 50 Hz.", "advice": "Unplug it.", "at": 1.2}
    statement_finding = {**hum_finding, "code": "statement_negated", "text": "The statement section shows this."}
    add_check(take, findings=[hum_finding, statement_finding], measures={"reverberation_seconds": 0.21})
    page = read_consent_page(producer_client, consent)
    assert "Sound decays in 0.21 s" in page and "A hum at 50 Hz." in page and 'data-at="0.70"' in page
    assert "The statement section shows this." not in page


def test_check_findings_replace_upload_findings_of_same_code(factory: ConsentFactory) -> None:
    quick_finding = {"severity": "look", "code": "silence_at_end", "text": "Quick.", "advice": "-", "at": 3.0}
    short_finding = {"severity": "refused", "code": "too_short", "text": "Short.", "advice": "-", "at": None}
    take = factory.make_take(factory.make_consent())
    take.findings = [quick_finding, short_finding]
    check = TakeCheck(take=take, measures={"lufs": -20.0}, findings=[{**quick_finding, "text": "Deep.", "at": 3.1}])
    texts = [chip.text for fact in TakeReport(take, check, False).facts for chip in fact.chips]
    assert texts == ["Short.", "Deep."]
    check.measures["missing"] = ["silero-vad is not installed."]
    model = TakeReport(take, check, False).facts[-1]
    assert (model.label, model.tone, model.missing) == ("Speech model", "over", "silero-vad is not installed.")
    assert [chip.text for fact in TakeReport(take, None, False).facts for chip in fact.chips] == ["Short.", "Quick."]


# --- polling ------------------------------------------------------------------------------


def get_poll_url(take: Take, stage: str) -> str:
    return f"{get_url('take_check', take)}?seen={stage}"


def test_page_polls_until_check_is_done(producer_client: Client, consent: Consent, take: Take) -> None:
    page = read_consent_page(producer_client, consent)
    assert f'hx-get="{get_poll_url(take, "waiting")}"' in page and "Checking" in page and consent.text in page
    assert producer_client.get(get_poll_url(take, "waiting")).status_code == 204
    add_check(take)
    fragment = read_page(producer_client, get_poll_url(take, "waiting"))
    assert "Listen closely" in fragment and "hx-trigger" not in fragment and "<html" not in fragment
    assert f'id="take-report-{take.pk}"' in fragment


def test_page_polls_for_speaker_comparison_for_limited_time(producer_client: Client, take: Take) -> None:
    add_check(take, speaker={})
    fragment = read_page(producer_client, get_poll_url(take, "waiting"))
    assert "Listen closely" in fragment and "Comparing" in fragment and get_poll_url(take, "comparing") in fragment
    assert producer_client.get(get_poll_url(take, "comparing")).status_code == 204
    add_check(take)
    assert "Same person" in read_page(producer_client, get_poll_url(take, "comparing"))
    add_check(take, speaker={}, checked_at=timezone.now() - COMPARISON_TIME)
    fragment = read_page(producer_client, get_poll_url(take, "comparing"))
    assert "Not compared" in fragment and "hx-trigger" not in fragment


def test_page_says_not_compared_without_the_permission_of_the_talent(
    producer_client: Client, consent: Consent, take: Take
) -> None:
    consent.talent.comparison_answers.all()._raw_delete("default")
    for speaker in ({}, SPEAKER):  # a result may be left by a version that did not ask
        add_check(take, speaker=speaker)
        fragment = read_page(producer_client, get_poll_url(take, "waiting"))
        assert "Not compared" in fragment and "The talent has not allowed the voice comparison." in fragment
        assert "Comparing" not in fragment and "hx-trigger" not in fragment and "Same person" not in fragment


def test_take_without_check_is_reported_as_not_checked(producer_client: Client, consent: Consent, take: Take) -> None:
    TakeCheck.objects.all().delete()
    page = read_consent_page(producer_client, consent)
    assert "The words were not checked." in page and get_url("take_check", take) not in page


def test_failed_check_shows_its_error(producer_client: Client, consent: Consent, take: Take) -> None:
    add_check(take, statement={}, speaker={}, error="The file could not be opened.")
    page = read_consent_page(producer_client, consent)
    assert "Not checked" in page and "The file could not be opened." in page
    assert get_url("take_check", take) not in page


def test_page_of_unacceptable_take_does_not_poll(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    take = factory.make_take(consent, b"no sound at all")
    page = read_page(producer_client, consent.get_absolute_url())
    assert "This file cannot be read as sound." in page
    assert get_url("take_check", take) not in page and "Checking" not in page


# --- uncertain names ----------------------------------------------------------------------


def test_admin_sees_link_to_add_pronunciation(
    superuser_client: Client, producer_client: Client, consent: Consent, take: Take
) -> None:
    assert make_take_report(add_check(take)).unsure_names == ["Northlight"]
    assert "Add the pronunciation of “Northlight”" not in read_consent_page(producer_client, consent)
    assert f"{reverse('admin:consent_pronunciation_add')}?name=Northlight" in read_consent_page(
        superuser_client, consent
    )


# --- the waveform -------------------------------------------------------------------------


def test_fine_peaks_are_returned_on_request(producer_client: Client, take: Take) -> None:
    add_check(take, fine_peaks=[-128, 127, -64, 64, 0, 0])
    url = get_url("take_peaks", take)
    assert producer_client.get(f"{url}?fine").json()["peaks"] == [[0.992, 0.5, 0.0], [-1.0, -0.5, 0.0]]
    assert len(producer_client.get(url).json()["peaks"][0]) == 400
    TakeCheck.objects.update(fine_peaks=[])
    assert len(producer_client.get(f"{url}?fine").json()["peaks"][0]) == 400


def test_sound_checks_are_counted_only_if_all_passed(take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = [Fact("Length", "8.7 s"), Fact("Level", "-20 dBFS")]
    monkeypatch.setattr(TakeReport, "facts", property(lambda _report: facts))
    report = make_take_report(take)
    assert report.passed_sound_checks == 2
    facts.append(Fact("Noise", "", missing="Too short."))
    assert report.passed_sound_checks == 0
