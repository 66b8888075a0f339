import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from consent.models.consent import Consent
from consent.models.invitation import Invitation


class QuestionQuerySet(models.QuerySet["Question"]):
    def open(self) -> "QuestionQuerySet":
        """Questions that no person has answered."""
        return self.filter(answered_at__isnull=True)


class Question(models.Model):
    """A question of the talent about a consent, asked on the private page, and the answer of the studio.

    The audit log has that it was asked and answered, without its words.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="questions")
    invitation = models.ForeignKey(Invitation, models.PROTECT, related_name="questions")
    text = models.TextField()
    asked_at = models.DateTimeField(auto_now_add=True)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    objects = QuestionQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at"]
        constraints = [
            models.CheckConstraint(
                name="question_answer_is_complete",
                condition=Q(answered_at__isnull=True, answered_by__isnull=True, answer="")
                | Q(answered_at__isnull=False, answered_by__isnull=False) & ~Q(answer=""),
            ),
        ]

    def __str__(self) -> str:
        return f"Question about {self.consent}"
