"""Private links: how staff create, view and revoke them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.access import INVITATION_COOKIE
from consent.link_cookie import LINK_COOKIE
from consent.models import Consent, EventKind, Invitation
from consent.services.invitations import send_invitation, void_consent
from tests.consent.rows import ConsentFactory, get_guest_url, get_url, make_clip, read_page
from tests.support.html import read_html
from voicehub.models import Task, TaskStatus, User
from voicehub.tokens import hash_token

pytestmark = pytest.mark.django_db


def test_private_link_is_shown_to_its_maker_and_recorded_in_audit_log(
    factory: ConsentFactory, producer_client: Client, client: Client, make_person: Callable[..., User]
) -> None:
    consent = factory.make_consent()
    link, url = make_link_on_page(producer_client, consent), get_url("copy_link", consent)
    token = link.rstrip("/").rsplit("/", 1)[1]
    assert Invitation.objects.get().token_digest == hash_token(token)
    assert token not in read_page(producer_client, consent.get_absolute_url())
    event = consent.events.get(kind=EventKind.LINK_COPIED)
    assert event.actor == factory.producer and token not in str(event.payload)
    cookie = producer_client.cookies[LINK_COOKIE]
    assert cookie["path"] == url and cookie["httponly"] and cookie["max-age"] == 600 and token not in cookie.value
    client.force_login(make_person("second", "producer"))
    client.cookies[LINK_COOKIE] = cookie.value
    assert client.get(url).status_code == 302, "another user of the same browser does not see it"


def make_link_on_page(client: Client, consent: Consent) -> str:
    response = client.post(get_url("copy_link", consent), follow=True)
    assert "no-store" in response.headers["Cache-Control"]
    link = re.search(r'value="(http[^"]+)"', response.content.decode())
    assert link
    return link[1]


def test_links_that_are_over_are_folded_below_the_one_that_works(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = factory.make_consent()
    for _ in range(3):
        make_link_on_page(producer_client, consent)
    page = read_page(producer_client, consent.get_absolute_url())
    shown, folded = page.split("2 earlier links</summary>")
    assert (shown.count(">Active<"), shown.count(">Replaced<"), folded.count(">Replaced<")) == (1, 0, 2)
    Invitation.objects.update(revoked_at=timezone.now())
    page = read_page(producer_client, consent.get_absolute_url())
    assert "earlier links" not in page and page.count(">Replaced<") == 3, "none works, so all are shown"


def test_canceled_request_gets_no_private_link(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    void_consent(consent, factory.producer, "A mistake.")
    assert "Create a private link" not in read_page(producer_client, consent.get_absolute_url())
    for name in ("copy_link", "invite"):
        response = producer_client.post(get_url(name, consent), follow=True)
        assert b"This request was canceled" in response.content
    assert not Invitation.objects.exists()


def test_consent_page_shows_status_of_each_invitation(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    url = consent.get_absolute_url()
    producer_client.post(get_url("invite", consent))
    invitation = Invitation.objects.get()
    assert "Mail queued" in read_page(producer_client, url)
    Task.objects.update(status=TaskStatus.FAILED, reason="The mail server refused it.")
    assert "The mail server refused it." in read_page(producer_client, url)
    Task.objects.all().delete()
    send_invitation(str(invitation.pk))
    page = read_page(producer_client, url)
    assert ">Active<" in page and "Sent <time" in page and "just now" in page
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Expired" in read_page(producer_client, url)
    producer_client.post(get_url("invite", consent))
    assert ">Replaced<" in read_page(producer_client, url)


def test_reloading_link_page_shows_the_same_link_and_creates_no_other(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent, other_consent = factory.make_consent(), factory.make_consent(factory.make_talent("Theo Brand"))
    url = get_url("copy_link", consent)
    assert producer_client.get(url).headers["Location"] == consent.get_absolute_url()
    link = make_link_on_page(producer_client, consent)
    assert link in read_page(producer_client, url) and producer_client.head(url).status_code == 200
    assert Invitation.objects.count() == 1 and consent.events.filter(kind=EventKind.LINK_COPIED).count() == 1
    producer_client.cookies[LINK_COOKIE]["path"] = "/"
    assert producer_client.get(get_url("copy_link", other_consent)).status_code == 302
    Invitation.objects.update(revoked_at=timezone.now())
    assert producer_client.get(url).status_code == 302, "a link that no longer works is not shown"


def test_new_link_ends_the_earlier_ones_and_keeps_the_other_consents(
    factory: ConsentFactory, producer_client: Client
) -> None:
    talent = factory.make_talent()
    consent, shared, canceled = (factory.make_consent(talent) for _ in range(3))
    copied = factory.make_link(consent, shared, canceled)
    void_consent(canceled, factory.producer, "A mistake.")
    link = make_link_on_page(producer_client, consent)
    assert Client().get(copied).status_code == 404
    home = Client().get(link, follow=True)
    assert f'value="{consent.pk}"' in read_html(home) and f'value="{shared.pk}"' in read_html(home)
    assert set(Invitation.objects.live().get().consents.all()) == {consent, shared}
    producer_client.post(get_url("invite", consent))
    assert Client().get(link).status_code == 404
    assert set(Invitation.objects.get(revoked_at=None).consents.all()) == {consent, shared}
    assert ">Replaced<" in read_page(producer_client, shared.get_absolute_url())


def test_other_consent_with_its_own_link_keeps_it(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    consent, other = factory.make_consent(talent), factory.make_consent(talent)
    factory.make_link(other)
    own = Invitation.objects.get()
    shared = Invitation.objects.create(
        talent=talent, channel="copied", token_digest="f" * 64, created_by=own.created_by
    )
    shared.consents.set([consent, other])
    factory.make_link(consent)
    assert list(other.invitations.live()) == [own]


def test_cookie_of_one_link_opens_no_page_of_another(factory: ConsentFactory) -> None:
    """A browser sends each cookie only below its path, so two links work in one browser."""
    first, second = factory.make_consent(), factory.make_consent(factory.make_talent("Theo Brand", "theo@people.test"))
    cookies = {}
    for consent in (first, second):
        cookie = Client().get(factory.make_link(consent)).cookies[INVITATION_COOKIE]
        assert cookie["path"] == get_guest_url("home", consent)
        cookies[consent] = cookie.value
    guest = Client()
    for consent, stranger in ((first, second), (second, first)):
        guest.cookies[INVITATION_COOKIE] = cookies[consent]
        assert consent.talent.name in read_html(guest.get(get_guest_url("home", consent)))
        assert guest.get(get_guest_url("home", stranger)).status_code == 404


def test_revoked_link_ends_at_once_for_all_its_consents(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    first_consent, second_consent = factory.make_consent(talent), factory.make_consent(talent)
    path = factory.make_link(first_consent, second_consent)
    invitation = Invitation.objects.get()
    end_url = reverse("consent:end_link", args=[first_consent.pk, invitation.pk])
    guest = Client()
    assert guest.get(path).status_code == 302
    assert "The link was revoked." in producer_client.post(end_url, follow=True).content.decode()
    assert guest.get(path).status_code == 404 and guest.get(get_guest_url("home", first_consent)).status_code == 404
    for consent in (first_consent, second_consent):
        assert consent.events.latest("sequence").kind == EventKind.LINK_ENDED
        page = read_page(producer_client, consent.get_absolute_url())
        assert ">Revoked<" in page and "revoked a private link" in page and end_url not in page
        assert "Next: invite" in page and "Waiting for Tilda" not in page
    assert b"no longer works" in producer_client.post(end_url, follow=True).content
    assert first_consent.events.filter(kind=EventKind.LINK_ENDED).count() == 1


def test_link_cannot_be_revoked_from_unrelated_consent(factory: ConsentFactory, producer_client: Client) -> None:
    consent, other_consent = factory.make_consent(), factory.make_consent(factory.make_talent("Theo Brand"))
    factory.make_link(consent)
    url = reverse("consent:end_link", args=[other_consent.pk, Invitation.objects.get().pk])
    assert producer_client.post(url).status_code == 404
    assert Invitation.objects.live().exists()


def test_link_status_depends_on_status_of_its_consents(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    first_consent, second_consent = factory.make_consent(talent), factory.make_consent(talent)
    factory.make_link(first_consent, second_consent)
    factory.make_take(first_consent)
    assert ">Active<" in read_page(producer_client, first_consent.get_absolute_url())
    factory.make_take(second_consent, make_clip(1))
    page = read_page(producer_client, first_consent.get_absolute_url())
    assert ">Answered<" in page and ">Active<" not in page and "Revoke this link" in page
    voided = factory.make_consent(talent)
    factory.make_link(voided)
    void_consent(voided, factory.producer, "A mistake.")
    assert page.count(">Canceled<") == 0
    assert ">Canceled<" in read_page(producer_client, voided.get_absolute_url())


def test_consent_page_asks_for_missing_email_address(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent(factory.make_talent(email=""))
    assert "Add an email address" in read_page(producer_client, consent.get_absolute_url())
    assert b"has no email address" in producer_client.post(get_url("invite", consent), follow=True).content
