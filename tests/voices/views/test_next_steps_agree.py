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
from voices.models import Account, Build

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


def end_consent(status: ConsentStatus) -> Callable[[Consent], None]:
    def end(consent: Consent) -> None:
        Consent.objects.filter(pk=consent.pk).update(status=status)

    return end


def end_contract(_consent: Consent) -> None:
    Contract.objects.update(ends_on="2025-06-01")


@pytest.mark.parametrize(
    ("end", "build_status", "state", "label"),
    [
        (end_consent(ConsentStatus.EXPIRED), "ready", "No longer allowed", "Ask again"),
        (end_consent(ConsentStatus.WITHDRAWN), "ready", "No longer allowed", "See answer"),
        (end_consent(ConsentStatus.DECLINED), "ready", "No longer allowed", "See answer"),
        (end_consent(ConsentStatus.SUSPENDED), "ready", "Suspended", "Resume consent"),
        (end_contract, "ready", "No longer allowed", "Add contract"),
        (end_contract, "dataset_issue", "Last build to check", "Read report"),
    ],
)
def test_state_of_a_built_voice_is_what_its_button_removes(
    studio: Studio,
    producer_client: Client,
    end: Callable[[Consent], None],
    build_status: str,
    state: str,
    label: str,
) -> None:
    """Another account at which the voice can still be built changes nothing."""
    talent = studio.make_talent()
    studio.make_contract(talent, providers=[studio.provider, "speechgen"])
    consent = studio.make_consent(talent)
    voice = studio.make_voice("Alto", talent)
    studio.make_fileless_recordings(voice, 20)
    studio.make_build(voice, build_status)
    Account.objects.create(provider="speechgen", name="Other", mode="sandbox")
    studio.provider = "speechgen"
    studio.make_consent(talent)
    end(consent)
    page = read_list(producer_client, "voices:voice_list")
    [step] = STEP.findall(page)
    assert f">{state}</span>" in page and step[1] == label
    today = STEP.findall(read_html(producer_client.get(reverse("today"))))
    assert step in today
    assert STEP.findall(read_list(producer_client, "consent:talent_list")) == [step]


def test_voices_and_talents_without_a_step_come_last(studio: Studio, producer_client: Client) -> None:
    for name in ("Ada Done", "Bea Done", "Cleo Refused", "Dora Seen", "Ella Asked"):
        talent = studio.make_talent(name)
        studio.make_contract(talent)
        consent = studio.make_consent(talent)
        voice = studio.make_voice(f"{name}'s", talent)
        studio.make_fileless_recordings(voice, 20)
        build = studio.make_build(voice, "failed" if name == "Dora Seen" else "ready")
        if name == "Ella Asked":
            studio.make_consent(talent, ConsentStatus.REQUESTED)
        if name == "Cleo Refused":
            end_consent(ConsentStatus.WITHDRAWN)(consent)
        if name == "Dora Seen":
            Build.objects.filter(pk=build.pk).update(seen_by=studio.producer, seen_at=timezone.now())
    talents = read_rows(producer_client, "consent:talent_list")
    assert talents == ["Cleo Refused", "Dora Seen", "Ella Asked", "Ada Done", "Bea Done"]
    voices = read_rows(producer_client, "voices:voice_list")
    assert [name.split()[0] for name in voices] == ["Dora", "Cleo", "Ada", "Bea", "Ella"]
