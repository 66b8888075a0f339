"""Today shows damaged contract files and audit logs until a check finds them as they were."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from consent.models import Consent, Contract
from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def damage_evidence(studio: Studio) -> tuple[Contract, Consent]:
    talent = studio.make_talent("Tilda Strand")
    contract, consent = studio.make_contract(talent), studio.make_consent(talent)
    Contract.objects.filter(pk=contract.pk).update(file_problem="The file is missing.")
    Consent.objects.filter(pk=consent.pk).update(broken_event=3)
    return contract, consent


def read_today(client: Client) -> str:
    return read_html(client.get(reverse("today")))


def test_today_names_each_damage_until_it_is_repaired(producer_client: Client, studio: Studio) -> None:
    contract, consent = damage_evidence(studio)
    page = read_today(producer_client)
    assert "File damaged" in page and "The file is missing. No build can start with it." in page
    assert "Audit log damaged" in page and "Entry 3 was modified. No build can start with it." in page
    assert contract.get_absolute_url() in page and consent.get_absolute_url() in page
    Contract.objects.update(file_problem="")
    assert "File damaged" not in read_today(producer_client)
    Consent.objects.update(broken_event=None)
    assert "Audit log damaged" not in read_today(producer_client)


def test_today_links_only_pages_that_the_user_may_open(
    client: Client, studio: Studio, make_person: Callable[..., User]
) -> None:
    contract, consent = damage_evidence(studio)
    person = make_person("Vera", "")
    person.user_permissions.add(Permission.objects.get(codename="view_talent"))
    client.force_login(person)
    page = read_today(client)
    assert "File damaged" in page and "Audit log damaged" in page
    assert contract.get_absolute_url() not in page and consent.get_absolute_url() not in page
