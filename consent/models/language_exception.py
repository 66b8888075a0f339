from django.conf import settings
from django.db import models

from consent.models.consent import Consent
from consent.models.evidence import Evidence


class LanguageException(Evidence):
    """A person allows voices in a language other than that of the statement, for a recorded reason."""

    consent = models.ForeignKey(Consent, models.PROTECT, related_name="language_exceptions")
    language = models.CharField(max_length=8, help_text="A primary language subtag, such as de.")
    reason = models.TextField()
    allowed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    allowed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["consent", "allowed_at"]
        constraints = [
            models.UniqueConstraint(fields=["consent", "language"], name="language_allowed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.language}, allowed by {self.allowed_by}"
