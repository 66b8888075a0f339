"""Choices shared by the models of this app."""

from django.db import models
from django.utils.translation import gettext_noop

WORLDWIDE = "worldwide"  # the only entry of a list of countries that means every country


class Purpose(models.TextChoices):
    """What the voice is built for. A consent covers one purpose; a contract lists its allowed purposes."""

    NARRATION = "narration", gettext_noop("Narration and audiobooks")
    ADVERTISING = "advertising", gettext_noop("Advertising")
    ASSISTANT = "assistant", gettext_noop("Assistants and phone lines")
    ENTERTAINMENT = "entertainment", gettext_noop("Games, film and animation")
    INTERNAL = "internal", gettext_noop("Internal use and training courses")


class ConsentStatus(models.TextChoices):
    REQUESTED = "requested", "Waiting for talent"
    SUBMITTED = "submitted", "To review"
    APPROVED = "approved", "In force"
    SUSPENDED = "suspended", "Suspended"
    DECLINED = "declined", "Declined"
    VOIDED = "voided", "Canceled"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    REPLACED = "replaced", "Replaced"


class Capture(models.TextChoices):
    """How a take was made. The pages always show it."""

    LINK = "link", "Recorded by the talent through the private link"
    IN_STUDIO = "in_studio", "Recorded in the studio by staff"
    UPLOAD = "upload", "Uploaded as a file"


class AddressCheck(models.TextChoices):
    """Whether the browser that sent a take through the private link had entered a one-time code from a mail.

    Empty for takes from before there were codes, for those that staff made, and while codes are off.
    """

    CODE = "code", "Confirmed by a one-time code"
    NO_ADDRESS = "no_address", "Without a one-time code, because the talent has no email address"


class EventKind(models.TextChoices):
    REQUESTED = "requested", "Consent requested"
    INVITED = "invited", "Invitation emailed"
    LINK_COPIED = "link_copied", "Private link created by staff"
    LINK_ENDED = "link_ended", "Private link revoked"
    REMINDED = "reminded", "Reminder emailed"
    OPENED = "opened", "Talent opened the recording page"
    TICKED = "ticked", "Purpose ticked by the talent"
    NOT_TICKED = "not_ticked", "Purpose left without a tick by the talent"
    NOTICE_READ = "notice_read", "Notice read in the studio"
    TAKE = "take", "Statement recorded"
    ASKED_AGAIN = "asked_again", "Retake requested"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined by the talent"
    VOIDED = "voided", "Canceled"
    SUSPENDED = "suspended", "Suspended"
    RESUMED = "resumed", "Resumed"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    USED = "used", "Sent to the provider for a build"
    REPLACED = "replaced", "Replaced by a newer approval"
    LANGUAGE_ALLOWED = "language_allowed", "Another language allowed"
    MAILED = "mailed", "Mail sent to the talent"
    EXTENDED = "extended", "Last day of the private link changed"
    TALENT_CHANGED = "talent_changed", "Details of the talent changed"
    QUESTION_ASKED = "question_asked", "Question asked by the talent"
    QUESTION_ANSWERED = "question_answered", "Question of the talent answered"
    DISPUTED = "disputed", "Reported by the talent as not their own act"
    DISPUTE_CLOSED = "dispute_closed", "Report of the talent answered"
    HOLD_SET = "hold_set", "Legal hold set"
    HOLD_RELEASED = "hold_released", "Legal hold released"
    LANGUAGE_CHOSEN = "language_chosen", "Language of pages and mails changed"
    DELETION_REQUESTED = "deletion_requested", "Deletion at the provider requested"
    DELETED = "deleted", "Deletion at the provider confirmed"
    COMPARISON_ALLOWED = "comparison_allowed", "Voice comparison allowed"
    COMPARISON_REFUSED = "comparison_refused", "Voice comparison not allowed"
    COMPARISON_ENDED = "comparison_ended", "Voice comparison no longer allowed"
