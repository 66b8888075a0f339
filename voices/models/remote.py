import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from providers.types import Capabilities, Limit
from voicehub.json_fields import Fields, ShapedJSONField
from voicehub.json_shapes import PEAKS
from voicehub.refusals import ActionRefused
from voicehub.storage import private
from voicehub.transitions import StatusModel, make_status_constraint
from voices.models.account import Account
from voices.models.choices import OBSERVED_STATUS_CHOICES, FileKind, PreviewStatus
from voices.models.voice import Recording, Voice


class RemoteVoice(models.Model):
    """A voice as it exists in one account, in one tier. VoiceHub looks it up by its unique name, `reference`.

    A retired remote voice is never trained again, and the next build makes a new remote voice. It is retired if its
    consent was rejected, if its provider makes a new voice for each build, or if it is to be deleted.
    `voice` is empty only for an unknown voice that staff deleted.
    `name`, `raw_status`, `visibility`, `usage_count`, `is_locked`, `components` and `raw_response` are what the
    provider returned at the last check. `observed_status` is that status in VoiceHub's terms, and empty if the provider
    was never asked.
    `alert` is a problem that staff must solve, and `file_alert` one with the deletion of its uploaded files.
    `alert_seen_*` says who last marked the alert about a voice that was public as seen.
    `deletion_proof` records the deletion and its check. `deletion_assigned_to` is the user who deletes it by hand.
    `coverage_ended_on` is the last day on which a consent and a contract covered the voice, if this has ended by date.
    Then `deletion_due_on` is the planned day of deletion, planned at `deletion_planned_at`. If it had ended before an
    upgrade, `deletion_needs_confirmation` asks a person instead. `kept_*` says who decided to keep such a voice.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voice = models.ForeignKey(Voice, models.PROTECT, null=True, blank=True, related_name="remote_voices")
    account = models.ForeignKey(Account, models.PROTECT, related_name="remote_voices")
    tier = models.SlugField(max_length=20)
    reference = models.CharField(max_length=60, unique=True)
    remote_id = models.CharField(max_length=100, blank=True)
    name = models.CharField("name at the provider", max_length=256, blank=True)
    raw_status = models.CharField("status in the provider's words", max_length=60, blank=True)
    observed_status = models.CharField(max_length=16, choices=OBSERVED_STATUS_CHOICES, blank=True, editable=False)
    visibility = models.CharField(max_length=10, blank=True)
    raw_response = ShapedJSONField(shape=Fields(), default=dict)
    checked_at = models.DateTimeField(null=True, blank=True)
    usage_count = models.PositiveIntegerField(null=True, blank=True, help_text="How often the provider used it.")
    is_locked = models.BooleanField(default=False, help_text="The provider does not let the voice be used.")
    components = ShapedJSONField(
        shape=Fields(others=str), default=dict, help_text="The provider's status of each ability of the voice."
    )
    made_public_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    alert = models.CharField(max_length=300, blank=True)
    alert_seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    alert_seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    file_alert = models.CharField(max_length=300, blank=True)
    adopted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    coverage_ended_on = models.DateField(null=True, blank=True, editable=False)
    coverage_end_reason = models.CharField(max_length=300, blank=True, editable=False)
    deletion_planned_at = models.DateTimeField(null=True, blank=True, editable=False)
    deletion_due_on = models.DateField(null=True, blank=True, editable=False)
    deletion_needs_confirmation = models.BooleanField(default=False, editable=False)
    kept_at = models.DateTimeField(null=True, blank=True, editable=False)
    kept_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    kept_reason = models.CharField(max_length=300, blank=True, editable=False)
    deletion_requested_at = models.DateTimeField(null=True, blank=True)
    deletion_requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    deletion_assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    deletion_reason = models.CharField(max_length=300, blank=True)
    deletion_proof = ShapedJSONField(shape=Fields(), default=dict)
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

    def get_absolute_url(self) -> str:
        return reverse("voices:remote_voice", args=[self.pk])

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do with this voice. Raises ActionRefused as `Account.get_capabilities` does."""
        return self.account.get_capabilities(self.tier)

    @property
    def limits(self) -> dict[str, Limit]:
        """The limits of the tier of this voice, see `Account.get_limits`."""
        return self.account.get_limits(self.tier)

    @property
    def is_public(self) -> bool:
        """Whether the voice is public at the provider, although no user made it public."""
        return self.visibility == "public" and self.made_public_by_id is None

    def find_capabilities(self) -> Capabilities | None:
        """What the provider can do with this voice. None if VoiceHub no longer supports the provider."""
        try:
            return self.capabilities
        except ActionRefused:
            return None

    @property
    def deletion_website(self) -> str:
        """Where a person deletes it. Empty if VoiceHub can delete it, or if there are no instructions."""
        capabilities = self.find_capabilities()
        instructions = capabilities.manual_deletion if capabilities else None
        return instructions.website if instructions else ""

    @property
    def is_being_deleted(self) -> bool:
        """Whether the deletion is requested but not yet confirmed."""
        return self.deletion_requested_at is not None and self.deleted_at is None

    @property
    def needs_manual_deletion(self) -> bool:
        """Whether staff must delete it on the provider's website, because VoiceHub has no API call for it."""
        if not (self.is_being_deleted and self.remote_id):
            return False
        capabilities = self.find_capabilities()
        return capabilities is None or not capabilities.can_delete

    @property
    def is_on_hold(self) -> bool:
        """Whether a legal hold on the talent stops the deletion. For pages; services ask `legal_hold`."""
        return self.voice is not None and self.voice.talent.is_on_hold

    @property
    def is_still_visible(self) -> bool:
        """Whether the provider confirmed the deletion but still shows the voice."""
        return bool(self.deletion_proof) and self.deleted_at is None


