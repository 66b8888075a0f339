"""Pages show talents correctly which provider receives their consent, and how long it is valid."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.labels import DELETE_AT_END_LABEL
from consent.models import Consent
from consent.services.disclosure import compute_term, describe_disclosure
from consent.services.filed_contracts import find_contract_problem
from providers import registry
from providers.types import ConsentProof, Tier
from tests.consent.rows import ConsentFactory, get_guest_url
from tests.support.html import read_html

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ALL_SENT_TEXT = "Your recordings and this consent are sent to it."
RECORDINGS_SENT_TEXT = "Your recordings are sent to it. This consent stays in the studio."
RECIPIENT_TEXTS = {
    "resemble_v2": ALL_SENT_TEXT,
    "resemble_v1": (
        "Your recordings are sent to it. The studio mails it a proof of your consent: your contract, or a video of you."
    ),
    "audiostack": (
        "Your recordings are sent to it. This consent is sent with them for “Standard” voices. "
        "It stays in the studio for “Instant” voices."
    ),
    "speechgen": RECORDINGS_SENT_TEXT,
    "voiceai": RECORDINGS_SENT_TEXT,
}


def set_provider(consent: Consent, provider: str) -> Consent:
    Consent.objects.filter(pk=consent.pk).update(provider=provider)
    consent.refresh_from_db()
    return consent


def read_overview(client: Client, consent: Consent) -> str:
    """The HTML of the overview page that a private link opens. Each run of whitespace becomes one space."""
    page = read_html(client.get(get_guest_url("home", consent)))
    return " ".join(page.split())


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_overview_states_what_each_provider_receives(factory: ConsentFactory, provider: str) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    page = read_overview(client, set_provider(consent, provider))
    assert RECIPIENT_TEXTS[provider] in page
    is_studio_only = "only the studio can hear it." in page
    assert is_studio_only == (RECIPIENT_TEXTS[provider] == RECORDINGS_SENT_TEXT)
    assert describe_disclosure(consent).leaves_studio is not is_studio_only


def test_disclosure_depends_on_provider_capabilities(factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The text depends only on the provider's capabilities, here on the changed proof of consent."""
    adapter = registry.get_provider_class("speechgen")
    rapid_tier = replace(adapter.tiers[Tier.RAPID], consent_proof=ConsentProof.AUDIO_FILE)
    monkeypatch.setattr(adapter, "tiers", {Tier.RAPID: rapid_tier})
    assert describe_disclosure(set_provider(factory.make_consent(), "speechgen")).recipients == ALL_SENT_TEXT


def test_disclosure_for_removed_provider_refers_to_studio(factory: ConsentFactory) -> None:
    assert (
        describe_disclosure(set_provider(factory.make_consent(), "gone_vendor")).recipients
        == "Ask the studio what is sent to this provider."
    )


NEXT_YEAR = timezone.localdate() + timedelta(days=400)
LATER = NEXT_YEAR + timedelta(days=100)


@pytest.mark.parametrize(
    ("valid_until", "contracts", "last_day", "is_contract_end"),
    [
        (None, [], None, False),
        (None, [{"ends_on": NEXT_YEAR}], NEXT_YEAR, True),
        (NEXT_YEAR, [{"ends_on": LATER}], NEXT_YEAR, False),
        (LATER, [{"ends_on": NEXT_YEAR}], NEXT_YEAR, True),
        (None, [{"ends_on": NEXT_YEAR}, {"ends_on": LATER}], LATER, True),
        (None, [{"ends_on": NEXT_YEAR}, {"ends_on": None}], None, False),
        (None, [{"ends_on": NEXT_YEAR, "starts_on": NEXT_YEAR}], NEXT_YEAR, True),
        (None, [{"ends_on": NEXT_YEAR, "purposes": ["advertising"]}], None, False),
        (None, [{"ends_on": NEXT_YEAR, "providers": ["speechgen"]}], None, False),
        (None, [{"ends_on": date(2025, 6, 1)}], None, False),
    ],
)
def test_term_is_the_earlier_end_of_consent_and_contract(
    factory: ConsentFactory,
    valid_until: date | None,
    contracts: list[dict[str, Any]],
    last_day: date | None,
    is_contract_end: bool,
) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    Consent.objects.filter(pk=consent.pk).update(valid_until=valid_until)
    consent.refresh_from_db()
    for fields in contracts:
        factory.make_contract(consent.talent, **fields)
    term = compute_term(consent)
    assert (term.last_day, term.is_contract_end) == (last_day, is_contract_end)
    page = read_overview(client, consent)
    is_allowed = not find_contract_problem(consent)
    assert ("Without an end date, until you withdraw it" in page) == (last_day is None and is_allowed)
    assert ("when your contract with the studio ends, or until you withdraw it" in page) == is_contract_end


def test_contract_page_says_when_the_voice_is_deleted(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    assert (
        DELETE_AT_END_LABEL in producer_client.get(reverse("consent:contract_add", args=[talent.pk])).content.decode()
    )
    page = read_html(producer_client.get(factory.make_contract(talent).get_absolute_url()))
    assert "Yes. VoiceHub deletes it seven days after the end, unless another consent and contract cover it" in page


@pytest.mark.parametrize("is_deleted", [True, False])
def test_talent_reads_that_the_voices_are_deleted_after_the_end(factory: ConsentFactory, is_deleted: bool) -> None:
    consent = factory.make_consent()
    factory.make_contract(consent.talent, ends_on=NEXT_YEAR, delete_at_end=is_deleted)
    page = read_overview(factory.open_link(consent), consent)
    assert ("The voices made with it are deleted seven days after the last day" in page) == is_deleted


def test_replaced_contract_ends_the_day_before_next_starts(factory: ConsentFactory) -> None:
    consent, today = factory.make_consent(), timezone.localdate()
    earlier_contract = factory.make_contract(consent.talent, ends_on=NEXT_YEAR)
    next_start = today + timedelta(days=20)
    factory.make_contract(consent.talent, providers=["speechgen"], starts_on=next_start, supersedes=earlier_contract)
    assert compute_term(consent).last_day == next_start - timedelta(days=1)


def test_contract_extends_term_only_if_it_follows_without_interruption(factory: ConsentFactory) -> None:
    consent, today = factory.make_consent(), timezone.localdate()
    first_end = today + timedelta(days=10)
    factory.make_contract(consent.talent, ends_on=first_end)
    factory.make_contract(consent.talent, starts_on=today + timedelta(days=300))
    assert compute_term(consent).last_day == first_end
    factory.make_contract(
        consent.talent, starts_on=first_end + timedelta(days=1), ends_on=first_end + timedelta(days=90)
    )
    assert compute_term(consent).last_day == first_end + timedelta(days=90)
