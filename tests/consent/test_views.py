"""The staff's pages: what they show, what they take in, and what they refuse."""

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
from tests.consent.rows import PDF, PROVIDER, ConsentFactory, get_url, make_clip, make_terms, make_upload, read_page
from tests.support.approval import REASON, approve_after_listening, let_time_pass, play
from tests.support.html import read_html
from tests.support.wav import HTML, ZIP
from voicehub.models import User
from voicehub.tokens import hash_token

pytestmark = pytest.mark.django_db

PAGES = ("consent:talent_list", "consent:talent_add")


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        read_page(client, address)
    return len(seen)


# --- talents ------------------------------------------------------------------------------


def test_talents_are_found_by_name_and_mail_in_the_order_of_their_names(
    factory: ConsentFactory, as_producer: Client
) -> None:
    for name in ("Zoë Adler", "Anna Zorn", "Mo Fell"):
        factory.make_talent(name, f"{name.split()[0].lower()}@people.test")
    factory.make_approved_consent(factory.make_talent("Bea Lund"))
    everybody = read_page(as_producer, reverse("consent:talent_list"))
    assert re.findall("Anna Zorn|Bea Lund|Mo Fell|Zoë Adler", everybody) == [
        "Anna Zorn",
        "Bea Lund",
        "Mo Fell",
        "Zoë Adler",
    ]
    found = read_page(as_producer, reverse("consent:talent_list") + "?search=ZORN")
    assert "Anna Zorn" in found and "Mo Fell" not in found
    assert "Mo Fell" in read_page(as_producer, reverse("consent:talent_list") + "?search=mo@people")
    assert "No talent matches “%_”" in read_page(as_producer, reverse("consent:talent_list") + "?search=%25_")


def test_the_list_comes_in_pages(factory: ConsentFactory, as_producer: Client) -> None:
    Talent.objects.bulk_create(Talent(name=f"T{n:02}", created_by=factory.producer) for n in range(30))
    first = read_page(as_producer, reverse("consent:talent_list") + "?search=T")
    assert "T24" in first and "T25" not in first and "search=T&amp;page=2" in first
    assert "T25" in read_page(as_producer, reverse("consent:talent_list") + "?search=T&page=2")
    assert "T29" in read_page(as_producer, reverse("consent:talent_list") + "?page=9999")
    assert "T00" in read_page(as_producer, reverse("consent:talent_list") + "?page=nonsense")


def test_empty_pages_say_what_to_do(factory: ConsentFactory, as_producer: Client, as_viewer: Client) -> None:
    address = reverse("consent:talent_list")
    assert "Add the first talent" in read_page(as_producer, address)
    assert "Add the first talent" not in read_page(as_viewer, address)
    talent = factory.make_talent()
    assert "Next: add the contract" in read_page(as_producer, talent.get_absolute_url())
    factory.make_contract(talent)
    assert "Next: request consent" in read_page(as_producer, talent.get_absolute_url())


def test_a_talent_is_added_and_changed(factory: ConsentFactory, as_producer: Client) -> None:
    response = as_producer.post(reverse("consent:talent_add"), {"name": "Ann Ode", "email": "ann@people.test"})
    talent = Talent.objects.get()
    assert response.headers["Location"] == talent.get_absolute_url() and talent.created_by == factory.producer
    as_producer.post(get_url("talent_edit", talent), {"name": "Ann Ode-Fry", "email": ""})
    talent.refresh_from_db()
    assert (talent.name, talent.email) == ("Ann Ode-Fry", "")
    wrong = as_producer.post(get_url("talent_edit", talent), {"name": "", "email": "nothing"})
    assert wrong.status_code == 200 and b"field-errors" in wrong.content


def test_names_are_text_wherever_they_stand(factory: ConsentFactory, as_producer: Client) -> None:
    talent = factory.make_talent("<script>alert(1)</script>")
    consent = factory.make_submitted_consent(talent)
    for address in (talent.get_absolute_url(), consent.get_absolute_url(), get_url("consent_ask", talent)):
        assert "<script>alert" not in read_page(as_producer, address)


# --- contracts ----------------------------------------------------------------------------


