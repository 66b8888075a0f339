import uuid

from django.conf import settings
from django.db import models

from consent.models.talent import Talent
from voicehub.storage import private


def contract_draft_path(draft: "ContractDraft", _name: str) -> str:
    """A generated path. The file name from the browser is for display only."""
    return f"contract-drafts/{draft.talent_id}/{draft.pk}.pdf"


class ContractDraft(models.Model):
    """The checked PDF of a contract form that had an error, kept so that its owner can submit the form again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    talent = models.ForeignKey(Talent, models.PROTECT, related_name="contract_drafts")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    file = models.FileField(storage=private, upload_to=contract_draft_path, max_length=200)
    file_name = models.CharField(max_length=200, editable=False)
    size = models.PositiveIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.file_name}, for {self.talent.shown_name}"