class RemoteRecording(models.Model):
    """A recording that was already sent for a remote voice. It is stored so that no clip is sent twice."""

    remote_voice = models.ForeignKey(RemoteVoice, models.CASCADE, related_name="recordings")
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="remote_recordings")
    remote_id = models.CharField(max_length=100)
    transcript = models.TextField(blank=True, help_text="As sent to the provider.")
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["remote_voice", "recording"], name="remote_recording_once"),
            models.UniqueConstraint(fields=["remote_voice", "remote_id"], name="remote_recording_id_once"),
        ]

    def __str__(self) -> str:
        return self.remote_id


class RemoteFileQuerySet(models.QuerySet["RemoteFile"]):
    def open(self) -> "RemoteFileQuerySet":
        """Files that the provider may still have."""
        return self.filter(deleted_at=None)

    def requested(self) -> "RemoteFileQuerySet":
        """Files whose deletion is requested but not yet confirmed."""
        return self.open().filter(deletion_requested_at__isnull=False)


class RemoteFile(models.Model):
    """A file that was announced to a provider for a remote voice: a recording, or the consent.

    The row is stored before the file's bytes are sent, and is never removed: the file exists until its deletion is
    proved. All files whose deletion was requested together have the same `deletion_requested_at`. `checked_at` is when
    the provider last showed the file.
    """

    Kind = FileKind

    account = models.ForeignKey(Account, models.PROTECT, related_name="files")
    remote_voice = models.ForeignKey(RemoteVoice, models.PROTECT, related_name="files")
    recording = models.ForeignKey(Recording, models.PROTECT, null=True, blank=True, related_name="remote_files")
    kind = models.CharField(max_length=10, choices=FileKind)
    remote_id = models.CharField(max_length=100)
    announced_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    deletion_requested_at = models.DateTimeField(null=True, blank=True)
    deletion_proof = models.JSONField(default=dict)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = RemoteFileQuerySet.as_manager()

    class Meta:
        ordering = ["announced_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="remote_file_id_once")]

    def __str__(self) -> str:
        return self.remote_id


def preview_path(preview: "Preview", _name: str) -> str:
    return f"previews/{preview.remote_voice_id}/{preview.pk}"


class Preview(StatusModel):
    """A sentence and the audio in which a remote voice speaks it. Requested once, because the provider charges for it.

    A sample, which the provider made without a request, is downloaded from its `url`. A failed preview can still become
    ready, because audio that was paid for is kept. `seconds` is None until the sound was measured, and 0 if it cannot
    be read. `peaks` are those of a recording.
    """

    Status = PreviewStatus
    MOVES: ClassVar = {
        PreviewStatus.QUEUED: frozenset({PreviewStatus.GENERATING, PreviewStatus.FAILED}),
        PreviewStatus.GENERATING: frozenset({PreviewStatus.READY, PreviewStatus.FAILED}),
        PreviewStatus.FAILED: frozenset({PreviewStatus.READY}),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    remote_voice = models.ForeignKey(RemoteVoice, models.PROTECT, related_name="previews")
    build = models.ForeignKey("Build", models.PROTECT, null=True, blank=True, related_name="previews")
    status = models.CharField(max_length=16, choices=PreviewStatus, default=PreviewStatus.QUEUED)
    text = models.TextField()
    title = models.CharField(max_length=200, blank=True)
    url = models.TextField(blank=True)
    file = models.FileField(storage=private, upload_to=preview_path, max_length=200, blank=True)
    content_type = models.CharField(max_length=40, blank=True)
    seconds = models.FloatField(null=True, blank=True, editable=False)
    peaks = ShapedJSONField(shape=PEAKS, default=list, editable=False)
    issue = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        permissions = [("ask_preview", "Can request a preview")]
        constraints = [make_status_constraint("preview_status_known", PreviewStatus)]

    def __str__(self) -> str:
        return self.text[:60]
