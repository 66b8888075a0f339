"""The private links as staff make, see and end them."""

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


def test_a_private_link_is_shown_once_and_that_is_written_down(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_consent()
    response = as_producer.post(get_url("copy_link", consent))
    link = re.search(r'value="(http[^"]+)"', response.content.decode())
    assert link and "no-store" in response.headers["Cache-Control"]
    token = link[1].rstrip("/").rsplit("/", 1)[1]
    assert Invitation.objects.get().token_digest == hash_token(token)
    assert token not in read_page(as_producer, consent.get_absolute_url())
    event = consent.events.get(kind=EventKind.LINK_COPIED)
    assert event.actor == factory.producer and token not in str(event.payload)


def test_no_link_into_what_is_over(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_approved_consent()
    for name in ("copy_link", "invite"):
        response = as_producer.post(get_url(name, consent), follow=True)
        assert b"only while the consent is waiting" in response.content
    assert not Invitation.objects.exists()


def test_invitations_show_how_they_stand(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_consent()
    address = consent.get_absolute_url()
    as_producer.post(get_url("invite", consent))
    invitation = Invitation.objects.get()
    assert "Mail queued" in read_page(as_producer, address)
    Task.objects.update(status=TaskStatus.FAILED, reason="The mail server said no.")
    assert "The mail server said no." in read_page(as_producer, address)
    Task.objects.all().delete()
    send_invitation(str(invitation.pk))
    shown = read_page(as_producer, address)
    assert ">Active<" in shown and "Sent <time" in shown and "just now" in shown
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Expired" in read_page(as_producer, address)
    as_producer.post(get_url("invite", consent))
    assert ">Replaced<" in read_page(as_producer, address)


def test_loading_the_page_of_a_link_again_makes_no_other(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_consent()
    for ask_again in (as_producer.get, as_producer.head):
        response = ask_again(get_url("copy_link", consent))
        assert (response.status_code, response.headers["Location"]) == (302, consent.get_absolute_url())
    assert not Invitation.objects.exists() and consent.events.count() == 1


def test_a_link_is_ended_at_once_for_all_that_it_is_for(factory: ConsentFactory, as_producer: Client) -> None:
    talent = factory.make_talent()
    first, second = factory.make_consent(talent), factory.make_consent(talent)
    path = factory.make_link(first, second)
    invitation = Invitation.objects.get()
    end = reverse("consent:end_link", args=[first.pk, invitation.pk])
    guest = Client()
    assert guest.get(path).status_code == 302
    assert "The link was revoked." in as_producer.post(end, follow=True).content.decode()
    assert guest.get(path).status_code == 404 and guest.get(reverse("invitation:home")).status_code == 404
    for consent in (first, second):
        assert consent.events.latest("sequence").kind == EventKind.LINK_ENDED
        shown = read_page(as_producer, consent.get_absolute_url())
        assert ">Revoked<" in shown and "revoked a private link" in shown and end not in shown
        assert "Next: invite" in shown and "Waiting for Tilda" not in shown
    assert b"no longer works" in as_producer.post(end, follow=True).content
    assert first.events.filter(kind=EventKind.LINK_ENDED).count() == 1


def test_a_link_is_ended_only_from_a_consent_that_it_is_for(factory: ConsentFactory, as_producer: Client) -> None:
    consent, other = factory.make_consent(), factory.make_consent(factory.make_talent("Theo Brand"))
    factory.make_link(consent)
    address = reverse("consent:end_link", args=[other.pk, Invitation.objects.get().pk])
    assert as_producer.post(address).status_code == 404
    assert Invitation.objects.get().is_live


def test_a_link_says_whether_anything_is_still_asked(factory: ConsentFactory, as_producer: Client) -> None:
    talent = factory.make_talent()
    first, second = factory.make_consent(talent), factory.make_consent(talent)
    factory.make_link(first, second)
    factory.make_take(first)
    assert ">Active<" in read_page(as_producer, first.get_absolute_url())
    factory.make_take(second, make_clip(1))
    shown = read_page(as_producer, first.get_absolute_url())
    assert ">Answered<" in shown and ">Active<" not in shown and "Revoke this link" in shown
    off = factory.make_consent(talent)
    factory.make_link(off)
    void_consent(off, factory.producer, "A mistake.")
    assert shown.count(">Canceled<") == 0
    assert ">Canceled<" in read_page(as_producer, off.get_absolute_url())


def test_without_a_mail_address_the_page_says_what_to_do(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_consent(factory.make_talent(email=""))
    assert "Add an email address" in read_page(as_producer, consent.get_absolute_url())
    assert b"has no email address" in as_producer.post(get_url("invite", consent), follow=True).content
