"""The private link: what it opens, what it never does, and whom it keeps out."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.access import COOKIE_PATH, INVITATION_COOKIE
from consent.models import Capture, Consent, ConsentStatus, EventKind, Invitation, Take
from consent.services.invitations import invite_talent, send_invitation, void_consent
from consent.services.review import request_retake
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, get_invitation, make_clip, make_upload
from tests.support.html import read_html
from tests.support.wav import HOSTILE
from voicehub.models import User
from voicehub.tokens import hash_token, new_token

pytestmark = pytest.mark.django_db


def kinds(consent: Consent) -> list[str]:
    return list(consent.events.values_list("kind", flat=True))


def own(name: str, consent: Consent) -> str:
    return reverse(f"invitation:{name}", args=[consent.pk])


def as_recorder(client: Client, consent: Consent, data: bytes, **fields: str) -> Any:
    return client.post(
        own("submit", consent),
        {"file": make_upload(data), "recorded": "on", **fields},
        headers={"accept": "application/json"},
    )


# --- opening ------------------------------------------------------------------------------


def test_the_link_trades_its_token_for_a_cookie_and_leads_to_an_address_without_it(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    client = Client()
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"] == reverse("invitation:home")
    assert response.headers["Referrer-Policy"] == "no-referrer"
    cookie = response.cookies[INVITATION_COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == COOKIE_PATH
    token = path.rstrip("/").rsplit("/", 1)[1]
    assert token not in str(cookie)
    assert token.encode() not in client.get(reverse("invitation:home")).content


def test_the_cookie_is_for_https_only_where_the_house_is(factory: ConsentFactory, settings: Any) -> None:
    path = factory.make_link(factory.make_consent())
    assert not Client().get(path).cookies[INVITATION_COOKIE]["secure"]
    settings.HTTPS = True
    assert Client().get(path).cookies[INVITATION_COOKIE]["secure"]


def test_looking_at_every_page_changes_nothing(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    before = (kinds(consent), list(Invitation.objects.values()), list(Consent.objects.values()))
    client = Client()
    for address in (path, path, reverse("invitation:home"), own("record", consent), own("receipt", consent)):
        client.get(address)
        client.head(address)
    assert (kinds(consent), list(Invitation.objects.values()), list(Consent.objects.values())) == before


def test_beginning_is_written_down_once(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    for _ in range(2):
        assert guest.post(own("begin", consent)).headers["Location"] == own("record", consent)
    assert kinds(consent).count(EventKind.OPENED) == 1
    assert get_invitation(consent).opened_at is not None


def over_in_every_way(factory: ConsentFactory) -> dict[str, str]:
    """Links that are over, each for another reason."""
    links = {}
    for reason in ("expired", "revoked", "called off"):
        consent = factory.make_consent()
        links[reason] = factory.make_link(consent)
        now = timezone.now()
        if reason == "expired":
            consent.invitations.update(expires_at=now - timedelta(seconds=1))
        elif reason == "revoked":
            consent.invitations.update(revoked_at=now)
        else:
            void_consent(consent, factory.producer, "Not needed.")
    links["unknown"] = reverse("invitation:open", args=[new_token()[0]])
    links["nonsense"] = reverse("invitation:open", args=["x"])
    return links


def test_a_link_that_is_over_tells_nobody_why(factory: ConsentFactory) -> None:
    answers = {reason: Client().get(path) for reason, path in over_in_every_way(factory).items()}
    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.content for answer in answers.values()}) == 1
    assert not any(INVITATION_COOKIE in answer.cookies for answer in answers.values())


def test_the_stored_digest_is_not_a_key(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    stored = get_invitation(consent).token_digest
    assert Client().get(reverse("invitation:open", args=[stored])).status_code == 404


def test_an_invitation_whose_mail_is_not_written_yet_opens_to_nobody(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    invite_talent([consent], factory.producer)
    assert get_invitation(consent).token_digest == ""
    client = Client()
    client.cookies[INVITATION_COOKIE] = ""
    assert client.get(reverse("invitation:home")).status_code == 404
    assert Client().get("/i//").status_code == 404


# --- the cookie ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["home", "record", "receipt"])
def test_pages_need_the_cookie(factory: ConsentFactory, name: str) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    address = reverse("invitation:home") if name == "home" else own(name, consent)
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize("name", ["begin", "submit", "decline"])
def test_acting_needs_the_cookie(factory: ConsentFactory, name: str) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    assert Client().post(own(name, consent), {"file": make_upload(make_clip())}).status_code == 404
    consent.refresh_from_db()
    assert (consent.status, consent.takes.count()) == (ConsentStatus.REQUESTED, 0)


def test_a_cookie_that_was_made_up_is_no_cookie(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    client = Client()
    client.cookies[INVITATION_COOKIE] = get_invitation(consent).token_digest + ":1abcde:forged"
    assert client.get(reverse("invitation:home")).status_code == 404


@pytest.mark.parametrize("name", ["begin", "submit", "decline", "record", "receipt"])
def test_another_talents_consent_is_as_good_as_not_there(factory: ConsentFactory, name: str) -> None:
    mine, theirs = factory.make_consent(), factory.make_consent(factory.make_talent("Theo Brand", "theo@people.test"))
    factory.make_link(theirs)
    guest = factory.open_link(mine)
    method = guest.get if name in {"record", "receipt"} else guest.post
    response = method(own(name, theirs))
    assert response.status_code == 404
    assert b"Theo" not in response.content
    theirs.refresh_from_db()
    assert theirs.status == ConsentStatus.REQUESTED


def test_another_consent_of_the_same_talent_is_not_there_either(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    invited, not_invited = factory.make_consent(talent), factory.make_consent(talent, "advertising")
    assert factory.open_link(invited).get(own("record", not_invited)).status_code == 404


def test_the_cookie_ends_with_the_link(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    assert guest.get(own("record", consent)).status_code == 200
    consent.invitations.update(revoked_at=timezone.now())
    assert guest.get(own("record", consent)).status_code == 404
    assert guest.post(own("decline", consent)).status_code == 404
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


# --- headers ------------------------------------------------------------------------------


def test_only_the_recorder_may_use_the_microphone(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    assert "microphone=(self)" in guest.get(own("record", consent)).headers["Permissions-Policy"]
    assert "microphone=()" in guest.get(reverse("invitation:home")).headers["Permissions-Policy"]


def test_pages_are_not_stored_and_hold_nothing_inline(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    for address in (reverse("invitation:home"), own("record", consent)):
        response = guest.get(address)
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        assert "no-store" in response.headers["Cache-Control"]
        assert "noindex" in response.headers["X-Robots-Tag"]
        page = read_html(response)
        assert " style=" not in page and "<style" not in page and " onclick" not in page
        assert "<script>" not in page


# --- sending ------------------------------------------------------------------------------


def test_the_bytes_that_are_kept_are_the_bytes_that_were_sent(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    sha256 = hashlib.sha256(make_clip()).hexdigest()
    device = '{"label": "Built-in", "echoCancellation": false, "deviceId": "secret", "more": {"deep": 1}}'
    response = as_recorder(factory.open_link(consent), consent, make_clip(), sha256=sha256, device=device)
    assert response.json() == {"sha256": sha256, "problem": "", "next": own("receipt", consent)}
    take = consent.takes.get()
    with take.file.open() as stored:
        assert stored.read() == make_clip()
    assert take.capture == Capture.LINK and take.recorded_by is None
    assert take.device == {"label": "Built-in", "echoCancellation": False}
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_a_recording_that_was_damaged_on_its_way_is_refused(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    response = as_recorder(factory.open_link(consent), consent, make_clip(), sha256="0" * 64)
    assert response.status_code == 422
    assert "damaged" in response.json()["problem"]
    assert not Take.objects.exists()


def test_sending_again_what_has_arrived_is_answered_as_if_it_were_the_first_time(factory: ConsentFactory) -> None:
    """The answer can get lost; the page then sends the same bytes again."""
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    sha256 = hashlib.sha256(make_clip()).hexdigest()
    first, second = (as_recorder(guest, consent, make_clip(), sha256=sha256) for _ in range(2))
    assert first.json() == second.json()
    assert consent.takes.count() == 1


def test_another_recording_after_the_first_is_too_late(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    factory.make_take(consent)
    other = make_clip(7)
    response = as_recorder(guest, consent, other, sha256=hashlib.sha256(other).hexdigest())
    assert response.status_code == 409
    assert consent.takes.count() == 1


@pytest.mark.parametrize("name", ["text", "web page", "MP3", "stereo", "ZIP behind it", "frame of 4 GB", "24 bits"])
def test_what_is_not_a_usable_wav_is_kept_with_its_reason_and_the_consent_goes_on_waiting(
    factory: ConsentFactory, name: str
) -> None:
    make, code = HOSTILE[name]
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    response = guest.post(own("submit", consent), {"file": make_upload(make())}, follow=True)
    assert response.status_code == 200
    take = consent.takes.get()
    assert not take.acceptable and [one["code"] for one in take.findings] == [code]
    assert take.capture == Capture.UPLOAD
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED
    assert take.findings[0]["text"][:20] in response.content.decode()


@pytest.mark.parametrize("data", [{}, {"file": ""}, {"sha256": "not hex"}])
def test_sending_nothing_is_answered_in_words(factory: ConsentFactory, data: dict[str, str]) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    response = guest.post(own("submit", consent), data, headers={"accept": "application/json"})
    assert response.status_code == 400 and response.json()["problem"] == "Choose a WAV file."
    assert not Take.objects.exists()


def test_a_hash_that_is_no_hash_is_not_taken_for_none(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    response = as_recorder(factory.open_link(consent), consent, make_clip(), sha256="f00")
    assert response.status_code == 400 and not Take.objects.exists()


@pytest.mark.parametrize("device", ["", "[1, 2]", "null", "{", '"text"', '{"label": {"a": 1}}'])
def test_whatever_a_browser_says_of_its_device_does_no_harm(factory: ConsentFactory, device: str) -> None:
    consent = factory.make_consent()
    assert as_recorder(factory.open_link(consent), consent, make_clip(), device=device).status_code == 200
    assert consent.takes.get().device == {}


def test_forged_requests_are_refused(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    client = Client(enforce_csrf_checks=True)
    client.get(factory.make_link(consent))
    assert client.post(own("decline", consent)).status_code == 403
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


# --- the rest of the way ------------------------------------------------------------------


def test_the_receipt_says_what_was_said_and_its_fingerprint(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    as_recorder(guest, consent, make_clip())
    page = read_html(guest.get(own("receipt", consent)))
    assert consent.text in page and consent.takes.get().sha256 in page and factory.producer.email in page
    assert guest.get(own("record", consent)).headers["Location"] == own("receipt", consent)


def test_there_is_no_receipt_before_there_is_a_recording(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    assert factory.open_link(consent).get(own("receipt", consent)).headers["Location"] == reverse("invitation:home")


def test_declining_needs_no_reason_and_is_for_good(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    guest = Client()
    guest.get(path)
    guest.post(own("decline", consent), {"reason": ""})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED
    assert b"You said no" in guest.get(reverse("invitation:home")).content
    assert as_recorder(guest, consent, make_clip()).status_code == 409
    assert Client().get(path).status_code == 404


def test_a_decline_that_comes_too_late_is_said_plainly(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    as_recorder(guest, consent, make_clip())
    response = guest.post(own("decline", consent), {"reason": "Changed my mind"}, follow=True)
    assert b"no longer possible" in response.content
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_who_is_asked_again_sees_why(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    as_recorder(guest, consent, make_clip())
    consent.refresh_from_db()
    request_retake(consent, factory.producer, "The <last> words are missing.")
    for address in (reverse("invitation:home"), own("record", consent)):
        assert b"The &lt;last&gt; words are missing." in guest.get(address).content


def test_one_link_can_be_for_several_consents(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    first, second = factory.make_consent(talent), factory.make_consent(talent, "advertising")
    guest = factory.open_link(first, second)
    page = read_html(guest.get(reverse("invitation:home")))
    assert own("begin", first) in page and own("begin", second) in page
    as_recorder(guest, first, make_clip())
    assert "1 more to answer" in read_html(guest.get(own("receipt", first)))


def test_the_mail_says_who_asks_for_what_and_until_when(
    factory: ConsentFactory, mailoutbox: list[Any], producer: User
) -> None:
    consent = factory.make_consent(factory.make_talent("Åsa O'Neill & Co"))
    invitation = invite_talent([consent], producer)
    send_invitation(str(invitation.pk))
    body = mailoutbox[0].body
    invitation.refresh_from_db()
    link = next(word for word in body.split() if "/i/" in word)
    assert hash_token(link.rstrip("/").rsplit("/", 1)[1]) == invitation.token_digest
    assert "Åsa O'Neill & Co" in body and consent.company in body and "Resemble" in body
    assert "&amp;" not in body and "&#" not in body
    assert Client().get(link.removeprefix("http://testserver")).status_code == 302


def test_declining_is_offered_on_the_first_page_for_each_consent_that_waits(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    first, second = factory.make_consent(talent), factory.make_consent(talent)
    guest = factory.open_link(first, second)
    shown = read_html(guest.get(reverse("invitation:home")))
    assert all(f'action="{own("decline", consent)}"' in shown for consent in (first, second))
    guest.post(own("decline", first), {"reason": ""})
    shown = read_html(guest.get(reverse("invitation:home")))
    assert own("decline", first) not in shown and own("decline", second) in shown


@pytest.mark.parametrize(
    ("capture", "words"),
    [
        (Capture.LINK, "Recorded by you through the private link."),
        (Capture.UPLOAD, "Uploaded by you as a file through the private link"),
        (Capture.IN_STUDIO, "Recorded in the studio by"),
    ],
)
def test_the_receipt_speaks_to_the_talent(factory: ConsentFactory, capture: Capture, words: str) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    submit_take(
        consent, make_upload(make_clip()), capture, by=factory.producer if capture == Capture.IN_STUDIO else None
    )
    assert words in guest.get(own("receipt", consent)).content.decode()
