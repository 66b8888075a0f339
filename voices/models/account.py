import uuid
from datetime import date

from django.conf import settings
from django.db import models
from django.db.models import Q

from providers import registry
from providers.types import Capabilities, Limit, Tier
from voicehub.encryption import decrypt, encrypt
from voicehub.json_fields import NUMBER, Fields, Maybe, ShapedJSONField
from voicehub.refusals import ActionRefused
from voices.models.choices import AccountMode
from voices.models.limits import get_calls_per_second, get_limits

USAGE = Fields(
    {
        "plan": Maybe(str),
        "unit": Maybe(str),
        "used": Maybe(NUMBER),
        "remaining": Maybe(NUMBER),
        "since": Maybe(str),
        "voices": Maybe(int),
        "voice_limit": Maybe(int),
    }
)
"""The fields of providers.usage.Usage, with `since` as an ISO 8601 date."""

PLAN_REFUSAL = Fields({"on": str, "text": str})


class AccountQuerySet(models.QuerySet["Account"]):
    def working(self) -> "AccountQuerySet":
        return self.filter(paused_at=None)


class Account(models.Model):
    """An account of the studio at one provider. The API key is encrypted for this row and is never shown again.

    A paused account makes no calls, except to test its key. `paused_by` is empty if the provider rejected the key.
    `uploader_…` say who set `is_authorized_uploader` last, and on whose word.
    `usage` is what the provider last reported at `usage_at`; it is empty if the provider reports none.
    `plan_refusals` has the day and the text of the last refusal because of the plan, by tier.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    provider = models.SlugField(max_length=30)
    mode = models.CharField(max_length=8, choices=AccountMode, default=AccountMode.LIVE)
    encrypted_key = models.TextField(editable=False)
    key_hint = models.CharField("key ends in", max_length=4, editable=False)
    key_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    pause_reason = models.CharField(max_length=300, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    usage = ShapedJSONField(shape=USAGE, default=dict, editable=False)
    usage_at = models.DateTimeField("usage as of", null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    is_authorized_uploader = models.BooleanField(
        default=False, editable=False, help_text="The provider asks for no proof of consent with its uploads."
    )
    uploader_source = models.CharField(max_length=300, blank=True, editable=False, help_text="Who confirmed it.")
    uploader_reason = models.CharField(max_length=300, blank=True, editable=False)
    uploader_set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    uploader_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    plan_refusals = ShapedJSONField(shape=Fields(others=PLAN_REFUSAL), default=dict, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "name"]
        permissions = [("test_account", "Can test an account"), ("view_spend", "Can see usage and costs of providers")]
        constraints = [
            models.CheckConstraint(
                name="account_uploader_has_source",
                condition=Q(is_authorized_uploader=False) | ~Q(uploader_source="") & Q(uploader_set_by__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_untested(self) -> bool:
        """Whether no call was made with its key yet. A paused account does not count: its key must not be used."""
        return self.paused_at is None and not self.last_error and self.checked_at is None

    def get_capabilities(self, tier: Tier | str) -> Capabilities:
        """What the provider can do in `tier`. Raises ActionRefused if VoiceHub no longer supports the tier."""
        try:
            return registry.get_provider_class(self.provider).tiers[Tier(tier)]
        except (KeyError, ValueError):
            raise ActionRefused("VoiceHub no longer supports this provider or this kind of voice.") from None

    def get_limits(self, tier: Tier | str) -> dict[str, Limit]:
        """The limits of `tier`, with the overrides of admins. Raises ActionRefused as `get_capabilities` does."""
        return get_limits(self.get_capabilities(tier), self.provider)

    def get_calls_per_second(self) -> float | None:
        """The provider's rate limit, which all calls of the account share; None if it states none."""
        return get_calls_per_second(self.provider)

    def find_plan_refusal(self, tier: Tier | str) -> date | None:
        """The day on which the provider last refused a build in this tier because of the account's plan."""
        refusal = self.plan_refusals.get(str(tier))
        try:
            return date.fromisoformat(refusal["on"]) if refusal else None
        except ValueError:
            return None

    def set_key(self, key: str) -> None:
        """Encrypt `key` into this row. Does not save the row."""
        self.encrypted_key = encrypt(key, f"account:{self.pk}")
        self.key_hint = key[-4:] if len(key) >= 12 else ""

    def decrypt_key(self) -> str:
        """The key in plain text, for sending only. Raises voicehub.encryption.DecryptionError."""
        return decrypt(self.encrypted_key, f"account:{self.pk}")


class AccountCall(models.Model):
    """One response of a provider, without secrets. Only the newest responses of each account are kept."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="calls")
    at = models.DateTimeField()
    operation = models.CharField(max_length=60)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Empty if no response arrived.")
    response_text = models.TextField(blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["account", "-at"], name="account_call_newest")]

    def __str__(self) -> str:
        return f"{self.operation}: {self.status or 'no response'}"


class UsageReading(models.Model):
    """What the provider reported about an account on one day, last. One row for each day on which it was asked.

    Spend is computed from these rows only. `used` is counted since `since`. Readings with different `key_changed_at`,
    that of the account at the time, may be of two accounts at the provider.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="usage_readings")
    day = models.DateField()
    unit = models.CharField(max_length=20, blank=True)
    used = models.FloatField(null=True, blank=True)
    remaining = models.FloatField(null=True, blank=True)
    since = models.DateField("used since", null=True, blank=True)
    read_at = models.DateTimeField()
    key_changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-day", "-pk"]
        constraints = [models.UniqueConstraint(fields=["account", "day"], name="usage_reading_once_a_day")]

    def __str__(self) -> str:
        return f"{self.account}, {self.day}"
