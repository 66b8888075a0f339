import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from voicehub.json_fields import Fields, ListOf, ShapedJSONField
from voicehub.retry_policy import UNDO_TIME
from voices.models.choices import BulkKind
from voices.models.voice import Voice

CHANGES = ListOf(Fields({"id": str, "before": str, "after": str}))


class BulkChange(models.Model):
    """What one action changed in many recordings of a voice, so that the person who did it can undo it.

    Each of `changes` has the id of a recording in hex, and what it had before and after: its transcript, or who decided
    about its inclusion, as `code_decision` writes it. A table of transcripts is a change that is not applied yet until
    the person has seen its preview. A large one has several rows, all but the first one with a `first_part`. Of a
    deletion, the changes are the recordings whose files are still to be deleted, with the names of the uploaded file
    and of the converted one.
    A task deletes the row when it cannot be undone anymore: it has copies of transcripts.
    """

    Kind = BulkKind

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voice = models.ForeignKey(Voice, models.PROTECT, related_name="bulk_changes")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=BulkKind)
    first_part = models.ForeignKey("self", models.CASCADE, null=True, blank=True, editable=False, related_name="+")
    changes = ShapedJSONField(shape=CHANGES, default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.voice}"

    @property
    def first_part_or_self_id(self) -> uuid.UUID:
        return self.first_part_id or self.pk

    @property
    def expires_at(self) -> datetime:
        return (self.applied_at or self.created_at) + UNDO_TIME

    @property
    def is_expired(self) -> bool:
        return timezone.now() >= self.expires_at
