"""Next steps about consents: reports of talents, and statements that wait for review."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from django.db.models import F, Max, OuterRef, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from consent.models import Consent, ConsentStatus, Question, Statement, Talent, TalentMail
from consent.names import get_name_field
from providers import registry
from voicehub.text import format_count
from voices.views.next_step import MAX_ROWS, NextStep, Talents, select_talents

REVIEW, CHANGE_STATEMENT = "consent.review_consent", "consent.change_statement"
TO_REVIEW = "To review"


def list_consent_steps(talents: Talents = None) -> Iterator[NextStep]:
    """Reports "this was not me" of talents, their questions, then consents that wait for review. One query for all."""
    disputes = TalentMail.objects.disputed().filter(consent=OuterRef("pk")).values("disputed_at")[:1]
    consents: QuerySet[Consent] = select_talents(Consent.objects.select_related("talent"), talents)
    consents = consents.only(
        "status", "provider", "talent__name", "talent__short_name"
    )  # SQLite groups the rows by every loaded column
    questions = Question.objects.open().filter(consent=OuterRef("pk")).order_by("asked_at").values("asked_at")[:1]
    annotated = consents.annotate(
        given=Max("takes__created_at"), disputed_at=Subquery(disputes), asked_at=Subquery(questions)
    )
    is_open = Q(disputed_at__isnull=False) | Q(asked_at__isnull=False)
    rows = annotated.filter(Q(status=ConsentStatus.SUBMITTED) | is_open).order_by(
        F("disputed_at").asc(nulls_last=True),
        F("asked_at").asc(nulls_last=True),
        get_name_field("talent__"),
        "talent_id",
        "given",
    )[: 3 * MAX_ROWS]
    disputed = [consent for consent in rows if consent.disputed_at]
    asked = [consent for consent in rows if consent.asked_at]
    submitted = [consent for consent in rows if consent.status == ConsentStatus.SUBMITTED]
    submitted.sort(
        key=lambda consent: (consent.talent.shown_name, str(consent.talent_id), consent.given or timezone.now())
    )
    yield from (_make_dispute_step(consent, consent.disputed_at) for consent in disputed[:MAX_ROWS])
    yield from (_make_question_step(consent, consent.asked_at) for consent in asked[:MAX_ROWS])
    for talent, group in groupby(submitted[:MAX_ROWS], key=lambda consent: consent.talent):
        yield _make_review_step(talent, list(group))


def list_statements_to_check() -> Iterator[NextStep]:
    """One row if the source of statements in use may have changed. An admin compares them, and sets the next day."""
    statements = list(Statement.objects.to_check().order_by("check_on")[:MAX_ROWS])
    if statements:
        names = tuple(str(statement) for statement in statements)
        chosen = f"check_on__lt={timezone.localdate().isoformat()}&retired__exact=0"
        url = f"{reverse('admin:consent_statement_changelist')}?{chosen}"
        yield NextStep(
            "Statements",
            format_count(len(statements), "text that talents read aloud", "texts that talents read aloud"),
            "wait",
            "To compare",
            ("Compare the text with its source, and set the day of the next check.", *names),
            url,
            "Check statements",
            permission=CHANGE_STATEMENT,
            subject_permission=CHANGE_STATEMENT,
        )


def _make_dispute_step(consent: Consent, disputed_at: datetime) -> NextStep:
    label, status = registry.get_provider_label(consent.provider), consent.get_status_display().lower()
    reasons = (f"The consent for {label} is {status}. The talent reports: this was not me.",)
    url, page = f"{consent.get_absolute_url()}#report", consent.get_absolute_url()
    return NextStep(
        consent.talent.shown_name,
        "",
        "bad",
        "Reported",
        reasons,
        url,
        "Answer the report",
        disputed_at,
        REVIEW,
        subject_url=page,
        talent_id=consent.talent_id,
    )


def _make_question_step(consent: Consent, asked_at: datetime) -> NextStep:
    page = consent.get_absolute_url()
    return NextStep(
        consent.talent.shown_name,
        "",
        "new",
        "Question",
        ("Asked a question about the consent, and waits for your answer.",),
        f"{page}#questions",
        "Answer question",
        asked_at,
        REVIEW,
        subject_url=page,
        talent_id=consent.talent_id,
    )


def _make_review_step(talent: Talent, consents: list[Consent]) -> NextStep:
    """One row per talent, with a link to the consent that waits longest."""
    label = registry.get_provider_label(consents[0].provider)
    count = len(consents)
    reason = f"Consent for {label} needs review." if count == 1 else f"{count} consents need review."
    page, given = consents[0].get_absolute_url(), consents[0].given  # type: ignore[attr-defined]  # annotated
    url = f"{page}#review"
    return NextStep(
        talent.shown_name,
        "",
        "new",
        TO_REVIEW,
        (reason,),
        url,
        "Review",
        given,
        REVIEW,
        subject_url=page,
        talent_id=talent.pk,
    )
