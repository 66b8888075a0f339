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
    """How the recordings reach the provider: `providers.types.HandoverWay`, with the words for people."""

    RECORDINGS = "recordings", "One by one"
    DATASET_URL = "dataset_url", "As one dataset that the provider fetches"
    SIGNED_PUT_TEXTS = "signed_put_texts", "As an archive with their transcripts"
    SIGNED_PUT_CLIPS = "signed_put_clips", "As an archive without transcripts"
    SIGNED_PUT_WAV = "signed_put_wav", "As one long WAV"
    FILE_IDS = "file_ids", "As files, one by one"
    ONE_FILE = "one_file", "As one file, made of the best of them"


class PreviewStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    ASKING = "asking", "Being spoken"
    READY = "ready", "Ready to listen"
    FAILED = "failed", "Failed"


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
