"""Status changes of a consent after the talent has answered: review, suspension, withdrawal, expiry."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from consent.extension_points import has_voices, resume_use, stop_use
from consent.models import Consent, ConsentStatus, EventKind, Take, Talent, TalentMail
from consent.models.consent import APPROVED_STATUSES
from consent.services.approval import is_own_take, list_missing_requirements
from consent.services.audit_log import record_event
from consent.services.contract_drafts import delete_drafts
from consent.services.deletions import lock_consents
from consent.services.talent_mails import enqueue_shared_mails, enqueue_talent_mail
from voicehub.models import User
from voicehub.refusals import ActionRefused
from voicehub.transitions import move

NO_LONGER_POSSIBLE = gettext_noop("This is no longer possible. Reload the page to see the status of the consent.")
NOT_UNDER_REVIEW = "This consent is no longer waiting for review. Reload the page to see its status."


def find_latest_take(consent: Consent) -> Take | None:
    """The newest acceptable take. This is the take under review."""
    return consent.takes.filter(acceptable=True).order_by("-created_at").first()


def is_under_review(take: Take) -> bool:
    return take.consent.status == ConsentStatus.SUBMITTED and find_latest_take(take.consent) == take


def approve_consent(consent: Consent, take: Take, by: User, *, played_at: datetime | None, reason: str = "") -> None:
    """Put the consent in force on the basis of `take`, which must be the newest acceptable take.

    It replaces the talent's earlier consent for the same provider and purpose. `played_at` is when this person first
    requested the audio of this take from the server. Raises ActionRefused with every requirement that is not met (see
    `approval.list_missing_requirements`).
    """
    with transaction.atomic():
        _approve(consent, take, by, played_at, reason)
        enqueue_talent_mail(consent, TalentMail.Kind.APPROVED)


def approve_recording(
    take: Take, by: User, *, played_at: datetime | None, reason: str = ""
) -> tuple[list[Consent], list[tuple[Consent, ActionRefused]]]:
    """Approve every consent under review that this recording is for, as `approve_consent` does, with one mail.

    Returns those in force now, and those that were refused, each with the reason. They still wait for review.
    """
    approved, refused = [], []
    with transaction.atomic():
        for each in sorted([take, *list_shared_reviews(take)], key=lambda one: one.consent_id):
            try:
                with transaction.atomic():
                    _approve(each.consent, each, by, played_at, reason)
                approved.append(each.consent)
            except ActionRefused as refusal:
                refused.append((each.consent, refusal))
        if approved:
            enqueue_shared_mails(approved, TalentMail.Kind.APPROVED)
    return approved, refused


def list_shared_reviews(take: Take) -> list[Take]:
    """The takes of other consents under review that this recording is for, too."""
    if take.sitting is None:
        return []
    rows = Take.objects.filter(sitting=take.sitting, consent__status=ConsentStatus.SUBMITTED).exclude(pk=take.pk)
    takes = rows.select_related("consent__talent", "consent__requested_by", "check_made")
    return [row for row in takes.order_by("consent__created_at") if find_latest_take(row.consent) == row]


def _approve(consent: Consent, take: Take, by: User, played_at: datetime | None, reason: str) -> None:
    with transaction.atomic():
        earlier = _lock_earlier_consents(consent)
        newest = find_latest_take(consent)
        if newest is None or newest.pk != take.pk:
            raise ActionRefused("There is a newer recording. Listen to that one instead.")
        if not Consent.objects.filter(pk=consent.pk, status=ConsentStatus.SUBMITTED).exists():
            raise ActionRefused(NOT_UNDER_REVIEW)
        if missing := list(list_missing_requirements(newest, by, played_at, reason)):
            raise ActionRefused(*missing)
        _replace_consents(earlier, consent, by)
        is_moved = move(
            consent,
            ConsentStatus.APPROVED,
            since=ConsentStatus.SUBMITTED,
            take=take,
            approved_by=by,
            approved_at=timezone.now(),
        )
        if not is_moved:
            raise ActionRefused(NOT_UNDER_REVIEW)
        record_event(consent, EventKind.APPROVED, by, **_describe_approval(newest, by, reason))
        if earlier:
            resume_use(consent.talent)  # one of them may have been suspended


def _lock_earlier_consents(consent: Consent) -> list[Consent]:
    """The approved and suspended consents that an approval of `consent` replaces.

    All consents of this talent, provider and purpose are locked in one order, so that concurrent approvals wait.
    """
    rivals = Consent.objects.select_for_update(of=("self",)).select_related("talent").order_by("pk")
    rows = rivals.filter(talent=consent.talent_id, provider=consent.provider, purpose=consent.purpose)
    return [row for row in rows if row.status in APPROVED_STATUSES and row.pk != consent.pk]


def _replace_consents(earlier: Iterable[Consent], newer: Consent, by: User) -> None:
    for consent in earlier:
        status = consent.status
        if move(consent, ConsentStatus.REPLACED, replaced_by=newer):
            record_event(consent, EventKind.REPLACED, by, newer=str(newer.pk), status=status)


def _describe_approval(take: Take, by: User, reason: str) -> dict[str, Any]:
    """The payload of the audit log entry for an approval."""
    payload: dict[str, Any] = {"take": str(take.pk), **take.hashes}
    if reason:
        payload["reason"] = reason
    if is_own_take(take, by):
        payload["approver_made_take"] = True
    return payload


def request_retake(consent: Consent, by: User, reason: str) -> None:
    """Ask the talent to read the statement again; the reason is shown on the private page.

    The other consents under review that the recording is for wait for the same retake.
    """
    take = find_latest_take(consent)
    others = [shared.consent for shared in list_shared_reviews(take)] if take else []
    with transaction.atomic():
        if not move(consent, ConsentStatus.REQUESTED, note_to_talent=reason):
            raise ActionRefused(NOT_UNDER_REVIEW)
        moved = [one for one in others if move(one, ConsentStatus.REQUESTED, note_to_talent=reason)]
        for one in (consent, *moved):
            record_event(one, EventKind.ASKED_AGAIN, by, reason=reason)
        enqueue_shared_mails([consent, *moved], TalentMail.Kind.RETAKE)


def decline_consent(consent: Consent, by: User | None, reason: str) -> None:
    """Record that the talent says no. `by` is the staff member who records it, or None if the talent does it."""
    with transaction.atomic():
        _change_status(consent, ConsentStatus.DECLINED, EventKind.DECLINED, by, reason)
        enqueue_talent_mail(consent, TalentMail.Kind.DECLINED)


def suspend_consent(consent: Consent, by: User, reason: str) -> None:
    """Block new builds temporarily, for example during a dispute."""
    _change_status(consent, ConsentStatus.SUSPENDED, EventKind.SUSPENDED, by, reason)


def resume_consent(consent: Consent, by: User, reason: str) -> None:
    with transaction.atomic():
        if not move(consent, ConsentStatus.APPROVED, since=ConsentStatus.SUSPENDED):
            raise ActionRefused("This consent is not suspended.")
        record_event(consent, EventKind.RESUMED, by, reason=reason)
        resume_use(consent.talent)


def can_withdraw(consent: Consent) -> bool:
    """Whether the consent can be withdrawn. One that has expired can as long as a voice of it is left."""
    if consent.status == ConsentStatus.EXPIRED:
        return has_voices(consent)
    return consent.status in APPROVED_STATUSES


def list_withdrawable_consents(talent: Talent) -> list[Consent]:
    """The talent's consents that can be withdrawn, and those that wait for a review, which can be declined."""
    statuses = [*APPROVED_STATUSES, ConsentStatus.SUBMITTED, ConsentStatus.EXPIRED]
    consents = talent.consents.filter(status__in=statuses)
    return [consent for consent in consents if consent.status == ConsentStatus.SUBMITTED or can_withdraw(consent)]


