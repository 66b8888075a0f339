"""Changes of a talent's name or address by staff: who is informed, what the audit log says, the end of the links."""

from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Event, EventKind, Talent, TalentChange, TalentMail
from consent.services.audit_log import find_first_broken_event
from consent.services.invitations import invite_talent
from consent.services.review import request_retake
from tests.consent.rows import ConsentFactory, get_url
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from voicehub.models import Task, TaskStatus, User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

OLD, NEW = "tilda@people.test", "tilda@new.test"


@pytest.fixture
def consent(factory: ConsentFactory) -> Consent:
    """A request whose link was mailed to the old address."""
    consent = factory.make_consent()
    invite_talent([consent], factory.producer)
    run_due_tasks("send_invitation")
    mail.outbox.clear()
    return consent


def edit(client: Client, talent: Talent, **values: str) -> str:
    fields = {"name": talent.name, "email": talent.email, "language": getattr(talent, "language", "en"), **values}
    response = client.post(get_url("talent_edit", talent), fields, follow=True)
    assert response.status_code == 200
    return read_html(response)


def edit_in_admin(client: Client, talent: Talent, **values: str) -> None:
    fields = {"name": talent.name, "email": talent.email, "language": getattr(talent, "language", "en"), **values}
    response = client.post(reverse("admin:consent_talent_change", args=[talent.pk]), fields)
    assert response.status_code == 302, read_html(response)


def list_changes(consent: Consent) -> list[Any]:
    return list(consent.events.filter(kind=EventKind.TALENT_CHANGED).values_list("payload__fields", "actor"))


def test_changed_address_is_an_event_without_the_address_and_the_old_one_is_told(
    consent: Consent, producer_client: Client, producer: User
) -> None:
    page = edit(producer_client, consent.talent, email=NEW)
    assert f"{OLD} is informed about the change." in page
    assert list_changes(consent) == [("email address", producer.pk)]
    payloads = str(list(Event.objects.filter(kind=EventKind.TALENT_CHANGED).values_list("payload", flat=True)))
    assert OLD not in payloads and NEW not in payloads and consent.talent.name not in payloads
    assert find_first_broken_event(consent) is None
    run_due_tasks("send_talent_change")
    (sent,) = mail.outbox
    assert sent.to == [OLD] and f"{producer} at {consent.company} changed your email address" in sent.body
    assert NEW not in sent.body, "a reader of the earlier address does not learn the new one"
    assert "voicehub@localhost" in sent.body and "no longer work" in sent.body


def test_mail_about_a_change_is_sent_once(consent: Consent, producer_client: Client) -> None:
    edit(producer_client, consent.talent, email=NEW)
    run_due_tasks("send_talent_change")
    Task.objects.filter(kind="send_talent_change").update(status=TaskStatus.WAITING)
    run_due_tasks("send_talent_change")
    assert len(mail.outbox) == 1


def test_changed_name_is_told_to_the_same_address_and_the_links_stay(consent: Consent, producer_client: Client) -> None:
    page = edit(producer_client, consent.talent, name="Tilda Berg")
    assert f"{OLD} is informed" in page and "link" not in page.partition("Saved.")[2].partition("</")[0]
    assert [fields for fields, _actor in list_changes(consent)] == ["name"]
    run_due_tasks("send_talent_change")
    (sent,) = mail.outbox
    assert sent.to == [OLD] and "changed your name" in sent.body and "Berg" not in sent.body
    assert consent.invitations.live().exists()


@pytest.mark.parametrize("values", [{"notes": "Prefers mornings."}, {"phone": "+49 30 1"}, {}])
def test_other_details_are_no_event(consent: Consent, producer_client: Client, values: dict[str, str]) -> None:
    edit(producer_client, consent.talent, **values)
    assert list_changes(consent) == [] and not TalentChange.objects.exists()


def test_admin_page_does_the_same(consent: Consent, admin_client: Client) -> None:
    edit_in_admin(admin_client, consent.talent, email=NEW, name="Tilda Berg")
    consent.talent.refresh_from_db()
    assert (consent.talent.email, consent.talent.name) == (NEW, "Tilda Berg")
    assert [fields for fields, _actor in list_changes(consent)] == ["name and email address"]
    assert not consent.invitations.live().exists()
    run_due_tasks("send_talent_change")
    assert [sent.to for sent in mail.outbox] == [[OLD]]


