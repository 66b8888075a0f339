"""How long a private link works: 14 days without an answer, after an answer until staff revoke it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.access import COOKIE_LIFETIME, INVITATION_COOKIE
from consent.models import Consent, ConsentStatus, Invitation
from consent.services.expiry import expire_due_consents
from consent.services.invitations import send_invitation, void_consent
from consent.services.review import (
    request_retake,
    suspend_consent,
    withdraw_consent,
)
from tests.consent.rows import (
    ConsentFactory,
    get_guest_url,
    get_invitation,
    get_url,
    make_clip,
    make_ticks,
    make_upload,
    read_page,
)
from tests.support.approval import approve_after_listening
from tests.support.html import read_html
from voicehub.models import User
from voicehub.transitions import move
from voices.views.dashboard_lists import list_pending_consents

pytestmark = pytest.mark.django_db


def pass_deadline(*consents: Consent) -> None:
    """Push the deadline of each link to a year ago."""
    for consent in consents:
        consent.invitations.update(expires_at=timezone.now() - timedelta(days=365))


def opens(path: str) -> bool:
    return Client().get(path).status_code == 302


def approve(factory: ConsentFactory, consent: Consent) -> None:
    approve_after_listening(consent, factory.make_take(consent), factory.producer)


def make_link_to(factory: ConsentFactory, status: ConsentStatus) -> tuple[Consent, str]:
    """A consent that reached this status after its link was made, and the path of the link."""
    consent = factory.make_consent()
    path = factory.make_link(consent)
    if status == ConsentStatus.DECLINED:
        move(consent, status)
    elif status == ConsentStatus.SUBMITTED:
        factory.make_take(consent)
    else:
        approve(factory, consent)
        END_CONSENT[status](consent, factory)
    pass_deadline(consent)
    return consent, path


def expire(consent: Consent, _factory: ConsentFactory) -> None:
    Consent.objects.filter(pk=consent.pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    assert expire_due_consents() == 1


END_CONSENT: dict[ConsentStatus, Callable[[Consent, ConsentFactory], object]] = {
    ConsentStatus.APPROVED: lambda consent, factory: None,
    ConsentStatus.SUSPENDED: lambda consent, factory: suspend_consent(consent, factory.producer, "A dispute."),
    ConsentStatus.WITHDRAWN: lambda consent, factory: withdraw_consent(consent, None, ""),
    ConsentStatus.EXPIRED: expire,
    ConsentStatus.REPLACED: lambda consent, factory: move(consent, ConsentStatus.REPLACED),
}
LABELS = {
    ConsentStatus.SUBMITTED: "Being checked",
    ConsentStatus.DECLINED: "Declined",
    ConsentStatus.APPROVED: "In force",
    ConsentStatus.SUSPENDED: "Suspended",
    ConsentStatus.WITHDRAWN: "Withdrawn",
    ConsentStatus.EXPIRED: "Expired",
    ConsentStatus.REPLACED: "Replaced",
}


@pytest.mark.parametrize("status", LABELS)
def test_answered_link_works_for_years_and_shows_the_status(factory: ConsentFactory, status: ConsentStatus) -> None:
    _consent, path = make_link_to(factory, status)
    response = Client().get(path, follow=True)
    assert response.status_code == 200
    assert LABELS[status] in read_html(response)


@pytest.mark.parametrize("status", LABELS)
def test_answered_link_ends_when_staff_revoke_it(
    factory: ConsentFactory, producer_client: Client, status: ConsentStatus
) -> None:
    consent, path = make_link_to(factory, status)
    guest = Client()
    guest.get(path)
    producer_client.post(reverse("consent:end_link", args=[consent.pk, get_invitation(consent).pk]))
    assert not opens(path)
    assert guest.get(get_guest_url("home", consent)).status_code == 404


def test_unanswered_link_ends_after_fourteen_days(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    assert get_invitation(consent).expires_at - timezone.now() > timedelta(days=13, hours=23)
    guest = Client()
    guest.get(path)
    pass_deadline(consent)
    assert not opens(path)
    assert guest.get(get_guest_url("home", consent)).status_code == 404


def test_unusable_recording_does_not_prolong_the_link(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    factory.make_take(consent, make_clip()[:30_000] + b"\0" * 9)
    pass_deadline(consent)
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED and not opens(path)


def test_request_that_expired_without_answer_has_no_link(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    expire(consent, factory)
    pass_deadline(consent)
    assert not opens(path)
    assert b"expired without an answer" in producer_client.post(get_url("copy_link", consent), follow=True).content


def test_link_of_a_requested_retake_has_no_deadline(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    factory.make_take(consent)
    request_retake(consent, factory.producer, "Words are missing.")
    pass_deadline(consent)
    guest = Client()
    assert guest.get(path).status_code == 302
    assert "Read it again" in read_html(guest.get(get_guest_url("home", consent)))
    (pending,) = list_pending_consents()
    assert pending.invitation == get_invitation(consent) and not pending.has_deadline


def test_canceled_request_stays_closed_even_after_a_recording(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    path = factory.make_link(consent)
    factory.make_take(consent)
    request_retake(consent, factory.producer, "Words are missing.")
    void_consent(consent, factory.producer, "Not needed.")
    assert not opens(path)


@pytest.mark.parametrize("name", ["submit", "decline", "record"])
def test_late_request_beside_an_answered_one_cannot_be_answered(factory: ConsentFactory, name: str) -> None:
    talent = factory.make_talent()
    answered, late = factory.make_consent(talent), factory.make_consent(talent, "advertising")
    guest = factory.open_link(answered, late)
    approve(factory, answered)
    pass_deadline(answered)
    page = read_html(guest.get(get_guest_url("home", late)))
    assert "The time to answer this request is over." in page
    assert get_guest_url("begin", late) not in page
    assert guest.post(get_guest_url("begin", late), make_ticks(late)).headers["Location"] == get_guest_url("home", late)
    url = get_guest_url(name, late)
    response = guest.get(url) if name == "record" else guest.post(url, {"file": make_upload(make_clip())})
    assert response.status_code == 404
    late.refresh_from_db()
    assert (late.status, late.takes.count()) == (ConsentStatus.REQUESTED, 0)
    (pending,) = list_pending_consents()
    assert pending.invitation is None


def test_browser_forgets_the_link_after_fourteen_days(factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    consent = factory.make_consent()
    client = Client()
    response = client.get(factory.make_link(consent))
    approve(factory, consent)
    assert response.cookies[INVITATION_COOKIE]["max-age"] == COOKIE_LIFETIME.total_seconds()
    assert client.get(get_guest_url("home", consent)).status_code == 200
    monkeypatch.setattr("consent.access.COOKIE_LIFETIME", timedelta(seconds=-1))
    # The server checks the age of the cookie itself.
    assert client.get(get_guest_url("home", consent)).status_code == 404


@pytest.mark.parametrize("status", LABELS)
def test_staff_make_a_new_link_to_an_answered_consent(
    factory: ConsentFactory, producer_client: Client, status: ConsentStatus
) -> None:
    consent, _path = make_link_to(factory, status)
    page = read_page(producer_client, consent.get_absolute_url())
    assert "Email the private link" in page and "Create a private link" in page
    assert "Send the invitation" not in page
    link = producer_client.post(get_url("copy_link", consent), follow=True).context["link"]
    assert LABELS[status] in read_html(Client().get(link, follow=True))


def test_mailed_link_to_an_answered_consent_asks_for_nothing(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    producer_client.post(get_url("invite", consent))
    send_invitation(str(Invitation.objects.get().pk))
    earlier = next(word for word in mail.outbox[0].body.split() if "/i/" in word)
    approve(factory, consent)
    assert opens(earlier)
    response = producer_client.post(get_url("invite", consent), follow=True)
    assert b"The private link is being sent." in response.content
    send_invitation(str(Invitation.objects.latest("created_at").pk))
    assert mail.outbox[1].subject == f"Your private link to your voice consent for {consent.company}"
    assert "asks for your consent" not in mail.outbox[1].body
    assert opens(next(word for word in mail.outbox[1].body.split() if "/i/" in word))
    assert not opens(earlier), "links emailed earlier stop working"


@pytest.mark.parametrize("role", ["viewer", "engineer"])
def test_others_are_not_offered_a_link(
    factory: ConsentFactory, client: Client, make_person: Callable[..., User], role: str
) -> None:
    consent = factory.make_approved_consent()
    client.force_login(make_person(role, role))
    assert "Create a private link" not in read_page(client, consent.get_absolute_url())


def test_browser_that_refuses_cookies_is_told_so(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    home = Client().get(factory.make_link(consent)).headers["Location"]
    page = read_html(Client().get(home))
    assert "This browser blocks cookies" in page and "no longer works" not in page
    assert consent.talent.name not in page
    assert "This link no longer works" in read_html(Client().get(get_guest_url("home", consent)))
    ended = factory.open_link(consent)
    consent.invitations.update(revoked_at=timezone.now())
    assert "This link no longer works" in read_html(ended.get(home)), "the browser kept the cookie"
