"""Mails about a consent: confirmations for the talent, and news for the producer who requested the consent.

A mail is a row that is stored in the transaction of what it reports, with a task that sends it. A worker that is
killed between sending and storing sends it twice at worst. No mail is lost.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from consent import extension_points
from consent.models import Consent, Event, EventKind, Question, TalentMail
from consent.services.audit_log import record_event
from consent.services.contacts import get_producer_address
from consent.services.mail_texts import Attachment, make_mail
from consent.services.private_links import find_mailed_link
from consent.services.receipts import PDF_NAME, PDF_TYPE, make_pdf
from consent.services.talent_languages import speak_to
from voicehub import outbox
from voicehub.tokens import derive_token, hash_token
from voicehub.viewer import view_as

Kind, Recipient = TalentMail.Kind, TalentMail.Recipient
RECIPIENTS = {
    Kind.RECEIVED: (Recipient.TALENT,),
    Kind.DECLINED: (Recipient.TALENT, Recipient.PRODUCER),
    Kind.WITHDRAWN: (Recipient.TALENT, Recipient.PRODUCER),
    Kind.DELETED: (Recipient.TALENT, Recipient.PRODUCER),
    Kind.DISPUTED: (Recipient.PRODUCER,),
    Kind.ANSWERED: (Recipient.PRODUCER,),
    Kind.APPROVED: (Recipient.TALENT,),
    Kind.RETAKE: (Recipient.TALENT,),
    Kind.UNANSWERED: (Recipient.PRODUCER,),
    Kind.QUESTION: (Recipient.PRODUCER,),
    Kind.ANSWER: (Recipient.TALENT,),
}
# These happen again with each retake, or with each question.
REPEATED_KINDS = frozenset({Kind.RECEIVED, Kind.ANSWERED, Kind.RETAKE, Kind.QUESTION, Kind.ANSWER})
SUBJECTS = {
    (Kind.RECEIVED, Recipient.TALENT): gettext_lazy("{company} has received your recording"),
    (Kind.DECLINED, Recipient.TALENT): gettext_lazy("Your answer to the voice consent request of {company}"),
    (Kind.WITHDRAWN, Recipient.TALENT): gettext_lazy("Your voice consent for {company} is withdrawn"),
    (Kind.DELETED, Recipient.TALENT): gettext_lazy("Your voice is deleted at {provider}"),
    (Kind.DECLINED, Recipient.PRODUCER): "{talent} declined the voice consent",
    (Kind.WITHDRAWN, Recipient.PRODUCER): "The voice consent of {talent} is withdrawn",
    (Kind.DELETED, Recipient.PRODUCER): "The voice of {talent} is deleted at {provider}",
    (Kind.DISPUTED, Recipient.PRODUCER): "{talent} reports: this was not me",
    (Kind.ANSWERED, Recipient.PRODUCER): "{talent} has recorded the voice consent",
    (Kind.APPROVED, Recipient.TALENT): gettext_lazy("Your voice consent for {company} is in force"),
    (Kind.RETAKE, Recipient.TALENT): gettext_lazy("{company} asks you to read the text once more"),
    (Kind.UNANSWERED, Recipient.PRODUCER): "{talent} has not answered the voice consent request",
    (Kind.QUESTION, Recipient.PRODUCER): "{talent} has a question about the voice consent",
    (Kind.ANSWER, Recipient.TALENT): gettext_lazy("{company} has answered your question"),
}
# The mails to a talent with the receipt.
RECEIPT_KINDS = frozenset({Kind.RECEIVED, Kind.APPROVED})
# The audit log entry that a mail reports.
EVENTS = {
    Kind.RECEIVED: EventKind.TAKE,
    Kind.DECLINED: EventKind.DECLINED,
    Kind.WITHDRAWN: EventKind.WITHDRAWN,
    Kind.DELETED: EventKind.WITHDRAWN,
    Kind.DISPUTED: EventKind.DISPUTED,
    Kind.ANSWERED: EventKind.TAKE,
    Kind.APPROVED: EventKind.APPROVED,
    Kind.RETAKE: EventKind.ASKED_AGAIN,
    Kind.UNANSWERED: EventKind.EXPIRED,
    Kind.QUESTION: EventKind.QUESTION_ASKED,
    Kind.ANSWER: EventKind.QUESTION_ANSWERED,
}


def enqueue_talent_mail(consent: Consent, kind: TalentMail.Kind) -> None:
    """Store and enqueue the mails of this kind, in the caller's transaction.

    A talent without email address gets none. A mail that was stored before is not stored again, except those of a
    retake.
    """
    enqueue_shared_mails([consent], kind)


def enqueue_shared_mails(consents: Sequence[Consent], kind: TalentMail.Kind) -> None:
    """As `enqueue_talent_mail`, for consents of one talent that one act concerns: each person gets one mail."""
    find_address: dict[TalentMail.Recipient, Callable[[Consent], str]] = {
        Recipient.TALENT: lambda consent: consent.talent.email,
        Recipient.PRODUCER: get_producer_address,
    }
    for recipient in RECIPIENTS[kind]:
        by_address: dict[str, list[Consent]] = {}
        for consent in consents:
            by_address.setdefault(find_address[recipient](consent), []).append(consent)
        for address, rows in by_address.items():
            if address:
                _store_mail(rows, kind, recipient, address)


def enqueue_question_mail(question: Question, kind: TalentMail.Kind) -> None:
    """Store and enqueue the mail about a question or its answer, in the caller's transaction."""
    consent, (recipient,) = question.consent, RECIPIENTS[kind]
    address = consent.talent.email if recipient == Recipient.TALENT else get_producer_address(consent)
    if address:
        fields = {"consent": consent, "kind": kind, "recipient": recipient, "sent_to": address}
        mail = TalentMail.objects.create(**fields, question=question)
        outbox.enqueue_task("send_talent_mail", mail.pk)