def test_links_that_were_mailed_to_the_old_address_end(
    consent: Consent, factory: ConsentFactory, producer_client: Client
) -> None:
    copied = factory.make_consent(consent.talent, "advertising")
    factory.make_link(copied)
    page = edit(producer_client, consent.talent, email=NEW)
    assert "no longer work. Send a new one." in page
    assert not consent.invitations.live().exists()
    assert copied.invitations.live().exists(), "a link that staff passed on was not mailed"
    assert consent.events.filter(kind=EventKind.LINK_ENDED).exists()
    run_due_tasks("send_invitation")
    assert not [sent for sent in mail.outbox if NEW in sent.to], "staff decide whether a link goes to the new address"


def test_new_link_goes_to_the_new_address_if_staff_want_it(consent: Consent, producer_client: Client) -> None:
    assert 'name="send_link"' in read_html(producer_client.get(get_url("talent_edit", consent.talent)))
    page = edit(producer_client, consent.talent, email=NEW, send_link="on")
    assert "A new private link is being sent." in page
    run_due_tasks("send_invitation")
    assert [sent.to for sent in mail.outbox] == [[NEW]]
    assert consent.invitations.live().get().sent_to == NEW


def test_new_link_is_offered_while_the_first_mail_waits_to_be_sent(
    factory: ConsentFactory, producer_client: Client
) -> None:
    consent = factory.make_consent()
    invite_talent([consent], factory.producer)
    page = edit(producer_client, consent.talent, email=NEW, send_link="on")
    assert "A new private link is being sent." in page
    run_due_tasks("send_invitation")
    assert [sent.to for sent in mail.outbox] == [[NEW]]


def test_form_offers_a_new_link_only_to_a_talent_with_a_mailed_one(
    factory: ConsentFactory, producer_client: Client
) -> None:
    talent = factory.make_talent()
    assert 'name="send_link"' not in read_html(producer_client.get(get_url("talent_edit", talent)))


