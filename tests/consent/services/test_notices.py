"""The notice: what a talent reads before recording is true, is stored as it was shown, and is bound to the take."""

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.utils.html import escape

from consent.models import Capture, Consent, EventKind, Notice
from consent.models.evidence import EvidenceIsImmutable
from consent.services.audit_log import find_first_broken_event
from consent.services.notices import COMPARISON, NoticeText, build_notice, store_notice
from consent.services.review import request_retake
from consent.services.takes import submit_take
from providers import registry
from providers.base import Provider
from providers.speechgen.adapter import Speechgen
from providers.types import Tier
from tests.consent.rows import ConsentFactory, get_guest_url, make_clip, make_upload, read_page
from tests.support.html import read_html

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TERMS: dict[str, Any] = {
    "intended_uses": "Museum guides.",
    "excluded_uses": "Politics and <adult> content",
    "compensation": "EUR 1,200",
    "countries": ["AT", "DE"],
    "training_allowed": False,
}


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    consent = factory.make_consent()
    factory.make_contract(consent.talent, **TERMS)
    return consent


def read_section(notice: NoticeText, key: str) -> str:
    return " ".join(notice.get_section(key).paragraphs)


def test_notice_says_what_the_contract_says(consent: Consent) -> None:
    notice = build_notice(consent)
    assert read_section(notice, "purpose") == (
        "Narration and audiobooks. In the words of your contract: Museum guides. Not for: Politics and <adult> content."
    )
    assert read_section(notice, "place") == "Austria and Germany."
    assert read_section(notice, "pay") == "In the words of your contract: EUR 1,200."
    assert "Your contract does not allow it." in read_section(notice, "maker")
    consent.talent.contracts.update(
        training_allowed=True, compensation="", excluded_uses="", countries=[], territory="As in annex 2"
    )
    notice = build_notice(consent)
    assert "Your contract excludes no use in writing." in read_section(notice, "purpose")
    assert read_section(notice, "place") == "As in annex 2."
    assert read_section(notice, "pay") == "Your contract names no pay."
    assert "Your contract allows it." in read_section(notice, "maker")


def test_nothing_is_said_about_a_contract_that_is_missing(factory: ConsentFactory) -> None:
    notice = build_notice(factory.make_consent(has_contract=False))
    assert not {"place", "term", "pay"} & {section.key for section in notice.sections}
    assert "contract" not in read_section(notice, "purpose") + read_section(notice, "maker")


def test_contract_that_has_ended_says_nothing(factory: ConsentFactory, consent: Consent) -> None:
    earlier = consent.talent.contracts.get()
    factory.make_contract(consent.talent, supersedes=earlier, compensation="EUR 50", intended_uses="Radio")
    notice = build_notice(consent)
    assert read_section(notice, "pay") == "In the words of your contract: EUR 50."
    assert "Museum guides" not in read_section(notice, "purpose")


def test_notice_names_the_company_and_where_to_complain(consent: Consent, settings: Any) -> None:
    notice = build_notice(consent)
    assert read_section(notice, "company") == "Northlight Voices. Your contact is Paula, paula@studio.test."
    assert "the data protection authority of your country." in read_section(notice, "rights")
    assert "Ask your contact in which country it is stored." in read_section(notice, "storage")
    settings.VOICEHUB_COMPANY_ADDRESS = "12 Pier Road, Bristol"
    settings.VOICEHUB_SUPERVISORY_AUTHORITY = "the ICO, ico.org.uk"
    settings.VOICEHUB_DATA_LOCATION = "Ireland"
    notice = build_notice(consent)
    assert read_section(notice, "company").startswith("Northlight Voices, 12 Pier Road, Bristol.")
    assert "You can complain to the ICO, ico.org.uk." in read_section(notice, "rights")
    assert read_section(notice, "storage").startswith("In Ireland.")


def test_notice_says_who_can_listen(consent: Consent) -> None:
    assert read_section(build_notice(consent), "listeners") == (
        "The recording of the text: only Northlight Voices and Resemble AI can hear it. At the studio, that is who "
        "signs in with the role producer or admin; after a withdrawal, only producer or admin."
    )


