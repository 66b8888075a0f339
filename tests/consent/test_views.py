"""The staff pages of talents, contracts and consents: what they show, accept and refuse."""

import hashlib
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consent.models import Capture, Consent, ConsentStatus, Contract, Statement, Take, Talent
from consent.services.invitations import invite_talent
from consent.services.review import decline_consent, request_retake, suspend_consent
from tests.consent.rows import (
    PDF,
    PROVIDER,
    ConsentFactory,
    get_url,
    make_clip,
    make_terms,
    make_upload,
    read_in_studio,
    read_page,
)
from tests.support.approval import APPROVAL_REASON, approve_after_listening, backdate_playback, play_take
from tests.support.html import read_html
from tests.support.wav import HTML, ZIP
from voicehub.models import User
from voicehub.tokens import hash_token

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST_PAGES = ("consent:talent_list", "consent:talent_add")


def count_queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        read_page(client, url)
    return len(queries)


# --- talents ------------------------------------------------------------------------------


def test_talent_list_is_sorted_and_searchable_by_name_and_email(
    factory: ConsentFactory, producer_client: Client
) -> None:
    for name in ("Zoë Adler", "Anna Zorn", "Mo Fell"):
        factory.make_talent(name, f"{name.split()[0].lower()}@people.test")
    factory.make_approved_consent(factory.make_talent("Bea Lund"))
    full_list = read_page(producer_client, reverse("consent:talent_list") + "?sort=name")
    assert re.findall(">(Anna Zorn|Bea Lund|Mo Fell|Zoë Adler)</a>", full_list) == [
        "Anna Zorn",
        "Bea Lund",
        "Mo Fell",
        "Zoë Adler",
    ]
    matches = read_page(producer_client, reverse("consent:talent_list") + "?search=ZORN")
    assert "Anna Zorn" in matches and "Mo Fell" not in matches
    assert "Mo Fell" in read_page(producer_client, reverse("consent:talent_list") + "?search=mo@people")
    assert "No talent matches “%_”" in read_page(producer_client, reverse("consent:talent_list") + "?search=%25_")


def test_talent_list_is_paginated(factory: ConsentFactory, producer_client: Client) -> None:
    Talent.objects.bulk_create(Talent(name=f"T{n:02}", created_by=factory.producer) for n in range(30))
    first_page = read_page(producer_client, reverse("consent:talent_list") + "?search=T")
    assert "T24" in first_page and "T25" not in first_page and "search=T&amp;page=2" in first_page
    assert "T25" in read_page(producer_client, reverse("consent:talent_list") + "?search=T&page=2")
    assert "T29" in read_page(producer_client, reverse("consent:talent_list") + "?page=9999")
    assert "T00" in read_page(producer_client, reverse("consent:talent_list") + "?page=nonsense")


def test_empty_pages_show_next_step(factory: ConsentFactory, producer_client: Client, viewer_client: Client) -> None:
    url = reverse("consent:talent_list")
    assert "Add the first talent" in read_page(producer_client, url)
    assert "Add the first talent" not in read_page(viewer_client, url)
    talent = factory.make_talent()
    assert "Next: add the contract" in read_page(producer_client, talent.get_absolute_url())
    factory.make_contract(talent)
    assert "Next: request consent" in read_page(producer_client, talent.get_absolute_url())


def test_talent_can_be_added_and_changed(factory: ConsentFactory, producer_client: Client) -> None:
    response = producer_client.post(
        reverse("consent:talent_add"), {"name": "Ann Ode", "email": "ann@people.test", "language": "en"}
    )
    talent = Talent.objects.get()
    assert response.headers["Location"] == talent.get_absolute_url() and talent.created_by == factory.producer
    producer_client.post(get_url("talent_edit", talent), {"name": "Ann Ode-Fry", "email": "", "language": "en"})
    talent.refresh_from_db()
    assert (talent.name, talent.email) == ("Ann Ode-Fry", "")
    response = producer_client.post(get_url("talent_edit", talent), {"name": "", "email": "nothing"})
    assert response.status_code == 200 and b"field-errors" in response.content


