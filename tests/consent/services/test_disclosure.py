"""What a talent is told about where a consent goes, and for how long it holds, is what the code does."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.labels import DELETE_AT_END_LABEL
from consent.models import Consent
from consent.services.disclosure import compute_term, describe_disclosure
from providers import registry
from providers.types import ConsentProof, Tier
from tests.consent.rows import ConsentFactory
from tests.support.html import read_html

pytestmark = pytest.mark.django_db

SENT = "Your recordings and this consent are sent to it."
KEPT = "Your recordings are sent to it. This consent stays in the studio."
WORDS = {
    "resemble_v2": SENT,
    "resemble_v1": "Your recordings are sent to it. The studio shows it this consent on request.",
    "audiostack": (
        "Your recordings are sent to it. This consent is sent with them for “Standard” voices. "
        "It stays in the studio for “Instant” voices."
    ),
    "speechgen": KEPT,
    "voiceai": KEPT,
}


def at(consent: Consent, provider: str) -> Consent:
    Consent.objects.filter(pk=consent.pk).update(provider=provider)
    consent.refresh_from_db()
    return consent


def home(factory: ConsentFactory, consent: Consent) -> str:
    """The overview as HTML without line breaks, with entities as characters."""
    page = read_html(factory.open_link(consent).get(reverse("invitation:home")))
    return " ".join(page.split())


@pytest.mark.parametrize("provider", registry.PROVIDERS)
def test_talent_is_told_what_each_provider_is_sent(factory: ConsentFactory, provider: str) -> None:
    consent = at(factory.make_consent(), provider)
    page = home(factory, consent)
    assert WORDS[provider] in page
    only_the_studio = "Only the studio can hear it." in page
    assert only_the_studio == (WORDS[provider] == KEPT)
    assert describe_disclosure(consent).leaves_studio is not only_the_studio


def test_disclosure_follows_the_capabilities(factory: ConsentFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing about a provider is typed twice: another way to show the consent is another sentence."""
    adapter = registry.get_provider_class("speechgen")
    rapid = replace(adapter.tiers[Tier.RAPID], consent_proof=ConsentProof.AUDIO_FILE)
    monkeypatch.setattr(adapter, "tiers", {Tier.RAPID: rapid})
    assert describe_disclosure(at(factory.make_consent(), "speechgen")).recipients == SENT


def test_provider_that_is_gone_is_not_described(factory: ConsentFactory) -> None:
    assert (
        describe_disclosure(at(factory.make_consent(), "gone_vendor")).recipients
        == "Ask the studio what is sent to this provider."
    )


NEXT_YEAR = timezone.localdate() + timedelta(days=400)
LATER = NEXT_YEAR + timedelta(days=100)


@pytest.mark.parametrize(
    ("valid_until", "contracts", "last_day", "by_contract"),
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
    contracts: list[dict[str, object]],
    last_day: date | None,
    by_contract: bool,
) -> None:
    consent = factory.make_consent()
    Consent.objects.filter(pk=consent.pk).update(valid_until=valid_until)
    consent.refresh_from_db()
    for fields in contracts:
        factory.make_contract(consent.talent, **fields)
    found = compute_term(consent)
    assert (found.last_day, found.is_contract_end) == (last_day, by_contract)
    page = home(factory, consent)
    assert ("Without an end date, until you take it back" in page) == (last_day is None)
    assert ("when your contract with the studio ends, or until you take it back" in page) == by_contract


def test_contract_form_promises_no_deletion_by_itself(factory: ConsentFactory, as_producer: Client) -> None:
    talent = factory.make_talent()
    assert DELETE_AT_END_LABEL in as_producer.get(reverse("consent:contract_add", args=[talent.pk])).content.decode()
    page = read_html(as_producer.get(factory.make_contract(talent).get_absolute_url()))
    assert "Yes; staff delete it" in page
    assert "Voice is deleted" not in page


def test_replaced_contract_ends_where_the_next_begins(factory: ConsentFactory) -> None:
    consent, today = factory.make_consent(), timezone.localdate()
    earlier = factory.make_contract(consent.talent, ends_on=NEXT_YEAR)
    begins = today + timedelta(days=20)
    factory.make_contract(consent.talent, providers=["speechgen"], starts_on=begins, supersedes=earlier)
    assert compute_term(consent).last_day == begins - timedelta(days=1)


def test_contract_after_a_gap_does_not_count(factory: ConsentFactory) -> None:
    consent, today = factory.make_consent(), timezone.localdate()
    ends = today + timedelta(days=10)
    factory.make_contract(consent.talent, ends_on=ends)
    factory.make_contract(consent.talent, starts_on=today + timedelta(days=300))
    assert compute_term(consent).last_day == ends
    factory.make_contract(consent.talent, starts_on=ends + timedelta(days=1), ends_on=ends + timedelta(days=90))
    assert compute_term(consent).last_day == ends + timedelta(days=90)
