"""Texts that pages show for audit log entries, for how a take was made, and for the end of a contract or consent."""

from contextlib import suppress
from datetime import date, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from consent.models import AddressCheck, Capture, Event, EventKind, Purpose, Take, TalentMail
from consent.names import choose_address, may_see_names
from consent.services.audit_log import SYSTEM_NAME
from voicehub.talent_languages import TALENT_LANGUAGES
from voicehub.text import format_count, format_date, get_language_name

# The result of a look-up, in the entry of a deletion, of a voice that was never made.
NEVER_CREATED = "never created"
DELETE_AT_END_LABEL = "Delete the voice seven days after the contract ends"


# A contract or consent that ends within this time says so on all pages, and in red within the shorter one.
ENDING_SOON = timedelta(days=60)
ENDING_NOW = timedelta(days=7)


class Mark(NamedTuple):
    """The tone and the word of a state."""

    tone: str
    label: str


def describe_term(ends_on: date | None) -> Mark:
    """The state of a contract or consent that is in force. `ends_on` is its last day."""
    days = (ends_on - timezone.localdate()).days if ends_on else None
    if days is None or days > ENDING_SOON.days:
        return Mark("good", "In force")
    label = f"Ends in {format_count(days, 'day', 'days')}" if days else "Ends today"
    return Mark("bad" if days < ENDING_NOW.days else "wait", label)


def get_purpose_label(purpose: str) -> str:
    """The label of a purpose. A purpose that no longer exists is shown as it is stored."""
    return Purpose(purpose).label if purpose in Purpose.values else purpose


# What a take says of the one-time code, after how it was made.
ADDRESS_CHECKS: dict[str, str] = {
    AddressCheck.CODE: " A one-time code from a mail to the talent was entered in this browser.",
    AddressCheck.NO_ADDRESS: " Without a one-time code, because the talent had no email address.",
}


def describe_capture(take: Take) -> str:
    """Describe how the take was made and by whom, and whether a one-time code was entered."""
    return _describe_maker(take) + ADDRESS_CHECKS.get(take.address_check, "")


def _describe_maker(take: Take) -> str:
    if take.capture == Capture.IN_STUDIO:
        return f"Recorded in the studio by {take.recorded_by or 'staff'}."
    if take.capture == Capture.UPLOAD:
        if take.recorded_by:
            return f"Uploaded as a file by {take.recorded_by} on behalf of the talent; not recorded in VoiceHub."
        return "Uploaded as a file through the private link; not recorded in VoiceHub."
    if take.recorded_by:
        return f"Recorded through the private link in a browser where {take.recorded_by} was signed in."
    return "Recorded by the talent through the private link."


def name_actor(event: Event) -> str:
    """Who acted. A talent is “The talent” for a reader who may not see real names."""
    is_talent = event.actor_id is None and event.actor_name != SYSTEM_NAME
    return "The talent" if is_talent and not may_see_names() else event.actor_name


def describe_end_to_talent(event: Event) -> str:
    """Describe to the talent a decline or a withdrawal, by whom it was recorded, without a period."""
    if event.kind == EventKind.DECLINED:
        text = gettext("{name} declined on your behalf") if event.actor_id else gettext("You declined")
    else:
        text = (
            gettext("{name} withdrew the consent on your behalf")
            if event.actor_id
            else gettext("You withdrew the consent")
        )
    return text.format(name=event.actor_name)


def _describe_take(event: Event) -> str:
    sentence = {
        Capture.IN_STUDIO: f"{name_actor(event)} recorded the statement in the studio",
        Capture.UPLOAD: f"{name_actor(event)} uploaded a recording of the statement",
    }.get(event.payload.get("capture"), f"{name_actor(event)} recorded the statement through the private link")
    return sentence if event.payload.get("ok", True) else f"{sentence}; it cannot be used"


MAIL_SUBJECTS = {
    TalentMail.Kind.RECEIVED: "A receipt of the recording",
    TalentMail.Kind.DECLINED: "A confirmation of the answer",
    TalentMail.Kind.WITHDRAWN: "A confirmation of the withdrawal",
    TalentMail.Kind.DELETED: "A confirmation of the deletions",
    TalentMail.Kind.APPROVED: "The news of the approval",
    TalentMail.Kind.RETAKE: "The request for a retake",
    TalentMail.Kind.ANSWER: "The answer to the question",
}


def _describe_mail(event: Event) -> str:
    subject = MAIL_SUBJECTS.get(event.payload.get("mail"), "A confirmation")
    return f"{subject} was emailed to {choose_address(event.payload.get('to') or '')}"


def _describe_reminder(event: Event) -> str:
    sent = f"A reminder was emailed to {choose_address(event.payload.get('to') or '')}"
    return f"{sent}, because {name_actor(event)} asked for it" if event.actor_id else sent


def _describe_extension(event: Event) -> str:
    until = event.payload.get("until") or "another day"
    return f"{name_actor(event)} changed the last day of the private link to {until}"


def _describe_expiry(event: Event) -> str:
    is_unanswered = event.payload.get("is_unanswered")
    return "The request expired, because it was not answered in time" if is_unanswered else "The consent expired"


