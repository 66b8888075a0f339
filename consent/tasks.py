"""Task handlers of this app; each calls a service."""

from datetime import timedelta

from consent.services import (
    access_codes,
    contract_drafts,
    contract_notices,
    evidence_checks,
    invitations,
    legal_hold,
    reminders,
    take_checks,
    talent_details,
    talent_mails,
)
from consent.services.expiry import expire_due_consents, expire_unanswered_requests
from consent.services.take_checks import handle_check_failure
from voicehub.mail_refusals import explain_refusal
from voicehub.outbox import ANALYSIS, TAKES, URGENT, Lease, register_handler
from voicehub.retry_policy import CONSENT_EXPIRY_INTERVAL, CONTRACT_DRAFT_SWEEP_INTERVAL, REMINDER_INTERVAL


@register_handler("send_invitation")
@explain_refusal()
def send_invitation(invitation_id: str, _lease: Lease) -> None:
    invitations.send_invitation(invitation_id)


@register_handler("send_reminder")
@explain_refusal()
def send_reminder(invitation_id: str, _lease: Lease) -> None:
    reminders.send_reminder(invitation_id)


@register_handler("remind_talents", gives_up=False)
def remind_talents(_scope: str, _lease: Lease) -> timedelta:
    reminders.remind_talents()
    contract_notices.announce_contract_ends()
    return REMINDER_INTERVAL


@register_handler("send_contract_notice")
def send_contract_notice(notice_id: str, _lease: Lease) -> None:
    contract_notices.send_contract_notice(notice_id)


@register_handler("send_talent_mail")
@explain_refusal()
def send_talent_mail(mail_id: str, _lease: Lease) -> None:
    talent_mails.send_talent_mail(mail_id)


@register_handler("send_talent_change")
@explain_refusal()
def send_talent_change(change_id: str, _lease: Lease) -> None:
    talent_details.send_talent_change(change_id)


@register_handler("send_code", queue=URGENT)
@explain_refusal()
def send_code(code_id: str, _lease: Lease) -> None:
    """A talent waits for it, so it is not behind the submissions of builds."""
    access_codes.send_code(code_id)


@register_handler("check_take", on_failure=handle_check_failure, queue=TAKES)
def check_take(take_id: str, _lease: Lease) -> None:
    take_checks.check_take(take_id)


@register_handler("expire_consents")
def expire_consents(_scope: str, _lease: Lease) -> timedelta:
    expire_due_consents()
    expire_unanswered_requests()
    return CONSENT_EXPIRY_INTERVAL


@register_handler(legal_hold.DRAFTS_TASK, gives_up=False)
def delete_contract_drafts(_scope: str, _lease: Lease) -> timedelta:
    contract_drafts.delete_old_drafts()
    return CONTRACT_DRAFT_SWEEP_INTERVAL


@register_handler(contract_drafts.DELETE_FILE_TASK, gives_up=False)
def delete_contract_draft_file(ids: str, _lease: Lease) -> None:
    contract_drafts.delete_file(ids)


@register_handler("check_evidence", queue=ANALYSIS, gives_up=False)
def check_evidence(_scope: str, lease: Lease) -> timedelta:
    return evidence_checks.check_all_evidence(lease.extend)
