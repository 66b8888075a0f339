"""Several requests at once: of one talent, of ticked talents, and from a table."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, EventKind, Invitation, Purpose, Talent
from consent.services.consent_requests import MAX_REQUESTS, PlannedRequest, list_unsent_requests, preview_requests
from consent.services.invitations import create_private_link, invite_talent, revoke_invitation, send_invitation
from consent.services.request_rules import Use
from consent.services.request_tables import read_plans
from tests.consent.rows import PROVIDER, ConsentFactory, get_url, make_upload, read_page
from tests.support.html import read_html
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.text import format_date

pytestmark = pytest.mark.django_db

NARRATION, ADVERTISING = f"{PROVIDER}:narration", f"{PROVIDER}:advertising"
TABLE = reverse("consent:request_table")


def ask(client: Client, talent: Talent, *uses: str, **fields: str) -> Any:
    data = {"language": "en-US", "use": uses, "company": "Nord & Söhne", "valid_until": "", **fields}
    return client.post(get_url("consent_ask", talent), data, follow=True)


def list_uses() -> list[tuple[str, str]]:
    return sorted(Consent.objects.values_list("provider", "purpose"))


# --- one talent ---------------------------------------------------------------------------


def test_one_form_requests_several_purposes_and_mails_one_link(
    factory: ConsentFactory, producer_client: Client, mailoutbox: list[Any]
) -> None:
    talent = factory.make_talent()
    factory.make_contract(talent, purposes=["narration", "advertising"])
    page = read_html(ask(producer_client, talent, NARRATION, ADVERTISING, is_sent="on"))
    assert "2 consents are requested." in page and "The invitation is being sent." in page
    assert list_uses() == [(PROVIDER, "advertising"), (PROVIDER, "narration")]
    invitation = Invitation.objects.get()
    assert set(invitation.consents.all()) == set(Consent.objects.all())
    send_invitation(str(invitation.pk))
    (mail,) = mailoutbox
    assert "Narration and audiobooks" in mail.body and "Advertising" in mail.body and "one short text" in mail.body


def test_contract_decides_what_can_be_ticked(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    factory.make_contract(talent, ends_on=timezone.localdate() + timedelta(days=90))
    response = producer_client.get(get_url("consent_ask", talent))
    matrix = response.context["matrix"]
    problems = {choice.value: choice.verdict.problem for row in matrix.rows for choice in row.choices}
    assert not problems[NARRATION]
    assert problems[ADVERTISING] == "No contract of Tilda Strand allows Resemble AI for advertising."
    closed = [row.purpose for row in matrix.rows if row.problem]
    assert closed == ["advertising", "assistant", "entertainment", "internal"]
    others = [column.label for column in matrix.columns if column.problem]
    assert len(others) == len(matrix.columns) - 1, "the contract allows one provider"
    page = read_html(response)
    assert page.count("The contract does not allow it.") == len(closed) + 1, "once a row, and once for the columns"
    assert 'value="resemble_v2:advertising"' not in page, "a purpose that is never allowed has no ticks"
    page = read_html(ask(producer_client, talent, NARRATION, ADVERTISING))
    assert "advertising" in page.lower() and not Consent.objects.exists()
    assert f"Resemble AI, English (US), Advertising: {problems[ADVERTISING]}" in page


def test_form_proposes_the_end_of_the_contract(factory: ConsentFactory, producer_client: Client) -> None:
    talent, end = factory.make_talent(), timezone.localdate() + timedelta(days=90)
    url = get_url("consent_ask", talent)
    assert producer_client.get(url).context["form"]["valid_until"].value() is None
    factory.make_contract(talent, ends_on=end)
    page = read_page(producer_client, url)
    assert f'value="{end.isoformat()}"' in page and f"The contract ends on {format_date(end)}." in page
    factory.make_contract(talent, ends_on=None)
    assert producer_client.get(url).context["form"]["valid_until"].value() is None


def test_without_a_contract_it_can_be_requested_but_not_sent(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    assert "No contract of Tilda Strand is on file." in read_page(producer_client, get_url("consent_ask", talent))
    page = read_html(ask(producer_client, talent, NARRATION, is_sent="on"))
    assert Consent.objects.get().status == ConsentStatus.REQUESTED and not Invitation.objects.exists()
    assert "No contract of Tilda Strand is on file." in page


def test_open_request_is_not_made_twice(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    factory.make_contract(consent.talent, purposes=list(Purpose.values))
    page = read_html(ask(producer_client, consent.talent, NARRATION, ADVERTISING))
    assert "Already requested: it is waiting for the talent." in page and Consent.objects.count() == 1
    factory.make_take(consent)
    assert "Already recorded: it is waiting for a review." in read_html(ask(producer_client, consent.talent, NARRATION))
    assert Consent.objects.count() == 1


def test_consent_in_force_can_be_renewed_on_the_page_of_the_talent(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = factory.make_approved_consent()
    page = read_page(producer_client, get_url("consent_ask", consent.talent))
    assert "<b>In force:</b> A new approval replaces it." in page
    ask(producer_client, consent.talent, NARRATION)
    assert Consent.objects.filter(status=ConsentStatus.REQUESTED).count() == 1


def test_links_from_voices_tick_their_provider_and_purpose(factory: ConsentFactory, producer_client: Client) -> None:
    url = f"{get_url('consent_ask', factory.make_talent())}?statement={PROVIDER}:en-US&purpose=advertising"
    response = producer_client.get(url)
    assert [choice.value for choice in response.context["matrix"].ticked] == [ADVERTISING]


def test_answer_to_a_tick_counts_the_consents_and_names_them(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    factory.make_contract(talent, purposes=["narration", "advertising"])
    url = get_url("statement", talent)
    page = read_html(producer_client.get(url, {"language": "en-US", "use": [NARRATION, ADVERTISING]}))
    assert "Request 2 consents without sending" in page and "<dd>Narration and audiobooks; Advertising</dd>" in page
    assert page.count('hx-swap-oob="true"') == 2, "the summary and the count stand outside of the ticks"
    page = read_html(producer_client.get(url, {"language": "en-US", "use": NARRATION, "is_sent": "on"}))
    assert "Send 1 request" in page
    page = read_html(producer_client.get(url, {"language": "en-US", "use": f"{PROVIDER}:internal"}))
    assert "Nothing ticked yet" in page and "Request consent" in page


def test_invitation_is_sent_unless_cleared_if_it_can_be(factory: ConsentFactory, producer_client: Client) -> None:
    def proposes_sending(talent: Talent, query: str = "") -> bool:
        page = read_html(producer_client.get(get_url("consent_ask", talent) + query))
        return bool(re.search(r'<input[^>]*id="id_is_sent"[^>]* checked', page))

    talent, silent = factory.make_talent(), factory.make_talent("Bo Two", "")
    assert not proposes_sending(talent), "without a contract, nothing can be sent"
    for one in (talent, silent):
        factory.make_contract(one)
    assert proposes_sending(talent) and not proposes_sending(silent)
    assert not proposes_sending(talent, "?company=Northlight"), "it was cleared in a form without a script"
    many = f"{reverse('consent:ask_talents')}?talent={talent.pk}&talent={silent.pk}"
    assert producer_client.get(many).context["form"]["is_sent"].value() is True


def test_provider_without_a_statement_in_the_language_cannot_be_ticked(
    factory: ConsentFactory, producer_client: Client
) -> None:
    response = producer_client.get(get_url("consent_ask", factory.make_talent()), {"language": "xx"})
    matrix = response.context["matrix"]
    assert all(one.problem.startswith("There is no statement of") for one in matrix.columns)
    assert not any(row.problem for row in matrix.rows), "the columns say it"


# --- one link -----------------------------------------------------------------------------


def mail_link(consents: list[Consent], by: User) -> Invitation:
    invitation = invite_talent(consents, by)
    send_invitation(str(invitation.pk))
    invitation.refresh_from_db()
    return invitation


def test_new_request_is_added_to_the_mailed_link(
    factory: ConsentFactory, producer: User, mailoutbox: list[Any]
) -> None:
    first = factory.make_consent()
    earlier = mail_link([first], producer)
    Invitation.objects.filter(pk=earlier.pk).update(
        expires_at=timezone.now() + timedelta(days=1), reminder_count=3, reminded_at=timezone.now()
    )
    second = factory.make_consent(first.talent, "advertising")
    later = mail_link([second], producer)
    assert later.pk == earlier.pk and later.token_digest == earlier.token_digest
    assert set(later.consents.all()) == {first, second}
    assert later.expires_at > timezone.now() + timedelta(days=13)
    assert (later.reminder_count, later.reminded_at) == (0, None)
    links = [next(word for word in message.body.split() if "/i/" in word) for message in mailoutbox]
    assert len(links) == 2 and links[0] == links[1]
    assert "Advertising" in mailoutbox[1].body
    assert second.events.filter(kind=EventKind.INVITED).count() == 1


def test_mail_about_a_new_request_does_not_ask_for_what_is_answered(
    factory: ConsentFactory, producer: User, mailoutbox: list[Any]
) -> None:
    first = factory.make_consent()
    mail_link([first], producer)
    factory.make_take(first)
    mail_link([factory.make_consent(first.talent, "advertising")], producer)
    assert "Advertising" in mailoutbox[1].body and "Narration" not in mailoutbox[1].body
    assert first.events.filter(kind=EventKind.INVITED).count() == 1


@pytest.mark.parametrize("change", ["address", "revoked", "expired", "secret", "copied"])
def test_new_request_gets_its_own_link_if_the_mailed_one_cannot_be_repeated(
    factory: ConsentFactory, producer: User, change: str
) -> None:
    first = factory.make_consent()
    if change == "copied":
        create_private_link([first], producer)
    else:
        earlier = mail_link([first], producer)
        if change == "address":
            Talent.objects.filter(pk=first.talent_id).update(email="new@people.test")
        elif change == "revoked":
            revoke_invitation(earlier, producer)
        elif change == "expired":
            Invitation.objects.filter(pk=earlier.pk).update(expires_at=timezone.now())
        else:
            Invitation.objects.filter(pk=earlier.pk).update(token_digest="0" * 64)
    talent = Talent.objects.get(pk=first.talent_id)
    later = mail_link([factory.make_consent(talent, "advertising")], producer)
    assert first not in later.consents.all() and later.sent_to == talent.email


def test_second_link_to_a_consent_still_ends_the_first(factory: ConsentFactory, producer: User) -> None:
    consent = factory.make_consent()
    first, second = mail_link([consent], producer), mail_link([consent], producer)
    first.refresh_from_db()
    assert first.pk != second.pk and first.revoked_at


def test_page_of_the_talent_sends_one_invitation_for_all_requests(
    factory: ConsentFactory, producer_client: Client
) -> None:
    talent = factory.make_talent()
    consents = [factory.make_consent(talent, purpose) for purpose in ("narration", "advertising")]
    unsendable = factory.make_consent(talent, "internal", has_contract=False)
    assert "Send one invitation for 3 requests" in read_page(producer_client, talent.get_absolute_url())
    page = read_html(producer_client.post(get_url("talent_invite", talent), follow=True))
    assert "Not everything was sent. No contract of Tilda Strand allows Resemble AI for internal use" in page
    assert set(Invitation.objects.get().consents.all()) == set(consents)
    assert list_unsent_requests(talent) == [unsendable]


# --- many talents -------------------------------------------------------------------------


def ask_talents(client: Client, *talents: Talent, method: str = "post", **fields: Any) -> Any:
    data = {
        "talent": [str(talent.pk) for talent in talents],
        "language": "en-US",
        "use": [NARRATION, ADVERTISING],
        "company": "Nord & Söhne",
        "valid_until": "",
        **fields,
    }
    return getattr(client, method)(reverse("consent:ask_talents"), data)


def test_list_of_talents_has_ticks_for_those_who_may_request(
    factory: ConsentFactory, producer_client: Client, viewer_client: Client
) -> None:
    talent = factory.make_talent()
    url = reverse("consent:talent_list")
    assert f'value="{talent.pk}" aria-label="Choose Tilda Strand"' in read_page(producer_client, url)
    assert "Choose Tilda Strand" not in read_page(viewer_client, url)
    page = read_html(producer_client.get(reverse("consent:ask_talents"), {"talent": [str(talent.pk), "nonsense"]}))
    assert "Request consent of 1 talent" in page and talent.name in page


def test_ticked_talents_are_asked_for_what_their_contracts_allow(
    factory: ConsentFactory, producer_client: Client
) -> None:
    end = timezone.localdate() + timedelta(days=90)
    first, second = factory.make_talent("Ada One", "ada@people.test"), factory.make_talent("Bo Two", "")
    factory.make_contract(first, purposes=["narration", "advertising"], ends_on=end)
    factory.make_contract(second)
    preview = read_html(ask_talents(producer_client, first, second, method="get"))
    assert "3 of 4 can be requested. Nothing is requested yet." in preview and not Consent.objects.exists()
    page = read_html(ask_talents(producer_client, first, second, is_sent="on"))
    assert "3 of 4 requested." in page and "1 invitation is being sent." in page
    assert "No contract of Bo Two allows Resemble AI for advertising." in page
    assert "Bo Two has no email address." in page
    assert sorted(Consent.objects.values_list("talent__name", "purpose", "valid_until")) == [
        ("Ada One", "advertising", end),
        ("Ada One", "narration", end),
        ("Bo Two", "narration", None),
    ]
    again = read_html(ask_talents(producer_client, first, second))
    assert "0 of 4 requested." in again and Consent.objects.count() == 3


def test_consent_in_force_is_reported_and_not_requested_again(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_approved_consent()
    page = read_html(ask_talents(producer_client, consent.talent, use=[NARRATION]))
    assert "Already in force." in page and Consent.objects.count() == 1


def test_too_many_requests_are_refused_before_one_is_made(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    plan = PlannedRequest(1, talent.name, talent, Use(PROVIDER, "en-US", "narration"))
    with pytest.raises(ActionRefused, match="at most 1,000 at once"):
        preview_requests([plan] * (MAX_REQUESTS + 1))


# --- table --------------------------------------------------------------------------------


def make_table(*rows: str, titles: str = "talent,provider,language,purpose,valid_until") -> str:
    return "\n".join([titles, *rows])


def upload(client: Client, table: str, encoding: str = "utf-8") -> Any:
    return client.post(TABLE, {"file": make_upload(table.encode(encoding), "requests.csv", "text/csv")})


def test_table_is_previewed_then_requested(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    factory.make_contract(talent, purposes=["narration", "advertising"])
    table = make_table(
        f"tilda STRAND,{PROVIDER},en-us,Narration and audiobooks,2099-12-31",
        "tilda@people.test,Resemble AI,en-US,advertising,",
    )
    preview = upload(producer_client, table, "utf-16")
    assert "2 of 2 can be requested. Nothing is requested yet." in read_html(preview) and not Consent.objects.exists()
    content = preview.context["form"]["table"].value()
    page = read_html(producer_client.post(TABLE, {"table": content, "request": "", "is_sent": "on"}))
    assert "2 of 2 requested." in page and "1 invitation is being sent." in page
    assert sorted(Consent.objects.values_list("purpose", "valid_until")) == [
        ("advertising", None),
        ("narration", date(2099, 12, 31)),
    ]
    assert Invitation.objects.get().consents.count() == 2


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (f"Nobody,{PROVIDER},en-US,narration,", "No talent has the name or the email address “Nobody”."),
        (f",{PROVIDER},en-US,narration,", "The talent is missing."),
        (f"Twin,{PROVIDER},en-US,narration,", "2 talents are called “Twin”. Write the email address instead."),
        ("Tilda Strand,acme,en-US,narration,", "“acme” is not a known provider."),
        (f"Tilda Strand,{PROVIDER},English,narration,", "“English” is not a known language."),
        (f"Tilda Strand,{PROVIDER},ja-JP,narration,", "There is no statement of Resemble AI in Japanese"),
        (f"Tilda Strand,{PROVIDER},en-US,songs,", "“songs” is not a known purpose."),
        (f"Tilda Strand,{PROVIDER},en-US,narration,31.12.2099", "is not a date. Write it as 2026-11-30."),
        (f"Tilda Strand,{PROVIDER},en-US,narration,2001-01-01", "The last day is in the past."),
        (f"Tilda Strand,{PROVIDER},en-US,internal,", "Already requested: it is waiting for the talent."),
    ],
)
def test_row_with_a_problem_is_named_and_the_others_are_requested(
    factory: ConsentFactory, producer_client: Client, row: str, problem: str
) -> None:
    talent = factory.make_talent()
    factory.make_talent("Twin", "one@people.test"), factory.make_talent("Twin", "two@people.test")
    factory.make_consent(talent, "internal")
    factory.make_contract(talent, purposes=["narration", "advertising", "internal"])
    table = make_table(row, f"Tilda Strand,{PROVIDER},en-US,advertising,")
    page = read_html(producer_client.post(TABLE, {"table": table, "request": ""}))
    assert problem in page and "1 of 2 requested." in page and "line 2" in page
    assert list_uses() == [(PROVIDER, "advertising"), (PROVIDER, "internal")]


@pytest.mark.parametrize("titles", ["Name,Provider,Language,Purpose", "email;provider;language;purpose"])
def test_table_may_name_talents_by_name_or_by_address(factory: ConsentFactory, titles: str) -> None:
    talent = factory.make_talent()
    name = talent.name if "Name" in titles else talent.email
    delimiter = titles[4] if "Name" in titles else titles[5]
    table = make_table(delimiter.join((name, PROVIDER, "en-US", "narration")), titles=titles)
    for encoding in ("utf-8-sig", "utf-16"):
        (plan,) = read_plans(table.encode(encoding))
        assert (plan.talent, plan.use, plan.problem) == (talent, Use(PROVIDER, "en-US", "narration"), "")


def test_same_request_twice_in_a_table_is_made_once(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent()
    factory.make_contract(talent)
    row = f"Tilda Strand,{PROVIDER},en-US,narration,"
    page = read_html(producer_client.post(TABLE, {"table": make_table(row, row), "request": ""}))
    assert "It is in this list twice." in page and Consent.objects.count() == 1


@pytest.mark.parametrize("table", ["", "talent,provider\nx,y", make_table(), "\x00\x01\x02"])
def test_file_that_is_no_such_table_is_refused(producer_client: Client, table: str) -> None:
    response = upload(producer_client, table)
    assert response.status_code == 200 and response.context["form"].errors["file"] and not Consent.objects.exists()


def test_end_after_that_of_the_contract_is_noted(factory: ConsentFactory) -> None:
    talent = factory.make_talent()
    factory.make_contract(talent, ends_on=timezone.localdate() + timedelta(days=9))
    table = make_table(f"Tilda Strand,{PROVIDER},en-US,narration,2099-12-31")
    (outcome,) = preview_requests(read_plans(table.encode())).outcomes
    assert "so the consent ends then." in outcome.note


def test_preview_comes_first_and_talents_can_be_left_out(factory: ConsentFactory, producer_client: Client) -> None:
    first, second = factory.make_talent("Ada One", "ada@people.test"), factory.make_talent("Bo Two", "")
    for talent in (first, second):
        factory.make_contract(talent, purposes=["narration", "advertising"])
    url = reverse("consent:ask_talents")
    page = read_html(producer_client.get(url, {"talent": [str(first.pk), str(second.pk)]}))
    assert '<button class="btn btn-primary" formmethod="get">Preview requests</button>' in page
    assert re.findall(r'name="talent" value="([^"]+)" checked', page) == [str(first.pk), str(second.pk)]
    page = read_html(ask_talents(producer_client, first, method="get"))
    assert "Request 2 consents </button>" in page and "Bo Two" not in page
    assert "Send 2 requests </button>" in read_html(ask_talents(producer_client, first, method="get", is_sent="on"))