def withdraw_consent(consent: Consent, by: User | None, reason: str) -> None:
    """Withdraw the talent's consent: builds stop, and the voices at the provider are deleted.

    `by` is the staff member who records it, or None if the talent does it.
    """
    with transaction.atomic():
        lock_consents(consent.talent_id)
        consent.refresh_from_db(fields=["status"])
        if not can_withdraw(consent):
            raise ActionRefused(gettext(NO_LONGER_POSSIBLE))
        _change_status(consent, ConsentStatus.WITHDRAWN, EventKind.WITHDRAWN, by, reason)
        stop_use(consent)
        delete_drafts(consent.talent.contract_drafts.all())
        enqueue_talent_mail(consent, TalentMail.Kind.WITHDRAWN)


def withdraw_or_decline(consent: Consent, by: User | None, reason: str) -> None:
    """Withdraw a consent, or decline it if it still waits for review, so that it is not approved later."""
    with transaction.atomic():
        row = Consent.objects.select_for_update(of=("self",)).select_related("talent").get(pk=consent.pk)
        act = decline_consent if row.status == ConsentStatus.SUBMITTED else withdraw_consent
        act(row, by, reason)


def _change_status(consent: Consent, to: ConsentStatus, kind: EventKind, by: User | None, reason: str) -> None:
    with transaction.atomic():
        if not move(consent, to):
            raise ActionRefused(gettext(NO_LONGER_POSSIBLE))
        record_event(consent, kind, by, reason=reason)
