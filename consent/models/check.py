import uuid

from django.db import models

from consent.models.evidence import Take


class TakeCheck(models.Model):
    """What was heard in a take in the background: opinions of programs, kept apart from the evidence itself.

    `statement` and `speaker` are `StatementCheck.as_dict()` and `Match.as_dict()` of `voicehub.audio`, or empty while
    nothing was judged. `checked_at` is empty while the check is on its way; `trouble` says why there is none.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    take = models.OneToOneField(Take, models.PROTECT, related_name="check_made")
    measures = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    fine_peaks = models.JSONField(default=list)
    statement = models.JSONField(default=dict)
    speaker = models.JSONField(default=dict)
    trouble = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Check of {self.take}"


class Pronunciation(models.Model):
    """How a name is said that no dictionary knows, for the check of the statement."""

    name = models.CharField(max_length=80, unique=True, help_text="One word as it is written, such as Zyntrex.")
    sounds_like = models.CharField(max_length=120, help_text="In common English words, such as “zin trecks”.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
