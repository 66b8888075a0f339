"""The page of a link that does not work, and what a talent's page says to staff who are signed in."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Invitation, Take
from consent.services.invitations import void_consent
from tests.consent.rows import ConsentFactory, get_guest_url, make_clip, make_upload
from tests.support.html import read_html
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def test_dead_link_names_the_studio_and_says_the_same_whatever_the_cause(
    factory: ConsentFactory, settings: Any
) -> None:
    settings.VOICEHUB_COMPANY = "Nord & Söhne"
    settings.DEFAULT_FROM_EMAIL = "Nord <office@nord.test>"

    def make_link() -> tuple[Consent, str]:
        consent = factory.make_consent(factory.make_talent())
        return consent, factory.make_link(consent)

    (_expired, first), (voided, second), (_revoked, third) = make_link(), make_link(), make_link()
    links = [get_path(first), get_path(second), get_path(third), reverse("invitation:open", args=["no-such-token"])]
    newest = Invitation.objects.order_by("created_at")
    ids = list(newest.values_list("pk", flat=True))
    Invitation.objects.filter(pk=ids[0]).update(expires_at=timezone.now() - timedelta(days=1))
    void_consent(voided, factory.producer, "The project ended.")
    Invitation.objects.filter(pk=ids[2]).update(revoked_at=timezone.now())
    pages = set()
    for link in links:
        response = Client().get(link)
        assert response.status_code == 404
        pages.add(read_html(response))
    (page,) = pages
    assert "Nord &amp; Söhne" in page and 'href="mailto:office@nord.test"' in page


def get_path(link: str) -> str:
    return link.removeprefix("http://testserver")


def test_signed_in_staff_are_told_on_every_page_and_their_take_is_labeled(
    factory: ConsentFactory, producer: User, admin_client: Client
) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    home, record = get_guest_url("home", consent), get_guest_url("record", consent)
    assert "data-staff-note" not in read_html(client.get(home))
    client.force_login(producer)
    for url in (home, record):
        page = read_html(client.get(url))
        assert f"You are signed in to the studio as {producer}." in page and consent.talent.name in page
    data = {"file": make_upload(make_clip()), "recorded": "on"}
    client.post(get_guest_url("submit", consent), data, headers={"accept": "application/json"})
    assert Take.objects.get().recorded_by == producer
    page = read_html(admin_client.get(consent.get_absolute_url()))
    assert "Signed-in staff browser" in page and f"in a browser where {producer} was signed in" in page
