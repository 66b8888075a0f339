import uuid

from django.db import models

from consent.models.invitation import Invitation


class AccessCode(models.Model):
    """A one-time code that was mailed to a talent who opened a private link in a new browser.

    Only the keyed hash of the code is stored. `tries` counts the codes that were entered while this one was valid.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="codes")
    digest = models.CharField(max_length=64, editable=False)
    sent_to = models.EmailField()
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"Code for {self.invitation}"
