import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from voicehub.talent_languages import SOURCE_LANGUAGE, TALENT_LANGUAGES

RELEASABLE = [choice for choice in TALENT_LANGUAGES.items() if choice[0] != SOURCE_LANGUAGE]


class LanguageRelease(models.Model):
    """An admin has read the texts for talents in a language and lets pages and mails use it.

    `catalog_sha256` is the hash of the translations that were read (see `voicehub.catalogs`). A new release of the
    language ends the one before.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    language = models.CharField(max_length=8, choices=RELEASABLE)
    catalog_sha256 = models.CharField("fingerprint of the translations", max_length=64, editable=False)
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    released_at = models.DateTimeField(auto_now_add=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-released_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["language"], condition=Q(ended_at__isnull=True), name="language_released_once"
            ),
            models.CheckConstraint(
                name="language_release_end_is_complete",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{TALENT_LANGUAGES.get(self.language, self.language)}, released by {self.released_by}"