def file_contract(client: Client, talent: Talent, data: bytes = PDF, **fields: Any) -> Any:
    paper = make_upload(data, "Vertrag <b>.pdf", "application/pdf")
    return client.post(get_url("contract_add", talent), {"file": paper, **make_terms(**fields)})


def test_a_contract_is_filed_with_its_terms(factory: ConsentFactory, as_producer: Client) -> None:
    talent = factory.make_talent()
    response = file_contract(as_producer, talent, delete_at_end="on", compensation="EUR 900")
    contract = Contract.objects.get()
    assert response.headers["Location"] == contract.get_absolute_url()
    assert contract.sha256 == hashlib.sha256(PDF).hexdigest() and contract.filed_by == factory.producer
    assert (contract.purposes, contract.providers) == (["narration"], [PROVIDER])
    assert (contract.signed_on, contract.ends_on) == (date(2025, 1, 2), None)
    assert contract.delete_at_end and not contract.exclusive
    shown = read_page(as_producer, contract.get_absolute_url())
    assert contract.sha256 in shown and "EUR 900" in shown and "In force" in shown and "Resemble" in shown


def test_the_paper_is_a_download_and_never_a_page(factory: ConsentFactory, as_viewer: Client) -> None:
    contract = factory.make_contract(factory.make_talent("Åsa/../Öl"))
    response = as_viewer.get(get_url("contract_file", contract))
    assert b"".join(response) == PDF
    assert response.headers["Content-Disposition"] == 'attachment; filename="contract-asaol-2025-01-02.pdf"'
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (HTML, "not a PDF"),
        (ZIP + PDF[:4], "not a PDF"),
        (b"x" * 1024 + PDF, "not a PDF"),
        (PDF[:-7], "end of this PDF is missing"),
        (PDF + b"\0" * 2000, "end of this PDF is missing"),
    ],
)
def test_what_is_no_whole_pdf_is_not_filed(
    factory: ConsentFactory, as_producer: Client, data: bytes, words: str
) -> None:
    response = file_contract(as_producer, factory.make_talent(), data)
    assert response.status_code == 200 and words in response.content.decode()
    assert not Contract.objects.exists()


def test_a_pdf_that_is_a_web_page_too_is_only_ever_a_download(factory: ConsentFactory, as_producer: Client) -> None:
    both = HTML + PDF
    file_contract(as_producer, factory.make_talent(), both)
    response = as_producer.get(get_url("contract_file", Contract.objects.get()))
    assert b"".join(response) == both
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("fields", "words"),
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
def test_terms_that_cannot_be_are_refused(
    factory: ConsentFactory, as_producer: Client, fields: dict[str, Any], words: str
) -> None:
    response = file_contract(as_producer, factory.make_talent(), **fields)
    assert response.status_code == 200 and words in response.content.decode()
    assert not Contract.objects.exists()


def test_a_contract_replaces_only_one_of_the_same_talent_and_only_once(
    factory: ConsentFactory, as_producer: Client
) -> None:
    talent, other = factory.make_talent(), factory.make_talent("Theo Brand")
    old, foreign = factory.make_contract(talent), factory.make_contract(other)
    assert file_contract(as_producer, talent, supersedes=foreign.pk).status_code == 200
    assert file_contract(as_producer, talent, supersedes=old.pk).status_code == 302
    assert file_contract(as_producer, talent, supersedes=old.pk).status_code == 200
    assert "Replaced by" in read_page(as_producer, old.get_absolute_url()) and not old.is_in_force


# --- asking -------------------------------------------------------------------------------


def ask(client: Client, talent: Talent, **fields: Any) -> Any:
    given = {"statement": f"{PROVIDER}:en-US", "purpose": "narration", "company": "Nord & Söhne", "valid_until": ""}
    return client.post(get_url("consent_ask", talent), {**given, **fields})


def test_consent_is_asked_for_with_the_words_that_were_shown(factory: ConsentFactory, as_producer: Client) -> None:
    talent = factory.make_talent()
    shown = as_producer.get(
        get_url("statement", talent), {"statement": f"{PROVIDER}:en-US", "company": "Nord & Söhne"}
    ).content.decode()
    ask(as_producer, talent)
    consent = Consent.objects.get()
    assert consent.text.replace("&", "&amp;") in shown and "Nord & Söhne" in consent.text
    assert (consent.company, consent.valid_until, consent.requested_by) == ("Nord & Söhne", None, factory.producer)
    assert consent.text_sha256 == hash_token(consent.text)
    assert consent.text_sha256 in read_page(as_producer, consent.get_absolute_url())