def _describe_act(event: Event, act: str) -> str:
    """An act of the talent. If staff recorded it, the sentence names them and says on whose behalf."""
    return f"{name_actor(event)} {act}{' on behalf of the talent' if event.actor_id else ''}"


def _describe_answer(event: Event, act: str) -> str:
    """The answer about the voice comparison, with its day if it is from before the request."""
    sentence, given_at = _describe_act(event, act), None
    with suppress(ValueError):  # an entry that was changed
        given_at = parse_datetime(event.payload.get("given_at") or "")
    return f"{sentence} on {format_date(given_at)}, before this request" if given_at else sentence


def _describe_approver(event: Event) -> str:
    """The approver's name, with a note if the approver made the take."""
    is_own_take = event.payload.get("approver_made_take")
    return f"{name_actor(event)}, who also recorded or uploaded it," if is_own_take else name_actor(event)


def _describe_deletion(event: Event) -> str:
    """The request or the confirmation of a deletion. Without a person, VoiceHub itself acted."""
    subject = event.payload.get("subject") or "a voice"
    if event.payload.get("look") == NEVER_CREATED:
        return f"Nothing to delete, because it was never created: {subject}"
    is_request = event.kind == EventKind.DELETION_REQUESTED
    if event.actor_id:
        return f"{name_actor(event)} {'requested' if is_request else 'confirmed'} the deletion: {subject}"
    return f"{'Deletion requested' if is_request else 'Deletion confirmed by the provider'}: {subject}"


def _describe_language(event: Event) -> str:
    name = TALENT_LANGUAGES.get(event.payload.get("language") or "", "another language")
    return f"{name_actor(event)} set the language of the talent's pages and mails to {name}"


def _describe_use(event: Event) -> str:
    """A build that used the consent, or a proof of it that the studio sent by mail."""
    if not event.payload.get("proof"):
        return f"Used for a build that {name_actor(event)} started"
    recipient = event.payload.get("to") or "the provider"
    if event.payload.get("confirmed_on"):
        return f"{name_actor(event)} recorded that the provider accepted the proof sent to {recipient}"
    return f"{name_actor(event)} recorded that a proof of the consent was sent to {recipient}"


def describe_event(event: Event) -> str:
    """An audit log entry as a sentence without its period. Pages show the entry's reason, if any, next to it."""
    who = name_actor(event)
    if event.kind == EventKind.TAKE:
        return _describe_take(event)
    return {
        EventKind.REQUESTED: f"{who} requested consent",
        EventKind.INVITED: f"The invitation from {who} was emailed to {choose_address(event.payload.get('to') or '')}",
        EventKind.LINK_COPIED: f"{who} created a private link",
        EventKind.LINK_ENDED: f"{who} revoked a private link",
        EventKind.REMINDED: _describe_reminder(event),
        EventKind.OPENED: f"{who} opened the recording page",
        EventKind.TICKED: f"{who} ticked this purpose on the private link",
        EventKind.NOT_TICKED: f"{who} left this purpose without a tick on the private link",
        EventKind.ASKED_AGAIN: f"{who} requested a retake",
        EventKind.APPROVED: f"{_describe_approver(event)} approved the recording; the consent is in force",
        EventKind.DECLINED: _describe_act(event, "declined"),
        EventKind.VOIDED: f"{who} canceled the request",
        EventKind.SUSPENDED: f"{who} suspended the consent",
        EventKind.RESUMED: f"{who} resumed the consent",
        EventKind.WITHDRAWN: _describe_act(event, "withdrew the consent"),
        EventKind.EXPIRED: _describe_expiry(event),
        EventKind.USED: _describe_use(event),
        EventKind.REPLACED: "Replaced by a newer approval for the same provider and purpose",
        EventKind.LANGUAGE_ALLOWED: f"{who} allowed voices in {get_language_name(event.payload.get('language') or '')}",
        EventKind.MAILED: _describe_mail(event),
        EventKind.EXTENDED: _describe_extension(event),
        EventKind.TALENT_CHANGED: f"{who} changed the {event.payload.get('fields') or 'details'} of the talent",
        EventKind.QUESTION_ASKED: f"{who} asked a question",
        EventKind.QUESTION_ANSWERED: f"{who} answered the question of the talent",
        EventKind.DISPUTED: f"{who} reported: this was not me",
        EventKind.DISPUTE_CLOSED: f"{who} answered the report of the talent",
        EventKind.HOLD_SET: f"{who} set a legal hold on the talent; nothing is deleted",
        EventKind.HOLD_RELEASED: f"{who} released the legal hold on the talent",
        EventKind.LANGUAGE_CHOSEN: _describe_language(event),
        EventKind.DELETION_REQUESTED: _describe_deletion(event),
        EventKind.DELETED: _describe_deletion(event),
        EventKind.NOTICE_READ: f"{who} recorded that the talent read the notice before the recording",
        EventKind.COMPARISON_ALLOWED: _describe_answer(event, "allowed the voice comparison"),
        EventKind.COMPARISON_REFUSED: _describe_answer(event, "did not allow the voice comparison"),
        EventKind.COMPARISON_ENDED: _describe_act(event, "took back the permission for the voice comparison"),
    }[EventKind(event.kind)]