def test_talent_without_an_old_address_is_not_told(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent(factory.make_talent(email=""))
    page = edit(producer_client, consent.talent, email=NEW)
    assert "is informed" not in page
    assert [fields for fields, _actor in list_changes(consent)] == ["email address"]
    run_due_tasks()
    assert mail.outbox == []


# --- Refused mail -------------------------------------------------------------------------


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The SMTP codes with which the mail server refuses addresses. The test fills it."""
    codes: dict[str, int] = {}
    send = mail.get_connection().__class__.send_messages

    def send_messages(backend: Any, messages: list[Any]) -> Any:
        for message in messages:
            if code := codes.get(message.to[0]):
                raise SMTPRecipientsRefused({message.to[0]: (code, b"5.1.1 No such user")})
        return send(backend, messages)

    monkeypatch.setattr(mail.get_connection().__class__, "send_messages", send_messages)
    return codes


def read_today(client: Client) -> str:
    return read_html(client.get(reverse("today")))


def test_refused_invitation_is_on_today_and_is_sent_again_to_the_corrected_address(
    factory: ConsentFactory, producer_client: Client, refuse: dict[str, int]
) -> None:
    refuse[OLD] = 550
    consent = factory.make_consent()
    invite_talent([consent], factory.producer)
    assert run_due_tasks("send_invitation") == 1, "a final answer is not retried"
    page = read_today(producer_client)
    assert "Mail refused" in page and f"The mail server refused the address {OLD}: 5.1.1 No such user" in page
    assert f'href="{get_url("talent_edit", consent.talent)}"' in page and "Failed tasks" not in page
    page = edit(producer_client, consent.talent, email=NEW)
    assert "1 mail that was refused is sent to the new address." in page and "is informed" not in page
    run_due_tasks()
    assert [sent.to for sent in mail.outbox] == [[NEW]]
    assert consent.invitations.live().get().sent_to == NEW
    assert "Mail refused" not in read_today(producer_client)


def test_mail_that_was_refused_for_now_is_retried(factory: ConsentFactory, refuse: dict[str, int]) -> None:
    refuse[OLD] = 452
    invite_talent([factory.make_consent()], factory.producer)
    run_due_tasks("send_invitation")
    task = Task.objects.get(kind="send_invitation")
    assert task.status == TaskStatus.WAITING and task.attempts == 1


def test_refused_receipt_goes_to_the_corrected_address(
    factory: ConsentFactory, producer_client: Client, refuse: dict[str, int]
) -> None:
    refuse[OLD] = 550
    consent = factory.make_submitted_consent()
    run_due_tasks("send_talent_mail")
    assert "Mail refused" in read_today(producer_client)
    edit(producer_client, consent.talent, email=NEW)
    run_due_tasks("send_talent_mail")
    assert [NEW] in [sent.to for sent in mail.outbox]


def test_admin_takes_a_refused_mail_off_today(
    factory: ConsentFactory, admin_client: Client, producer_client: Client, refuse: dict[str, int]
) -> None:
    refuse[OLD] = 550
    invite_talent([factory.make_consent()], factory.producer)
    run_due_tasks("send_invitation")
    url = reverse("voices:task_seen", args=[Task.objects.get(kind="send_invitation").pk])
    assert url in read_today(admin_client) and url not in read_today(producer_client)
    admin_client.post(url)
    assert "Mail refused" not in read_today(admin_client)


@pytest.mark.parametrize("status", [TaskStatus.WAITING, TaskStatus.FAILED])
def test_waiting_mail_brings_the_new_link_only_to_the_new_address(
    consent: Consent, factory: ConsentFactory, producer_client: Client, status: str
) -> None:
    """It waits in the queue, or failed and was marked as seen, and an admin tries it again."""
    factory.make_take(consent)
    request_retake(consent, factory.producer, "Noise.")
    retake = Task.objects.filter(kind="send_talent_mail", object_id=str(TalentMail.objects.get(kind="retake").pk))
    retake.update(status=status, seen_at=timezone.now() if status == TaskStatus.FAILED else None)
    edit(producer_client, consent.talent, email=NEW, send_link="on")
    run_due_tasks("send_invitation")
    link = next(line for line in str(mail.outbox[-1].body).splitlines() if "/i/" in line)
    retake.update(status=TaskStatus.WAITING)
    run_due_tasks("send_talent_mail")
    assert {address for sent in mail.outbox if link in str(sent.body) for address in sent.to} == {NEW}
    assert sum(link in str(sent.body) for sent in mail.outbox) == 2


def test_mail_to_an_address_without_a_link_of_its_own_has_no_link(consent: Consent, factory: ConsentFactory) -> None:
    factory.make_take(consent)
    request_retake(consent, factory.producer, "Noise.")
    TalentMail.objects.filter(kind="retake").update(sent_to="other@people.test")
    run_due_tasks("send_talent_mail")
    (sent,) = [sent for sent in mail.outbox if sent.to == ["other@people.test"]]
    assert "/i/" not in sent.body


def test_new_link_takes_the_place_of_a_refused_one(
    factory: ConsentFactory, producer_client: Client, refuse: dict[str, int]
) -> None:
    refuse[OLD] = 550
    consent = factory.make_consent()
    invite_talent([consent], factory.producer)
    run_due_tasks("send_invitation")
    refuse.clear()
    producer_client.post(get_url("invite", consent))
    run_due_tasks("send_invitation")
    assert "Mail refused" not in read_today(producer_client)


def test_equal_events_of_several_consents_are_one_activity(factory: ConsentFactory, producer_client: Client) -> None:
    talent = factory.make_talent("Ann Active", "ann@people.test")
    consents = [factory.make_consent(talent, purpose) for purpose in ("narration", "advertising", "entertainment")]
    invite_talent(consents, factory.producer)
    run_due_tasks("send_invitation")
    page = read_html(producer_client.get(talent.get_absolute_url()))
    activity = page[page.index("Recent activity") :]
    assert activity.count("requested consent.") == 1 and "for 3 consents" in activity
    assert "was emailed to the talent." in activity and "ann@people.test" not in activity


def test_form_says_what_is_on_file(consent: Consent, producer_client: Client) -> None:
    def read_form() -> str:
        page = read_html(producer_client.get(get_url("talent_edit", consent.talent)))
        return page.split(">Now on file</h2>")[1].split("</aside>")[0]

    facts = read_form()
    assert "1 waiting for talent" in facts and "1 can be opened" in facts and "no end date" in facts
    consent.invitations.update(revoked_at=timezone.now())
    assert "none can be opened" in read_form()
