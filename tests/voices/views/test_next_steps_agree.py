"""All lists, Today and the page of the talent offer the same next step for a request, whatever it waits for."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Contract, Invitation
from consent.services.invitations import create_private_link
from tests.support.html import read_html
from tests.support.lists import read_list, read_rows
from tests.voices.rows import Studio

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

STEP = re.compile(r'<a class="btn btn-sm(?: btn-primary)?"\s+href="([^"]*)">([^<]+)<span class="visually-hidden">: ')


def send(studio: Studio, consent: Consent) -> None:
    create_private_link([consent], studio.producer)


def send_too_early(studio: Studio, consent: Consent) -> None:
    send(studio, consent)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(minutes=1))


def submit(_studio: Studio, consent: Consent) -> None:
    Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.SUBMITTED)


def remove_contract(_studio: Studio, _consent: Consent) -> None:
    Contract.objects.update(ends_on="2025-06-01")


def leave(_studio: Studio, _consent: Consent) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "label"),
    [
        (submit, "Review"),
        (remove_contract, "Add contract"),
        (leave, "Send link"),
        (send_too_early, "Send again"),
        (send, "Remind"),
    ],
)
def test_lists_and_today_offer_the_same_step(
    studio: Studio, producer_client: Client, prepare: Callable[[Studio, Consent], None], label: str
) -> None:
    talent = studio.make_talent()
    studio.make_contract(talent)
    consent = studio.make_consent(talent, ConsentStatus.REQUESTED)
    studio.make_voice("Alto", talent)
    prepare(studio, consent)
    pages = {name: read_list(producer_client, name) for name in ("consent:consent_list", "consent:open_requests")}
    pages |= {name: read_list(producer_client, name) for name in ("consent:talent_list", "voices:voice_list")}
    pages["today"] = read_html(producer_client.get(reverse("today")))
    steps = {name: set(STEP.findall(page)) for name, page in pages.items()}
    assert {name: {action for _url, action in found} for name, found in steps.items()} == dict.fromkeys(pages, {label})
    assert len({url for found in steps.values() for url, _action in found}) == 1, "to the same place"


def test_talents_that_wait_for_staff_come_first(studio: Studio, producer_client: Client) -> None:
    for name in ("Ada Done", "Bea Gap", "Cleo Review", "Dora Failed"):
        talent = studio.make_talent(name)
        if name == "Bea Gap":
            continue
        studio.make_contract(talent)
        consent = studio.make_consent(talent)
        voice = studio.make_voice(f"Voice of {name}", talent)
        studio.make_build(voice, "failed" if name == "Dora Failed" else "ready")
        if name == "Cleo Review":
            Consent.objects.filter(pk=consent.pk).update(status=ConsentStatus.SUBMITTED)
    order = ["Dora Failed", "Cleo Review", "Bea Gap", "Ada Done"]
    assert read_rows(producer_client, "consent:talent_list") == order
    assert read_rows(producer_client, "consent:talent_list", sort="name") == sorted(order)