def test_only_the_newest_statement_in_use_is_offered(factory: ConsentFactory, as_producer: Client) -> None:
    first = Statement.objects.get(provider=PROVIDER, language="en-US")
    day = date(2025, 1, 1)
    new = {"provider": PROVIDER, "source": "A page", "source_date": day}
    Statement.objects.create(**new, language="en-US", version=first.version + 1, text="Newer words of {company}.")
    Statement.objects.create(**new, language="de-DE", text="Alte Worte.", retired=True)
    form = read_page(as_producer, get_url("consent_ask", factory.make_talent()))
    assert "Newer words of" in form and first.text[:20] not in form and "German" not in form


@pytest.mark.parametrize(
    "fields",
    [
        {"statement": f"{PROVIDER}:xx"},
        {"statement": "nonsense"},
        {"purpose": "anything"},
        {"company": ""},
        {"company": "x" * 121},
        {"valid_until": "2001-01-01"},
    ],
)
def test_asking_for_what_cannot_be_is_refused(
    factory: ConsentFactory, as_producer: Client, fields: dict[str, str]
) -> None:
    assert ask(as_producer, factory.make_talent(), **fields).status_code == 200
    assert not Consent.objects.exists()


def test_the_part_that_shows_the_statement_stands_any_question(factory: ConsentFactory, as_producer: Client) -> None:
    address = get_url("statement", factory.make_talent())
    for question in ({}, {"statement": "x"}, {"statement": "a:b:c", "company": ""}, {"company": "x" * 5000}):
        assert as_producer.get(address, question).status_code == 200


# --- takes --------------------------------------------------------------------------------


@pytest.mark.parametrize(("recorded", "capture"), [("on", Capture.IN_STUDIO), ("", Capture.UPLOAD)])
def test_a_take_from_staff_is_labelled_as_theirs(
    factory: ConsentFactory, as_engineer: Client, engineer: User, recorded: str, capture: str
) -> None:
    consent = factory.make_consent()
    as_engineer.post(get_url("take_upload", consent), {"file": make_upload(make_clip()), "recorded": recorded})
    take = Take.objects.get()
    assert (take.capture, take.recorded_by) == (capture, engineer)
    shown = read_page(as_engineer, consent.get_absolute_url())
    assert ("Recorded in the studio by" if recorded else "on behalf of the talent") in shown


