from django.conf import settings
from django.db import models
from django.db.models import Q

from consent.models.contract import Contract


class ContractSuspension(models.Model):
    """A time in which nothing may be done on the basis of a contract. It is open until staff resume the contract.

    A suspended contract has not ended: nothing is deleted because of a suspension.
    """

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="suspensions")
    suspended_at = models.DateTimeField(auto_now_add=True)
    suspended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    reason = models.TextField()
    resumed_at = models.DateTimeField(null=True, blank=True)
    resumed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    resume_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["suspended_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["contract"], condition=Q(resumed_at__isnull=True), name="contract_suspended_once"
            ),
            models.CheckConstraint(
                name="contract_resumed_is_complete",
                condition=Q(resumed_at__isnull=True, resumed_by__isnull=True)
                | Q(resumed_at__isnull=False, resumed_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Suspension of {self.contract}"
