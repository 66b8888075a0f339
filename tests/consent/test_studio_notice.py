"""In the studio too, the talent reads the notice before the recording: staff confirm it, and the take binds it."""

import io
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from consent.models import Capture, Consent, EventKind, Take
from consent.services.audit_log import find_first_broken_event
from consent.services.notices import build_notice
from tests.consent.rows import ConsentFactory, get_url, make_clip, make_upload, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    return factory.make_consent()


def send(client: Client, consent: Consent) -> Any:
    return client.post(get_url("take_upload", consent), {"file": make_upload(make_clip()), "recorded": "on"})


def confirm(client: Client, consent: Consent, **fields: str) -> str:
    fields = {"notice": build_notice(consent).sha256, **fields}
    return str(client.post(get_url("notice_confirm", consent), fields).headers["Location"])


def test_recorder_opens_after_the_notice_was_read(consent: Consent, producer_client: Client) -> None:
    url, notice = get_url("record_in_studio", consent), build_notice(consent)
    page = read_page(producer_client, url)
    assert "data-recorder" not in page and 'name="file"' not in page
    for section in notice.sections:
        assert section.title in page
    assert confirm(producer_client, consent) == url
    event = consent.events.get(kind=EventKind.NOTICE_READ)
    assert event.payload == {"notice": notice.sha256} and event.actor is not None
    assert consent.notices.get().sha256 == notice.sha256
    assert "has read it" not in read_page(producer_client, url)
    confirm(producer_client, consent)
    assert consent.events.filter(kind=EventKind.NOTICE_READ).count() == 1


def test_take_of_staff_needs_and_binds_the_notice(consent: Consent, producer_client: Client) -> None:
    response = send(producer_client, consent)
    assert response.status_code == 409 and "has not read the notice" in response.content.decode()
    assert not Take.objects.exists()
    confirm(producer_client, consent)
    assert send(producer_client, consent).headers["Location"] == consent.get_absolute_url()
    assert Take.objects.get().capture == Capture.IN_STUDIO
    assert consent.events.get(kind=EventKind.TAKE).payload["notice"] == build_notice(consent).sha256
    assert find_first_broken_event(consent) is None


def test_file_form_asks_for_the_notice_first_and_comes_back(consent: Consent, producer_client: Client) -> None:
    page = read_page(producer_client, consent.get_absolute_url())
    notice_url = f"{get_url('record_in_studio', consent)}?next=upload"
    assert notice_url in page and get_url("take_upload", consent) not in page
    assert 'name="next" value="upload"' in read_page(producer_client, notice_url)
    assert confirm(producer_client, consent, next="upload") == f"{consent.get_absolute_url()}#take-file"
    assert get_url("take_upload", consent) in read_page(producer_client, consent.get_absolute_url())


def test_notice_that_has_changed_is_not_confirmed(consent: Consent, producer_client: Client) -> None:
    assert confirm(producer_client, consent, notice="0" * 64) == get_url("record_in_studio", consent)
    assert not consent.notices.exists()
    confirm(producer_client, consent)
    Consent.objects.filter(pk=consent.pk).update(company="Southlight")
    page = read_page(producer_client, get_url("record_in_studio", consent))
    assert "has read it" in page, "the notice of today is another one"


def test_answered_consent_gets_no_confirmation(
    factory: ConsentFactory, consent: Consent, producer_client: Client
) -> None:
    factory.make_take(consent)
    assert confirm(producer_client, consent) == consent.get_absolute_url()
    assert not consent.notices.exists()


def test_notice_is_printed_as_pdf_with_its_words_and_hash(consent: Consent, producer_client: Client) -> None:
    response = producer_client.get(get_url("notice_file", consent))
    assert response["Content-Type"] == "application/pdf" and "attachment" in response["Content-Disposition"]
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages).split())
    notice = build_notice(consent)
    for section in notice.sections:
        assert section.title in text
    assert notice.sections[0].paragraphs[0] in text and notice.sha256 in text.replace(" ", "")


def test_engineer_records_only_after_a_producer_showed_the_notice(
    consent: Consent, engineer_client: Client, producer_client: Client
) -> None:
    """The notice states the fees, which engineers do not see."""
    url = get_url("record_in_studio", consent)
    response = engineer_client.get(url)
    assert response.status_code == 403 and "Ask a producer to show it first." in response.content.decode()
    confirm_as = producer_client.get(url)
    assert confirm_as.status_code == 200
    confirm(producer_client, consent)
    assert consent.talent.name in read_page(engineer_client, url)