def test_only_the_studios_recorder_page_may_use_the_microphone(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_consent()
    assert "microphone=(self)" in as_producer.get(get_url("record_in_studio", consent)).headers["Permissions-Policy"]
    assert "microphone=()" in as_producer.get(consent.get_absolute_url()).headers["Permissions-Policy"]
    factory.make_take(consent)
    assert as_producer.get(get_url("record_in_studio", consent)).headers["Location"] == consent.get_absolute_url()


def test_a_take_is_heard_in_ranges(factory: ConsentFactory, as_viewer: Client) -> None:
    take = factory.make_take(factory.make_consent())
    whole = as_viewer.get(get_url("take_audio", take))
    assert b"".join(whole) == make_clip() and whole.headers["Content-Type"] == "audio/wav"
    part = as_viewer.get(get_url("take_audio", take), headers={"range": "bytes=4-11"})
    assert part.status_code == 206 and b"".join(part) == make_clip()[4:12]


def test_a_file_that_is_no_sound_is_never_shown_as_anything(factory: ConsentFactory, as_viewer: Client) -> None:
    take = factory.make_take(factory.make_consent(), HTML, factory.producer)
    response = as_viewer.get(get_url("take_audio", take))
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert b"".join(response) == HTML


def test_peaks_are_two_rows_between_one_and_minus_one(factory: ConsentFactory, as_viewer: Client) -> None:
    take = factory.make_take(factory.make_consent())
    answer = as_viewer.get(get_url("take_peaks", take)).json()
    high, low = answer["peaks"]
    assert len(high) == len(low) == 400 and answer["seconds"] == pytest.approx(4)
    assert all(-1 <= bottom <= top <= 1 for bottom, top in zip(low, high, strict=True))
    assert max(high) > 0.1 and min(low) < -0.1


# --- review -------------------------------------------------------------------------------


def test_approving_puts_the_consent_in_force(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_submitted_consent()
    take = consent.takes.get()
    assert str(take.pk) in read_page(as_producer, consent.get_absolute_url())
    play(as_producer, take)
    let_time_pass(as_producer, take.seconds)
    as_producer.post(get_url("approve", consent), {"take": take.pk, "reason": REASON})
    consent.refresh_from_db()
    assert (consent.status, consent.take, consent.approved_by) == (ConsentStatus.APPROVED, take, factory.producer)


@pytest.mark.parametrize("take", ["", "nonsense", "00000000-0000-0000-0000-000000000000"])
def test_approving_names_a_take_that_is_there(factory: ConsentFactory, as_producer: Client, take: str) -> None:
    consent = factory.make_submitted_consent()
    assert as_producer.post(get_url("approve", consent), {"take": take}).status_code == 404
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_nobody_approves_on_another_persons_take(factory: ConsentFactory, as_producer: Client) -> None:
    consent, other = factory.make_submitted_consent(), factory.make_submitted_consent(factory.make_talent("Theo Brand"))
    as_producer.post(get_url("approve", consent), {"take": other.takes.get().pk})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUBMITTED


def test_approving_again_does_not_end_a_suspension(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A dispute.")
    as_producer.post(get_url("approve", consent), {"take": consent.takes.get().pk})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.SUSPENDED


WITH_REASON: list[tuple[str, Callable[[ConsentFactory], Consent], str]] = [
    ("ask_again", lambda factory: factory.make_submitted_consent(), ConsentStatus.REQUESTED),
    ("suspend", lambda factory: factory.make_approved_consent(), ConsentStatus.SUSPENDED),
    ("withdraw", lambda factory: factory.make_approved_consent(), ConsentStatus.WITHDRAWN),
    ("void", lambda factory: factory.make_consent(), ConsentStatus.VOIDED),
]


@pytest.mark.parametrize(("name", "make", "status"), WITH_REASON, ids=[row[0] for row in WITH_REASON])
def test_a_change_needs_its_reason_and_the_history_keeps_it(
    factory: ConsentFactory, as_producer: Client, name: str, make: Callable[[ConsentFactory], Consent], status: str
) -> None:
    consent = make(factory)
    before = consent.status
    assert b"Enter a reason" in as_producer.post(get_url(name, consent), {"reason": "  "}, follow=True).content
    consent.refresh_from_db()
    assert consent.status == before
    as_producer.post(get_url(name, consent), {"reason": "Because <b>so</b>."})
    consent.refresh_from_db()
    assert consent.status == status
    assert consent.events.latest("sequence").payload["reason"] == "Because <b>so</b>."
    assert "Because &lt;b&gt;so&lt;/b&gt;." in read_page(as_producer, consent.get_absolute_url())


def test_a_suspension_ends(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_approved_consent()
    suspend_consent(consent, factory.producer, "A dispute.")
    as_producer.post(get_url("resume", consent), {"reason": "Settled."})
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.APPROVED


@pytest.mark.parametrize("name", ["ask_again", "suspend", "resume", "withdraw", "void"])
def test_what_is_over_stays_over(factory: ConsentFactory, as_producer: Client, name: str) -> None:
    consent = factory.make_consent()
    decline_consent(consent, "")
    lines = consent.events.count()
    response = as_producer.post(get_url(name, consent), {"reason": "Again"}, follow=True)
    assert b"alert-error" in response.content
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.DECLINED and consent.events.count() == lines


def test_viewers_see_the_page_and_no_buttons(factory: ConsentFactory, as_viewer: Client) -> None:
    for consent in (factory.make_consent(), factory.make_submitted_consent(), factory.make_approved_consent()):
        shown = read_page(as_viewer, consent.get_absolute_url())
        assert re.findall(r'<form[^>]*action="(/[^"]*)"', shown) == [reverse("logout")]


def test_a_consent_in_force_says_what_a_build_still_lacks(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_approved_consent()
    assert "No contract of Tilda Strand is on file." in read_page(as_producer, consent.get_absolute_url())
    factory.make_contract(consent.talent)
    assert "Next: collect the recordings" in read_page(as_producer, consent.get_absolute_url())


def test_a_history_that_does_not_hold_is_shouted_about(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_approved_consent()
    assert "Verified, 3 entries" in read_page(as_producer, consent.get_absolute_url())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE consent_event SET actor_name = 'Somebody' WHERE sequence = 2")
    shown = read_page(as_producer, consent.get_absolute_url())
    assert "Audit log check failed" in shown and "Entry 2" in shown and "Verified" not in shown


# --- all pages ----------------------------------------------------------------------------


def test_pages_hold_nothing_inline(factory: ConsentFactory, as_producer: Client) -> None:
    consent = factory.make_submitted_consent()
    contract = factory.make_contract(consent.talent)
    rows = (consent.talent, consent, contract)
    addresses = [*map(reverse, PAGES), *(row.get_absolute_url() for row in rows)]
    addresses += [get_url("consent_ask", consent.talent), get_url("contract_add", consent.talent)]
    for address in addresses:
        response = as_producer.get(address)
        assert "unsafe" not in response.headers["Content-Security-Policy"]
        shown = read_html(response)
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script>|javascript:", shown), address


def test_queries_do_not_grow_with_the_rows(factory: ConsentFactory, as_producer: Client) -> None:
    talent = factory.make_talent()

    def fill() -> Consent:
        consent = factory.make_consent(talent)
        for number in range(3):
            factory.make_take(consent, make_clip(number))
            request_retake(consent, factory.producer, "Again.")
            invite_talent([consent], factory.producer)
        factory.make_contract(talent)
        return consent

    first = fill()
    addresses = [reverse("consent:talent_list"), talent.get_absolute_url(), first.get_absolute_url()]
    read_page(as_producer, addresses[0])
    before = [queries(as_producer, address) for address in addresses]
    for _ in range(3):
        fill()
        factory.make_consent(factory.make_talent("Somebody Else"))
    for number in range(3, 6):
        factory.make_take(first, make_clip(number))
        request_retake(first, factory.producer, "Again.")
        invite_talent([first], factory.producer)
    assert [queries(as_producer, address) for address in addresses] == before


def test_each_page_says_what_comes_next(factory: ConsentFactory, as_producer: Client, as_viewer: Client) -> None:
    talent = factory.make_talent()
    contract = factory.make_contract(talent)
    ask = f'href="{get_url("consent_ask", talent)}"'
    assert ask in read_page(as_producer, contract.get_absolute_url())
    assert ask not in read_page(as_viewer, contract.get_absolute_url())
    consent = factory.make_submitted_consent(talent)
    assert ask not in read_page(as_producer, contract.get_absolute_url())
    assert "Next: listen, then approve" in read_page(as_producer, consent.get_absolute_url())
    shown = read_page(as_viewer, consent.get_absolute_url())
    assert "A producer will review the recording." in shown and "then approve" not in shown
    assert "Next: add a voice" not in read_page(as_producer, talent.get_absolute_url())
    approve_after_listening(consent, consent.takes.get(), factory.producer)
    assert "Next: add a voice" in read_page(as_producer, talent.get_absolute_url())
    assert "Next: add a voice" not in read_page(as_viewer, talent.get_absolute_url())
    suspend_consent(consent, factory.producer, "A dispute.")
    assert "Next: add a voice" not in read_page(as_producer, talent.get_absolute_url())
    shown = read_page(as_producer, consent.get_absolute_url())
    assert 'href="#status"' in shown and 'id="status"' in shown
    assert 'href="#status"' not in read_page(as_viewer, consent.get_absolute_url())


def test_the_menu_says_where_one_is(factory: ConsentFactory, as_producer: Client) -> None:
    talents = f'<a href="{reverse("consent:talent_list")}" aria-current'
    consent = factory.make_approved_consent()
    contract = factory.make_contract(consent.talent)
    inside = [consent.talent.get_absolute_url(), consent.get_absolute_url(), contract.get_absolute_url()]
    for address in [*inside, reverse("voices:voice_add", args=[consent.talent_id])]:
        assert talents in read_page(as_producer, address), address
    for address in (reverse("today"), reverse("voices:account_list")):
        assert talents not in read_page(as_producer, address), address
