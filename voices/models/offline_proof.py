import uuid

from django.conf import settings
from django.db import models

from consent.models import Consent
from voicehub.json_fields import ShapedJSONField
from voicehub.json_shapes import FINDINGS
from voicehub.storage import private
from voices.models.account import Account


def proof_path(proof: "OfflineProof", _name: str) -> str:
    """A generated path. The file name from the browser is for display only."""
    return f"proofs/{proof.consent_id}/{proof.pk}"


class OfflineProof(models.Model):
    """The proof of a consent that the studio sent to a provider by mail, because no call sends it.

    `file` is a copy of the document that was sent: the contract, or a video of the talent. `content_type` is read from
    the file, not from the browser. `confirmed_on` is empty until the provider has enabled the account for the talent.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="offline_proofs")
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="offline_proofs")
    file = models.FileField(storage=private, upload_to=proof_path, max_length=200)
    file_name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=40)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    file_warnings = ShapedJSONField(shape=FINDINGS, default=list, help_text="Findings about risky content of a PDF.")
    sent_on = models.DateField()
    sent_to = models.CharField(max_length=200, help_text="The address or the person at the provider.")
    sent_by = models.CharField(max_length=150, help_text="Who sent it.")
    confirmed_on = models.DateField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", help_text="Who recorded it."
    )
    note = models.TextField(blank=True)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-recorded_at"]
        constraints = [
            models.CheckConstraint(
                name="offline_proof_confirmed_after_sent",
                condition=models.Q(confirmed_on__isnull=True) | models.Q(confirmed_on__gte=models.F("sent_on")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.consent.talent.shown_name}, sent {self.sent_on:%d %b %Y}"
