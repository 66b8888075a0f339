"""One-time codes: which pages need one, what a code is good for, and what it cannot be used for."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.access import INVITATION_COOKIE
from consent.code_gate import CODE_COOKIE
from consent.models import AccessCode, AddressCheck, Consent, ConsentStatus, Invitation, Take
from consent.services.access_codes import HOURLY_CODES, MAX_TRIES, request_code, use_code
from consent.services.invitations import invite_talent
from consent.services.talent_details import change_talent
from consent.services.voice_comparison import build_question, is_comparison_allowed
from tests.consent.rows import ConsentFactory, get_guest_url, get_invitation, make_clip, make_upload
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from voicehub.checks import check_talent_codes

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

WRONG = "This code is wrong or no longer works."


@pytest.fixture(autouse=True)
def codes_on(settings: Any) -> None:
    settings.VOICEHUB_TALENT_CODES = True


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_consent()


@pytest.fixture
def talent(factory: ConsentFactory, consent: Consent) -> Client:
    """A browser that has opened a link, without a code."""
    return factory.open_link(consent)


def get_code_url(consent: Consent) -> str:
    return reverse("invitation:code", args=[get_invitation(consent).pk])


def receive_code(client: Client, consent: Consent) -> str:
    """Ask for a code, and read it in its mail."""
    mail.outbox.clear()
    assert client.post(get_code_url(consent), {"send": "1"}).status_code == 200
    run_due_tasks("send_code")
    (sent,) = mail.outbox
    (digits,) = re.findall(r"^(\d{6})$", str(sent.body), re.MULTILINE)
    return str(digits)


def enter(client: Client, consent: Consent, code: str, **data: str) -> Any:
    return client.post(get_code_url(consent), {"code": code, **data})


def send_take(client: Client, consent: Consent, accept: str = "application/json") -> Any:
    data = {"file": make_upload(make_clip()), "recorded": "on"}
    return client.post(get_guest_url("submit", consent), data, headers={"accept": accept})


def expire_limits() -> None:
    AccessCode.objects.update(created_at=timezone.now() - timedelta(minutes=2))


def test_recording_and_what_is_the_talents_own_need_a_code(
    consent: Consent, talent: Client, factory: ConsentFactory
) -> None:
    record = get_guest_url("record", consent)
    contract = reverse(
        "invitation:contract", args=[get_invitation(consent).pk, consent.pk, consent.talent.contracts.get().pk]
    )
    for url in (record, get_guest_url("receipt", consent), get_guest_url("recording", consent), contract):
        response = talent.get(url)
        assert response.status_code == 302 and response.headers["Location"].startswith(f"{get_code_url(consent)}?next=")
    assert talent.get(get_guest_url("home", consent)).status_code == 200
    code = receive_code(talent, consent)
    response = enter(talent, consent, code, next=record)
    assert response.headers["Location"] == record
    assert talent.get(record).status_code == 200
    assert talent.get(contract).getvalue().startswith(b"%PDF")
    assert send_take(talent, consent).status_code == 200
    assert Take.objects.get().address_check == AddressCheck.CODE
    assert consent.events.get(kind="take").payload["address_check"] == "code"


def test_take_without_a_code_is_refused_and_stays_in_the_browser(consent: Consent, talent: Client) -> None:
    response = send_take(talent, consent)
    assert response.status_code == 403 and "Your recording stays in this browser." in response.json()["problem"]
    assert send_take(talent, consent, "text/html").status_code == 302
    assert not Take.objects.exists()


def test_no_code_is_needed_to_say_no(consent: Consent, talent: Client, factory: ConsentFactory) -> None:
    talent.post(get_guest_url("decline", consent))
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED
    approved = factory.make_approved_consent(factory.make_talent("Ann Approved"))
    other = factory.open_link(approved)
    other.post(get_guest_url("withdraw", approved))
    approved.refresh_from_db()
    assert approved.status == ConsentStatus.WITHDRAWN


def test_voice_comparison_is_allowed_only_with_a_code_and_forbidden_without(consent: Consent, talent: Client) -> None:
    invitation = get_invitation(consent)
    url, words = reverse("invitation:comparison", args=[invitation.pk]), build_question(consent.talent).sha256
    allow = {"words": words, "is_allowed": "yes"}
    assert talent.post(url, allow).headers["Location"].startswith(f"{get_code_url(consent)}?next=")
    assert not is_comparison_allowed(consent.talent.pk)
    enter(talent, consent, receive_code(talent, consent))
    talent.post(url, allow)
    assert is_comparison_allowed(consent.talent.pk)
    del talent.cookies[CODE_COOKIE]
    talent.post(url, {"words": words})
    assert not is_comparison_allowed(consent.talent.pk)


def test_page_with_the_code_sends_none_by_itself(consent: Consent, talent: Client) -> None:
    page = read_html(talent.get(get_code_url(consent)))
    assert "t…a@people.test" in page and consent.talent.email not in page and 'name="code"' not in page
    talent.head(get_code_url(consent))
    assert not AccessCode.objects.exists()
    receive_code(talent, consent)
    page = read_html(talent.get(get_code_url(consent)))
    assert 'autocomplete="one-time-code"' in page and 'inputmode="numeric"' in page


def test_only_the_keyed_hash_is_stored(consent: Consent, talent: Client) -> None:
    code = receive_code(talent, consent)
    row = AccessCode.objects.values().get()
    assert code not in str(row) and len(row["digest"]) == 64
    first = row["digest"]
    AccessCode.objects.all().delete()
    receive_code(talent, consent)
    assert AccessCode.objects.get().digest != first


def test_every_refused_code_has_the_same_answer(consent: Consent, talent: Client) -> None:
    def read_answer(code: str) -> tuple[int, bool]:
        response = enter(talent, consent, code)
        return response.status_code, WRONG in read_html(response)

    assert read_answer("123456") == (422, True), "none was sent"
    code = receive_code(talent, consent)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    answers = [read_answer(text) for text in (wrong, "", "abc", code + "0", "１２３４５６７")]
    AccessCode.objects.update(tries=0, expires_at=timezone.now())
    answers.append(read_answer(code))
    AccessCode.objects.update(expires_at=timezone.now() + timedelta(minutes=1), used_at=timezone.now())
    answers.append(read_answer(code))
    AccessCode.objects.update(used_at=None, tries=MAX_TRIES)
    answers.append(read_answer(code))
    assert answers == [(422, True)] * len(answers)
    assert CODE_COOKIE not in talent.cookies


def test_code_with_spaces_or_wide_digits_is_the_same_code(consent: Consent, talent: Client) -> None:
    code = receive_code(talent, consent)
    wide = "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code)
    assert enter(talent, consent, f" {wide[:3]} {wide[3:]} ").status_code == 302


def test_code_has_five_tries_and_works_once(consent: Consent, talent: Client) -> None:
    code, invitation = receive_code(talent, consent), get_invitation(consent)
    assert [use_code(invitation, "000000x") for _ in range(MAX_TRIES)] == [False] * MAX_TRIES
    assert not use_code(invitation, code), "the tries are used up"
    expire_limits()
    code = receive_code(talent, consent)
    assert use_code(invitation, code) and not use_code(invitation, code)


def test_new_code_replaces_the_earlier_one(consent: Consent, talent: Client) -> None:
    first = receive_code(talent, consent)
    expire_limits()
    second = receive_code(talent, consent)
    assert not use_code(get_invitation(consent), first) or first == second
    assert use_code(get_invitation(consent), second)


def test_codes_are_sent_once_a_minute_and_five_times_an_hour(consent: Consent, talent: Client) -> None:
    url = get_code_url(consent)
    for _ in range(HOURLY_CODES):
        receive_code(talent, consent)
        response = talent.post(url, {"send": "1"})
        assert response.status_code == 429 and "less than a minute ago" in read_html(response)
        expire_limits()
    response = talent.post(url, {"send": "1"})
    assert response.status_code == 429 and "Too many codes" in read_html(response)
    assert AccessCode.objects.count() == HOURLY_CODES


def test_code_opens_only_its_own_link_in_its_own_browser(
    consent: Consent, talent: Client, factory: ConsentFactory
) -> None:
    other_consent = factory.make_consent(consent.talent, "advertising")
    other = factory.open_link(other_consent)
    code = receive_code(talent, consent)
    assert enter(other, other_consent, code).status_code == 422
    assert enter(talent, consent, code).status_code == 302
    cookie = talent.cookies[CODE_COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == get_guest_url("home", consent)
    assert cookie["max-age"] == 30 * 24 * 3600
    other.cookies[CODE_COOKIE] = cookie.value
    assert other.get(get_guest_url("record", other_consent)).status_code == 302, "it is bound to its link"
    stranger = Client()
    stranger.cookies[INVITATION_COOKIE] = talent.cookies[INVITATION_COOKIE].value
    assert stranger.get(get_guest_url("record", consent)).headers["Location"].startswith(get_code_url(consent))
    stranger.cookies[CODE_COOKIE] = cookie.value[:-2]
    assert stranger.get(get_guest_url("record", consent)).headers["Location"].startswith(get_code_url(consent))


def test_cookie_ends_after_30_days_and_with_the_address(
    consent: Consent, talent: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(talent, consent, receive_code(talent, consent))
    record = get_guest_url("record", consent)
    assert talent.get(record).status_code == 200
    consent.talent.email = "other@people.test"
    consent.talent.save()
    assert talent.get(record).status_code == 302, "the code was sent to another address"
    consent.talent.email = "tilda@people.test"
    consent.talent.save()
    assert talent.get(record).status_code == 200
    monkeypatch.setattr("consent.code_gate.BROWSER_LIFETIME", timedelta(0))
    assert talent.get(record).status_code == 302


@pytest.mark.parametrize("page", ["https://evil.test/", "//evil.test", "/talents/", ""])
def test_code_leads_only_to_a_page_of_its_link(consent: Consent, talent: Client, page: str) -> None:
    response = enter(talent, consent, receive_code(talent, consent), next=page)
    assert response.headers["Location"] == get_guest_url("home", consent)


def test_link_for_a_talent_without_an_address_needs_no_code_and_its_take_says_so(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = factory.make_consent(factory.make_talent(email=""))
    client = factory.open_link(consent)
    assert client.get(get_guest_url("record", consent)).status_code == 200
    assert client.get(get_code_url(consent)).headers["Location"] == get_guest_url("home", consent)
    assert send_take(client, consent).status_code == 200
    assert Take.objects.get().address_check == AddressCheck.NO_ADDRESS
    page = read_html(producer_client.get(consent.get_absolute_url()))
    assert "Without a one-time code, because the talent had no email address." in page


def test_without_codes_nothing_is_asked(consent: Consent, talent: Client, settings: Any) -> None:
    settings.VOICEHUB_TALENT_CODES = False
    assert talent.get(get_guest_url("record", consent)).status_code == 200
    assert send_take(talent, consent).status_code == 200
    assert Take.objects.get().address_check == ""


def test_link_mailed_before_an_address_was_removed_still_opens_with_a_code(
    factory: ConsentFactory, consent: Consent
) -> None:
    invite_talent([consent], factory.producer)
    invitation = Invitation.objects.get(consents=consent)
    invitation.talent.email = ""
    request_code(invitation)
    assert AccessCode.objects.get().sent_to == "tilda@people.test"


def test_code_for_an_earlier_address_is_neither_mailed_nor_accepted(
    consent: Consent, talent: Client, factory: ConsentFactory
) -> None:
    """The link was passed on, so it still works after the change."""
    code = receive_code(talent, consent)
    expire_limits()
    assert talent.post(get_code_url(consent), {"send": "1"}).status_code == 200
    mail.outbox.clear()
    change_talent(consent.talent, {"email": "new@people.test"}, factory.producer)
    run_due_tasks("send_code")
    assert not mail.outbox
    AccessCode.objects.exclude(sent_at=None).update(created_at=timezone.now())  # the newest one again
    assert enter(talent, consent, code).status_code == 422
    expire_limits()
    assert enter(talent, consent, receive_code(talent, consent)).status_code == 302


def test_expired_or_replaced_code_is_not_mailed(consent: Consent, talent: Client) -> None:
    talent.post(get_code_url(consent), {"send": "1"})
    AccessCode.objects.update(expires_at=timezone.now())
    run_due_tasks("send_code")
    assert mail.outbox == []


def test_codes_without_a_mail_server_are_a_warning(settings: Any) -> None:
    assert [problem.id for problem in check_talent_codes()] == ["voicehub.W003"]
    settings.VOICEHUB_TALENT_CODES = False
    assert check_talent_codes() == []


def test_page_of_the_code_of_a_dead_link_is_that_of_every_dead_link(consent: Consent, talent: Client) -> None:
    Invitation.objects.update(revoked_at=timezone.now())
    response = talent.get(reverse("invitation:code", args=[Invitation.objects.get().pk]))
    assert response.status_code == 404 and "This link no longer works" in read_html(response)
