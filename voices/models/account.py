import uuid

from django.conf import settings
from django.db import models

from voicehub.encryption import seal, unseal
from voices.models.choices import Mode


class AccountQuerySet(models.QuerySet["Account"]):
    def working(self) -> "AccountQuerySet":
        """Those that are not paused."""
        return self.filter(paused_at=None)


class Account(models.Model):
    """Credentials at one provider. The key is sealed to this row and is never shown again.

    A paused account is not spoken to, except to test its key; `paused_by` is nobody where the provider refused the key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    provider = models.SlugField(max_length=30)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.LIVE)
    sealed_key = models.TextField(editable=False)
    key_hint = models.CharField("key ends in", max_length=4, editable=False)
    key_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    pause_reason = models.CharField(max_length=300, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "name"]
        permissions = [("test_account", "Can test an account's key")]

    def __str__(self) -> str:
        return self.name

    def set_key(self, key: str) -> None:
        """Seal `key` into this row (not yet saved)."""
        self.sealed_key = seal(key, f"account:{self.pk}")
        self.key_hint = key[-4:] if len(key) >= 12 else ""

    def key(self) -> str:
        """The key in clear, for the moment of sending. Raises voicehub.encryption.SecretUnreadable."""
        return unseal(self.sealed_key, f"account:{self.pk}")


class AccountCall(models.Model):
    """One answer of a provider, as staff may see it. Only the last ones of an account are kept."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    operation = models.CharField(max_length=60)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty where no answer came.")
    said = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["account", "-at"], name="account_call_newest")]

    def __str__(self) -> str:
        return f"{self.operation}: {self.status or 'no answer'}"


class LimitOverride(models.Model):
    """A provider's limit as this studio knows it to be, where the provider's own pages disagree."""

    provider = models.SlugField(max_length=30)
    tier = models.SlugField(max_length=20)
    limit = models.SlugField(max_length=40)
    value = models.FloatField()
    source = models.CharField(max_length=300, help_text="Who says so, and when.")

    class Meta:
        ordering = ["provider", "tier", "limit"]
        constraints = [models.UniqueConstraint(fields=["provider", "tier", "limit"], name="limit_override_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.tier} {self.limit}"
