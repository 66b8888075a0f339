"""An approval needs full playback, a second person, and a reason if the automatic check found a problem."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from consent.models import Capture, Consent, ConsentStatus, EventKind, Take, TakeCheck
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, get_guest_url, get_url, make_clip, make_upload, read_page, tick_purposes
from tests.support.approval import APPROVAL_REASON, backdate_playback, play_take
from tests.support.html import read_html
from tests.support.permissions import grant
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakePerson = Callable[..., User]
MakeClient = Callable[[User], Client]
PASSED_CHECK: dict[str, Any] = {
    "statement": {"verdict": "accept", "why": "Recognized.", "match": 1.0, "words": [], "findings": []},
    "speaker": {"verdict": "same", "score": 0.9},
}


def set_check(take: Take, **fields: Any) -> None:
    """Store a check that the take passed, apart from these fields."""
    TakeCheck.objects.update_or_create(take=take, defaults={"checked_at": timezone.now(), **PASSED_CHECK, **fields})


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    """A consent that waits for review; its take passed the check."""
    consent = factory.make_submitted_consent()
    set_check(consent.takes.get())
    return consent


@pytest.fixture
def take(consent: Consent) -> Take:
    return consent.takes.get()


def play_to_end(client: Client, take: Take) -> None:
    """Play the take, and backdate the playback by its whole duration."""
    assert play_take(client, take) == 200
    backdate_playback(client, take.seconds)


def approve(client: Client, consent: Consent, take: Take, reason: str = "") -> str:
    """Request approval and return the page that follows."""
    form = {"take": take.pk, "reason": reason}
    return read_html(client.post(get_url("approve", consent), form, follow=True))


def is_in_force(consent: Consent) -> bool:
    consent.refresh_from_db()
    return consent.status == ConsentStatus.APPROVED


# --- playback -----------------------------------------------------------------------------


def test_unplayed_take_cannot_be_approved(producer_client: Client, consent: Consent, take: Take) -> None:
    assert "Play the recording first" in approve(producer_client, consent, take)
    assert not is_in_force(consent)
    assert not consent.events.filter(kind=EventKind.APPROVED).exists()


def test_approval_requires_playback_for_full_duration(
    producer_client: Client, consent: Consent, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)  # the time of a request does not count
    play_take(producer_client, take)
    assert "4 s left" in approve(producer_client, consent, take)
    backdate_playback(producer_client, take.seconds - 1)
    assert "1 s left" in approve(producer_client, consent, take)
    assert not is_in_force(consent)
    backdate_playback(producer_client, 1)
    assert "Consent approved. It is now in force." in approve(producer_client, consent, take)
    assert is_in_force(consent)


def test_second_playback_does_not_restart_playback_time(producer_client: Client, consent: Consent, take: Take) -> None:
    play_to_end(producer_client, take)
    assert play_take(producer_client, take, range="bytes=100-") == 206
    approve(producer_client, consent, take)
    assert is_in_force(consent)


def test_playback_by_another_person_does_not_count(
    producer_client: Client, make_client: MakeClient, make_person: MakePerson, consent: Consent, take: Take
) -> None:
    play_to_end(make_client(make_person("pia", "producer")), take)
    assert "Play the recording first" in approve(producer_client, consent, take)
    assert not is_in_force(consent)


def test_playback_before_another_person_signed_in_does_not_count(
    client: Client, producer: User, make_person: MakePerson, consent: Consent, take: Take
) -> None:
    client.force_login(make_person("pia", "producer"))
    play_to_end(client, take)
    client.force_login(producer)
    assert "Play the recording first" in approve(client, consent, take)
    assert not is_in_force(consent)


def test_playback_of_earlier_take_does_not_count_for_newer_take(
    factory: ConsentFactory, producer_client: Client, take: Take
) -> None:
    consent = take.consent
    play_to_end(producer_client, take)
    Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.REQUESTED)
    newer_take = factory.make_take(consent, make_clip(1))
    set_check(newer_take)
    assert "Play the recording first" in approve(producer_client, consent, newer_take)
    assert "There is a newer recording" in approve(producer_client, consent, take)
    assert not is_in_force(consent)


def test_only_response_with_audio_counts_as_playback(producer_client: Client, consent: Consent, take: Take) -> None:
    assert b"".join(producer_client.head(get_url("take_audio", take))) == b""
    assert play_take(producer_client, take, range="bytes=999999999-") == 416
    producer_client.get(get_url("take_peaks", take))
    read_page(producer_client, consent.get_absolute_url())
    backdate_playback(producer_client, take.seconds)
    assert "Play the recording first" in approve(producer_client, consent, take)
    assert play_take(producer_client, take, range="bytes=0-") == 206
    backdate_playback(producer_client, take.seconds)
    approve(producer_client, consent, take)
    assert is_in_force(consent)


def test_page_does_not_preload_audio(producer_client: Client, consent: Consent) -> None:
    """A preload would count as playback as soon as the page opens."""
    page = read_page(producer_client, consent.get_absolute_url())
    assert '<audio controls preload="none"' in page and 'preload="metadata"' not in page


# --- another person -----------------------------------------------------------------------


def make_staff_consent(person: User, factory: ConsentFactory, capture: Capture) -> Consent:
    consent = factory.make_consent()
    set_check(submit_take(consent, make_upload(make_clip()), capture, by=person))
    consent.refresh_from_db()
    return consent


for_each_staff_capture = pytest.mark.parametrize("capture", [Capture.IN_STUDIO, Capture.UPLOAD])


@for_each_staff_capture
def test_person_who_made_take_cannot_approve_it(
    factory: ConsentFactory, producer_client: Client, make_client: MakeClient, make_person: MakePerson, capture: Capture
) -> None:
    consent = make_staff_consent(factory.producer, factory, capture)
    take = consent.takes.get()
    page = read_page(producer_client, consent.get_absolute_url())
    assert "You recorded or uploaded it yourself" in page and "data-approve" not in page
    set_check(take, **make_statement_result("statement_company"))
    for url in (consent.get_absolute_url(), get_url("take_check", take)):
        assert "approve-reason" not in read_page(producer_client, url)
    set_check(take)
    play_to_end(producer_client, take)
    assert "another person has to approve it" in approve(producer_client, consent, take, APPROVAL_REASON)
    assert not is_in_force(consent)
    other_client = make_client(make_person("pia", "producer"))
    play_to_end(other_client, take)
    approve(other_client, consent, take)
    assert is_in_force(consent)
    assert "approver_made_take" not in consent.events.get(kind=EventKind.APPROVED).payload


@for_each_staff_capture
def test_allowed_self_approval_is_recorded_in_audit_log(
    factory: ConsentFactory, producer_client: Client, settings: Any, capture: Capture
) -> None:
    settings.VOICEHUB_ALLOW_SELF_APPROVAL = True
    consent = make_staff_consent(factory.producer, factory, capture)
    take = consent.takes.get()
    assert "Play the recording first" in approve(producer_client, consent, take), "all other conditions still apply"
    play_to_end(producer_client, take)
    page = approve(producer_client, consent, take)
    assert is_in_force(consent)
    assert consent.events.get(kind=EventKind.APPROVED).payload["approver_made_take"] is True
    assert "Paula, who also recorded or uploaded it, approved the recording" in page


def test_audit_log_has_no_self_approval_if_talent_made_take(
    producer_client: Client, settings: Any, consent: Consent, take: Take
) -> None:
    settings.VOICEHUB_ALLOW_SELF_APPROVAL = True
    play_to_end(producer_client, take)
    approve(producer_client, consent, take)
    assert set(consent.events.get(kind=EventKind.APPROVED).payload) == {"take", "sha256"}


# --- reasons ------------------------------------------------------------------------------


def make_statement_result(
    code: str = "", *, state: str = "", match: float | None = 0.8, verdict: str = "review"
) -> dict[str, Any]:
    findings = [{"code": code, "severity": "look", "text": "Look.", "advice": "Listen.", "at": None}] if code else []
    word_results = [{"text": "word", "state": state, "start": 1.0}] if state else []
    return {"statement": {"verdict": verdict, "why": "", "match": match, "words": word_results, "findings": findings}}


OBJECTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "another company": (make_statement_result("statement_company"), "another company was recognized"),
    "word state other_company": (make_statement_result(state="other_company"), "another company was recognized"),
    "another talent": (make_statement_result("statement_talent"), "words of the statement were not recognized"),
    "words missing": (make_statement_result("statement_words_missing"), "words of the statement were not recognized"),
    "word state missing": (make_statement_result(state="missing"), "words of the statement were not recognized"),
    "different text": (
        make_statement_result("statement_not_read", verdict="reject"),
        "words of the statement were not recognized",
    ),
    "another speaker": ({"speaker": {"verdict": "different"}}, "the voice sounds like a different person"),
    "not checked yet": ({"statement": {}, "speaker": {}, "checked_at": None}, "the words have not been checked yet"),
    "check failed": ({"statement": {}, "error": "No."}, "the words could not be checked"),
    "another language": (
        make_statement_result("statement_unjudged", match=None, verdict="listen"),
        "the words could not be checked",
    ),
}


@pytest.mark.parametrize(("check", "text"), OBJECTIONS.values(), ids=OBJECTIONS)
def test_approval_against_check_requires_reason(
    producer_client: Client, consent: Consent, take: Take, check: dict[str, Any], text: str
) -> None:
    set_check(take, **check)
    assert f"Why do you approve it although {text}?" in read_page(producer_client, consent.get_absolute_url())
    play_to_end(producer_client, take)
    for reason in ("", "  \n "):
        assert f"Enter the reason why you approve it although {text}." in approve(
            producer_client, consent, take, reason
        )
        assert not is_in_force(consent)
    page = approve(producer_client, consent, take, "I know her voice.")
    assert is_in_force(consent)
    assert consent.events.get(kind=EventKind.APPROVED).payload["reason"] == "I know her voice."
    assert "“I know her voice.”" in page


def test_approval_without_check_requires_reason(producer_client: Client, consent: Consent, take: Take) -> None:
    TakeCheck.objects.all().delete()
    play_to_end(producer_client, take)
    assert "the words have not been checked yet" in approve(producer_client, consent, take)
    assert not is_in_force(consent)


@pytest.mark.parametrize(
    "check",
    [
        {"speaker": {"verdict": "unsure"}},
        {"speaker": {"verdict": "unchecked"}},
        {"speaker": {}},
        make_statement_result("statement_name_doubtful", verdict="listen"),
        make_statement_result(state="missing", verdict="accept"),
    ],
)
def test_unsure_speaker_or_minor_doubt_requires_no_reason(
    producer_client: Client, consent: Consent, take: Take, check: dict[str, Any]
) -> None:
    set_check(take, **check)
    assert "approve-reason" not in read_page(producer_client, consent.get_absolute_url())
    play_to_end(producer_client, take)
    approve(producer_client, consent, take)
    assert is_in_force(consent)


def test_refused_approval_lists_all_missing_conditions(producer_client: Client, consent: Consent, take: Take) -> None:
    set_check(take, **make_statement_result("statement_company"), speaker={"verdict": "different"})
    page = approve(producer_client, consent, take)
    assert "Play the recording first" in page
    assert "although another company was recognized and the voice sounds like a different person." in page


def test_reason_too_long_or_with_null_byte_is_refused(producer_client: Client, consent: Consent, take: Take) -> None:
    play_to_end(producer_client, take)
    for reason in ("x" * 1001, "no\x00thing"):
        approve(producer_client, consent, take, reason)
        assert not is_in_force(consent)


def test_polled_check_result_asks_producer_but_not_viewer_for_reason(
    producer_client: Client, viewer: User, make_client: Callable[[User], Client], take: Take
) -> None:
    listener = make_client(grant(viewer, "hear_take"))
    set_check(take, **make_statement_result("statement_company"))
    assert "although another company was recognized?" in read_page(producer_client, get_url("take_check", take))
    assert "approve-reason" not in read_page(listener, get_url("take_check", take))


def test_page_shows_seconds_left_of_earlier_playback(producer_client: Client, consent: Consent, take: Take) -> None:
    url = consent.get_absolute_url()
    assert "data-seconds-left" not in read_page(producer_client, url)
    play_take(producer_client, take)
    assert f'data-seconds-left="{round(take.seconds)}"' in read_page(producer_client, url)
    backdate_playback(producer_client, take.seconds)
    assert 'data-seconds-left="0"' in read_page(producer_client, url)


def test_approval_despite_inserted_negation_requires_reason(
    producer_client: Client, consent: Consent, take: Take
) -> None:
    negation = {"code": "statement_negated", "severity": "look", "text": "A not.", "advice": "Listen."}
    set_check(take, statement=PASSED_CHECK["statement"] | {"verdict": "reject", "findings": [negation]})
    play_to_end(producer_client, take)
    assert "“not” was recognized" in approve(producer_client, consent, take)
    assert not is_in_force(consent)
    approve(producer_client, consent, take, APPROVAL_REASON)
    assert is_in_force(consent)


def test_staff_cannot_approve_take_they_sent_through_private_link(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = factory.make_consent()
    producer_client.get(factory.make_link(consent))
    tick_purposes(consent)
    form = {"file": make_upload(make_clip()), "recorded": "on"}
    producer_client.post(get_guest_url("submit", consent), form)
    take = consent.takes.get()
    assert take.recorded_by == factory.producer
    set_check(take)
    play_to_end(producer_client, take)
    assert "another person has to approve it" in approve(producer_client, consent, take, APPROVAL_REASON)
    assert not is_in_force(consent)
    assert "in a browser where Paula was signed in" in read_page(producer_client, consent.get_absolute_url())


def test_review_leads_to_the_next_one_until_the_last(factory: ConsentFactory, producer_client: Client) -> None:
    first = factory.make_submitted_consent()
    page = read_page(producer_client, first.get_absolute_url())
    assert "of 1 to review" not in page and "Next to review" not in page
    second = factory.make_submitted_consent(factory.make_talent("Ada Second", "ada@people.test"))
    open_one = factory.make_consent(factory.make_talent("Ida Open", "ida@people.test"))
    page = read_page(producer_client, first.get_absolute_url())
    assert f'href="{second.get_absolute_url()}" aria-label="Next to review"' in page and "1 of 2 to review" in page
    assert "Previous to review" not in page
    page = read_page(producer_client, second.get_absolute_url())
    assert "2 of 2 to review" in page and "Next to review" not in page and "Previous to review" in page
    assert "of 2 to review" not in read_page(producer_client, open_one.get_absolute_url())