@pytest.mark.parametrize("provider", registry.list_providers(), ids=lambda provider: provider.slug)
def test_notice_says_what_the_pages_of_each_provider_say(consent: Consent, provider: type[Provider]) -> None:
    consent.provider = provider.slug
    notice, use = build_notice(consent), provider.data_use
    maker, deletion = read_section(notice, "maker"), read_section(notice, "deletion")
    assert provider.label in maker and use.source in maker and "(read on November 2" in maker
    assert ("In which country it works: not known." in maker) == (not use.countries)
    assert ("Whether it may train its own models on your voice: not known." in maker) == (use.may_train is None)
    assert use.deletion_limits in deletion
    can_delete = {tier.can_delete for tier in provider.tiers.values()}
    assert (f"VoiceHub deletes the voice at {provider.label} by itself." in deletion) == (can_delete == {True})
    has_files = any(tier.can_delete_files for tier in provider.tiers.values())
    assert ("It deletes the files that were sent there, too." in deletion) == has_files


def test_notice_follows_the_data_of_the_provider(consent: Consent, monkeypatch: pytest.MonkeyPatch) -> None:
    consent.provider = "speechgen"
    use = replace(Speechgen.data_use, countries=("CA",), may_train=True, source="A page", checked="2026-12-01")
    monkeypatch.setattr(Speechgen, "data_use", use)
    rapid = Speechgen.tiers[Tier.RAPID]
    by_hand = replace(rapid, tier=Tier.PROFESSIONAL, label="Pro", can_delete=False)
    monkeypatch.setattr(Speechgen, "tiers", {Tier.RAPID: rapid, Tier.PROFESSIONAL: by_hand})
    maker = build_notice(consent).get_section("maker").paragraphs
    assert maker[1:] == (
        "In which country it works: Canada.",
        "Whether it may train its own models on your voice: yes.",
        "Source of the last two answers: A page (read on December 1, 2026).",
    )
    texts = build_notice(consent).get_section("deletion").paragraphs
    assert texts[0].endswith("voices: VoiceHub deletes the voice at Speechgen by itself.")
    assert texts[1].startswith("“Pro” voices: VoiceHub cannot delete the voice at Speechgen by itself")


def test_notice_about_a_removed_provider_refers_to_the_studio(consent: Consent) -> None:
    consent.provider = "gone_vendor"
    notice = build_notice(consent)
    assert "Ask the studio what is sent to this provider." in read_section(notice, "maker")
    assert read_section(notice, "deletion") == "Ask the studio what can be deleted there."


# --- shown, stored, bound -------------------------------------------------------------------------------------


def begin(client: Client, consent: Consent, sha256: str) -> str:
    response = client.post(get_guest_url("begin", consent), {"notice": sha256, "purpose": str(consent.pk)})
    return str(response.headers["Location"])


