"""The choices that the rows of this app share."""

from django.db import models


class Purpose(models.TextChoices):
    """What the voice is built for. A consent is given for one, a contract names those that it allows."""

    NARRATION = "narration", "Narration and audiobooks"
    ADVERTISING = "advertising", "Advertising"
    ASSISTANT = "assistant", "Assistants and phone lines"
    ENTERTAINMENT = "entertainment", "Games, film and animation"
    INTERNAL = "internal", "Internal use and training courses"


class ConsentStatus(models.TextChoices):
    REQUESTED = "requested", "Waiting for the talent"
    SUBMITTED = "submitted", "Waiting for review"
    APPROVED = "approved", "In force"
    SUSPENDED = "suspended", "Suspended"
    DECLINED = "declined", "Declined by the talent"
    VOIDED = "voided", "Called off"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"


class Capture(models.TextChoices):
    """How a take was made. It is always shown as what it is."""

    LINK = "link", "Recorded by the talent over the private link"
    IN_STUDIO = "in_studio", "Recorded in the studio, staff held the microphone"
    UPLOAD = "upload", "Uploaded as a file"


class EventKind(models.TextChoices):
    REQUESTED = "requested", "Consent asked for"
    INVITED = "invited", "Invitation sent by mail"
    LINK_COPIED = "link_copied", "Private link created by staff"
    LINK_ENDED = "link_ended", "Private link ended"
    OPENED = "opened", "Talent began on the private page"
    TAKE = "take", "Statement recorded"
    ASKED_AGAIN = "asked_again", "Asked to read it again"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined by the talent"
    VOIDED = "voided", "Called off"
    SUSPENDED = "suspended", "Suspended"
    RESUMED = "resumed", "In force again"
    WITHDRAWN = "withdrawn", "Withdrawn"
    EXPIRED = "expired", "Expired"
    USED = "used", "Sent to the provider for a build"
