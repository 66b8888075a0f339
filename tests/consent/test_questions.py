"""Questions of talents on the private page, and the answers of the studio."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent.models import Consent, Event, EventKind, Question
from consent.presenters import Action, NextStep, put_after_question
from consent.services.audit_log import find_first_broken_event
from consent.services.invitations import invite_talent
from consent.services.questions import DAILY_QUESTIONS, OPEN_QUESTIONS, QUESTION_LENGTH, answer_question
from tests.consent.rows import ConsentFactory, get_guest_url
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from voicehub.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

TEXT = "Who will listen to my recording?"


def ask(client: Client, consent: Consent, text: str = TEXT) -> Any:
    url = reverse("invitation:ask", args=[consent.invitations.first().pk])  # type: ignore[union-attr]  # it has a link
    return client.post(url, {"text": text}, follow=True)


def answer(client: Client, question: Question, text: str) -> str:
    url = reverse("consent:answer_question", args=[question.consent_id, question.pk])
    return read_html(client.post(url, {"text": text}, follow=True))


def test_question_reaches_the_producer_and_the_answer_the_talent(
    factory: ConsentFactory, producer_client: Client
) -> None:
    factory.producer.email = "paula@studio.test"
    factory.producer.save()
    consent = factory.make_consent()
    talent = factory.open_link(consent)
    page = read_html(ask(talent, consent))
    assert "Your question was sent." in page and TEXT in page and "has not answered yet" in page
    run_due_tasks("send_talent_mail")
    (sent,) = mail.outbox
    assert sent.to == ["paula@studio.test"] and TEXT in sent.body and consent.get_absolute_url() in sent.body
    mail.outbox.clear()
    step = f'href="{consent.get_absolute_url()}#questions"'
    assert step in read_html(producer_client.get(reverse("today")))
    page = answer(producer_client, Question.objects.get(), "Two producers.\r\nNo one else.")
    assert "Question answered. It is mailed to the talent." in page and "Two producers." in page
    run_due_tasks("send_talent_mail")
    (sent,) = mail.outbox
    assert sent.to == [consent.talent.email] and TEXT in sent.body and "Two producers.\nNo one else." in sent.body
    page = read_html(talent.get(get_guest_url("home", consent)))
    assert "Two producers." in page and f"{factory.producer} answered" in page
    assert step not in read_html(producer_client.get(reverse("today")))


def test_audit_log_has_the_question_and_the_answer_without_their_words(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    ask(factory.open_link(consent), consent)
    question = Question.objects.get()
    answer_question(question, factory.producer, "Two producers.")
    kinds = [EventKind.QUESTION_ASKED, EventKind.QUESTION_ANSWERED]
    events = list(Event.objects.filter(consent=consent, kind__in=kinds).order_by("sequence"))
    assert [(event.kind, event.actor) for event in events] == [(kinds[0], None), (kinds[1], factory.producer)]
    assert all(event.payload == {"question": str(question.pk)} for event in events)
    assert find_first_broken_event(consent) is None


def test_signed_in_staff_who_ask_are_named(factory: ConsentFactory, producer: User) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    client.force_login(producer)
    ask(client, consent)
    assert Event.objects.get(kind=EventKind.QUESTION_ASKED).actor == producer


def test_answer_mail_has_the_link_of_the_earlier_mail(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    invitation = invite_talent([consent], factory.producer)
    run_due_tasks("send_invitation")
    link = next(line for line in mail.outbox[0].body.splitlines() if "/i/" in line)
    mail.outbox.clear()
    question = Question.objects.create(consent=consent, invitation=invitation, text=TEXT)
    answer_question(question, factory.producer, "Two producers.")
    run_due_tasks("send_talent_mail")
    assert link in mail.outbox[0].body


@pytest.mark.parametrize("text", ["", "  ", "x" * (QUESTION_LENGTH + 1)])
def test_empty_or_long_question_is_refused_and_kept(factory: ConsentFactory, text: str) -> None:
    consent = factory.make_consent()
    response = ask(factory.open_link(consent), consent, text)
    assert response.status_code == 422 and not Question.objects.exists()
    assert text.strip() in read_html(response) and 'role="alert"' in read_html(response)


def test_line_ends_count_once(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    ask(factory.open_link(consent), consent, "a\r\n" * (QUESTION_LENGTH // 2 - 1) + "ab")
    assert len(Question.objects.get().text) == QUESTION_LENGTH


def test_open_questions_of_a_talent_are_limited(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    for number in range(OPEN_QUESTIONS):
        ask(client, consent, f"Question {number}")
    response = ask(client, consent, "One more")
    assert response.status_code == 422 and "One more" in read_html(response), "what was typed is kept"
    assert Question.objects.count() == OPEN_QUESTIONS
    answer_question(Question.objects.last(), factory.producer, "Yes.")  # type: ignore[arg-type]  # there are some
    assert ask(client, consent, "One more").status_code == 200


def test_questions_of_one_day_are_limited(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    for number in range(DAILY_QUESTIONS):
        ask(client, consent, f"Question {number}")
        answer_question(Question.objects.open().get(), factory.producer, "Yes.")
    assert ask(client, consent).status_code == 422
    assert Question.objects.count() == DAILY_QUESTIONS


def test_question_is_answered_once(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    ask(factory.open_link(consent), consent)
    question = Question.objects.get()
    assert "Write the answer first." in answer(producer_client, question, " ")
    answer(producer_client, question, "First.")
    assert "already been answered" in answer(producer_client, question, "Second.")
    question.refresh_from_db()
    assert question.answer == "First."


def test_question_of_another_consent_cannot_be_answered_there(factory: ConsentFactory, producer_client: Client) -> None:
    consent, other = factory.make_consent(), factory.make_consent(factory.make_talent("Ann Other"))
    ask(factory.open_link(consent), consent)
    url = reverse("consent:answer_question", args=[other.pk, Question.objects.get().pk])
    assert producer_client.post(url, {"text": "Yes."}).status_code == 404


def test_question_needs_the_link(factory: ConsentFactory) -> None:
    consent = factory.make_consent()
    factory.make_link(consent)
    assert ask(Client(), consent).status_code == 404 and not Question.objects.exists()


def test_words_of_a_question_are_escaped(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    client = factory.open_link(consent)
    ask(client, consent, "<script>alert(1)</script>")
    for page in (
        client.get(get_guest_url("home", consent)).content,
        producer_client.get(consent.get_absolute_url()).content,
    ):
        assert b"<script>alert" not in page and b"&lt;script&gt;alert" in page


def test_open_question_is_the_next_step_of_the_page(factory: ConsentFactory, producer_client: Client) -> None:
    consent = factory.make_consent()
    ask(factory.open_link(consent), consent)
    page = read_html(producer_client.get(consent.get_absolute_url()))
    assert f"Next: answer the question of {consent.talent.name}" in page and "Waiting for your answer" in page
    assert page.index("Next: answer the question") < page.index(">Recording</h2>")
    assert f"Waiting for {consent.talent.name}" not in page, "it waits for the studio"
    assert f'href="#answer-{Question.objects.get().pk}">Write the answer</a>' in page
    assert page.index("Private links and file from the talent</summary>") < page.index(">Private links</h2>")
    assert page.count("btn btn-primary") == 1 and page.count('class="next"') == 1
    page = answer(producer_client, Question.objects.get(), "Two producers.")
    assert "answer the question" not in page and "Waiting for your answer" not in page
    assert "Private links and file from the talent" not in page and ">Private links</h2>" in page


def test_step_after_a_question_has_no_emphasis() -> None:
    step = put_after_question(NextStep("Next: invite Ann", ["Email a link."], [Action("Send the invitation", "/")]))
    assert (step.title, step.is_open, step.actions[0].is_primary) == ("Invite Ann", False, False)
