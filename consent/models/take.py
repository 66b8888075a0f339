"""Takes, and the results of their checks."""

import uuid

from django.conf import settings
from django.db import models

from consent.models.choices import Capture
from consent.models.consent import Consent
from consent.models.evidence import Evidence
from voicehub.storage import private


def take_path(take: "Take", _name: str) -> str:
    return f"takes/{take.consent_id}/{take.pk}.wav"


class Take(Evidence):
    """One recording of the statement: the original bytes, their hash, how the take was made, and the findings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="takes")
    file = models.FileField(storage=private, upload_to=take_path, max_length=200)
    file_name = models.CharField(max_length=200, blank=True)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    capture = models.CharField(max_length=10, choices=Capture)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Staff who recorded or uploaded it; empty if the talent did.",
    )
    acceptable = models.BooleanField(help_text="The strict reader accepted it as a WAV that can be sent.")
    seconds = models.FloatField(default=0)
    sample_rate = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)
    levels = models.JSONField(default=dict)
    peaks = models.JSONField(default=list)
    device = models.JSONField(
        default=dict, help_text="What the browser reported about the microphone and its processing."
    )
    user_agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Take of {self.consent}"


class TakeCheck(models.Model):
    """Results of the background check of a take: automatic advice, stored separately from the evidence.

    `statement` and `speaker` are `StatementCheck.as_dict()` and `Match.as_dict()` of `audio`, or empty without a
    result. `checked_at` is empty while the check is pending. `error` says why there is no result.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    take = models.OneToOneField(Take, models.PROTECT, related_name="check_made")
    measures = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    fine_peaks = models.JSONField(default=list)
    statement = models.JSONField(default=dict)
    speaker = models.JSONField(default=dict)
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Check of {self.take}"


class Pronunciation(models.Model):
    """How a name that is in no dictionary is pronounced, for the statement check."""

    name = models.CharField(max_length=80, unique=True, help_text="One word in its written form, such as Zyntrex.")
    sounds_like = models.CharField(max_length=120, help_text="Similar-sounding English words, such as “zin trecks”.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
