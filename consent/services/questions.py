"""Questions of talents on their private pages, and the answers of the studio."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext

from consent.models import Consent, EventKind, Invitation, Question, Talent, TalentMail
from consent.services.audit_log import record_event
from consent.services.talent_mails import enqueue_question_mail
from voicehub.models import User
from voicehub.refusals import ActionRefused

QUESTION_LENGTH = 2000
"""Of a question, and of an answer, in characters."""
OPEN_QUESTIONS = 5
"""Of one talent, without an answer."""
DAILY_QUESTIONS = 10
"""Of one talent. Each is a mail to a producer."""


def has_open_question() -> Exists:
    """For a query of consents: whether the talent asked something that no person has answered."""
    return Exists(Question.objects.open().filter(consent=OuterRef("pk")))


def ask_question(invitation: Invitation, consent: Consent, text: str, by: User | None = None) -> Question:
    """Store a question about this consent, and mail it to the producer. `by` is a signed-in member of staff, if any.

    Raises ActionRefused if the talent has asked too many.
    """
    with transaction.atomic():
        Talent.objects.select_for_update().get(pk=invitation.talent_id)
        asked = Question.objects.filter(invitation__talent=invitation.talent_id)
        if asked.open().count() >= OPEN_QUESTIONS:
            raise ActionRefused(
                gettext("The studio has not answered your earlier questions yet. Write to the studio by mail instead.")
            )
        if asked.filter(asked_at__gte=timezone.now() - timedelta(days=1)).count() >= DAILY_QUESTIONS:
            raise ActionRefused(
                gettext("You have asked many questions today. Ask again tomorrow, or write a mail to the studio.")
            )
        question = Question.objects.create(consent=consent, invitation=invitation, text=text)
        record_event(consent, EventKind.QUESTION_ASKED, by, question=str(question.pk))
        enqueue_question_mail(question, TalentMail.Kind.QUESTION)
    return question


def answer_question(question: Question, by: User, text: str) -> None:
    """Store the answer, and mail it to the talent. Raises ActionRefused if another person was faster."""
    with transaction.atomic():
        is_open = Question.objects.open().filter(pk=question.pk)
        if not is_open.update(answer=text, answered_at=timezone.now(), answered_by=by):
            raise ActionRefused("This question has already been answered.")
        record_event(question.consent, EventKind.QUESTION_ANSWERED, by, question=str(question.pk))
        enqueue_question_mail(question, TalentMail.Kind.ANSWER)


def list_questions(invitation: Invitation) -> list[Question]:
    """The questions that were asked through this link or an earlier one of the talent, newest first."""
    rows = Question.objects.filter(invitation__talent=invitation.talent_id).select_related("answered_by")
    return list(rows.filter(consent__in=invitation.consents.all()))
