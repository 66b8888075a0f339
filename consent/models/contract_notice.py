import uuid
from typing import ClassVar

from django.db import models

from consent.models.contract import Contract


class ContractNotice(models.Model):
    """A mail to the producer that a contract ends in at most so many days. Each number of days is announced once."""

    DAYS: ClassVar = (7, 30, 60)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="notices")
    days = models.PositiveSmallIntegerField()
    sent_to = models.EmailField()
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["contract", "days"], name="contract_notice_once")]

    def __str__(self) -> str:
        return f"{self.contract}, {self.days} days before its end"
