"""The pages behind a private link: what a talent can do there, and what is refused."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.access import INVITATION_COOKIE
from consent.models import Capture, Consent, ConsentStatus, EventKind, Invitation, Take
from consent.services.invitations import invite_talent, send_invitation, void_consent
from consent.services.review import request_retake
from consent.services.takes import submit_take
from tests.consent.rows import ConsentFactory, get_guest_url, get_invitation, make_clip, make_ticks, make_upload
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from tests.support.wav import HOSTILE_WAVS
from voicehub.models import User
from voicehub.tokens import hash_token, new_token

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def list_event_kinds(consent: Consent) -> list[str]:
    return list(consent.events.values_list("kind", flat=True))


def submit_as_recorder(client: Client, consent: Consent, data: bytes, **fields: str) -> Any:
    return client.post(
        get_guest_url("submit", consent),
        {"file": make_upload(data), "recorded": "on", **fields},
        headers={"accept": "application/json"},
    )


# --- opening ------------------------------------------------------------------------------


def test_link_sets_cookie_and_redirects_to_url_without_token(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    client = Client()
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"] == f"{get_guest_url('home', consent)}?cookie"
    assert client.get(response.headers["Location"]).headers["Location"] == get_guest_url("home", consent)
    assert response.headers["Referrer-Policy"] == "no-referrer"
    cookie = response.cookies[INVITATION_COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == get_guest_url("home", consent)
    token = path.rstrip("/").rsplit("/", 1)[1]
    assert token not in str(cookie)
    assert token.encode() not in client.get(get_guest_url("home", consent)).content


def test_cookie_is_secure_only_under_https(factory: ConsentFactory, settings: Any) -> None:
    path = factory.make_link(factory.make_consent())
    assert not Client().get(path).cookies[INVITATION_COOKIE]["secure"]
    settings.HTTPS = True
    assert Client().get(path).cookies[INVITATION_COOKIE]["secure"]


def test_get_and_head_requests_change_nothing(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    before = (list_event_kinds(consent), list(Invitation.objects.values()), list(Consent.objects.values()))
    client = Client()
    for url in (
        path,
        path,
        get_guest_url("home", consent),
        get_guest_url("record", consent),
        get_guest_url("receipt", consent),
    ):
        client.get(url)
        client.head(url)
    assert (list_event_kinds(consent), list(Invitation.objects.values()), list(Consent.objects.values())) == before


def test_repeated_begin_records_one_opened_event(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    for _ in range(2):
        response = guest.post(get_guest_url("begin", consent), make_ticks(consent))
        assert response.headers["Location"] == get_guest_url("record", consent)
    assert list_event_kinds(consent).count(EventKind.OPENED) == 1
    assert get_invitation(consent).opened_at is not None


def make_unusable_links(factory: ConsentFactory) -> dict[str, str]:
    """Paths of links that do not work. Each key is the reason."""
    paths = {}
    for case in ("expired", "revoked", "voided"):
        consent = factory.make_consent()
        paths[case] = factory.make_link(consent)
        now = timezone.now()
        if case == "expired":
            consent.invitations.update(expires_at=now - timedelta(seconds=1))
        elif case == "revoked":
            consent.invitations.update(revoked_at=now)
        else:
            void_consent(consent, factory.producer, "Not needed.")
    paths["unknown"] = reverse("invitation:open", args=[new_token()[0]])
    paths["nonsense"] = reverse("invitation:open", args=["x"])
    return paths


def test_links_that_do_not_work_give_identical_responses(factory: ConsentFactory) -> None:
    responses = {case: Client().get(path) for case, path in make_unusable_links(factory).items()}
    assert {response.status_code for response in responses.values()} == {404}
    assert len({response.content for response in responses.values()}) == 1
    assert not any(INVITATION_COOKIE in response.cookies for response in responses.values())


def test_stored_digest_does_not_open_link(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    digest = get_invitation(consent).token_digest
    assert Client().get(reverse("invitation:open", args=[digest])).status_code == 404


def test_invitation_without_sent_email_cannot_be_opened(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    invite_talent([consent], factory.producer)
    assert get_invitation(consent).token_digest == ""
    client = Client()
    client.cookies[INVITATION_COOKIE] = ""
    assert client.get(get_guest_url("home", consent)).status_code == 404
    assert Client().get("/i//").status_code == 404


# --- the cookie ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["home", "record", "receipt"])
def test_pages_require_cookie(factory: ConsentFactory, name: str) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    url = get_guest_url(name, consent)
    assert Client().get(url).status_code == 404


@pytest.mark.parametrize("name", ["begin", "submit", "decline", "withdraw"])
def test_actions_require_cookie(factory: ConsentFactory, name: str) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    assert Client().post(get_guest_url(name, consent), {"file": make_upload(make_clip())}).status_code == 404
    consent.refresh_from_db()
    assert (consent.status, consent.takes.count()) == (ConsentStatus.REQUESTED, 0)


def test_forged_cookie_is_refused(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    client = Client()
    client.cookies[INVITATION_COOKIE] = get_invitation(consent).token_digest + ":1abcde:forged"
    assert client.get(get_guest_url("home", consent)).status_code == 404


@pytest.mark.parametrize("name", ["submit", "decline", "withdraw", "record", "receipt"])
def test_consent_of_another_talent_is_not_found(factory: ConsentFactory, name: str) -> None:
    own_consent, other_consent = (
        factory.make_consent(),
        factory.make_consent(factory.make_talent("Theo Brand", "theo@people.test")),
    )
    factory.make_link(other_consent)
    guest = factory.open_link(own_consent)
    method = guest.get if name in {"record", "receipt"} else guest.post
    for link in (own_consent, other_consent):
        response = method(get_guest_url(name, other_consent, through=link))
        assert response.status_code == 404
        assert b"Theo" not in response.content
    other_consent.refresh_from_db()
    assert other_consent.status == ConsentStatus.REQUESTED


def test_consent_of_same_talent_outside_the_link_is_not_found(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    invited, not_invited = factory.make_consent(talent), factory.make_consent(talent, "advertising")
    assert factory.open_link(invited).get(get_guest_url("record", not_invited, through=invited)).status_code == 404


def test_address_of_earlier_versions_says_that_the_link_is_needed() -> None:
    response = Client().get("/invitation/")
    assert response.status_code == 404 and "This link no longer works" in read_html(response)


def test_cookie_ends_with_revoked_link(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    assert guest.get(get_guest_url("record", consent)).status_code == 200
    consent.invitations.update(revoked_at=timezone.now())
    assert guest.get(get_guest_url("record", consent)).status_code == 404
    assert guest.post(get_guest_url("decline", consent)).status_code == 404
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


# --- headers ------------------------------------------------------------------------------


def test_only_recorder_page_may_use_microphone(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    assert "microphone=(self)" in guest.get(get_guest_url("record", consent)).headers["Permissions-Policy"]
    assert "microphone=()" in guest.get(get_guest_url("home", consent)).headers["Permissions-Policy"]


def test_pages_are_not_cached_and_have_no_inline_code(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    for url in (get_guest_url("home", consent), get_guest_url("record", consent)):
        response = guest.get(url)
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy and "default-src 'none'" in policy
        assert "no-store" in response.headers["Cache-Control"]
        assert "noindex" in response.headers["X-Robots-Tag"]
        page = read_html(response)
        assert " style=" not in page and "<style" not in page and " onclick" not in page
        assert "<script>" not in page


# --- sending ------------------------------------------------------------------------------


def test_stored_bytes_equal_submitted_bytes(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    sha256 = hashlib.sha256(make_clip()).hexdigest()
    device = '{"label": "Built-in", "echoCancellation": false, "deviceId": "secret", "more": {"deep": 1}}'
    response = submit_as_recorder(factory.open_link(consent), consent, make_clip(), sha256=sha256, device=device)
    assert response.json() == {"sha256": sha256, "problem": "", "next": get_guest_url("receipt", consent)}
    take = consent.takes.get()
    with take.file.open() as file:
        assert file.read() == make_clip()
    assert take.capture == Capture.LINK and take.recorded_by is None
    assert take.device == {"label": "Built-in", "echoCancellation": False}
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_take_with_wrong_hash_is_refused(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    response = submit_as_recorder(factory.open_link(consent), consent, make_clip(), sha256="0" * 64)
    assert response.status_code == 422
    assert "damaged" in response.json()["problem"]
    assert not Take.objects.exists()


def test_repeated_submit_of_same_bytes_gives_first_response(factory: ConsentFactory) -> None:
    """If the response is lost, the recorder page sends the same bytes again."""
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    sha256 = hashlib.sha256(make_clip()).hexdigest()
    first, second = (submit_as_recorder(guest, consent, make_clip(), sha256=sha256) for _ in range(2))
    assert first.json() == second.json()
    assert consent.takes.count() == 1


def test_second_take_is_refused(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    factory.make_take(consent)
    other_clip = make_clip(7)
    response = submit_as_recorder(guest, consent, other_clip, sha256=hashlib.sha256(other_clip).hexdigest())
    assert response.status_code == 409
    assert consent.takes.count() == 1


@pytest.mark.parametrize(
    "name", ["text", "web page", "MP3 with tags", "M4A", "ZIP", "last second missing", "nine bytes of sound missing"]
)
def test_unusable_file_is_stored_with_reason_and_consent_stays_requested(factory: ConsentFactory, name: str) -> None:
    make_file, _code = HOSTILE_WAVS[name]
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    response = guest.post(get_guest_url("submit", consent), {"file": make_upload(make_file())})
    assert response.status_code == 422
    take = consent.takes.get()
    assert not take.acceptable and len(take.findings) == 1
    assert take.capture == Capture.UPLOAD
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED
    assert take.findings[0]["text"][:20] in response.content.decode()


@pytest.mark.parametrize("data", [{}, {"file": ""}, {"sha256": "not hex"}])
def test_submit_without_file_gives_readable_error(factory: ConsentFactory, data: dict[str, str]) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    response = guest.post(get_guest_url("submit", consent), data, headers={"accept": "application/json"})
    assert response.status_code == 400 and response.json()["problem"] == "Choose a file."
    assert not Take.objects.exists()


def test_malformed_hash_is_refused(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    response = submit_as_recorder(factory.open_link(consent), consent, make_clip(), sha256="f00")
    assert response.status_code == 400 and not Take.objects.exists()


@pytest.mark.parametrize("device", ["", "[1, 2]", "null", "{", '"text"', '{"label": {"a": 1}}'])
def test_malformed_device_data_is_ignored(factory: ConsentFactory, device: str) -> None:
    consent = factory.make_consent()
    assert submit_as_recorder(factory.open_link(consent), consent, make_clip(), device=device).status_code == 200
    assert consent.takes.get().device == {}


def test_request_without_csrf_token_is_refused(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    client = Client(enforce_csrf_checks=True)
    client.get(factory.make_link(consent))
    assert client.post(get_guest_url("decline", consent)).status_code == 403
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


# --- receipt, decline, retake -------------------------------------------------------------


def test_receipt_shows_statement_and_hash(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    submit_as_recorder(guest, consent, make_clip())
    page = read_html(guest.get(get_guest_url("receipt", consent)))
    assert consent.text in page and consent.takes.get().sha256 in page and factory.producer.email in page
    assert guest.get(get_guest_url("record", consent)).headers["Location"] == get_guest_url("receipt", consent)


def test_receipt_before_take_redirects_to_overview(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    response = factory.open_link(consent).get(get_guest_url("receipt", consent))
    assert response.headers["Location"] == get_guest_url("home", consent)


def test_decline_without_reason_is_final(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    guest = Client()
    guest.get(path)
    guest.post(get_guest_url("decline", consent), {"reason": ""})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED
    assert b"The answer is no" in guest.get(get_guest_url("home", consent)).content
    assert submit_as_recorder(guest, consent, make_clip()).status_code == 409
    assert b"The answer is no" in Client().get(path, follow=True).content, "the link still shows the answer"


def test_talent_can_decline_between_sending_and_review(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    submit_as_recorder(guest, consent, make_clip())
    assert get_guest_url("decline", consent) in read_html(guest.get(get_guest_url("home", consent)))
    guest.post(get_guest_url("decline", consent), {"reason": "Changed my mind"})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED


def make_link_and_approve(factory: ConsentFactory, consent: Consent) -> str:
    """The path of a private link, which was created before the consent was approved."""
    path = factory.make_link(consent)
    approve_after_listening(consent, factory.make_take(consent), factory.producer)
    return path


def open_approved_consent(factory: ConsentFactory, consent: Consent) -> Client:
    client = Client()
    client.get(make_link_and_approve(factory, consent))
    return client


def test_decline_after_approval_is_refused_with_message(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    response = open_approved_consent(factory, consent).post(
        get_guest_url("decline", consent), {"reason": ""}, follow=True
    )
    assert b"no longer possible" in response.content
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.APPROVED


def test_talent_withdraws_a_consent_on_the_link(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = make_link_and_approve(factory, consent)
    guest = Client()
    assert get_guest_url("withdraw", consent) in read_html(guest.get(path, follow=True))
    page = read_html(guest.post(get_guest_url("withdraw", consent), {"reason": "I changed my mind."}, follow=True))
    consent.refresh_from_db()
    event = consent.events.latest("sequence")
    assert (consent.status, event.kind) == (ConsentStatus.WITHDRAWN, EventKind.WITHDRAWN)
    assert (event.actor, event.actor_name, event.payload["reason"]) == (None, consent.talent.name, "I changed my mind.")
    assert "No voice may be made or used with it." in page and "there is nothing to delete" in page
    assert get_guest_url("withdraw", consent) not in page
    opened_again = read_html(Client().get(path, follow=True))
    assert "No voice may be made or used with it." in opened_again, "the link still opens"


def test_withdrawal_by_staff_on_the_link_names_them(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    producer_client.get(make_link_and_approve(factory, consent))
    producer_client.post(get_guest_url("withdraw", consent), {"reason": ""})
    assert consent.events.latest("sequence").actor == factory.producer


def test_talent_withdraws_all_consents_at_once(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    first_consent, second_consent = factory.make_consent(talent), factory.make_approved_consent(talent, "advertising")
    other_consent = factory.make_approved_consent(factory.make_talent("Theo Brand", "theo@people.test"))
    guest = open_approved_consent(factory, first_consent)
    assert "Withdraw all 2 consents" in read_html(guest.get(get_guest_url("home", first_consent)))
    guest.post(get_guest_url("withdraw", first_consent), {"reason": "", "all": "yes"})
    withdrawn = set(Consent.objects.filter(status=ConsentStatus.WITHDRAWN))
    assert withdrawn == {first_consent, second_consent} and other_consent not in withdrawn


def test_long_reason_with_several_lines_is_kept(factory: ConsentFactory) -> None:
    """The browser counts each line end as one character, and sends it as two."""
    consent = factory.make_consent()
    lines = ["x" * 199] * 5
    factory.open_link(consent).post(get_guest_url("decline", consent), {"reason": "\r\n".join(lines) + "!"})
    assert consent.events.latest("sequence").payload["reason"] == "\n".join(lines) + "!"


def test_withdrawing_all_consents_declines_those_in_review(factory: ConsentFactory) -> None:
    """Else a person could approve one later, although the talent took back everything."""
    talent = factory.make_talent()
    consent, waiting = factory.make_consent(talent), factory.make_submitted_consent(talent)
    guest = open_approved_consent(factory, consent)
    assert "Withdraw all 2 consents" in read_html(guest.get(get_guest_url("home", consent)))
    guest.post(get_guest_url("withdraw", consent), {"reason": "", "all": "yes"})
    statuses = [Consent.objects.get(pk=one.pk).status for one in (consent, waiting)]
    assert statuses == [ConsentStatus.WITHDRAWN, ConsentStatus.DECLINED]


def test_retake_request_shows_its_reason(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    submit_as_recorder(guest, consent, make_clip())
    consent.refresh_from_db()
    request_retake(consent, factory.producer, "The <last> words are missing.")
    for url in (get_guest_url("home", consent), get_guest_url("record", consent)):
        assert b"The &lt;last&gt; words are missing." in guest.get(url).content


def test_one_link_covers_several_consents(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    first_consent, second_consent = factory.make_consent(talent), factory.make_consent(talent, "advertising")
    guest = factory.open_link(first_consent, second_consent)
    page = read_html(guest.get(get_guest_url("home", first_consent)))
    assert f'value="{first_consent.pk}"' in page and f'value="{second_consent.pk}"' in page
    submit_as_recorder(guest, first_consent, make_clip())
    assert "1 more to answer" in read_html(guest.get(get_guest_url("receipt", first_consent)))


def test_email_names_talent_company_provider_and_link(
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


def test_overview_offers_decline_for_each_requested_consent(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    first_consent, second_consent = factory.make_consent(talent), factory.make_consent(talent)
    guest = factory.open_link(first_consent, second_consent)
    page = read_html(guest.get(get_guest_url("home", first_consent)))
    assert all(f'id="decline-{consent.pk}"' in page for consent in (first_consent, second_consent))
    guest.post(get_guest_url("decline", first_consent), {"reason": ""})
    page = read_html(guest.get(get_guest_url("home", first_consent)))
    assert get_guest_url("decline", first_consent) not in page and get_guest_url("decline", second_consent) in page


@pytest.mark.parametrize(
    ("capture", "text"),
    [
        (Capture.LINK, "Recorded by you through the private link."),
        (Capture.UPLOAD, "Uploaded by you as a file through the private link"),
        (Capture.IN_STUDIO, "Recorded in the studio by"),
    ],
)
def test_receipt_describes_capture_for_talent(factory: ConsentFactory, capture: Capture, text: str) -> None:
    consent = factory.make_consent()
    guest = factory.open_link(consent)
    submit_take(
        consent, make_upload(make_clip()), capture, by=factory.producer if capture == Capture.IN_STUDIO else None
    )
    assert text in guest.get(get_guest_url("receipt", consent)).content.decode()
