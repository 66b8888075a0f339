import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from voices.models.choices import VoteChoice
from voices.models.remote import Preview


class BlindVote(models.Model):
    """What one person answered after listening to previews of one text without the names of their builds.

    `question` is the same for everyone who is asked about this text by these builds. `chosen` is the preview that was
    better. The vote counts on when its voter is deleted. It has no audio: that is in the previews, and ends with them.
    """

    Choice = VoteChoice

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    question = models.CharField(max_length=32)
    voter = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    previews = models.ManyToManyField(Preview, related_name="votes")
    choice = models.CharField(max_length=8, choices=VoteChoice)
    chosen = models.ForeignKey(Preview, models.CASCADE, null=True, blank=True, related_name="+")
    voted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-voted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["question", "voter"], name="blind_vote_once"),
            models.CheckConstraint(
                name="blind_vote_names_its_sample",
                condition=Q(choice=VoteChoice.SAMPLE, chosen__isnull=False)
                | Q(choice__in=[VoteChoice.SAME, VoteChoice.SKIPPED], chosen__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.get_choice_display()
