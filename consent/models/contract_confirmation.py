from django.conf import settings
from django.db import models

from consent.models.choices import Purpose
from consent.models.contract import Contract
from consent.models.evidence import Evidence


class ContractConfirmation(Evidence):
    """A person has read the excluded uses and the training clause of a contract, and they allow this purpose."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="confirmations")
    purpose = models.CharField(max_length=20, choices=Purpose)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["contract", "confirmed_at"]
        constraints = [
            models.UniqueConstraint(fields=["contract", "purpose"], name="contract_purpose_confirmed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, confirmed by {self.confirmed_by}"
