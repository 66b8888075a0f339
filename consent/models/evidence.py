"""The evidence of a consent: takes and audit log entries. Neither is ever changed or deleted."""

from typing import Any, Never

from django.conf import settings
from django.db import models

from consent.models.choices import EventKind
from consent.models.consent import Consent
from voicehub.json_fields import Fields, Maybe, ShapedJSONField

# The members that pages read.
PAYLOAD = Fields(
    {
        name: Maybe(str)
        for name in (
            "capture",
            "fields",
            "given_at",
            "invitation",
            "language",
            "look",
            "mail",
            "proof",
            "reason",
            "subject",
            "to",
            "until",
        )
    }
)


class EvidenceIsImmutable(Exception):
    """Code tried to change or delete evidence."""


class EvidenceQuerySet(models.QuerySet[Any]):
    def update(self, **_: Any) -> Never:
        raise EvidenceIsImmutable("Evidence must not be changed.")

    def delete(self) -> Never:
        raise EvidenceIsImmutable("Evidence must not be deleted.")


class Evidence(models.Model):
    """Base class of rows that are written once."""

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise EvidenceIsImmutable("Evidence must not be changed.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> Never:
        raise EvidenceIsImmutable("Evidence must not be deleted.")


class Event(Evidence):
    """One audit log entry of a consent, chained to the previous entry by hash (see `consent.services.audit_log`)."""

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="events")
    sequence = models.PositiveIntegerField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    actor_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    kind = models.CharField(max_length=20, choices=EventKind)
    payload = ShapedJSONField(shape=PAYLOAD, default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["consent", "sequence"]
        constraints = [models.UniqueConstraint(fields=["consent", "sequence"], name="event_sequence_once")]

    def __str__(self) -> str:
        return f"{self.sequence}. {self.get_kind_display()}"
