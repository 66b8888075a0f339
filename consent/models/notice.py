import uuid

from django.db import models

from consent.models.consent import Consent
from consent.models.evidence import Evidence
from voicehub.json_fields import Fields, ListOf, ShapedJSONField

SECTION = Fields({"key": str, "title": str, "paragraphs": ListOf(str)})


class Notice(Evidence):
    """What a talent was shown about a consent, and continued from, before recording (see `consent.services.notices`).

    `version` is that of the words, and `sha256` the hash of the canonical JSON of `content`.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="notices")
    version = models.PositiveSmallIntegerField()
    content = ShapedJSONField(shape=Fields({"sections": ListOf(SECTION)}), default=dict)
    sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["consent", "sha256"], name="notice_once")]

    def __str__(self) -> str:
        return f"Notice about {self.consent}"