def test_names_are_escaped_on_every_page(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent("<script>alert(1)</script>")
    consent = factory.make_submitted_consent(talent)
    for url in (talent.get_absolute_url(), consent.get_absolute_url(), get_url("consent_ask", talent)):
        assert "<script>alert" not in read_page(producer_client, url)


# --- contracts ----------------------------------------------------------------------------


def file_contract(client: Client, talent: Talent, data: bytes = PDF, **fields: Any) -> Any:
    contract_file = make_upload(data, "Vertrag <b>.pdf", "application/pdf")
    return client.post(get_url("contract_add", talent), {"file": contract_file, **make_terms(**fields)})


def test_contract_is_filed_with_its_terms(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    response = file_contract(producer_client, talent, delete_at_end="on", compensation="EUR 900")
    contract = Contract.objects.get()
    assert response.headers["Location"] == contract.get_absolute_url()
    assert contract.sha256 == hashlib.sha256(PDF).hexdigest() and contract.filed_by == factory.producer
    assert (contract.purposes, contract.providers) == (["narration"], [PROVIDER])
    assert (contract.signed_on, contract.ends_on) == (date(2025, 1, 2), None)
    assert contract.delete_at_end and not contract.exclusive
    page = read_page(producer_client, contract.get_absolute_url())
    assert contract.sha256 in page and "EUR 900" in page and "In force" in page and "Resemble" in page


def test_contract_file_is_served_only_as_download(factory: ConsentFactory, producer_client: Client) -> None:
    contract = factory.make_contract(factory.make_talent("Åsa/../Öl"))
    response = producer_client.get(get_url("contract_file", contract))
    assert b"".join(response) == PDF
    assert response.headers["Content-Disposition"] == 'attachment; filename="contract-asaol-2025-01-02.pdf"'
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "empty"),
        (HTML, "not a PDF"),
        (ZIP + PDF[:4], "not a PDF"),
        (b"x" * 1024 + PDF, "not a PDF"),
        (PDF[:-7], "end of this PDF is missing"),
        (PDF + b"\0" * 2000, "end of this PDF is missing"),
    ],
)
def test_invalid_or_incomplete_pdf_is_refused(
    factory: ConsentFactory, producer_client: Client, data: bytes, text: str
) -> None:
    response = file_contract(producer_client, factory.make_talent(), data)
    assert response.status_code == 200 and text in response.content.decode()
    assert not Contract.objects.exists()


def test_pdf_that_is_also_html_is_served_only_as_download(factory: ConsentFactory, producer_client: Client) -> None:
    html_and_pdf = HTML + PDF
    file_contract(producer_client, factory.make_talent(), html_and_pdf)
    response = producer_client.get(get_url("contract_file", Contract.objects.get()))
    assert b"".join(response) == html_and_pdf
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"ends_on": "2025-01-01"}, "end date is before the start date"),
        ({"signed_on": "2999-01-01"}, "in the future"),
        ({"signed_on": "yesterday"}, "valid date"),
        ({"purposes": ["world domination"]}, "not one of the available choices"),
        ({"providers": ["another"]}, "not one of the available choices"),
        ({"providers": []}, "required"),
        ({"intended_uses": " "}, "required"),
    ],
)
def test_invalid_terms_are_refused(
    factory: ConsentFactory, producer_client: Client, fields: dict[str, Any], text: str
) -> None:
    response = file_contract(producer_client, factory.make_talent(), **fields)
    assert response.status_code == 200 and text in response.content.decode()
    assert not Contract.objects.exists()


def test_contract_can_be_replaced_once_and_only_for_same_talent(
    factory: ConsentFactory, producer_client: Client
) -> None:
    talent, other = factory.make_talent(), factory.make_talent("Theo Brand")
    old_contract, other_contract = factory.make_contract(talent), factory.make_contract(other)
    assert file_contract(producer_client, talent, supersedes=other_contract.pk).status_code == 200
    assert file_contract(producer_client, talent, supersedes=old_contract.pk).status_code == 302
    assert file_contract(producer_client, talent, supersedes=old_contract.pk).status_code == 200
    assert "Replaced by" in read_page(producer_client, old_contract.get_absolute_url()) and not old_contract.is_in_force


# --- requests -----------------------------------------------------------------------------


def post_consent_request(client: Client, talent: Talent, **fields: Any) -> Any:
    defaults = {"language": "en-US", "use": f"{PROVIDER}:narration", "company": "Nord & Söhne", "valid_until": ""}
    return client.post(get_url("consent_ask", talent), {**defaults, **fields})


