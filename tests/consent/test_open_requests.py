"""The page of all open requests: what each waits for, and the actions on many of them."""

from datetime import date, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from consent.models import Consent, ConsentStatus, Contract, EventKind, Invitation
from consent.services.expiry import expire_unanswered_requests
from consent.services.filed_contracts import is_on_file, list_on_file, load_contracts
from consent.services.invitations import create_private_link, invite_talent
from consent.services.review import request_retake
from tests.consent.rows import ConsentFactory
from tests.support.html import read_html
from tests.support.lists import allow_only, count_list_queries, read_list, read_menu, read_rows, read_tabs
from tests.support.task_runner import run_due_tasks
from voicehub.models import Task, TaskStatus, User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LIST = "consent:open_requests"


def send_request(factory: ConsentFactory, name: str) -> Consent:
    """A request whose link was mailed two days ago."""
    consent = factory.make_consent(factory.make_talent(name))
    invite_talent([consent], factory.producer)
    run_due_tasks("send_invitation")
    consent.invitations.update(sent_at=timezone.now() - timedelta(days=2))
    mail.outbox.clear()
    return consent


def end_time(consent: Consent) -> None:
    consent.invitations.update(expires_at=timezone.now() - timedelta(minutes=1))


def make_requests(factory: ConsentFactory) -> dict[str, Consent]:
    """One request for each blocker, by the name of its talent."""
    rows = {
        "Rea Review": factory.make_submitted_consent(factory.make_talent("Rea Review")),
        "Cal Contract": factory.make_consent(factory.make_talent("Cal Contract"), has_contract=False),
        "Sam Send": factory.make_consent(factory.make_talent("Sam Send")),
        "Ovi Over": send_request(factory, "Ovi Over"),
        "Tia Talent": send_request(factory, "Tia Talent"),
    }
    factory.make_approved_consent(factory.make_talent("Ann Approved"))
    end_time(rows["Ovi Over"])
    return rows


def post(client: Client, action: str, *consents: Consent, **data: str) -> str:
    """The text of the page that answers the action."""
    url = reverse(f"consent:{action}")
    response = client.post(url, {"consent": [str(consent.pk) for consent in consents], **data}, follow=True)
    assert response.status_code == 200
    return read_html(response)


# --- The list -----------------------------------------------------------------------------


@pytest.mark.both_databases
def test_list_groups_requests_by_what_they_wait_for(factory: ConsentFactory, producer_client: Client) -> None:
    names = list(make_requests(factory))
    assert read_rows(producer_client, LIST) == names, "what needs staff comes first"
    tabs = {"All": 5, "To review": 1, "No contract": 1, "Not sent": 1, "Time over": 1, "Waiting for talent": 1}
    assert read_tabs(producer_client, LIST) == tabs
    blockers = ("review", "contract", "send", "over", "talent")
    assert [read_rows(producer_client, LIST, show=blocker) for blocker in blockers] == [[name] for name in names]
    assert f"Expired {date_format(timezone.localtime(), 'M j')}" in read_list(producer_client, LIST, show="over")


def test_list_has_no_empty_tabs(factory: ConsentFactory, producer_client: Client) -> None:
    send_request(factory, "Tia Talent")
    assert read_tabs(producer_client, LIST) == {"All": 1, "Waiting for talent": 1}


def test_page_is_linked_from_consents_and_today(factory: ConsentFactory, producer_client: Client) -> None:
    make_requests(factory)
    for name in ("consent:consent_list", "today"):
        assert f'href="{reverse(LIST)}"' in read_html(producer_client.get(reverse(name)))


