import uuid

from django.db import models
from django.db.models import Q

from voicehub.secrets import seal, unseal
from voices.models.voice import Recording, Voice
from voices.models.words import Mode


class Account(models.Model):
    """Credentials at one provider. The key is sealed to this row and is never shown again."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=100, unique=True)
    provider = models.SlugField(max_length=30)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.LIVE)
    sealed_key = models.TextField(editable=False)
    key_hint = models.CharField("key ends in", max_length=4, editable=False)
    active = models.BooleanField(default=True)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

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
        """The key in clear, for the moment of sending. Raises voicehub.secrets.SecretUnreadable."""
        return unseal(self.sealed_key, f"account:{self.pk}")


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


class RemoteVoice(models.Model):
    """A voice as it exists in one account, in one tier. `reference` is the unique name under which it is found.

    A remote voice that can be of no more use (its consent was refused) is retired, and a new one takes its place.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voice = models.ForeignKey(Voice, models.PROTECT, related_name="remote_voices")
    account = models.ForeignKey(Account, models.PROTECT, related_name="remote_voices")
    tier = models.SlugField(max_length=20)
    reference = models.CharField(max_length=60, unique=True)
    remote_id = models.CharField(max_length=100, blank=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["voice", "account", "tier"],
                condition=Q(retired_at__isnull=True),
                name="remote_voice_one_in_use",
            ),
            models.UniqueConstraint(
                fields=["account", "remote_id"], condition=~Q(remote_id=""), name="remote_voice_id_once"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class RemoteRecording(models.Model):
    """A recording as it exists with a remote voice, so that no clip is sent twice."""

    remote_voice = models.ForeignKey(RemoteVoice, models.CASCADE, related_name="recordings")
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="remote_recordings")
    remote_id = models.CharField(max_length=100)
    transcript = models.TextField(blank=True, help_text="As it was sent.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["remote_voice", "recording"], name="remote_recording_once"),
            models.UniqueConstraint(fields=["remote_voice", "remote_id"], name="remote_recording_id_once"),
        ]

    def __str__(self) -> str:
        return self.remote_id