def test_talent_reads_the_notice_before_the_recorder(factory: ConsentFactory, consent: Consent) -> None:
    client, notice = factory.open_link(consent, is_read=False), build_notice(consent)
    assert client.get(get_guest_url("record", consent)).headers["Location"] == get_guest_url("home", consent)
    page = read_page(client, get_guest_url("home", consent))
    for section in notice.sections:
        has_icon = f'href="#i-{section.key}"' in page and f'id="i-{section.key}"' in page
        assert has_icon is (section.key != COMPARISON), "the voice comparison has a part of its own, with its tick"
        assert section.title in page or all(escape(text) in page for text in section.paragraphs)
    assert "In which country it works: not known." in page and "Politics and &lt;adult&gt; content" in page
    assert 'href="mailto:paula@studio.test"' in page
    assert f'name="notice" value="{notice.sha256}"' in page
    assert begin(client, consent, notice.sha256) == get_guest_url("record", consent)
    assert client.get(get_guest_url("record", consent)).status_code == 200
    (stored,) = consent.notices.all()
    text = json.dumps(stored.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert stored.sha256 == notice.sha256 == hashlib.sha256(text.encode()).hexdigest()
    opened = consent.events.get(kind=EventKind.OPENED)
    assert opened.payload["notice"] == notice.sha256 and "EUR" not in json.dumps(opened.payload)


def test_changed_notice_must_be_read_again(factory: ConsentFactory, consent: Consent) -> None:
    client, earlier = factory.open_link(consent, is_read=False), build_notice(consent)
    assert begin(client, consent, earlier.sha256) == get_guest_url("record", consent)
    consent.talent.contracts.update(compensation="EUR 5")
    assert begin(client, consent, earlier.sha256) == get_guest_url("home", consent)
    page = read_page(client, get_guest_url("home", consent))
    assert "This page has changed since you opened it." in page and "EUR 5." in page
    assert client.get(get_guest_url("record", consent)).headers["Location"] == get_guest_url("home", consent)
    assert consent.events.filter(kind=EventKind.TICKED).count() == 1
    assert begin(client, consent, build_notice(consent).sha256) == get_guest_url("record", consent)
    assert consent.notices.count() == 2


def test_nothing_can_be_sent_before_the_notice_was_read(factory: ConsentFactory, consent: Consent) -> None:
    client = factory.open_link(consent, is_read=False)
    url, data = get_guest_url("submit", consent), {"recorded": "on"}
    response = client.post(url, data | {"file": make_upload(make_clip())}, headers={"Accept": "application/json"})
    assert response.status_code == 409 and "read what this is about, and tick" in response.json()["problem"]
    assert not consent.takes.exists()
    response = client.post(url, data | {"file": make_upload(make_clip())}, follow=True)
    assert "read what this is about, and tick" in read_html(response)


def test_audit_log_entry_of_a_take_names_the_notice(factory: ConsentFactory, consent: Consent) -> None:
    client, first = factory.open_link(consent), build_notice(consent)
    begin(client, consent, first.sha256)
    take = factory.make_take(consent)
    assert consent.events.get(kind=EventKind.TAKE).payload["notice"] == first.sha256
    request_retake(consent, factory.producer, "Slower, please.")
    consent.talent.contracts.update(compensation="EUR 5")
    begin(client, consent, build_notice(consent).sha256)
    factory.make_take(consent, make_clip(1))
    newest = consent.events.filter(kind=EventKind.TAKE).last()
    assert newest and newest.payload["notice"] == build_notice(consent).sha256 != first.sha256
    assert find_first_broken_event(consent) is None and take.consent_id == consent.pk


def test_take_without_a_notice_names_none(factory: ConsentFactory, consent: Consent) -> None:
    """In the studio, the talent reads it on paper or hears it."""
    submit_take(consent, make_upload(make_clip()), Capture.IN_STUDIO, by=factory.producer)
    assert "notice" not in consent.events.get(kind=EventKind.TAKE).payload


def test_same_notice_is_stored_once_and_never_changed(consent: Consent) -> None:
    stored = store_notice(consent, build_notice(consent))
    assert store_notice(consent, build_notice(consent)).pk == stored.pk and Notice.objects.count() == 1
    with pytest.raises(EvidenceIsImmutable):
        stored.save()
    with pytest.raises(EvidenceIsImmutable):
        Notice.objects.all().delete()


def test_talent_and_staff_read_later_what_was_shown(
    factory: ConsentFactory, consent: Consent, producer_client: Client
) -> None:
    client, notice = factory.open_link(consent), build_notice(consent)
    factory.make_take(consent)
    consent.talent.contracts.update(compensation="EUR 5")
    for page in (
        read_page(client, get_guest_url("receipt", consent)),
        read_page(producer_client, consent.get_absolute_url()),
    ):
        assert "In the words of your contract: EUR 1,200." in page and notice.sha256 in page
        assert "EUR 5." not in page


def test_damaged_notice_is_shown_without_its_sections(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    Notice.objects.bulk_create([Notice(consent=consent, version=1, content=["?"], sha256="0" * 64)])
    assert "What the talent read" in read_page(producer_client, consent.get_absolute_url())


def test_check_names_each_setting_of_the_notice_that_is_empty(settings: Any) -> None:
    from voicehub.checks import check_notice

    assert [warning.msg for warning in check_notice()] == [
        "VOICEHUB_COMPANY_ADDRESS is empty.",
        "VOICEHUB_SUPERVISORY_AUTHORITY is empty.",
        "VOICEHUB_DATA_LOCATION is empty.",
    ]
    settings.VOICEHUB_COMPANY_ADDRESS = settings.VOICEHUB_SUPERVISORY_AUTHORITY = "Here"
    settings.VOICEHUB_DATA_LOCATION = "Ireland"
    assert check_notice() == []