def test_consent_request_stores_statement_as_shown(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    page = producer_client.get(
        get_url("statement", talent),
        {"language": "en-US", "use": f"{PROVIDER}:narration", "company": "Nord & Söhne"},
    ).content.decode()
    post_consent_request(producer_client, talent)
    consent = Consent.objects.get()
    assert consent.text.replace("&", "&amp;") in page and "Nord & Söhne" in consent.text
    assert (consent.company, consent.valid_until, consent.requested_by) == ("Nord & Söhne", None, factory.producer)
    assert consent.text_sha256 == hash_token(consent.text)
    assert consent.text_sha256 in read_page(producer_client, consent.get_absolute_url())


def test_form_offers_only_newest_active_statements(factory: ConsentFactory, producer_client: Client) -> None:
    oldest = Statement.objects.get(provider=PROVIDER, language="en-US")
    source_date = date(2025, 1, 1)
    fields = {"provider": PROVIDER, "source": "A page", "source_date": source_date}
    Statement.objects.create(**fields, language="en-US", version=oldest.version + 1, text="Newer text of {company}.")
    Statement.objects.create(**fields, language="de-DE", text="Alte Worte.", retired=True)
    url = f"{get_url('consent_ask', factory.make_talent())}?statement={PROVIDER}:en-US&purpose=narration"
    form = read_page(producer_client, url)
    assert "Newer text of" in form and oldest.text[:20] not in form and "German" not in form


@pytest.mark.parametrize(
    "fields",
    [
        {"language": "xx"},
        {"use": "nonsense"},
        {"use": f"{PROVIDER}:anything"},
        {"use": []},
        {"company": ""},
        {"company": "x" * 121},
        {"valid_until": "2001-01-01"},
    ],
)
def test_invalid_consent_request_is_refused(
    factory: ConsentFactory, producer_client: Client, fields: dict[str, Any]
) -> None:
    assert post_consent_request(producer_client, factory.make_talent(), **fields).status_code == 200
    assert not Consent.objects.exists()


def test_statement_preview_accepts_any_query(factory: ConsentFactory, producer_client: Client) -> None:
    url = get_url("statement", factory.make_talent())
    for query in (
        {},
        {"statement": "x"},
        {"statement": "a:b:c", "company": ""},
        {"use": "x:y"},
        {"company": "x" * 5000},
    ):
        assert producer_client.get(url, query).status_code == 200


# --- takes --------------------------------------------------------------------------------


@pytest.mark.parametrize(("recorded", "capture"), [("on", Capture.IN_STUDIO), ("", Capture.UPLOAD)])
def test_page_says_that_staff_recorded_or_uploaded_take(
    factory: ConsentFactory, engineer_client: Client, engineer: User, recorded: str, capture: str
) -> None:
    consent = read_in_studio(factory.make_consent())
    engineer_client.post(get_url("take_upload", consent), {"file": make_upload(make_clip()), "recorded": recorded})
    take = Take.objects.get()
    assert (take.capture, take.recorded_by) == (capture, engineer)
    page = read_page(engineer_client, consent.get_absolute_url())
    assert ("Recorded in the studio by" if recorded else "on behalf of the talent") in page


def test_only_studio_recorder_page_may_use_microphone(factory: ConsentFactory, producer_client: Client) -> None:
    consent = read_in_studio(factory.make_consent())
    assert (
        "microphone=(self)" in producer_client.get(get_url("record_in_studio", consent)).headers["Permissions-Policy"]
    )
    assert "microphone=()" in producer_client.get(consent.get_absolute_url()).headers["Permissions-Policy"]
    factory.make_take(consent)
    assert producer_client.get(get_url("record_in_studio", consent)).headers["Location"] == consent.get_absolute_url()


def test_take_audio_supports_range_requests(factory: ConsentFactory, producer_client: Client) -> None:
    take = factory.make_take(factory.make_consent())
    whole = producer_client.get(get_url("take_audio", take))
    assert b"".join(whole) == make_clip() and whole.headers["Content-Type"] == "audio/wav"
    partial = producer_client.get(get_url("take_audio", take), headers={"range": "bytes=4-11"})
    assert partial.status_code == 206 and b"".join(partial) == make_clip()[4:12]


def test_file_that_is_not_audio_is_served_only_as_download(factory: ConsentFactory, producer_client: Client) -> None:
    take = factory.make_take(factory.make_consent(), HTML, factory.producer)
    response = producer_client.get(get_url("take_audio", take))
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response) == HTML


