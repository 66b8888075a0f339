"""What proves a consent: the takes and the history. Neither is ever changed or deleted."""

import uuid
from typing import Any, Never

from django.conf import settings
from django.db import models

from consent.models.permission import Consent
from consent.models.words import Capture, EventKind
from voicehub.storage import private


class Unchangeable(Exception):
    """Evidence was about to be changed or deleted."""


class EvidenceQuerySet(models.QuerySet[Any]):
    def update(self, **_: Any) -> Never:
        raise Unchangeable("Evidence is never changed.")

    def delete(self) -> Never:
        raise Unchangeable("Evidence is never deleted.")


class Evidence(models.Model):
    """Base of rows that are written once."""

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise Unchangeable("Evidence is never changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> Never:
        raise Unchangeable("Evidence is never deleted.")


def take_path(take: "Take", _name: str) -> str:
    return f"takes/{take.consent_id}/{take.pk}.wav"


class Take(Evidence):
    """One recording of the statement: the untouched bytes, their hash, how they were made, what the checks found."""

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
        help_text="Staff who recorded or uploaded it; empty when the talent did.",
    )
    acceptable = models.BooleanField(help_text="The strict reader found a WAV that can be sent.")
    seconds = models.FloatField(default=0)
    sample_rate = models.PositiveIntegerField(default=0)
    findings = models.JSONField(default=list)
    levels = models.JSONField(default=dict)
    peaks = models.JSONField(default=list)
    device = models.JSONField(default=dict, help_text="What the browser said of the microphone and its processing.")
    user_agent = models.CharField(max_length=300, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Take of {self.consent}"


class Event(Evidence):
    """One line of a consent's history, chained to the line before it by hash (see `consent.services.history`)."""

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="events")
    sequence = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=EventKind)
    payload = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["consent", "sequence"]
        constraints = [models.UniqueConstraint(fields=["consent", "sequence"], name="event_sequence_once")]

    def __str__(self) -> str:
        return f"{self.sequence}. {self.get_kind_display()}"
