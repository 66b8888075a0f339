"""What comes before a reminder in the lists of requests and consents: a question, or a refused mail."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, Question
from consent.services.invitations import invite_talent
from consent.services.questions import answer_question
from tests.consent.rows import ConsentFactory
from tests.support.lists import count_list_queries, read_list
from tests.support.task_runner import run_due_tasks
from voicehub.mail_refusals import REFUSED
from voicehub.models import Task, TaskStatus

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

LISTS = ("consent:open_requests", "consent:consent_list")


def send_request(factory: ConsentFactory, name: str = "Tia Talent") -> Consent:
    consent = factory.make_consent(factory.make_talent(name))
    invite_talent([consent], factory.producer)
    run_due_tasks("send_invitation")
    return consent


def ask(consent: Consent) -> Question:
    return Question.objects.create(consent=consent, invitation=consent.invitations.get(), text="Who listens?")


def refuse_mail(consent: Consent) -> None:
    """As if the mail server had refused the address of the talent for good."""
    link, reason = consent.invitations.get(), f"{REFUSED} {consent.talent.email}: 5.1.1 No such user"
    tasks = Task.objects.filter(kind="send_invitation", object_id=str(link.pk))
    assert tasks.update(status=TaskStatus.FAILED, reason=reason, finished_at=timezone.now()) == 1


@pytest.mark.parametrize("name", LISTS)
def test_open_question_is_answered_before_a_reminder(
    factory: ConsentFactory, producer_client: Client, name: str
) -> None:
    consent = send_request(factory)
    assert ">Remind<span" in read_list(producer_client, name)
    question = ask(consent)
    page = read_list(producer_client, name)
    assert f'href="{consent.get_absolute_url()}#questions">Answer question<' in page and ">Remind<span" not in page
    assert 'is-new">Question<' in page and '"vh-status is-idle">Waiting for talent' not in page
    answer_question(question, factory.producer, "Two producers.")
    assert ">Remind<span" in read_list(producer_client, name)


@pytest.mark.parametrize("name", LISTS)
def test_refused_address_is_corrected_before_a_reminder(
    factory: ConsentFactory, producer_client: Client, name: str
) -> None:
    consent = send_request(factory)
    refuse_mail(consent)
    page, url = read_list(producer_client, name), reverse("consent:talent_edit", args=[consent.talent_id])
    assert f'href="{url}">Correct address<' in page and ">Remind<span" not in page and "Mail refused" in page
    consent.talent.email = "new@talent.example"
    consent.talent.save()
    assert ">Remind<span" in read_list(producer_client, name), "the refused address is no longer in use"


@pytest.mark.parametrize("name", LISTS)
def test_lists_need_no_more_queries_for_more_urgent_rows(
    factory: ConsentFactory, producer_client: Client, name: str
) -> None:
    def add(number: int) -> None:
        asked, refused = send_request(factory, f"Asks {number}"), send_request(factory, f"Refused {number}")
        ask(asked)
        refuse_mail(refused)

    add(1)
    before = count_list_queries(producer_client, name)
    for number in (2, 3, 4):
        add(number)
    assert count_list_queries(producer_client, name) == before


@pytest.mark.parametrize("name", LISTS)
def test_urgent_rows_stand_before_those_that_wait(factory: ConsentFactory, producer_client: Client, name: str) -> None:
    """In the order of their marks, not of their age."""
    names = ("Waits", "Refused", "Asks")
    waiting, refused, asked = (send_request(factory, one) for one in names)
    refuse_mail(refused)
    ask(asked)
    page = read_list(producer_client, name)
    assert page.index("Question<") < page.index("Mail refused<") < page.index("Waiting for talent</span>")
    assert waiting.get_absolute_url() in page