def test_peaks_are_two_rows_between_minus_one_and_one(factory: ConsentFactory, producer_client: Client) -> None:
    take = factory.make_take(factory.make_consent())
    data = producer_client.get(get_url("take_peaks", take)).json()
    high, low = data["peaks"]
    assert len(high) == len(low) == 400 and data["seconds"] == pytest.approx(4)
    assert all(-1 <= bottom <= top <= 1 for bottom, top in zip(low, high, strict=True))
    assert max(high) > 0.1 and min(low) < -0.1


# --- review -------------------------------------------------------------------------------


def test_approval_puts_consent_in_force(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_submitted_consent()
    take = consent.takes.get()
    assert str(take.pk) in read_page(producer_client, consent.get_absolute_url())
    play_take(producer_client, take)
    backdate_playback(producer_client, take.seconds)
    producer_client.post(get_url("approve", consent), {"take": take.pk, "reason": APPROVAL_REASON})
    consent.refresh_from_db()
    assert (consent.status, consent.take, consent.approved_by) == (ConsentStatus.APPROVED, take, factory.producer)


@pytest.mark.parametrize("take", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_approval_of_unknown_take_is_not_found(factory: ConsentFactory, producer_client: Client, take: str) -> None:
    consent = factory.make_submitted_consent()
    assert producer_client.post(get_url("approve", consent), {"take": take}).status_code == 404
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_take_of_another_consent_cannot_be_approved(factory: ConsentFactory, producer_client: Client) -> None:
    consent, other = factory.make_submitted_consent(), factory.make_submitted_consent(factory.make_talent("Theo Brand"))
    producer_client.post(get_url("approve", consent), {"take": other.takes.get().pk})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_second_approval_does_not_end_suspension(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A dispute.")
    producer_client.post(get_url("approve", consent), {"take": consent.takes.get().pk})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUSPENDED


MakeConsent = Callable[[ConsentFactory], Consent]
ACTIONS_WITH_REASON: list[tuple[str, MakeConsent, str]] = [
    ("ask_again", lambda factory: factory.make_submitted_consent(), ConsentStatus.REQUESTED),
    ("suspend", lambda factory: factory.make_approved_consent(), ConsentStatus.SUSPENDED),
    ("withdraw", lambda factory: factory.make_approved_consent(), ConsentStatus.WITHDRAWN),
    ("void", lambda factory: factory.make_consent(), ConsentStatus.VOIDED),
]


@pytest.mark.parametrize(
    ("name", "make_consent", "status"), ACTIONS_WITH_REASON, ids=[name for name, *_ in ACTIONS_WITH_REASON]
)
def test_status_change_requires_reason_and_records_it(
    factory: ConsentFactory, producer_client: Client, name: str, make_consent: MakeConsent, status: str
) -> None:
    consent = make_consent(factory)
    before = consent.status
    assert b"Enter a reason" in producer_client.post(get_url(name, consent), {"reason": "  "}, follow=True).content
    consent.refresh_from_db()
    assert consent.status == before
    producer_client.post(get_url(name, consent), {"reason": "Because <b>so</b>."})
    consent.refresh_from_db()
    assert consent.status == status
    assert consent.events.latest("sequence").payload["reason"] == "Because <b>so</b>."
    assert "Because &lt;b&gt;so&lt;/b&gt;." in read_page(producer_client, consent.get_absolute_url())


def test_resume_ends_suspension(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A dispute.")
    producer_client.post(get_url("resume", consent), {"reason": "Settled."})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.APPROVED


@pytest.mark.parametrize("name", ["ask_again", "suspend", "resume", "withdraw", "void"])
def test_declined_consent_cannot_change(factory: ConsentFactory, producer_client: Client, name: str) -> None:
    consent = factory.make_consent()
    decline_consent(consent, None, "")
    event_count = consent.events.count()
    response = producer_client.post(get_url(name, consent), {"reason": "Again"}, follow=True)
    assert b"alert-error" in response.content
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED and consent.events.count() == event_count


def test_viewer_sees_no_form_except_sign_out_and_search(factory: ConsentFactory, viewer_client: Client) -> None:
    for consent in (factory.make_consent(), factory.make_submitted_consent(), factory.make_approved_consent()):
        page = read_page(viewer_client, consent.get_absolute_url())
        # Sign-out is in the rail and in the menu of a narrow window.
        forms = [reverse("account_logout"), reverse("account_logout"), reverse("voices:search")]
        assert re.findall(r'<form[^>]*action="(/[^"]*)"', page) == forms


def test_approved_consent_shows_what_build_still_lacks(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    consent.talent.contracts.update(ends_on=date(2025, 2, 1))
    assert "No contract of Tilda Strand is in force today" in read_page(producer_client, consent.get_absolute_url())
    factory.make_contract(consent.talent)
    assert "Next: collect the recordings" in read_page(producer_client, consent.get_absolute_url())


def test_broken_audit_log_shows_alert(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    assert "Verified, 3 entries" in read_page(producer_client, consent.get_absolute_url())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE consent_event SET actor_name = 'Other' WHERE sequence = 2")
    page = read_page(producer_client, consent.get_absolute_url())
    assert "Audit log check failed" in page and "Entry 2" in page and "Verified" not in page


# --- all pages ----------------------------------------------------------------------------


def test_pages_have_no_inline_code(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_submitted_consent()
    contract = factory.make_contract(consent.talent)
    rows = (consent.talent, consent, contract)
    urls = [*map(reverse, LIST_PAGES), *(row.get_absolute_url() for row in rows)]
    urls += [get_url("consent_ask", consent.talent), get_url("contract_add", consent.talent)]
    for url in urls:
        response = producer_client.get(url)
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        page = read_html(response)
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script>|javascript:", page), url


def test_query_count_does_not_grow_with_rows(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()

    def add_rows() -> Consent:
        consent = factory.make_consent(talent)
        for number in range(3):
            factory.make_take(consent, make_clip(number))
            request_retake(consent, factory.producer, "Again.")
            invite_talent([consent], factory.producer)
        factory.make_contract(talent)
        return consent

    first_consent = add_rows()
    urls = [reverse("consent:talent_list"), talent.get_absolute_url(), first_consent.get_absolute_url()]
    read_page(producer_client, urls[0])
    before = [count_queries(producer_client, url) for url in urls]
    for _ in range(3):
        add_rows()
        factory.make_consent(factory.make_talent("Someone Else"))
    for number in range(3, 6):
        factory.make_take(first_consent, make_clip(number))
        request_retake(first_consent, factory.producer, "Again.")
        invite_talent([first_consent], factory.producer)
    assert [count_queries(producer_client, url) for url in urls] == before


def test_each_page_shows_next_step(factory: ConsentFactory, producer_client: Client, viewer_client: Client) -> None:
    talent = factory.make_talent()
    contract = factory.make_contract(talent)
    request_link = f'href="{get_url("consent_ask", talent)}"'
    assert request_link in read_page(producer_client, contract.get_absolute_url())
    assert viewer_client.get(contract.get_absolute_url()).status_code == 403
    consent = factory.make_submitted_consent(talent)
    assert request_link not in read_page(producer_client, contract.get_absolute_url())
    assert "Next: listen, then approve" in read_page(producer_client, consent.get_absolute_url())
    page = read_page(viewer_client, consent.get_absolute_url())
    assert "A producer will review the recording." in page and "then approve" not in page
    assert "Next: add a voice" not in read_page(producer_client, talent.get_absolute_url())
    approve_after_listening(consent, consent.takes.get(), factory.producer)
    assert "Next: add a voice" in read_page(producer_client, talent.get_absolute_url())
    assert "Next: add a voice" not in read_page(viewer_client, talent.get_absolute_url())
    suspend_consent(consent, factory.producer, "A dispute.")
    assert "Next: add a voice" not in read_page(producer_client, talent.get_absolute_url())
    page = read_page(producer_client, consent.get_absolute_url())
    assert 'href="#status"' in page and 'id="status"' in page
    assert 'href="#status"' not in read_page(viewer_client, consent.get_absolute_url())


def test_menu_highlights_talents_on_pages_of_a_talent(factory: ConsentFactory, producer_client: Client) -> None:
    current_menu_link = f'<a href="{reverse("consent:talent_list")}" aria-current'
    consent = factory.make_approved_consent()
    contract = factory.make_contract(consent.talent)
    section_urls = [consent.talent.get_absolute_url(), contract.get_absolute_url()]
    for url in [*section_urls, reverse("voices:voice_add", args=[consent.talent_id])]:
        assert current_menu_link in read_page(producer_client, url), url
    for url in (reverse("today"), reverse("voices:account_list")):
        assert current_menu_link not in read_page(producer_client, url), url


def test_studio_page_says_before_the_recording_what_a_withdrawal_cannot_undo(
    producer_client: Client, factory: ConsentFactory
) -> None:
    page = read_page(producer_client, get_url("record_in_studio", read_in_studio(factory.make_consent())))
    assert "What was already produced with a voice stays" in page
