import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from consent.models.consent import Consent
from consent.models.question import Question


class TalentMailQuerySet(models.QuerySet["TalentMail"]):
    def disputed(self) -> "TalentMailQuerySet":
        """Mails whose act the talent reported as not their own, and that no person has answered."""
        return self.filter(disputed_at__isnull=False, resolved_at__isnull=True)


class TalentMail(models.Model):
    """A mail about a consent, to the talent or to the producer. Stored in the transaction of what it reports.

    One recording may be for several consents. A mail about it names one of them, and the `others`.

    The link "this was not me" in a mail about a decline or a withdrawal has a token of its own; only its SHA-256 is
    stored. `disputed_at` is when the talent used it. `resolution` is the answer of a person in the studio.
    """

    class Kind(models.TextChoices):
        RECEIVED = "received", "Recording received"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        DELETED = "deleted", "Everything is deleted"
        DISPUTED = "disputed", "Reported: this was not me"
        ANSWERED = "answered", "Answered"
        APPROVED = "approved", "Approved"
        RETAKE = "retake", "Retake requested"
        UNANSWERED = "unanswered", "Not answered in time"
        QUESTION = "question", "Question of the talent"
        ANSWER = "answer", "Answer to a question"

    class Recipient(models.TextChoices):
        TALENT = "talent", "Talent"
        PRODUCER = "producer", "Producer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="mails")
    others = models.ManyToManyField(
        Consent, related_name="+", blank=True, help_text="Other consents that it reports, such as for one recording."
    )
    kind = models.CharField(max_length=10, choices=Kind)
    recipient = models.CharField(max_length=8, choices=Recipient)
    sent_to = models.EmailField()
    question = models.ForeignKey(Question, models.PROTECT, null=True, blank=True, related_name="mails")
    token_digest = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    disputed_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    resolution = models.TextField(blank=True)

    objects = TalentMailQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            # A retake is requested, received and answered again, and a talent may ask several questions. Everything
            # else happens once to a consent.
            models.UniqueConstraint(
                fields=["consent", "kind", "recipient"],
                condition=~Q(kind__in=["received", "answered", "retake", "question", "answer"]),
                name="talent_mail_once",
            ),
            models.UniqueConstraint(
                fields=["token_digest"], condition=~Q(token_digest=""), name="talent_mail_token_once"
            ),
            models.CheckConstraint(
                name="talent_mail_resolution_is_complete",
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True, resolution="")
                | Q(resolved_at__isnull=False, resolved_by__isnull=False, disputed_at__isnull=False)
                & ~Q(resolution=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, to {self.sent_to}"

    @property
    def can_be_disputed(self) -> bool:
        is_act = self.kind in {self.Kind.DECLINED, self.Kind.WITHDRAWN}
        return is_act and self.recipient == self.Recipient.TALENT
