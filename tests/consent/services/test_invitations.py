"""Private links: how staff create, view and revoke them."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import EventKind, Invitation
from consent.services.invitations import send_invitation, void_consent
from tests.consent.rows import ConsentFactory, get_url, make_clip, read_page
from voicehub.models import Task, TaskStatus
from voicehub.tokens import hash_token

pytestmark = pytest.mark.django_db


def test_private_link_is_shown_once_and_recorded_in_audit_log(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    response = producer_client.post(get_url("copy_link", consent))
    link_match = re.search(r'value="(http[^"]+)"', response.content.decode())
    assert link_match and "no-store" in response.headers["Cache-Control"]
    token = link_match[1].rstrip("/").rsplit("/", 1)[1]
    assert Invitation.objects.get().token_digest == hash_token(token)
    assert token not in read_page(producer_client, consent.get_absolute_url())
    event = consent.events.get(kind=EventKind.LINK_COPIED)
    assert event.actor == factory.producer and token not in str(event.payload)


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


def test_reloading_link_page_creates_no_new_link(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    for request_again in (producer_client.get, producer_client.head):
        response = request_again(get_url("copy_link", consent))
        assert (response.status_code, response.headers["Location"]) == (302, consent.get_absolute_url())
    assert not Invitation.objects.exists() and consent.events.count() == 1


def test_revoked_link_ends_at_once_for_all_its_consents(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    first_consent, second_consent = factory.make_consent(talent), factory.make_consent(talent)
    path = factory.make_link(first_consent, second_consent)
    invitation = Invitation.objects.get()
    end_url = reverse("consent:end_link", args=[first_consent.pk, invitation.pk])
    guest = Client()
    assert guest.get(path).status_code == 302
    assert "The link was revoked." in producer_client.post(end_url, follow=True).content.decode()
    assert guest.get(path).status_code == 404 and guest.get(reverse("invitation:home")).status_code == 404
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
