"""Filing and checking contracts on the pages: refused PDFs, warnings, and the button to check again."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from consent.models import Contract
from tests.consent.rows import ConsentFactory, get_url, make_terms, make_upload, read_page
from tests.support import pdfs
from tests.support.html import read_html
from tests.support.permissions import grant

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

SCRIPTED = pdfs.make_catalog(b"/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>")


def post_contract(client: Client, factory: ConsentFactory, data: bytes) -> Any:
    url = get_url("contract_add", factory.make_talent())
    file = make_upload(data, "contract.pdf", "application/pdf")
    return client.post(url, {**make_terms(), "file": file}, follow=True)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n", "This PDF cannot be opened; it may be damaged."),
        (pdfs.make_pdf_of({2: b"<< /Type /Pages /Kids [] >>"}), "This PDF has no page."),
        (pdfs.make_bomb(100 << 20), "The content of this PDF is too large to be opened."),
    ],
    ids=["broken", "no-page", "bomb"],
)
def test_pdf_that_cannot_be_opened_is_not_filed(
    producer_client: Client, factory: ConsentFactory, data: bytes, text: str
) -> None:
    page = read_html(post_contract(producer_client, factory, data))
    assert text in page and "Print or scan the contract to a new PDF and file that one." in page
    assert not Contract.objects.exists()


def test_scripts_in_a_contract_are_shown_after_the_upload_and_on_its_page(
    producer_client: Client, factory: ConsentFactory
) -> None:
    response = post_contract(producer_client, factory, SCRIPTED)
    contract = Contract.objects.get()
    assert [finding["code"] for finding in contract.file_warnings] == ["pdf_script", "pdf_action"]
    assert read_html(response).count("The PDF contains scripts.") == 2, "as a message and on the page"
    assert read_page(producer_client, contract.get_absolute_url()).count("The PDF contains scripts.") == 1


def test_contract_with_scripts_is_served_only_as_download(producer_client: Client, factory: ConsentFactory) -> None:
    post_contract(producer_client, factory, SCRIPTED)
    response = producer_client.get(get_url("contract_file", Contract.objects.get()))
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert response.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert b"".join(response) == SCRIPTED


def test_contract_page_shows_damage_and_checks_again(producer_client: Client, factory: ConsentFactory) -> None:
    contract = factory.make_contract(factory.make_talent())
    page_url, check_url = contract.get_absolute_url(), get_url("contract_check", contract)
    assert "Unchanged" in read_page(producer_client, page_url)
    Path(contract.file.path).unlink()
    assert "The file is missing. Ask an admin" in read_html(producer_client.post(check_url, follow=True))
    page = read_page(producer_client, page_url)
    assert "The contract file is missing or was changed." in page and f'action="{check_url}"' in page
    Path(contract.file.path).write_bytes(pdfs.make_pdf())
    assert "The file is the one that was filed." in read_html(producer_client.post(check_url, follow=True))
    assert "is missing or was changed" not in read_page(producer_client, page_url)


def test_consent_page_shows_damage_and_checks_again(producer_client: Client, factory: ConsentFactory) -> None:
    consent = factory.make_approved_consent()
    check_url = get_url("history_check", consent)
    assert check_url not in read_page(producer_client, consent.get_absolute_url())
    for name, text in (
        ("Another Person", "The audit log is damaged at entry 1."),
        ("Paula", "The audit log and the recording are intact."),
    ):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE consent_event SET actor_name = %s WHERE sequence = 1", [name])
        assert f'action="{check_url}"' in read_page(producer_client, consent.get_absolute_url())
        assert text in read_html(producer_client.post(check_url, follow=True))
    assert "Audit log check failed" not in read_page(producer_client, consent.get_absolute_url())


def test_staff_who_may_not_review_see_the_damage_without_a_button(
    client: Client, factory: ConsentFactory, make_person: Any
) -> None:
    contract = factory.make_contract(factory.make_talent())
    Contract.objects.update(file_problem="The file is missing.")
    client.force_login(grant(make_person("vera", "viewer"), "read_contract"))
    page = read_page(client, contract.get_absolute_url())
    assert "is missing or was changed" in page and "Check again" not in page
    assert client.post(reverse("consent:contract_check", args=[contract.pk])).status_code == 403
