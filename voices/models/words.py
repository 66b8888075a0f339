"""The choices that the rows of this app share."""

from django.db import models


class Mode(models.TextChoices):
    LIVE = "live", "Live, costs money"
    SANDBOX = "sandbox", "Sandbox"


class RecordingStatus(models.TextChoices):
    ACCEPTED = "accepted", "Usable"
    REFUSED = "refused", "Cannot be used"
    CUTTING = "cutting", "Being cut into clips"
    CUT = "cut", "Cut into clips"


class Handover(models.TextChoices):
    """How the recordings reach the provider; the provider's page knows both ways."""

    RECORDINGS = "recordings", "One by one"
    DATASET_URL = "dataset_url", "As one dataset that the provider fetches"


class BuildStatus(models.TextChoices):
    QUEUED = "queued", "Waiting to be sent"
    SUBMITTING = "submitting", "Being sent"
    UNCONFIRMED = "unconfirmed", "Checking whether it arrived"
    TRAINING = "training", "Training"
    READY = "ready", "Ready"
    DATASET_ISSUE = "dataset_issue", "Recordings need work"
    CONSENT_REJECTED = "consent_rejected", "Consent refused by the provider"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