def _store_mail(
    consents: Sequence[Consent], kind: TalentMail.Kind, recipient: TalentMail.Recipient, address: str
) -> None:
    mails, fields = TalentMail.objects, {"consent": consents[0], "kind": kind, "recipient": recipient}
    with transaction.atomic():
        if kind in REPEATED_KINDS:
            mail, is_new = mails.create(**fields, sent_to=address), True
        else:
            mail, is_new = mails.get_or_create(**fields, defaults={"sent_to": address})
        if is_new:
            mail.others.set(consents[1:])
            outbox.enqueue_task("send_talent_mail", mail.pk)


def report_all_deleted_if_done(consent: Consent) -> None:
    """Enqueue the mail "everything is deleted" once all deletions of an ended consent are confirmed.

    Call it in the transaction that confirms a deletion, or after it. The consent's row is locked first, so that the
    second of two confirmations at the same time sees the first one.
    """
    with transaction.atomic():
        Consent.objects.select_for_update().get(pk=consent.pk)
        deletions = extension_points.list_deletions(consent)
        if deletions and all(deletion.deleted_at for deletion in deletions):
            enqueue_talent_mail(consent, Kind.DELETED)


def send_talent_mail(mail_id: str) -> None:
    """Send a stored mail. A retry sends the same link as before, and nothing if the mail was sent."""
    rows = TalentMail.objects.select_related("consent__talent", "consent__requested_by", "question")
    mail = rows.filter(pk=mail_id, sent_at=None).first()
    if mail is None:
        return
    consent = mail.consent
    if mail.recipient == Recipient.TALENT:
        with speak_to(consent.talent):
            context, attachments = _build_context(mail), _list_attachments(mail)
            make_mail(_make_subject(mail), _get_template(mail), context, mail.sent_to, attachments).send()
    else:
        with view_as(consent.requested_by):
            subject, text = _make_subject(mail), render_to_string(_get_template(mail), _build_context(mail))
        send_mail(subject, text, settings.DEFAULT_FROM_EMAIL, [mail.sent_to])
    with transaction.atomic():
        is_first = TalentMail.objects.filter(pk=mail.pk, sent_at=None).update(sent_at=timezone.now())
        if is_first and mail.recipient == Recipient.TALENT:
            for one in (consent, *mail.others.select_related("talent", "requested_by")):
                record_event(one, EventKind.MAILED, one.requested_by, mail=mail.kind, to=mail.sent_to)


def _list_attachments(mail: TalentMail) -> list[Attachment]:
    """The receipt, with the news that a recording was received or approved."""
    take = mail.consent.takes.filter(acceptable=True).first()
    if take is None or mail.kind not in RECEIPT_KINDS:
        return []
    return [Attachment(PDF_NAME, make_pdf(take, timezone.now()), PDF_TYPE)]


def _make_subject(mail: TalentMail) -> str:
    """On one line, in the active language if the talent gets it."""
    consent = mail.consent
    subject = str(SUBJECTS[Kind(mail.kind), Recipient(mail.recipient)]).format(
        company=consent.company,
        talent=consent.talent.shown_name,
        provider=extension_points.get_provider_label(consent.provider),
    )
    return " ".join(subject.split())


def _get_template(mail: TalentMail) -> str:
    return f"consent/mail/{mail.recipient}_{mail.kind}.txt"


def _build_context(mail: TalentMail) -> dict[str, Any]:
    consent, event = mail.consent, find_reported_event(mail)
    deletions = extension_points.list_deletions(consent)
    consents = [consent, *mail.others.select_related("talent", "requested_by")]
    return {
        "consent": consent,
        "question": mail.question,
        "consents": consents,
        "purposes": ", ".join(one.get_purpose_display() for one in consents),
        "talent": consent.talent,
        "provider": extension_points.get_provider_label(consent.provider),
        "event": event,
        "reported_at": event.at if event else mail.created_at,
        "take": consent.takes.filter(acceptable=True).order_by("-created_at").first(),
        "deletions": deletions,
        "has_open_deletion": any(deletion.deleted_at is None for deletion in deletions),
        "has_link": consent.invitations.live().exists(),
        "private_link": find_mailed_link(consent, mail.sent_to) if mail.kind in {Kind.RETAKE, Kind.ANSWER} else "",
        "contact_name": str(consent.requested_by),
        "contact_mail": get_producer_address(consent),
        "consent_link": settings.VOICEHUB_BASE_URL + consent.get_absolute_url(),
        "report_link": _make_report_link(mail) if mail.can_be_disputed else "",
    }


def find_reported_event(mail: TalentMail) -> Event | None:
    """The audit log entry that this mail reports. None if it was lost."""
    event: Event | None = mail.consent.events.filter(kind=EVENTS[Kind(mail.kind)]).order_by("-sequence").first()
    return event


def _make_report_link(mail: TalentMail) -> str:
    """The link "this was not me". Its token is the same at each call, so both copies of a repeated mail work."""
    token = derive_token("report", mail.pk)
    TalentMail.objects.filter(pk=mail.pk).update(token_digest=hash_token(token))
    return settings.VOICEHUB_BASE_URL + reverse("invitation:report", args=[token])
