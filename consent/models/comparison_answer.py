import uuid

from django.conf import settings
from django.db import models

from consent.models.evidence import Evidence
from consent.models.invitation import Invitation
from consent.models.talent import Talent
from voicehub.json_fields import Fields, ListOf, ShapedJSONField

WORDS = Fields({"question": str, "paragraphs": ListOf(str)})


class ComparisonAnswer(Evidence):
    """What a talent answered to the question whether their voice may be compared by voiceprints.

    The answer with the highest number is the one that counts; without any, the answer is no. `content` is what was
    shown, `version` that of its words, and `sha256` the hash of its canonical JSON. `invitation` is the private link
    through which the talent answered. Without one, staff recorded the answer, and `reason` says how they got it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    talent = models.ForeignKey(Talent, models.PROTECT, related_name="comparison_answers")
    number = models.PositiveIntegerField()
    is_allowed = models.BooleanField()
    version = models.PositiveSmallIntegerField()
    content = ShapedJSONField(shape=WORDS, default=dict)
    sha256 = models.CharField(max_length=64)
    invitation = models.ForeignKey(Invitation, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Staff who recorded it, or who were signed in where the link was opened; empty if the talent did it.",
    )
    reason = models.TextField(blank=True, help_text="How staff got the answer.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["talent", "-number"]
        constraints = [models.UniqueConstraint(fields=["talent", "number"], name="comparison_answer_once")]

    def __str__(self) -> str:
        return f"{self.talent}: {'yes' if self.is_allowed else 'no'}"
