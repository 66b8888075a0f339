"""Consent requests, and the private links through which a talent answers them."""

from collections.abc import Sequence
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from consent.models import Consent, ConsentStatus, EventKind, Invitation, Purpose, Statement, Talent
from consent.models.invitation import two_weeks_from_now
from consent.services.audit_log import record_event
from consent.services.filed_contracts import require_contract
from consent.services.mail_texts import make_mail
from consent.services.private_links import derive_invitation_token, make_private_link, read_mailed_link
from consent.services.sittings import group_by_statement
from consent.services.talent_languages import speak_to
from consent.services.voice_comparison import record_earlier_answer
from voicehub import outbox
from voicehub.models import User
from voicehub.name_fields import remove_bidi_controls
from voicehub.refusals import ActionRefused
from voicehub.tokens import hash_token, new_token
from voicehub.transitions import move


class StatementMissing(ActionRefused):
    """No statement exists for this provider and language."""


def request_consent(
    talent: Talent,
    provider: str,
    language: str,
    purpose: Purpose | str,
    by: User,
    *,
    company: str = "",
    valid_until: date | None = None,
) -> Consent:
    """Create a consent request with a copy of the newest statement for the provider and language, names filled in."""
    statement = (
        Statement.objects.filter(provider=provider, language=language, retired=False).order_by("-version").first()
    )
    if statement is None:
        raise StatementMissing("There is no statement for this provider in this language. Choose another language.")
    company = remove_bidi_controls(company or settings.VOICEHUB_COMPANY)
    text = statement.fill(company=company, talent=talent.name)
    with transaction.atomic():
        consent = Consent.objects.create(
            talent=talent,
            provider=provider,
            purpose=purpose,
            statement=statement,
            company=company,
            talent_name=talent.name,
            language=language,
            text=text,
            text_sha256=hash_token(text),
            valid_until=valid_until,
            requested_by=by,
        )
        record_event(
            consent,
            EventKind.REQUESTED,
            by,
            text=text,
            text_sha256=consent.text_sha256,
            source=statement.source,
        )
        record_earlier_answer(consent)
    return consent


def invite_talent(consents: Sequence[Consent], by: User) -> Invitation:
    """Email the talent one private link for these consents.

    New requests are added to the link that was mailed to the talent before, if it still works. Otherwise there is a new
    link, and the earlier links to these consents stop working. Raises ContractMissing if no contract on file allows a
    request among them.
    """
    talent = _get_single_talent(consents)
    if not talent.email:
        raise ActionRefused(f"{talent.shown_name} has no email address. Add one, or create a private link to pass on.")
    with transaction.atomic():
        Talent.objects.select_for_update().get(pk=talent.pk)  # of two at the same time, one sees the link of the other
        invitation = _find_mailed_invitation(talent, consents)
        if invitation:
            _renew_mailed_invitation(invitation)
            invitation.consents.add(*consents)
        else:
            covered = _replace_links(talent, consents)
            invitation = Invitation.objects.create(
                talent=talent, channel=Invitation.Channel.MAIL, sent_to=talent.email, created_by=by
            )
            invitation.consents.set(covered)
        outbox.enqueue_task("send_invitation", invitation.pk)
    return invitation


def _find_mailed_invitation(talent: Talent, consents: Sequence[Consent]) -> Invitation | None:
    """The live link that the talent has in a mail, if none of these consents had a link yet.

    It was sent to the address of today, and has a token that can be derived again.
    """
    if Invitation.objects.filter(consents__in=consents).exists():
        return None
    mailed = Invitation.objects.live().filter(
        talent=talent, channel=Invitation.Channel.MAIL, sent_to=talent.email, sent_at__isnull=False
    )
    return next((invitation for invitation in mailed if read_mailed_link(invitation)), None)


def _renew_mailed_invitation(invitation: Invitation) -> None:
    """Let the link be mailed again, with as much time to answer and as many reminders as a new one has."""
    invitation.sent_at = invitation.reminded_at = invitation.reminded_by = None
    invitation.reminder_count, invitation.expires_at = 0, two_weeks_from_now()
    invitation.save(update_fields=["sent_at", "reminded_at", "reminded_by", "reminder_count", "expires_at"])


def create_private_link(consents: Sequence[Consent], by: User) -> str:
    """Create a private link for staff to pass on. The earlier links to these consents stop working.

    The audit log records that it was created. Raises ContractMissing if no contract on file allows a request.
    """
    talent = _get_single_talent(consents)
    token, token_digest = new_token()
    with transaction.atomic():
        covered = _replace_links(talent, consents)
        invitation = Invitation.objects.create(
            talent=talent, channel=Invitation.Channel.COPIED, token_digest=token_digest, created_by=by
        )
        invitation.consents.set(covered)
        for consent in covered:
            record_event(consent, EventKind.LINK_COPIED, by, invitation=str(invitation.pk))
    return make_private_link(token)


