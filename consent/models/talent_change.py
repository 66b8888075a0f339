import uuid

from django.conf import settings
from django.db import models

from consent.models.talent import Talent


class TalentChange(models.Model):
    """A change of a talent's name or email address by staff, and the mail about it to the earlier address.

    `sent_to` is the address before the change. It is empty if there was none, and then no mail is sent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    talent = models.ForeignKey(Talent, models.PROTECT, related_name="changes")
    is_name_changed = models.BooleanField("name changed", default=False)
    is_email_changed = models.BooleanField("email address changed", default=False)
    sent_to = models.EmailField(blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Change of {self.talent}"
