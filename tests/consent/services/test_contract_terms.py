"""Confirming the terms of contracts, allowing languages, and what the gate makes of several contracts."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from consent.models import Consent, Contract, ContractConfirmation, LanguageException, Purpose, Talent
from consent.models.evidence import EvidenceIsImmutable
from consent.services.contract_rules import list_contract_warnings
from consent.services.contracts import confirm_terms
from consent.services.countries import describe_countries, includes_countries
from consent.services.gate import BuildPermission, BuildPurpose, check_permission, check_permissions
from consent.services.languages import allow_language
from consent.services.review import suspend_consent, withdraw_consent
from tests.consent.rows import PROVIDER, ConsentFactory
from voicehub.models import User
from voicehub.refusals import ActionRefused

pytestmark = [pytest.mark.django_db, pytest.mark.one_database, pytest.mark.usefixtures("reads_names")]

NARRATION, ADVERTISING = Purpose.NARRATION, Purpose.ADVERTISING


def check(talent: Talent, language: str = "en-US", countries: tuple[str, ...] = ("worldwide",)) -> BuildPermission:
    return check_permission(BuildPurpose(talent, PROVIDER, NARRATION, language, countries))


# --- confirmations ---


def test_confirmed_terms_open_the_gate(factory: ConsentFactory, producer: User) -> None:
    talent = factory.make_approved_consent().talent
    contract = factory.make_contract(talent, is_confirmed=False, company="", countries=[])
    assert len(check(talent).contract_reasons) == 3 and check(talent).contract_to_confirm == contract
    confirm_terms(contract, producer, company="Northlight Voices", countries=["worldwide"])
    assert check(talent).unconfirmed_reasons == check(talent).reasons != ()
    confirm_terms(contract, producer, purposes=[NARRATION])
    assert check(talent).is_given and check(talent).contract_to_confirm is None
    contract.refresh_from_db()
    assert (contract.company, contract.countries) == ("Northlight Voices", ["worldwide"])
    assert contract.terms_confirmed_by == producer and contract.terms_confirmed_at
    assert contract.confirmations.get().confirmed_by == producer


@pytest.mark.parametrize("change", [{"company": "Other"}, {"countries": ["DE"]}, {"purposes": [ADVERTISING]}])
def test_confirmed_terms_cannot_be_changed(factory: ConsentFactory, admin: User, change: dict[str, Any]) -> None:
    contract = factory.make_contract(factory.make_talent(), countries=["FR"])
    with pytest.raises(ActionRefused):
        confirm_terms(contract, admin, **change)
    contract.refresh_from_db()
    assert (contract.company, contract.countries) == ("Northlight Voices", ["FR"])
    assert contract.terms_confirmed_by == factory.producer
    assert [row.purpose for row in contract.confirmations.all()] == [NARRATION]


def test_purpose_keeps_its_first_confirmation(factory: ConsentFactory, admin: User) -> None:
    contract = factory.make_contract(factory.make_talent(), purposes=[NARRATION, ADVERTISING], is_confirmed=False)
    confirm_terms(contract, factory.producer, purposes=[NARRATION])
    confirm_terms(contract, admin, purposes=[NARRATION, ADVERTISING])
    confirmed = {row.purpose: row.confirmed_by for row in contract.confirmations.all()}
    assert confirmed == {NARRATION: factory.producer, ADVERTISING: admin}


def test_confirmations_and_exceptions_are_evidence(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    allow_language(consent, "de", factory.producer, "Bilingual.")
    factory.make_contract(consent.talent)
    for model in (ContractConfirmation, LanguageException):
        row = model.objects.get()
        for act in (row.save, row.delete, model.objects.all().delete):
            with pytest.raises(EvidenceIsImmutable):
                act()


def test_talent_renamed_after_the_request_needs_a_new_consent(factory: ConsentFactory) -> None:
    talent = factory.make_approved_consent().talent
    factory.make_contract(talent)
    assert check(talent).is_given
    talent.name = "Tilda Berg"
    assert "names “Tilda Strand”, not “Tilda Berg”. Request a new consent" in check(talent).consent_reasons[0]
    factory.make_approved_consent(talent)
    assert check(talent).is_given


def test_confirmation_of_one_purpose_is_none_of_another(factory: ConsentFactory, producer: User) -> None:
    talent = factory.make_approved_consent().talent
    contract = factory.make_contract(talent, purposes=[NARRATION, ADVERTISING], is_confirmed=False)
    confirm_terms(contract, producer, purposes=[ADVERTISING])
    assert "is not confirmed for narration" in check(talent).reasons[0]


# --- languages ---


def test_allowed_language_opens_the_gate_and_is_in_the_audit_log(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    factory.make_contract(consent.talent)
    assert not check(consent.talent, "de-DE").is_given
    allow_language(consent, "de-CH", factory.producer, "She reads both.")
    assert check(consent.talent, "de-DE").is_given and not check(consent.talent, "fr-FR").is_given
    event = consent.events.get(kind="language_allowed")
    assert event.payload == {"language": "de", "reason": "She reads both."} and event.actor == factory.producer


@pytest.mark.parametrize("language", ["en-GB", "de", "", "D3", "x" * 9])
def test_language_that_needs_no_exception_is_refused(factory: ConsentFactory, language: str) -> None:
    consent = factory.make_approved_consent()
    allow_language(consent, "de", factory.producer, "She reads both.")
    with pytest.raises(ActionRefused):
        allow_language(consent, language, factory.producer, "Again.")
    assert LanguageException.objects.count() == 1 and consent.events.filter(kind="language_allowed").count() == 1


def test_language_can_be_allowed_only_while_the_consent_holds(factory: ConsentFactory) -> None:
    consent, requested = factory.make_approved_consent(), factory.make_consent(factory.make_talent("Theo Brand"))
    suspend_consent(consent, factory.producer, "A dispute.")
    allow_language(consent, "de", factory.producer, "She reads both.")
    withdraw_consent(consent, factory.producer, "By mail.")
    for row in (consent, requested):
        with pytest.raises(ActionRefused, match="not in force"):
            allow_language(row, "fr", factory.producer, "She reads both.")


# --- several consents and contracts ---


def test_any_contract_that_satisfies_everything_allows_the_build(factory: ConsentFactory) -> None:
    talent = factory.make_approved_consent().talent
    good = factory.make_contract(talent, countries=["DE"])
    factory.make_contract(talent, starts_on=date(2025, 2, 1), countries=["FR"])
    factory.make_contract(talent, starts_on=date(2025, 3, 1), is_confirmed=False)
    permission = check(talent, countries=("DE",))
    assert permission.is_given and permission.contract == good and permission.contract_to_confirm is None


def test_reasons_are_those_of_the_contract_that_fits_best(factory: ConsentFactory) -> None:
    talent = factory.make_approved_consent().talent
    factory.make_contract(talent, starts_on=date(2025, 3, 1), providers=["other"], purposes=[ADVERTISING])
    best = factory.make_contract(talent, is_confirmed=False, signed_on=date(2025, 1, 1))
    permission = check(talent)
    assert permission.contract_to_confirm == best and len(permission.reasons) == 1
    assert "signed on January 1, 2025" in permission.reasons[0]


def test_replaced_consent_does_not_count_even_if_only_it_fits(factory: ConsentFactory) -> None:
    older = factory.make_approved_consent()
    newer = factory.make_approved_consent(older.talent)
    factory.make_contract(older.talent)
    assert check(older.talent).consent == newer
    Consent.objects.filter(pk=newer.pk).update(company="Other")
    assert check(older.talent).consent is None


def test_exclusive_contract_does_not_stand_against_itself(factory: ConsentFactory) -> None:
    talent = factory.make_approved_consent().talent
    contract = factory.make_contract(talent, exclusive=True)
    assert check(talent).is_given
    Contract.objects.filter(pk=contract.pk).update(company="")
    assert [reason.partition(" of ")[0] for reason in check(talent).reasons] == ["The party"]


def test_number_of_queries_does_not_grow(factory: ConsentFactory) -> None:
    def count(talents: list[Talent]) -> int:
        languages = ("en-US", "de-DE")
        subjects = [BuildPurpose(row, PROVIDER, NARRATION, tag, ("DE",)) for row in talents for tag in languages]
        with CaptureQueriesContext(connection) as queries:
            permissions = check_permissions(subjects, {})
        assert [permission.is_given for permission in permissions.values()] == [True, True] * len(talents)
        return len(queries)

    talents = []
    for number in range(3):
        consent = factory.make_approved_consent(factory.make_talent(f"Talent {number}"))
        allow_language(consent, "de", factory.producer, "Bilingual.")
        factory.make_contract(consent.talent, purposes=[NARRATION, ADVERTISING])
        talents.append(consent.talent)
    assert count(talents[:1]) == count(talents) == 3


# --- countries and warnings ---


@pytest.mark.parametrize(
    ("allowed", "wanted", "is_included"),
    [
        (["worldwide"], ["worldwide"], True),
        (["worldwide"], ["DE", "FR"], True),
        (["DE"], ["worldwide"], False),
        (["DE", "FR"], ["FR"], True),
        (["DE"], ["DE", "FR"], False),
        ([], ["DE"], False),
    ],
)
def test_countries_are_included(allowed: list[str], wanted: list[str], is_included: bool) -> None:
    assert includes_countries(allowed, wanted) == is_included


def test_countries_are_named_in_order() -> None:
    assert describe_countries(["FR", "AT", "DE"]) == "Austria, France and Germany"
    assert (describe_countries(["worldwide"]), describe_countries(["XX"]), describe_countries([])) == (
        "worldwide",
        "XX",
        "",
    )


TEN_YEARS = {"starts_on": date(2024, 2, 29), "signed_on": date(2024, 2, 29)}


@pytest.mark.parametrize(
    ("fields", "warning"),
    [
        ({}, ""),
        ({"compensation": " "}, "states no pay"),
        ({"representation": ""}, "names no agent, lawyer or union"),
        ({"intended_uses": " "}, "states no intended uses"),
        ({**TEN_YEARS, "ends_on": date(2034, 2, 28)}, ""),
        ({**TEN_YEARS, "ends_on": date(2034, 3, 1)}, "more than ten years"),
        ({"ends_on": date(2035, 1, 3)}, ""),
        ({"ends_on": date(2035, 1, 4)}, "more than ten years"),
        ({"ends_on": None}, ""),
    ],
)
def test_questionable_terms_warn_and_block_nothing(
    factory: ConsentFactory, fields: dict[str, Any], warning: str
) -> None:
    talent = factory.make_approved_consent().talent
    contract = factory.make_contract(talent, **fields)
    assert check(talent).is_given and check(talent).warnings == list_contract_warnings(contract)
    assert [warning in text for text in check(talent).warnings] == [True] * bool(warning)


def test_future_signing_date_closes_the_gate(factory: ConsentFactory) -> None:
    talent = factory.make_approved_consent().talent
    tomorrow = timezone.localdate() + timedelta(days=1)
    factory.make_contract(talent, signed_on=tomorrow)
    assert "the latest will be signed on" in check(talent).contract_reasons[0]
