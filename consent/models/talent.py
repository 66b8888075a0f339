import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.urls import reverse

from consent.names import SHORT_NAME_LENGTH, choose_name, make_short_name, may_see_contacts
from voicehub.name_fields import NameField
from voicehub.talent_languages import SOURCE_LANGUAGE, TALENT_LANGUAGES


class Talent(models.Model):
    """The person whose voice is recorded.

    During a legal hold nothing of the talent is deleted. The three fields of the hold are empty without one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = NameField(max_length=120, help_text="As written in the contract.")
    short_name = NameField(
        max_length=SHORT_NAME_LENGTH,
        blank=True,
        help_text="What users see who may not see real names. Empty: the first name and the first letter of the last.",
    )
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
        permissions = [
            ("view_names", "Can see the real names of talents"),
            ("view_contacts", "Can see email addresses, phone numbers and notes of talents"),
        ]

    def __str__(self) -> str:
        return self.shown_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.short_name:
            self.short_name = make_short_name(self.name)
            if fields := kwargs.get("update_fields"):
                kwargs["update_fields"] = {*fields, "short_name"}
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("consent:talent", args=[self.pk])

    @property
    def shown_name(self) -> str:
        """The name that the reader of a page, a file or a mail may see (see `consent.names`)."""
        return choose_name(self.name, self.short_name)

    @property
    def shown_email(self) -> str:
        return self.email if may_see_contacts() else ""

    @property
    def shown_phone(self) -> str:
        return self.phone if may_see_contacts() else ""

    @property
    def shown_notes(self) -> str:
        return self.notes if may_see_contacts() else ""

    @property
    def is_on_hold(self) -> bool:
        """Whether the talent had a legal hold when this row was loaded. Services ask `consent.services.legal_hold`."""
        return self.legal_hold_at is not None
