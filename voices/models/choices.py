"""Choices shared by the models of this app."""

from django.db import models

from providers.types import Handover


class Mode(models.TextChoices):
    LIVE = "live", "Live, costs money"
    SANDBOX = "sandbox", "Sandbox"


class RecordingStatus(models.TextChoices):
    ACCEPTED = "accepted", "Usable"
    REFUSED = "refused", "Cannot be used"
    SPLITTING = "splitting", "Being split"
    SPLIT = "split", "Split into clips"


HANDOVER_LABELS = {
    Handover.RECORDINGS: "One by one",
    Handover.DATASET_URL: "As one dataset that the provider fetches",
    Handover.SIGNED_PUT_TEXTS: "As an archive with their transcripts",
    Handover.SIGNED_PUT_CLIPS: "As an archive without transcripts",
    Handover.SIGNED_PUT_WAV: "As one long WAV",
    Handover.FILE_IDS: "As files, one by one",
    Handover.ONE_FILE: "As one file, made of the best of them",
}
HANDOVER_CHOICES = [(way.value, label) for way, label in HANDOVER_LABELS.items()]


class PreviewStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    GENERATING = "generating", "Being generated"
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
