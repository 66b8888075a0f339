import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from consent.models.choices import ConsentStatus
from consent.models.consent import Consent
from consent.models.talent import Talent

LIFETIME = timedelta(days=14)


def two_weeks_from_now() -> datetime:
    return timezone.now() + LIFETIME


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def live(self) -> "InvitationQuerySet":
        """Invitations whose link still works: until it is revoked, once the talent has answered one of its requests.

        Without an answer, it works until `expires_at`. A link to canceled requests only does not work.
        """
        invited = Consent.objects.filter(invitations=OuterRef("pk"))
        is_in_time = Q(expires_at__gt=timezone.now()) & Exists(invited.exclude(status=ConsentStatus.VOIDED))
        return self.filter(is_in_time | Exists(invited.answered()), revoked_at__isnull=True).exclude(token_digest="")

    def awaiting_answer(self) -> "InvitationQuerySet":
        """Live invitations through which a request can still be answered."""
        can_answer = Q(expires_at__gt=timezone.now()) | Q(consents__takes__acceptable=True)
        return self.live().filter(can_answer, consents__status=ConsentStatus.REQUESTED).distinct()


class Invitation(models.Model):
    """The private link through which a talent answers consent requests, and later sees their status and withdraws.

    `expires_at` is the last moment to answer a request for the first time (see `InvitationQuerySet.live`).
    Only the SHA-256 of its token is stored. The digest is empty until the email with the token is created. The token
    of a mailed link is derived from the studio's secret, so that a reminder can contain the same link.
    """

    class Channel(models.TextChoices):
        MAIL = "mail", "Sent by email"
        COPIED = "copied", "Created by staff"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    talent = models.ForeignKey(Talent, models.PROTECT, related_name="invitations")
    consents = models.ManyToManyField(Consent, related_name="invitations")
    channel = models.CharField(max_length=8, choices=Channel)
    token_digest = models.CharField(max_length=64, blank=True, editable=False)
    sent_to = models.EmailField(blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(default=two_weeks_from_now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
    reminder_count = models.PositiveSmallIntegerField(default=0, editable=False)
    reminded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
        help_text="Who asked for the last reminder. Empty if VoiceHub sent it by itself.",
    )
    opened_at = models.DateTimeField(null=True, blank=True, help_text="When the talent opened the recording page.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["token_digest"], condition=~Q(token_digest=""), name="invitation_token_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.talent.shown_name}, {self.get_channel_display().lower()}"

    def can_answer(self, consent: Consent) -> bool:
        """Whether there is still time to answer this request. A retake has no time limit."""
        return self.expires_at > timezone.now() or consent.takes.filter(acceptable=True).exists()
