import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse

from voicehub.name_fields import NameField
from voicehub.talent_languages import SOURCE_LANGUAGE, TALENT_LANGUAGES


class Talent(models.Model):
    """The person whose voice is recorded.

    During a legal hold nothing of the talent is deleted. The three fields of the hold are empty without one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = NameField(max_length=120, help_text="As written in the contract.")
    email = models.EmailField(blank=True, help_text="Invitations are sent to this address.")
    agent_email = models.EmailField(
        "agent's email",
        blank=True,
        help_text="Their email address. They get a copy of reminders, without the private link.",
    )
    phone = models.CharField(max_length=40, blank=True)
    language = models.CharField(
        "language of pages and mails",
        max_length=8,
        choices=list(TALENT_LANGUAGES.items()),
        default=SOURCE_LANGUAGE,
        help_text="The talent can change it on the private page.",
    )
    notes = models.TextField(blank=True, help_text="Only the studio sees these notes.")
    legal_hold_reason = models.CharField(max_length=1000, blank=True, editable=False)
    legal_hold_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    legal_hold_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("consent:talent", args=[self.pk])

    @property
    def is_on_hold(self) -> bool:
        """Whether the talent had a legal hold when this row was loaded. Services ask `consent.services.legal_hold`."""
        return self.legal_hold_at is not None
