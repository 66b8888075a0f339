"""The pages on which people confirm the terms of a contract and allow another language."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from consent.models import Contract, Purpose
from consent.presenters import list_confirmations
from tests.consent.rows import PDF, PROVIDER, ConsentFactory, get_url, make_terms, make_upload, read_page
from tests.support.permissions import grant
from voices.services.recordings.store import create_voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

BOTH_KINDS = "Choose “Worldwide” or single countries, not both."


def file_contract(client: Client, factory: ConsentFactory, **fields: Any) -> Any:
    terms = {"file": make_upload(PDF, "contract.pdf", "application/pdf"), **make_terms(**fields)}
    return client.post(get_url("contract_add", factory.make_talent()), terms)


def test_contract_form_suggests_the_company_of_the_studio(
    factory: ConsentFactory, producer_client: Client, settings: Any
) -> None:
    settings.VOICEHUB_COMPANY = "Nord & Söhne"
    page = read_page(producer_client, get_url("contract_add", factory.make_talent()))
    assert 'value="Nord &amp; Söhne"' in page and page.count('name="countries"') > 240


def test_tick_confirms_every_purpose_of_a_filed_contract(factory: ConsentFactory, producer_client: Client) -> None:
    purposes = [Purpose.NARRATION, Purpose.ADVERTISING]
    file_contract(
        producer_client, factory, purposes=purposes, are_uses_read="on", countries=["", "FR", "DE"], company=" A  B "
    )
    contract = Contract.objects.get()
    assert {row.purpose for row in contract.confirmations.all()} == set(purposes)
    assert (contract.company, contract.countries) == ("A B", ["DE", "FR"])
    assert contract.terms_confirmed_by == factory.producer
    page = read_page(producer_client, contract.get_absolute_url())
    assert (
        page.count("confirmed by Paula") == 1
        and "All terms" in page
        and "Terms to confirm" not in page
        and "France and Germany" in page
    )


def test_contract_without_tick_is_filed_with_unconfirmed_purposes(
    factory: ConsentFactory, producer_client: Client
) -> None:
    assert file_contract(producer_client, factory).status_code == 302
    contract = Contract.objects.get()
    assert not contract.confirmations.exists()
    page = read_page(producer_client, contract.get_absolute_url())
    assert "Terms to confirm" in page and "not confirmed" in page and 'name="company"' not in page


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"company": " "}, "This field is required."),
        ({"countries": []}, "Choose “Worldwide” or at least one country."),
        ({"countries": [""]}, "Choose “Worldwide” or at least one country."),
        ({"countries": ["worldwide", "DE"]}, BOTH_KINDS),
        ({"countries": ["XX"]}, "not one of the available choices"),
    ],
)
def test_contract_without_party_or_countries_is_refused(
    factory: ConsentFactory, producer_client: Client, fields: dict[str, Any], text: str
) -> None:
    response = file_contract(producer_client, factory, **fields)
    assert response.status_code == 200 and text in response.content.decode()
    assert not Contract.objects.exists()


def make_old_contract(factory: ConsentFactory) -> Contract:
    """A contract as the version before filed it."""
    return factory.make_contract(
        factory.make_talent(), is_confirmed=False, company="", countries=[], territory="Japan only"
    )


def test_terms_of_an_old_contract_are_confirmed_once(factory: ConsentFactory, producer_client: Client) -> None:
    contract = make_old_contract(factory)
    assert "Japan only" in read_page(producer_client, contract.get_absolute_url())
    url = get_url("contract_confirm", contract)
    terms = {"company": "Northlight Voices", "countries": ["JP"], "purposes": ["narration"]}
    page = producer_client.post(url, terms, follow=True).content.decode()
    assert "The terms are confirmed." in page and page.count("confirmed by Paula") == 1 and "Japan" in page
    page = producer_client.post(url, {**terms, "countries": ["worldwide"]}, follow=True).content.decode()
    assert "All terms are already confirmed." in page
    contract.refresh_from_db()
    assert contract.countries == ["JP"]


@pytest.mark.parametrize(
    ("terms", "text"),
    [
        ({"company": "", "countries": ["JP"]}, "This field is required."),
        ({"company": "A", "countries": []}, "Choose “Worldwide” or at least one country."),
        ({"company": "A", "countries": ["JP", "worldwide"]}, BOTH_KINDS),
        ({"company": "A", "countries": ["JP"], "purposes": ["advertising"]}, "not one of the available choices"),
    ],
)
def test_error_in_the_form_confirms_nothing(
    factory: ConsentFactory, producer_client: Client, terms: dict[str, Any], text: str
) -> None:
    contract = make_old_contract(factory)
    response = producer_client.post(get_url("contract_confirm", contract), terms)
    assert response.status_code == 200 and text in response.content.decode()
    contract.refresh_from_db()
    assert (contract.company, contract.countries, contract.confirmations.count()) == ("", [], 0)


def test_form_without_any_tick_asks_for_one(factory: ConsentFactory, producer_client: Client) -> None:
    contract = factory.make_contract(factory.make_talent(), is_confirmed=False)
    response = producer_client.post(get_url("contract_confirm", contract))
    assert "Nothing is confirmed yet. Tick at least one purpose." in response.content.decode()


@pytest.mark.parametrize("role", ["viewer", "engineer"])
def test_only_producers_confirm_terms_and_allow_languages(
    factory: ConsentFactory, role: str, request: pytest.FixtureRequest
) -> None:
    client = Client()
    client.force_login(grant(request.getfixturevalue(role), "read_contract"))
    contract, consent = make_old_contract(factory), factory.make_approved_consent(factory.make_talent("Theo Brand"))
    create_voice(consent.talent, "German", "de-DE", Purpose.NARRATION, factory.producer)
    page = read_page(client, contract.get_absolute_url())
    assert "A producer can confirm them." in page and get_url("contract_confirm", contract) not in page
    page = read_page(client, consent.get_absolute_url())
    assert "A producer can allow another language." in page and get_url("language_allow", consent) not in page
    terms = {"company": "A", "countries": ["JP"], "purposes": ["narration"]}
    assert client.post(get_url("contract_confirm", contract), terms).status_code == 403
    assert client.post(get_url("language_allow", consent), {"language": "de", "reason": "So."}).status_code == 403
    contract.refresh_from_db()
    assert not contract.company and not consent.language_exceptions.exists()


def test_warnings_are_shown_on_the_page_of_the_contract(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    assert "states no pay" in read_page(
        producer_client, factory.make_contract(talent, compensation="").get_absolute_url()
    )
    assert "states no pay" not in read_page(producer_client, factory.make_contract(talent).get_absolute_url())


def test_page_of_a_consent_asks_only_about_languages_of_its_voices(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = factory.make_approved_consent()
    for language, purpose in (("en-GB", Purpose.NARRATION), ("fr-FR", Purpose.ADVERTISING)):
        create_voice(consent.talent, language, language, purpose, factory.producer)
    assert "Voices in another language" not in read_page(producer_client, consent.get_absolute_url())
    create_voice(consent.talent, "German", "de-DE", Purpose.NARRATION, factory.producer)
    page = read_page(producer_client, consent.get_absolute_url())
    assert "Allow German" in page and "Allow French" not in page
    url = get_url("language_allow", consent)
    page = producer_client.post(url, {"language": "de", "reason": " "}, follow=True).content.decode()
    assert "Enter a reason." in page and "Allow German" in page
    page = producer_client.post(url, {"language": "de", "reason": "She reads both."}, follow=True).content.decode()
    assert "Voices in German are allowed with this consent." in page and "Allow German" not in page
    assert "German was allowed by Paula" in page and page.count("“She reads both.”") == 2, "in the list and in the log"


def test_next_step_of_a_consent_leads_to_the_page_that_helps(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    contract = factory.make_contract(consent.talent, is_confirmed=False)
    page = read_page(producer_client, consent.get_absolute_url())
    assert f'href="{contract.get_absolute_url()}#confirm">Confirm terms' in page
    contract = factory.make_contract(consent.talent, company="Other", signed_on="2025-01-03", supersedes=contract)
    page = read_page(producer_client, consent.get_absolute_url())
    assert "names Northlight Voices, but the contract" in page and "Request a new consent" in page
    assert PROVIDER not in page.partition("Technical details")[0].partition("<main")[2].partition("Statement")[0]


def test_request_without_a_contract_leads_to_its_form(
    factory: ConsentFactory, producer_client: Client, viewer_client: Client
) -> None:
    consent = factory.make_consent(has_contract=False)
    url, form = consent.get_absolute_url(), f"{get_url('contract_add', consent.talent)}?provider="
    text = "No contract of Tilda Strand is on file."
    page = read_page(producer_client, url)
    assert text in page and page.count(form) == 2 and "Next: invite" not in page
    page = read_page(viewer_client, url)
    assert text.replace("Tilda Strand", "Tilda S.") in page and form not in page
    factory.make_contract(consent.talent)
    page = read_page(producer_client, url)
    assert text not in page and "Next: invite" in page
    factory.make_link(consent)
    assert "ends the active link" in read_page(producer_client, url)
    consent.talent.contracts.update(ends_on=date(2025, 2, 1))
    page = read_page(producer_client, url)
    assert "ended on February 1, 2025" in page and form in page and "ends the active link" not in page


def test_form_leaves_the_territory_to_the_contract(factory: ConsentFactory, producer_client: Client) -> None:
    form = producer_client.get(get_url("contract_add", factory.make_talent())).context["form"]
    assert form["territory"].value() == ""


def test_terms_that_were_confirmed_on_different_days_are_listed_apart(factory: ConsentFactory) -> None:
    contract = factory.make_contract(factory.make_talent(), purposes=["narration", "advertising", "entertainment"])
    rows = {row.purpose: row for row in contract.confirmations.all()}
    rows["entertainment"].confirmed_at -= timedelta(days=3)
    terms = [entry[0] for entry in list_confirmations(contract, [rows[purpose] for purpose in sorted(rows)])]
    assert terms == ["Party and countries; advertising; narration and audiobooks", "Games, film and animation"]


def test_territory_and_countries_that_say_the_same_share_a_row(
    factory: ConsentFactory, producer_client: Client
) -> None:
    talent = factory.make_talent()
    same = factory.make_contract(talent, territory="worldwide", countries=["worldwide"])
    other = factory.make_contract(talent, territory="As far as the museum ships", countries=["worldwide"])
    page = read_page(producer_client, get_url("contract", same))
    assert "<dt>Territory and countries</dt><dd>Worldwide</dd>" in page.replace("> <", "><")
    page = read_page(producer_client, get_url("contract", other)).replace("> <", "><")
    assert "<dd>As far as the museum ships</dd><dt>Countries</dt><dd>Worldwide</dd>" in page