def test_row_says_whether_the_link_was_opened_how_often_it_was_repeated_and_when_it_ends(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent, now = send_request(factory, "Tia Talent"), timezone.now()
    link = consent.invitations.get()
    assert ">Not opened<" in read_list(producer_client, LIST)
    consent.invitations.update(opened_at=now, reminder_count=2, reminded_at=now)
    page = read_list(producer_client, LIST)
    day = date_format(timezone.localtime(now), "M j")
    assert ">Not opened<" not in page and f"2, last on {date_format(timezone.localtime(), 'M j')}" in page
    assert f"Opened {day}<" in page and page.count(f"Opened {day} · reminded {day} · last day ") == 1, "on a phone"
    assert timezone.localtime(link.expires_at).date().isoformat() in page
    assert read_menu(producer_client, LIST, "Link") == {"Not opened": 0, "Opened": 1, "Reminded": 1}


def test_mail_that_could_not_be_sent_is_not_sent(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    invitation = invite_talent([consent], factory.producer)
    assert "The mail is being sent" in read_list(producer_client, LIST, show="send")
    Task.objects.filter(object_id=str(invitation.pk)).update(status=TaskStatus.FAILED, finished_at=timezone.now())
    assert "The mail could not be sent" in read_list(producer_client, LIST, show="send")


def test_request_that_ended_unanswered_stays_until_the_talent_is_asked_again(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = send_request(factory, "Ovi Over")
    end_time(consent)
    expire_unanswered_requests()
    assert read_rows(producer_client, LIST, show="over") == ["Ovi Over"]
    assert "Ask again" in read_list(producer_client, LIST)
    newer = factory.make_consent(consent.talent)
    assert read_rows(producer_client, LIST, show="over") == []
    assert read_rows(producer_client, LIST) == [newer.talent.name]


def test_retake_waits_for_the_talent_without_a_last_day(factory: ConsentFactory, producer_client: Client) -> None:
    consent = send_request(factory, "Tia Talent")
    factory.make_take(consent)
    request_retake(consent, factory.producer, "Read all of it.")
    end_time(consent)
    page = read_list(producer_client, LIST, show="talent")
    assert "To read it again" in page and "no last day" in page


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("terms", "is_filed"),
    [
        ({}, True),
        ({"purposes": ["advertising"]}, False),
        ({"purposes": ["narration", "advertising"]}, True),
        ({"providers": ["voiceai"]}, False),
        ({"ends_on": date(2025, 6, 1)}, False),
        ({"ends_on": timezone.localdate()}, True),
        ({"starts_on": timezone.localdate() + timedelta(30)}, True),
        ({"starts_on": timezone.localdate() + timedelta(30), "ends_on": timezone.localdate() + timedelta(30)}, True),
    ],
)
def test_contract_of_the_list_is_that_of_the_service(
    factory: ConsentFactory, terms: dict[str, object], is_filed: bool
) -> None:
    consent = factory.make_consent(has_contract=False)
    contract = factory.make_contract(consent.talent)
    Contract.objects.filter(pk=contract.pk).update(**terms)
    assert bool(list_on_file(consent, load_contracts(consent))) is is_filed
    assert Consent.objects.filter(is_on_file()).exists() is is_filed


@pytest.mark.both_databases
@pytest.mark.parametrize("days", [-1, 0, 1, 30])
def test_replaced_contract_counts_in_the_list_as_in_the_service(factory: ConsentFactory, days: int) -> None:
    consent = factory.make_consent(has_contract=False)
    earlier = factory.make_contract(consent.talent)
    start = timezone.localdate() + timedelta(days)
    newer = factory.make_contract(consent.talent, purposes=["advertising"], supersedes=earlier)
    Contract.objects.filter(pk=newer.pk).update(starts_on=start)
    is_filed = bool(list_on_file(consent, load_contracts(consent)))
    assert is_filed is (days > 0)
    assert Consent.objects.filter(is_on_file()).exists() is is_filed


def test_number_of_queries_is_the_same_for_3_and_30_rows(factory: ConsentFactory, producer_client: Client) -> None:
    for number in range(3):
        send_request(factory, f"Talent {number}")
    few = count_list_queries(producer_client, LIST, size=50)
    for number in range(3, 30):
        send_request(factory, f"Talent {number}")
    assert count_list_queries(producer_client, LIST, size=50) == few


def test_list_without_permissions_has_no_names_and_no_actions(factory: ConsentFactory, outsider: User) -> None:
    make_requests(factory)
    page = read_list(allow_only(outsider, "consent.view_consent"), LIST)
    assert "Sam Send" not in page and 'id="bulk"' not in page and 'name="consent"' not in page


# --- Actions ------------------------------------------------------------------------------


def test_one_reminder_for_each_link_and_each_refusal_is_named(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent("Tia Talent")
    first, second = factory.make_consent(talent), factory.make_consent(talent, "advertising")
    invite_talent([first, second], factory.producer)
    run_due_tasks("send_invitation")
    Invitation.objects.update(sent_at=timezone.now() - timedelta(days=2))
    recent, unsent = send_request(factory, "Rob Recent"), factory.make_consent(factory.make_talent("Sam Send"))
    recent.invitations.update(sent_at=timezone.now())
    page = post(producer_client, "remind_many", first, second, recent, unsent)
    assert "1 reminder is being sent." in page
    assert "Not reminded: Rob Recent. A mail was sent within the last day." in page
    assert "Not reminded: Sam Send. No link was sent" in page
    mail.outbox.clear()
    run_due_tasks("send_reminder")
    assert [sent.to for sent in mail.outbox] == [[talent.email]]


def test_new_link_is_one_mail_for_each_talent(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent("Tia Talent", "tia@people.test")
    consents = [factory.make_consent(talent), factory.make_consent(talent, "advertising")]
    blocked = factory.make_consent(factory.make_talent("Cal Contract"), has_contract=False)
    nameless = factory.make_consent(factory.make_talent("Nora Nomail", ""))
    page = post(producer_client, "resend_many", *consents, blocked, nameless)
    assert "1 link is being sent." in page
    assert "Not sent: Cal Contract. No contract of Cal Contract is on file." in page
    assert "Not sent: Nora Nomail. Nora Nomail has no email address." in page
    run_due_tasks("send_invitation")
    assert [sent.to for sent in mail.outbox] == [["tia@people.test"]]
    assert set(Invitation.objects.get().consents.all()) == set(consents)


def test_new_last_day_is_in_the_audit_log_and_can_be_undone(factory: ConsentFactory, producer_client: Client) -> None:
    consent = send_request(factory, "Tia Talent")
    before, day = consent.invitations.get().expires_at, timezone.localdate() + timedelta(40)
    assert "Last day to answer" in post(producer_client, "extend_many", consent)
    assert consent.invitations.get().expires_at == before, "the page only asks for the day"
    page = post(producer_client, "extend_many", consent, day=day.isoformat())
    assert "1 link has the new last day." in page
    assert timezone.localtime(consent.invitations.get().expires_at).date() == day
    event = consent.events.latest("sequence")
    assert (event.kind, event.actor, event.payload["until"]) == (
        EventKind.EXTENDED,
        factory.producer,
        day.isoformat(),
    )
    changes = page.partition('name="changes" value="')[2].partition('"')[0]
    assert "Undone: 1 link has the earlier last day again." in post(producer_client, "undo_many", changes=changes)
    assert consent.invitations.get().expires_at == before
    assert "Undone: 0 links have" in post(producer_client, "undo_many", changes=changes), "it happens once"


def test_undo_leaves_a_later_change_and_refuses_another_person(
    factory: ConsentFactory, producer_client: Client, admin_client: Client
) -> None:
    consent, today = send_request(factory, "Tia Talent"), timezone.localdate()
    page = post(producer_client, "extend_many", consent, day=(today + timedelta(40)).isoformat())
    changes = page.partition('name="changes" value="')[2].partition('"')[0]
    assert "Only the person who changed" in post(admin_client, "undo_many", changes=changes)
    assert "can no longer be undone" in post(producer_client, "undo_many", changes=changes[:-3])
    post(producer_client, "extend_many", consent, day=(today + timedelta(50)).isoformat())
    assert "1 was changed since and left alone" in post(producer_client, "undo_many", changes=changes)
    assert timezone.localtime(consent.invitations.get().expires_at).date() == today + timedelta(50)


def test_last_day_brings_a_link_back_only_while_its_request_waits(
    factory: ConsentFactory, producer_client: Client
) -> None:
    over, expired = send_request(factory, "Ovi Over"), send_request(factory, "Exa Expired")
    end_time(expired)
    expire_unanswered_requests()
    end_time(over)
    day = (timezone.localdate() + timedelta(5)).isoformat()
    page = post(producer_client, "extend_many", over, expired, day=day)
    assert "1 link has the new last day." in page and "Not changed: Exa Expired. The link needs no answer" in page
    assert over.invitations.live().exists()
    expire_unanswered_requests()
    over.refresh_from_db()
    assert over.status == ConsentStatus.REQUESTED


@pytest.mark.parametrize(
    ("days", "problem"), [(-1, "This day has passed."), (366, "Choose a day until"), (None, "Choose the last day.")]
)
def test_impossible_last_day_is_refused_beside_its_field(
    factory: ConsentFactory, producer_client: Client, days: int | None, problem: str
) -> None:
    consent = send_request(factory, "Tia Talent")
    before = consent.invitations.get().expires_at
    day = "" if days is None else (timezone.localdate() + timedelta(days)).isoformat()
    assert problem in post(producer_client, "extend_many", consent, day=day)
    assert consent.invitations.get().expires_at == before


def test_requests_are_canceled_with_one_reason(factory: ConsentFactory, producer_client: Client) -> None:
    rows = make_requests(factory)
    chosen = [rows["Sam Send"], rows["Tia Talent"], rows["Rea Review"]]
    assert "Why are they canceled?" in post(producer_client, "void_many", *chosen)
    assert "Enter a reason." in post(producer_client, "void_many", *chosen, reason=" ")
    page = post(producer_client, "void_many", *chosen, reason="The project ended.")
    assert "2 requests were canceled." in page and "Not canceled: Rea Review. Only a request that is waiting" in page
    rows["Sam Send"].refresh_from_db()
    assert rows["Sam Send"].status == ConsentStatus.VOIDED
    assert rows["Sam Send"].events.latest("sequence").payload["reason"] == "The project ended."


def test_all_that_match_the_filter_are_selected(factory: ConsentFactory, producer_client: Client) -> None:
    make_requests(factory)
    page = post(producer_client, "void_many", all="1", filter="show=send", reason="The project ended.")
    assert "1 request was canceled." in page
    assert Consent.objects.get(status=ConsentStatus.VOIDED).talent.name == "Sam Send"
    assert read_rows(producer_client, LIST, show="send") == []


def test_action_keeps_the_filter_of_the_list(factory: ConsentFactory, producer_client: Client) -> None:
    consent = send_request(factory, "Tia Talent")
    data = {"consent": str(consent.pk), "filter": "show=talent&sort=-since"}
    response = producer_client.post(reverse("consent:remind_many"), data)
    assert response.headers["Location"] == f"{reverse(LIST)}?show=talent&sort=-since"


@pytest.mark.parametrize("data", [{}, {"consent": "no-id"}, {"all": "1", "filter": "search=nothing"}])
def test_nothing_selected_says_so(producer_client: Client, data: dict[str, str]) -> None:
    response = producer_client.post(reverse("consent:remind_many"), data)
    assert "select" in read_html(response) and reverse(LIST) in read_html(response)


def test_review_permission_alone_cannot_send(factory: ConsentFactory, outsider: User) -> None:
    consent = send_request(factory, "Tia Talent")
    client = allow_only(outsider, "consent.view_consent", "consent.invite_talent")
    assert client.post(reverse("consent:void_many"), {"consent": str(consent.pk), "reason": "No."}).status_code == 403
    client = allow_only(outsider, "consent.view_consent", "consent.review_consent")
    for action in ("remind_many", "resend_many", "extend_many", "undo_many"):
        assert client.post(reverse(f"consent:{action}"), {"consent": str(consent.pk)}).status_code == 403
    consent.refresh_from_db()
    assert consent.status == ConsentStatus.REQUESTED


def test_too_many_requests_are_refused(
    factory: ConsentFactory, producer_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consent.views.open_requests.MOST_REQUESTS", 1)
    rows = [send_request(factory, name) for name in ("Ann One", "Bo Two")]
    assert "do it in parts" in post(producer_client, "remind_many", *rows)


def test_requests_of_one_link_have_one_button_in_both_lists(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent("Lia Link")
    consents = [factory.make_consent(talent, purpose) for purpose in ("narration", "advertising", "entertainment")]
    invite_talent(consents, factory.producer)
    run_due_tasks("send_invitation")
    send_request(factory, "Tia Talent")
    for name in (LIST, "consent:consent_list"):
        page = read_list(producer_client, name)
        assert page.count(">Remind<span") == 2 and page.count("vh-person is-repeated") == 2
    factory.make_contract(talent)
    assert read_list(producer_client, "consent:talent_list").count(">Remind<span") == 1, "if nothing else comes first"


def test_requests_of_one_talent_with_a_link_each_have_a_button_each(
    factory: ConsentFactory, producer_client: Client
) -> None:
    talent = factory.make_talent("Lia Link")
    for purpose in ("narration", "advertising"):
        create_private_link([factory.make_consent(talent, purpose)], factory.producer)
    page = read_list(producer_client, LIST)
    assert page.count(">Remind<span") == 2 and page.count("vh-person is-repeated") == 1
