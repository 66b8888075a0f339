"""Changes of a talent's details by staff: the one way, for pages, the administration and imports.

A change of the name or the email address is an entry in the audit log of each consent of the talent, without the names
and addresses themselves, and is mailed to the earlier address. A person who holds a private link that was mailed there
may no longer be the talent, so these links stop working at once. Staff decide whether the new address gets a new one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.models import Consent, EventKind, Invitation, Talent, TalentChange, TalentMail
from consent.services.audit_log import record_event
from consent.services.invitations import may_have_link
from consent.services.mail_texts import make_mail
from consent.services.talent_languages import record_language, speak_to
from voicehub import outbox
from voicehub.models import Task, TaskStatus, User
from voicehub.text import join_with_and


@dataclass(frozen=True, slots=True)
class DetailsChange:
    """What followed from a change: the earlier address if it gets a mail, and the consents whose links were revoked.

    `resent` is the number of mails that the earlier address had refused, and that go to the new one.
    """

    change: TalentChange | None = None
    informed_address: str = ""
    without_link: tuple[Consent, ...] = ()
    resent: int = 0


def change_talent(talent: Talent, values: Mapping[str, Any], by: User) -> DetailsChange:
    """Store these fields of the talent, and record what a talent must know of."""
    with transaction.atomic():
        row = Talent.objects.select_for_update().get(pk=talent.pk)
        before = Talent(name=row.name, email=row.email, language=row.language)
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        if row.language != before.language:
            record_language(row, by)
        is_name_changed, is_email_changed = row.name != before.name, row.email != before.email
        if not (is_name_changed or is_email_changed):
            return DetailsChange()
        resent = _redirect_unsent(row, before.email) if is_email_changed else 0
        change = TalentChange.objects.create(
            talent=row,
            is_name_changed=is_name_changed,
            is_email_changed=is_email_changed,
            sent_to="" if resent else before.email,  # it was refused there, so this mail would be too
            changed_by=by,
        )
        _record_change(change, by)
        if change.sent_to:
            outbox.enqueue_task("send_talent_change", change.pk)
        without_link = _revoke_mailed_links(row, by) if is_email_changed else ()
        return DetailsChange(change, change.sent_to, without_link, resent)


def _record_change(change: TalentChange, by: User) -> None:
    fields = ["name"] * change.is_name_changed + ["email address"] * change.is_email_changed
    for consent in change.talent.consents.select_related("talent").order_by("pk"):
        record_event(consent, EventKind.TALENT_CHANGED, by, fields=join_with_and(fields), change=str(change.pk))


def _revoke_mailed_links(talent: Talent, by: User) -> tuple[Consent, ...]:
    """Revoke the links that were mailed to another address. Returns their consents that may have a link."""
    mailed = talent.invitations.filter(channel=Invitation.Channel.MAIL, revoked_at=None).exclude(sent_to=talent.email)
    ids = list(mailed.values_list("pk", flat=True))
    Invitation.objects.filter(pk__in=ids).update(revoked_at=timezone.now())
    consents: dict[Any, Consent] = {}
    for invitation in Invitation.objects.filter(pk__in=ids).order_by("pk"):
        for consent in invitation.consents.select_related("talent").order_by("pk"):
            record_event(consent, EventKind.LINK_ENDED, by, invitation=str(invitation.pk))
            consents[consent.pk] = consent
    return tuple(consent for consent in consents.values() if may_have_link(consent))


def _redirect_unsent(talent: Talent, earlier: str) -> int:
    """Send the mails that have not left for the earlier address to the new one.

    Those that could not be delivered are tried again. Returns their number.
    """
    if not talent.email:
        return 0
    mails = TalentMail.objects.filter(consent__talent=talent, sent_to=earlier, recipient="talent", sent_at=None)
    links = talent.invitations.filter(sent_to=earlier, sent_at=None, revoked_at=None)
    failed_mails, failed_links = _list_failed("send_talent_mail", mails), _list_failed("send_invitation", links)
    mails.update(sent_to=talent.email)
    # The link of an invitation that only waits ends: staff decide about a new one.
    links.filter(pk__in=[task.object_id for task in failed_links]).update(sent_to=talent.email)
    return sum(map(outbox.retry_task, [*failed_mails, *failed_links]))


def _list_failed(kind: str, rows: QuerySet[Any]) -> list[Task]:
    """The failed tasks of this kind that send these rows, except those that a person has marked as seen."""
    ids = [str(pk) for pk in rows.values_list("pk", flat=True)]
    return list(Task.objects.filter(kind=kind, object_id__in=ids, status=TaskStatus.FAILED, seen_at=None))


def send_talent_change(change_id: str) -> None:
    """Tell the earlier address about the change. A retry sends nothing if the mail was sent."""
    rows = TalentChange.objects.select_related("talent", "changed_by")
    change = rows.filter(pk=change_id, sent_at=None).exclude(sent_to="").first()
    if change is None:
        return
    consent = change.talent.consents.order_by("-created_at").first()
    company = consent.company if consent else settings.VOICEHUB_COMPANY
    context = {
        "talent": change.talent,
        "change": change,
        "company": company,
        "studio_mail": parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "studio_address": settings.VOICEHUB_COMPANY_ADDRESS,
    }
    with speak_to(change.talent):
        subject = _("{company} has changed your details").format(company=company)
        make_mail(subject, "consent/mail/talent_changed.txt", context, change.sent_to).send()
    TalentChange.objects.filter(pk=change.pk, sent_at=None).update(sent_at=timezone.now())


def has_mailed_link(talent: Talent) -> bool:
    """Whether the talent has a private link by mail that works, or gets one from a mail that is being sent."""
    mailed = talent.invitations.filter(channel=Invitation.Channel.MAIL)
    being_sent = mailed.filter(token_digest="", sent_at=None, revoked_at=None, expires_at__gt=timezone.now())
    return mailed.live().exists() or being_sent.exists()