def _replace_links(talent: Talent, consents: Sequence[Consent]) -> list[Consent]:
    """End the earlier links to these consents. Returns these consents, and others that only the ended links opened.

    The talent's row is locked, so that of two links made at the same time one ends the other.
    """
    Talent.objects.select_for_update().get(pk=talent.pk)
    ended = list(Invitation.objects.filter(consents__in=consents, revoked_at=None).distinct())
    others = Consent.objects.filter(invitations__in=ended).exclude(pk__in=[consent.pk for consent in consents])
    Invitation.objects.filter(pk__in=[link.pk for link in ended]).update(revoked_at=timezone.now())
    without_link = others.exclude(invitations__in=Invitation.objects.live()).distinct()
    return [*consents, *(consent for consent in without_link if may_have_link(consent))]


def revoke_invitation(invitation: Invitation, by: User) -> None:
    """Revoke a live link immediately for all its consents. Raises ActionRefused if it no longer works."""
    with transaction.atomic():
        if not Invitation.objects.live().filter(pk=invitation.pk).update(revoked_at=timezone.now()):
            raise ActionRefused("This link no longer works.")
        for consent in invitation.consents.select_related("talent"):
            record_event(consent, EventKind.LINK_ENDED, by, invitation=str(invitation.pk))


def _get_single_talent(consents: Sequence[Consent]) -> Talent:
    if not consents or any(consent.talent_id != consents[0].talent_id for consent in consents):
        raise ActionRefused("Choose at least one consent. All must be from the same talent.")
    if not all(may_have_link(consent) for consent in consents):
        raise ActionRefused("This request was canceled or has expired without an answer. Request a new consent.")
    require_contract(*(consent for consent in consents if consent.status == ConsentStatus.REQUESTED))
    return consents[0].talent


def may_have_link(consent: Consent) -> bool:
    """Whether the talent can still answer the request, or has answered it and may see its status and withdraw."""
    is_requested = consent.status == ConsentStatus.REQUESTED
    return is_requested or Consent.objects.answered().filter(pk=consent.pk).exists()


def send_invitation(invitation_id: str) -> None:
    """Store the hash of the token and email the link. A retry sends the same link."""
    invitation = Invitation.objects.select_related("talent", "created_by").filter(pk=invitation_id).first()
    if invitation is None or invitation.revoked_at or invitation.sent_at:
        return
    token = derive_invitation_token(invitation)
    invitation.token_digest = hash_token(token)
    invitation.save(update_fields=["token_digest"])
    consents = _list_mailed_consents(invitation)
    context = {
        "invitation": invitation,
        "talent": invitation.talent,
        "consents": consents,
        "text_count": len(group_by_statement(consents)),
        "link": make_private_link(token),
    }
    with speak_to(invitation.talent):
        subject, template = _choose_mail(consents)
        make_mail(subject, template, context, invitation.sent_to).send()
    with transaction.atomic():
        invitation.sent_at = timezone.now()
        invitation.save(update_fields=["sent_at"])
        for consent in consents:
            record_event(consent, EventKind.INVITED, invitation.created_by, to=invitation.sent_to)


def _list_mailed_consents(invitation: Invitation) -> list[Consent]:
    """The requests that wait for an answer, or else all consents of the link."""
    consents = list(invitation.consents.select_related("talent").order_by("created_at"))
    return [consent for consent in consents if consent.status == ConsentStatus.REQUESTED] or consents


def _choose_mail(consents: Sequence[Consent]) -> tuple[str, str]:
    """Subject and template: an invitation, or the link to a consent that the talent has answered."""
    company = consents[0].company
    if consents[0].status == ConsentStatus.REQUESTED:
        subject, template = gettext("{company} requests your voice consent"), "consent/mail/invitation.txt"
    else:
        subject = gettext("Your private link to your voice consent for {company}")
        template = "consent/mail/private_link.txt"
    return subject.format(company=company), template


def void_consent(consent: Consent, by: User, reason: str) -> None:
    """Cancel a consent request. A link to it alone stops working."""
    with transaction.atomic():
        if not move(consent, ConsentStatus.VOIDED):
            raise ActionRefused("Only a request that is waiting for the talent can be canceled.")
        record_event(consent, EventKind.VOIDED, by, reason=reason)
