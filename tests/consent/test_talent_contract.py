"""A talent reads on the private pages the contracts that allow the consent."""

from datetime import date
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Consent, Contract
from consent.services.review import withdraw_consent
from tests.consent.rows import PDF, ConsentFactory, get_guest_url, get_url, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_consent()


@pytest.fixture
def contract(factory: ConsentFactory, consent: Consent) -> Contract:
    return factory.make_contract(consent.talent)


def make_url(consent: Consent, contract: Contract) -> str:
    invitation = consent.invitations.first()
    assert invitation
    return reverse("invitation:contract", args=[invitation.pk, consent.pk, contract.pk])


def read_status(client: Client, url: str) -> int:
    """The status of a response whose file is read to its end."""
    response = client.get(url)
    b"".join(response)
    return response.status_code


def test_talent_reads_the_contract_before_recording(
    factory: ConsentFactory, consent: Consent, contract: Contract, producer_client: Client
) -> None:
    client = factory.open_link(consent)
    url = make_url(consent, contract)
    events = consent.events.count()
    page = read_page(client, get_guest_url("home", consent))
    assert f'href="{url}" download>Signed on' in page and "January 2, 2025" in page
    response, for_staff = client.get(url), producer_client.get(get_url("contract_file", contract))
    assert (response.status_code, b"".join(response)) == (200, PDF)
    assert b"".join(for_staff) == PDF
    shown = dict(response.headers)
    assert shown.pop("X-Robots-Tag") == "noindex, nofollow"
    assert shown == dict(for_staff.headers) and "sandbox" in shown["Content-Security-Policy"]
    assert shown["Content-Disposition"] == 'attachment; filename="contract-tilda-strand-2025-01-02.pdf"'
    assert consent.events.count() == events


def test_contract_stays_readable_after_the_answer_and_after_its_end(
    factory: ConsentFactory, consent: Consent, contract: Contract
) -> None:
    factory.make_take(consent)
    client = factory.open_link(consent)
    for name in ("home", "receipt"):
        assert make_url(consent, contract) in read_page(client, get_guest_url(name, consent)), name
    Contract.objects.update(ends_on=date(2025, 2, 1))
    assert make_url(consent, contract) in read_page(client, get_guest_url("home", consent))
    assert read_status(client, make_url(consent, contract)) == 200


def test_contract_stays_readable_after_the_withdrawal(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    client, contract = factory.open_link(consent), factory.make_contract(consent.talent)
    withdraw_consent(consent, None, "")
    assert make_url(consent, contract) in read_page(client, get_guest_url("home", consent))
    assert read_status(client, make_url(consent, contract)) == 200


def test_no_other_contract_can_be_read(factory: ConsentFactory, consent: Consent, contract: Contract) -> None:
    client = factory.open_link(consent)
    other_talent = factory.make_talent("Nora Lind", "nora@people.test")
    for other in (
        factory.make_contract(consent.talent, providers=["speechgen"]),
        factory.make_contract(consent.talent, purposes=["advertising"]),
        factory.make_contract(other_talent),
    ):
        assert client.get(make_url(consent, other)).status_code == 404
        assert str(other.pk) not in read_page(client, get_guest_url("home", consent))
    unknown = make_url(consent, contract).replace(str(contract.pk), str(uuid4()))
    assert client.get(unknown).status_code == 404


def test_contract_is_read_only_in_a_browser_that_opened_the_link(
    factory: ConsentFactory, consent: Consent, contract: Contract
) -> None:
    client = factory.open_link(consent)
    url, other = make_url(consent, contract), factory.make_consent(factory.make_talent("Nora", "nora@people.test"))
    assert Client().get(url).status_code == 404
    assert factory.open_link(other).get(url).status_code == 404
    consent.invitations.update(revoked_at=consent.created_at)
    assert client.get(url).status_code == 404


def test_lost_file_of_a_contract_is_said(factory: ConsentFactory, consent: Consent, contract: Contract) -> None:
    client = factory.open_link(consent)
    contract.file.storage.delete(str(contract.file.name))
    response = client.get(make_url(consent, contract))
    assert response.status_code == 404 and "log in" not in response.content.decode().lower()
    assert "file" in response.content.decode()
