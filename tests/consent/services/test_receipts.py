"""The receipt: a PDF in each language with what was said and read, for the talent's page and the mails."""

import io

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone, translation
from pypdf import PdfReader

from consent.models import Consent, Take, TalentMail
from consent.services.notices import build_notice, store_notice
from consent.services.receipts import make_pdf
from consent.services.review import withdraw_consent, withdraw_or_decline
from consent.services.talent_mails import send_talent_mail
from tests.consent.rows import ConsentFactory, get_guest_url
from voicehub.talent_languages import TALENT_LANGUAGES
from voicehub.text import format_date

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def read_pdf(content: bytes) -> str:
    """The text of all pages without the breaks of its lines."""
    return "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).replace("\n", "")


def collapse(text: str) -> str:
    return "".join(text.split())


@pytest.fixture
def take(factory: ConsentFactory) -> Take:
    consent = factory.make_consent(factory.make_talent("山田 Ångström"))
    factory.make_contract(consent.talent, excluded_uses="Lorem " * 700)
    return factory.make_take(consent)


@pytest.mark.parametrize("language", TALENT_LANGUAGES)
def test_pdf_has_what_was_said_and_read_in_the_language_without_lost_letters(take: Take, language: str) -> None:
    with translation.override(language):
        notice = build_notice(take.consent)
        store_notice(take.consent, notice)
        text = collapse(read_pdf(make_pdf(take, timezone.now())))
        wanted = [translation.gettext("What you read before the recording"), format_date(take.created_at)]
        lost = translation.gettext("“?” stands for a character that the font lacks.")
    paragraphs = [part for section in [*notice.sections, *notice.english] for part in section.paragraphs]
    titles = [section.title for section in [*notice.sections, *notice.english]]
    starts = [part[:30] for part in paragraphs]  # the foot of a page may stand in the middle
    for part in [*wanted, *titles, *starts, take.consent.text, take.sha256, notice.sha256, "山田Ångström"]:
        assert collapse(part) in text, part
    assert collapse(lost) not in text
    assert text.count("Lorem") == 700 * (1 if language == "en" else 2), "nothing is shortened"


def test_talent_downloads_the_receipt_while_there_is_one(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    url = get_guest_url("receipt_pdf", consent)
    assert client.get(url).status_code == 404, "there is no recording yet"
    factory.make_take(consent)
    response = client.get(url)
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == 'attachment; filename="receipt.pdf"'
    assert consent.text.split()[0] in read_pdf(response.content)
    assert url in client.get(get_guest_url("receipt", consent)).content.decode()
    assert Client().get(url).status_code == 404, "another browser has not opened the link"


def test_there_is_no_receipt_after_a_withdrawal(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    client = factory.open_link(consent, is_read=False)
    assert client.get(get_guest_url("receipt_pdf", consent)).status_code == 200
    withdraw_consent(consent, None, "")
    assert client.get(get_guest_url("receipt_pdf", consent)).status_code == 404


def test_talent_hears_the_recording_that_the_receipt_is_about(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    client, url = factory.open_link(consent), get_guest_url("recording", consent)
    assert client.get(url).status_code == 404, "there is no recording yet"
    take = factory.make_take(consent)
    response = client.get(url)
    with take.sound.open() as file:
        assert response.getvalue() == file.read()
    assert response.headers["Content-Type"] == "audio/wav" and "noindex" in response.headers["X-Robots-Tag"]
    part = client.get(url, headers={"Range": "bytes=0-9"})
    assert (part.status_code, len(part.getvalue())) == (206, 10)
    assert f'data-own-recording="{url}"' in client.get(get_guest_url("receipt", consent)).content.decode()
    assert Client().get(url).status_code == 404, "another browser has not opened the link"
    withdraw_or_decline(consent, None, "")
    assert client.get(url).status_code == 404


def list_attachments(consent: Consent, kind: str) -> list[str]:
    mail.outbox.clear()
    send_talent_mail(str(TalentMail.objects.get(consent=consent, kind=kind, recipient="talent").pk))
    (message,) = mail.outbox
    return [str(part.filename) for part in message.attachments]


def test_receipt_is_attached_to_the_mails_about_a_recording(factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    withdraw_consent(consent, None, "")
    assert list_attachments(consent, "received") == list_attachments(consent, "approved") == ["receipt.pdf"]
    assert list_attachments(consent, "withdrawn") == []
