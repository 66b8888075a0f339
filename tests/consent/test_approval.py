"""What the server asks for before a consent is in force: playback, time, another person, and reasons."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, EventKind, Take, TakeCheck
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, get_url, make_clip, make_upload, read_page
from tests.support.approval import REASON, let_time_pass, play
from tests.support.html import read_html
from voicehub.models import User

pytestmark = pytest.mark.django_db

MakePerson = Callable[..., User]
AsPerson = Callable[[User], Client]
FINE: dict[str, Any] = {
    "statement": {"verdict": "accept", "why": "Heard.", "match": 1.0, "words": [], "findings": []},
    "speaker": {"verdict": "same", "score": 0.9},
}


def set_check(take: Take, **fields: Any) -> None:
    TakeCheck.objects.update_or_create(take=take, defaults={"checked_at": timezone.now(), **FINE, **fields})


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    """It waits for review, and its check has nothing against it."""
    consent = factory.make_submitted_consent()
    set_check(consent.takes.get())
    return consent


@pytest.fixture
def take(consent: Consent) -> Take:
    return consent.takes.get()


def listen(client: Client, take: Take) -> None:
    """Have all of it played."""
    assert play(client, take) == 200
    let_time_pass(client, take.seconds)


def approve(client: Client, consent: Consent, take: Take, reason: str = "") -> str:
    """Ask for approval; the page that this leads to."""
    given = {"take": take.pk, "reason": reason}
    return read_html(client.post(get_url("approve", consent), given, follow=True))


def is_in_force(consent: Consent) -> bool:
    consent.refresh_from_db()
    return consent.status == ConsentStatus.APPROVED


# --- playback -----------------------------------------------------------------------------


def test_what_was_never_played_is_not_approved(as_producer: Client, consent: Consent, take: Take) -> None:
    assert "Play the recording first" in approve(as_producer, consent, take)
    assert not is_in_force(consent)
    assert not consent.events.filter(kind=EventKind.APPROVED).exists()


def test_as_much_time_passes_as_the_take_lasts(as_producer: Client, consent: Consent, take: Take) -> None:
    play(as_producer, take)
    assert "4 s left" in approve(as_producer, consent, take)
    let_time_pass(as_producer, take.seconds - 1)
    assert "1 s left" in approve(as_producer, consent, take)
    assert not is_in_force(consent)
    let_time_pass(as_producer, 1)
    assert "Consent approved. It is now in force." in approve(as_producer, consent, take)
    assert is_in_force(consent)


def test_the_first_playback_counts(as_producer: Client, consent: Consent, take: Take) -> None:
    listen(as_producer, take)
    assert play(as_producer, take, range="bytes=100-") == 206
    approve(as_producer, consent, take)
    assert is_in_force(consent)


def test_playback_by_another_person_does_not_count(
    as_producer: Client, as_person: AsPerson, make_person: MakePerson, consent: Consent, take: Take
) -> None:
    listen(as_person(make_person("pia", "producer")), take)
    assert "Play the recording first" in approve(as_producer, consent, take)
    assert not is_in_force(consent)


def test_playback_before_another_person_signed_in_does_not_count(
    client: Client, producer: User, make_person: MakePerson, consent: Consent, take: Take
) -> None:
    client.force_login(make_person("pia", "producer"))
    listen(client, take)
    client.force_login(producer)
    assert "Play the recording first" in approve(client, consent, take)
    assert not is_in_force(consent)


def test_playback_of_an_earlier_take_does_not_count(factory: ConsentFactory, as_producer: Client, take: Take) -> None:
    consent = take.consent
    listen(as_producer, take)
    Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.REQUESTED)
    newer = factory.make_take(consent, make_clip(1))
    set_check(newer)
    assert "Play the recording first" in approve(as_producer, consent, newer)
    assert "There is a newer recording" in approve(as_producer, consent, take)
    assert not is_in_force(consent)


def test_only_an_answer_with_sound_is_a_playback(as_producer: Client, consent: Consent, take: Take) -> None:
    assert b"".join(as_producer.head(get_url("take_audio", take))) == b""
    assert play(as_producer, take, range="bytes=999999999-") == 416
    as_producer.get(get_url("take_peaks", take))
    read_page(as_producer, consent.get_absolute_url())
    let_time_pass(as_producer, take.seconds)
    assert "Play the recording first" in approve(as_producer, consent, take)
    assert play(as_producer, take, range="bytes=0-") == 206
    let_time_pass(as_producer, take.seconds)
    approve(as_producer, consent, take)
    assert is_in_force(consent)


def test_the_page_loads_no_sound_by_itself(as_producer: Client, consent: Consent) -> None:
    """Otherwise opening the page would be taken for playing the recording."""
    shown = read_page(as_producer, consent.get_absolute_url())
    assert '<audio controls preload="none"' in shown and 'preload="metadata"' not in shown


# --- another person -----------------------------------------------------------------------


def made_by(person: User, factory: ConsentFactory, capture: Capture) -> Consent:
    consent = factory.make_consent()
    set_check(submit_take(consent, make_upload(make_clip()), capture, by=person))
    consent.refresh_from_db()
    return consent


each_capture = pytest.mark.parametrize("capture", [Capture.IN_STUDIO, Capture.UPLOAD])


@each_capture
def test_who_made_a_take_does_not_approve_it(
    factory: ConsentFactory, as_producer: Client, as_person: AsPerson, make_person: MakePerson, capture: Capture
) -> None:
    consent = made_by(factory.producer, factory, capture)
    take = consent.takes.get()
    shown = read_page(as_producer, consent.get_absolute_url())
    assert "You recorded or uploaded it yourself" in shown and "data-approve" not in shown
    set_check(take, **doubt("statement_company"))
    for address in (consent.get_absolute_url(), get_url("take_check", take)):
        assert "approve-reason" not in read_page(as_producer, address)
    set_check(take)
    listen(as_producer, take)
    assert "another person has to approve it" in approve(as_producer, consent, take, REASON)
    assert not is_in_force(consent)
    other = as_person(make_person("pia", "producer"))
    listen(other, take)
    approve(other, consent, take)
    assert is_in_force(consent)
    assert "approver_made_take" not in consent.events.get(kind=EventKind.APPROVED).payload


@each_capture
def test_a_studio_of_one_may_allow_it_and_the_history_says_so(
    factory: ConsentFactory, as_producer: Client, settings: Any, capture: Capture
) -> None:
    settings.VOICEHUB_ALLOW_SELF_APPROVAL = True
    consent = made_by(factory.producer, factory, capture)
    take = consent.takes.get()
    assert "Play the recording first" in approve(as_producer, consent, take), "all else is asked for as ever"
    listen(as_producer, take)
    shown = approve(as_producer, consent, take)
    assert is_in_force(consent)
    assert consent.events.get(kind=EventKind.APPROVED).payload["approver_made_take"] is True
    assert "Paula, who also recorded or uploaded it, approved the recording" in shown


def test_the_history_says_nothing_of_it_where_the_talent_made_the_take(
    as_producer: Client, settings: Any, consent: Consent, take: Take
) -> None:
    settings.VOICEHUB_ALLOW_SELF_APPROVAL = True
    listen(as_producer, take)
    approve(as_producer, consent, take)
    assert set(consent.events.get(kind=EventKind.APPROVED).payload) == {"take", "sha256"}


# --- reasons ------------------------------------------------------------------------------


def doubt(code: str = "", *, words: str = "", match: float | None = 0.8, verdict: str = "review") -> dict[str, Any]:
    findings = [{"code": code, "severity": "look", "text": "Look.", "advice": "Listen.", "at": None}] if code else []
    said = [{"text": "word", "state": words, "start": 1.0}] if words else []
    return {"statement": {"verdict": verdict, "why": "", "match": match, "words": said, "findings": findings}}


OBJECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "another company": (doubt("statement_company"), "another company was recognized"),
    "another company as a word": (doubt(words="other_company"), "another company was recognized"),
    "another talent": (doubt("statement_talent"), "words of the statement were not recognized"),
    "words missing": (doubt("statement_words_missing"), "words of the statement were not recognized"),
    "a word missing": (doubt(words="missing"), "words of the statement were not recognized"),
    "something else": (doubt("statement_not_read", verdict="reject"), "words of the statement were not recognized"),
    "another speaker": ({"speaker": {"verdict": "different"}}, "the voice sounds like a different person"),
    "not checked yet": ({"statement": {}, "speaker": {}, "checked_at": None}, "the words have not been checked yet"),
    "never checked": ({"statement": {}, "trouble": "No."}, "the words could not be checked"),
    "another language": (doubt("statement_unjudged", match=None, verdict="listen"), "the words could not be checked"),
}


@pytest.mark.parametrize(("check", "words"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_against_a_check_one_approves_only_with_a_reason(
    as_producer: Client, consent: Consent, take: Take, check: dict[str, Any], words: str
) -> None:
    set_check(take, **check)
    assert f"Why do you approve it although {words}?" in read_page(as_producer, consent.get_absolute_url())
    listen(as_producer, take)
    for reason in ("", "  \n "):
        assert f"Enter the reason why you approve it although {words}." in approve(as_producer, consent, take, reason)
        assert not is_in_force(consent)
    shown = approve(as_producer, consent, take, "I know her voice.")
    assert is_in_force(consent)
    assert consent.events.get(kind=EventKind.APPROVED).payload["reason"] == "I know her voice."
    assert "“I know her voice.”" in shown


def test_a_take_without_any_check_needs_a_reason(as_producer: Client, consent: Consent, take: Take) -> None:
    TakeCheck.objects.all().delete()
    listen(as_producer, take)
    assert "the words have not been checked yet" in approve(as_producer, consent, take)
    assert not is_in_force(consent)


@pytest.mark.parametrize(
    "check",
    [
        {"speaker": {"verdict": "unsure"}},
        {"speaker": {"verdict": "unchecked"}},
        {"speaker": {}},
        doubt("statement_name_doubtful", verdict="listen"),
        doubt(words="missing", verdict="accept"),
    ],
)
def test_other_results_need_no_reason(as_producer: Client, consent: Consent, take: Take, check: dict[str, Any]) -> None:
    set_check(take, **check)
    assert "approve-reason" not in read_page(as_producer, consent.get_absolute_url())
    listen(as_producer, take)
    approve(as_producer, consent, take)
    assert is_in_force(consent)


def test_all_that_is_missing_is_said_at_once(as_producer: Client, consent: Consent, take: Take) -> None:
    set_check(take, **doubt("statement_company"), speaker={"verdict": "different"})
    shown = approve(as_producer, consent, take)
    assert "Play the recording first" in shown
    assert "although another company was recognized and the voice sounds like a different person." in shown


def test_a_reason_that_no_history_keeps_is_refused(as_producer: Client, consent: Consent, take: Take) -> None:
    listen(as_producer, take)
    for reason in ("x" * 1001, "no\x00thing"):
        approve(as_producer, consent, take, reason)
        assert not is_in_force(consent)


def test_the_check_that_comes_later_brings_its_question_with_it(
    as_producer: Client, as_viewer: Client, take: Take
) -> None:
    set_check(take, **doubt("statement_company"))
    assert "although another company was recognized?" in read_page(as_producer, get_url("take_check", take))
    assert "approve-reason" not in read_page(as_viewer, get_url("take_check", take))


def test_page_knows_of_a_playback_before_it_was_loaded(as_producer: Client, consent: Consent, take: Take) -> None:
    address = consent.get_absolute_url()
    assert "data-seconds-left" not in read_page(as_producer, address)
    play(as_producer, take)
    assert f'data-seconds-left="{round(take.seconds)}"' in read_page(as_producer, address)
    let_time_pass(as_producer, take.seconds)
    assert 'data-seconds-left="0"' in read_page(as_producer, address)


def test_an_inserted_not_needs_a_reason(as_producer: Client, consent: Consent, take: Take) -> None:
    negated = {"code": "statement_negated", "severity": "look", "text": "A not.", "advice": "Listen."}
    set_check(take, statement=FINE["statement"] | {"verdict": "reject", "findings": [negated]})
    listen(as_producer, take)
    assert "“not” was recognized" in approve(as_producer, consent, take)
    assert not is_in_force(consent)
    approve(as_producer, consent, take, REASON)
    assert is_in_force(consent)


def test_staff_who_use_the_private_link_do_not_approve_what_they_sent(
    factory: ConsentFactory, as_producer: Client
) -> None:
    consent = factory.make_consent()
    as_producer.get(factory.make_link(consent))
    sent = {"file": make_upload(make_clip()), "recorded": "on"}
    as_producer.post(reverse("invitation:submit", args=[consent.pk]), sent)
    take = consent.takes.get()
    assert take.recorded_by == factory.producer
    set_check(take)
    listen(as_producer, take)
    assert "another person has to approve it" in approve(as_producer, consent, take, REASON)
    assert not is_in_force(consent)
    assert "in a browser where Paula was signed in" in read_page(as_producer, consent.get_absolute_url())
