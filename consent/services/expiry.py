"""Consents that end by themselves: on their last day, or because the talent did not answer in time."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from consent.models import Consent, ConsentStatus, EventKind, Invitation, TalentMail
from consent.services.audit_log import record_event
from consent.services.talent_mails import enqueue_talent_mail
from voicehub.transitions import move

REPORTED_AFTER = timedelta(days=7)
"""The requester gets no mail about a request whose last day to answer is longer ago: an upgrade ends all of them."""


def expire_due_consents() -> int:
    """Expire requests, consents in force and suspended consents whose last day (`valid_until`) has passed."""
    today = timezone.localdate()
    due = Consent.objects.filter(
        valid_until__lt=today,
        status__in=[ConsentStatus.REQUESTED, ConsentStatus.APPROVED, ConsentStatus.SUSPENDED],
    ).select_related("talent")
    return sum(_expire_consent(consent) for consent in due)


def _expire_consent(consent: Consent) -> bool:
    with transaction.atomic():
        moved = move(consent, ConsentStatus.EXPIRED)
        if moved:
            record_event(consent, EventKind.EXPIRED, consent.requested_by, valid_until=str(consent.valid_until))
    return moved


def expire_unanswered_requests() -> int:
    """Expire requests whose last link has passed its day for the first answer. A retake has no such day."""
    open_links = Invitation.objects.filter(consents=OuterRef("pk"), expires_at__gt=timezone.now())
    answered = Consent.objects.answered().filter(pk=OuterRef("pk"))
    invited = Consent.objects.filter(status=ConsentStatus.REQUESTED, invitations__isnull=False)
    due = invited.filter(~Exists(open_links), ~Exists(answered)).annotate(ended_at=Max("invitations__expires_at"))
    return sum(_expire_request(consent) for consent in due.select_related("talent", "requested_by"))


def _expire_request(consent: Consent) -> bool:
    with transaction.atomic():
        Consent.objects.select_for_update().get(pk=consent.pk)
        if consent.invitations.filter(expires_at__gt=timezone.now()).exists():
            return False  # a new link was made meanwhile
        moved = move(consent, ConsentStatus.EXPIRED)
        if moved:
            record_event(consent, EventKind.EXPIRED, None, by_system=True, is_unanswered=True)
            if consent.ended_at > timezone.now() - REPORTED_AFTER:  # type: ignore[attr-defined]  # annotated
                enqueue_talent_mail(consent, TalentMail.Kind.UNANSWERED)
    return moved
