"""What comes before a reminder to a talent: a question without an answer, or a mail that was refused."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet, Value, When
from django.urls import reverse

from consent.labels import Mark
from consent.models import Consent, ConsentStatus, Invitation, Question
from consent.request_actions import REVIEW, ConsentAction
from consent.services.questions import has_open_question
from voicehub.mail_refusals import REFUSED, names_address
from voicehub.models import Task, TaskStatus

CHANGE_TALENT = "consent.change_talent"
URGENT_RANKS = 2
LINK_MAILS = ("send_invitation", "send_reminder")


class UrgentSteps(NamedTuple):
    """The requests with an open question, and those whose mail was refused for the address that is still in use."""

    asked: Collection[UUID] = ()
    refused: Collection[UUID] = ()

    def find_action(self, consent: Consent) -> ConsentAction | None:
        if consent.pk in self.asked:
            return ConsentAction(f"{consent.get_absolute_url()}#questions", "Answer question", REVIEW)
        if consent.pk in self.refused:
            url = reverse("consent:talent_edit", args=[consent.talent_id])
            return ConsentAction(url, "Correct address", CHANGE_TALENT)
        return None

    def find_mark(self, consent: Consent) -> Mark | None:
        if consent.pk in self.asked:
            return Mark("new", "Question")
        return Mark("bad", "Mail refused") if consent.pk in self.refused else None


def load_urgent_steps(consents: Sequence[Consent]) -> UrgentSteps:
    """Three queries for all consents."""
    waiting = [consent.pk for consent in consents if consent.status == ConsentStatus.REQUESTED]
    asked = Question.objects.open().filter(consent__in=waiting).values_list("consent_id", flat=True)
    return UrgentSteps(set(asked), set(_list_refused(waiting)))


def rank_urgent_steps() -> list[When]:
    """For the order of a list: requests with an open question first, then those whose mail was refused."""
    requested = Q(status=ConsentStatus.REQUESTED)
    refused = Q(pk__in=_list_all_refused())
    return [When(requested & one, then=Value(rank)) for rank, one in enumerate((Q(has_open_question()), refused))]


def _list_all_refused() -> list[UUID]:
    reasons = dict(_query_refused_mails().values_list("object_id", "reason"))
    return list(_list_named(Invitation.objects.filter(pk__in=reasons), reasons))


def _list_refused(waiting: Sequence[UUID]) -> Iterator[UUID]:
    links = Invitation.objects.filter(consents__in=waiting)
    mails = _query_refused_mails().filter(object_id__in=[str(pk) for pk in links.values_list("pk", flat=True)])
    yield from _list_named(links, dict(mails.values_list("object_id", "reason")))


def _query_refused_mails() -> QuerySet[Task]:
    return Task.objects.filter(kind__in=LINK_MAILS, status=TaskStatus.FAILED, seen_at=None, reason__startswith=REFUSED)


def _list_named(links: QuerySet[Invitation], reasons: Mapping[str, str]) -> Iterator[UUID]:
    """The consents of the active links whose refused mail names an address that is still in use."""
    rows = links.filter(revoked_at=None).values_list("pk", "consents", "talent__email", "talent__agent_email")
    for pk, consent, *addresses in rows:
        if names_address(reasons.get(str(pk), ""), addresses):
            yield consent
