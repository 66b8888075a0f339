import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from consent.models import Consent, Contract
from providers.types import Handover
from voicehub.json_fields import NUMBER, Fields, ListOf, Maybe, ShapedJSONField
from voicehub.transitions import StatusModel, make_status_constraint
from voices.models.choices import HANDOVER_CHOICES, BuildStatus
from voices.models.remote import RemoteVoice
from voices.models.voice import Recording, Voice

ACTIVE_STATUSES = [BuildStatus.QUEUED, BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED, BuildStatus.TRAINING]
FAILED_STATUSES = [BuildStatus.DATASET_ISSUE, BuildStatus.CONSENT_REJECTED, BuildStatus.FAILED]

SCORES = Fields(others=Maybe(NUMBER))
OPTIONS = Fields(others=(str, bool))
SAMPLES = ListOf(Fields({"title": str, "text": str, "url": str}))


class BuildQuerySet(models.QuerySet["Build"]):
    def active(self) -> "BuildQuerySet":
        """Builds that are not in a final status."""
        return self.filter(status__in=ACTIVE_STATUSES)

    def open_failures(self) -> "BuildQuerySet":
        """Failed builds that no person has marked as seen, and that no later build at the same target has taken over.

        A target is one account and tier of a voice. A later build takes over unless it was canceled or withdrawn.
        """
        same_target = {name: OuterRef(name) for name in ("voice", "remote_voice__account", "remote_voice__tier")}
        later = Build.objects.filter(**same_target, created_at__gt=OuterRef("created_at"))
        takes_over = later.filter(status__in=[*ACTIVE_STATUSES, *FAILED_STATUSES, BuildStatus.READY])
        return self.filter(~Exists(takes_over), status__in=FAILED_STATUSES, seen_at=None)

    def attempts(self) -> "BuildQuerySet":
        """All but canceled builds, and failed ones that a person has marked as seen. A voice without is not built."""
        return self.exclude(status=BuildStatus.CANCELED).exclude(status__in=FAILED_STATUSES, seen_by__isnull=False)


class Build(StatusModel):
    """One attempt to train a remote voice from a frozen set of recordings.

    `pending_call` names the call that is about to be made and must not simply be repeated. It is committed before the
    call and cleared when the response is stored. A worker that finds it set does not know whether the call succeeded.
    `previous_version` is the version of the remote voice before that call. `seen_at` says when staff marked a failed
    build as seen. Until then it is on the page Today. `seen_note` says why it was never shown, if no person marked it.
    """

    Status = BuildStatus
    MOVES: ClassVar = {
        BuildStatus.QUEUED: frozenset(
            {BuildStatus.SUBMITTING, BuildStatus.CANCELED, BuildStatus.FAILED, BuildStatus.WITHDRAWN}
        ),
        BuildStatus.SUBMITTING: frozenset(
            {
                BuildStatus.TRAINING,
                BuildStatus.UNCONFIRMED,
                BuildStatus.QUEUED,
                BuildStatus.FAILED,
                BuildStatus.WITHDRAWN,
            }
        ),
        BuildStatus.UNCONFIRMED: frozenset(
            {BuildStatus.TRAINING, BuildStatus.QUEUED, BuildStatus.FAILED, BuildStatus.WITHDRAWN}
        ),
        BuildStatus.TRAINING: frozenset(
            {
                BuildStatus.READY,
                BuildStatus.DATASET_ISSUE,
                BuildStatus.CONSENT_REJECTED,
                BuildStatus.FAILED,
                BuildStatus.WITHDRAWN,
            }
        ),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voice = models.ForeignKey(Voice, models.PROTECT, related_name="builds")
    remote_voice = models.ForeignKey(RemoteVoice, models.PROTECT, related_name="builds")
    consent = models.ForeignKey(Consent, models.PROTECT, related_name="+")
    contract = models.ForeignKey(Contract, models.PROTECT, related_name="+")
    status = models.CharField(max_length=16, choices=BuildStatus, default=BuildStatus.QUEUED)
    handover = models.CharField(max_length=20, choices=HANDOVER_CHOICES, default=Handover.RECORDINGS)
    options = ShapedJSONField(
        shape=OPTIONS, default=dict, help_text="The options of the provider, as they were when the build started."
    )
    pending_call = models.CharField(max_length=20, blank=True)
    previous_version = models.CharField(
        max_length=120, blank=True, help_text="The version of the remote voice before the pending call."
    )
    resume_state = models.TextField(
        blank=True, editable=False, help_text="What the adapter needs to resume, encrypted."
    )
    lookup_attempts = models.PositiveSmallIntegerField(default=0, help_text="Consecutive lookups without a result.")
    raw_status = models.CharField("status in the provider's words", max_length=60, blank=True)
    has_unknown_status = models.BooleanField(default=False, help_text="The provider's last status is not recognized.")
    raw_response = ShapedJSONField(shape=Fields(), default=dict, help_text="The last response, unchanged.")
    issue = models.TextField(blank=True, help_text="What is wrong, as text of the provider or of VoiceHub.")
    scores = ShapedJSONField(shape=SCORES, default=dict)
    samples = ShapedJSONField(shape=SAMPLES, default=list, help_text="Sample sentences that the provider generated.")
    is_consent_exempt = models.BooleanField(
        default=False, help_text="The provider asked for no proof of consent of this account when the build was sent."
    )
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    resolution_reason = models.CharField(max_length=300, blank=True, help_text="Reason given by staff.")
    seen_at = models.DateTimeField(null=True, blank=True, editable=False)
    seen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    seen_note = models.CharField(max_length=300, blank=True, editable=False)
    progress_done = models.PositiveIntegerField(default=0)
    progress_total = models.PositiveIntegerField(default=0)
    progress_message = models.CharField(
        max_length=120, blank=True, help_text="What happens now, for the progress display."
    )
    callback_digest = models.CharField(max_length=64, blank=True, editable=False)
    dataset_digest = models.CharField(max_length=64, blank=True, editable=False)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    expected_at = models.DateTimeField(null=True, blank=True, help_text="When the provider expects the end.")
    training_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = BuildQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        permissions = [("start_build", "Can start and cancel builds")]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(status__in=FAILED_STATUSES, seen_at=None),
                name="build_failed_unseen",
            ),
            models.Index(fields=["voice", "-created_at"], name="build_by_time"),
            models.Index(fields=["status"], name="build_by_status"),  # every page counts the builds that run
        ]
        constraints = [
            make_status_constraint("build_status_known", BuildStatus),
            models.UniqueConstraint(
                fields=["remote_voice"], condition=Q(status__in=ACTIVE_STATUSES), name="build_one_active"
            ),
            models.UniqueConstraint(
                fields=["callback_digest"], condition=~Q(callback_digest=""), name="build_callback_once"
            ),
            models.UniqueConstraint(
                fields=["dataset_digest"], condition=~Q(dataset_digest=""), name="build_dataset_once"
            ),
            models.CheckConstraint(
                name="build_finished_has_time",
                condition=Q(status__in=ACTIVE_STATUSES) | Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.voice.name}, {self.remote_voice.tier}"

    def get_absolute_url(self) -> str:
        return reverse("voices:build", args=[self.pk])

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE_STATUSES

    @property
    def needs_work(self) -> bool:
        """Whether the provider refused recordings, which people repair or exclude."""
        return self.status == BuildStatus.DATASET_ISSUE

    @property
    def ended_badly(self) -> bool:
        """Whether it ended without a voice to use, so that a person has something to fix."""
        return self.status in FAILED_STATUSES

    @property
    def has_unknown_provider_status(self) -> bool:
        """Whether the build is training, with a provider status that VoiceHub does not recognize."""
        return self.status == BuildStatus.TRAINING and self.has_unknown_status


def make_marks(relation: str = "") -> dict[str, Q]:
    """What a provider can say against a recording, with the condition on its row in the report.

    A recording was not used if the provider says why (AudioStack), or calls it inactive (Resemble AI).
    """
    return {
        "silent": Q(**{f"{relation}is_silent": True}),
        "outlier": Q(**{f"{relation}is_outlier": True}),
        "discarded": ~Q(**{f"{relation}discard_reason": ""}) | Q(**{f"{relation}is_active": False}),
    }


MARKS = make_marks()
MARKED = MARKS["silent"] | MARKS["outlier"] | MARKS["discarded"]


# A recording that had a finding when the build started, and that the provider has reported on.
PREDICTS = Q(has_report=True) & ~Q(finding_codes=[])


class BuildRecordingQuerySet(models.QuerySet["BuildRecording"]):
    def marked(self) -> "BuildRecordingQuerySet":
        """Recordings that the report of their build marked: silent, outlier or discarded. Indexes have these few."""
        return self.filter(MARKED, has_report=True)

    def still_flagged(self) -> "BuildRecordingQuerySet":
        """Recordings that are marked by the newest build that reported on them."""
        newer_reports = BuildRecording.objects.filter(
            recording=OuterRef("recording"), has_report=True, build__created_at__gt=OuterRef("build__created_at")
        )
        return self.marked().filter(~Exists(newer_reports))


class BuildRecording(models.Model):
    """A recording as frozen when the build started, and what the provider reported about it."""

    build = models.ForeignKey(Build, models.CASCADE, related_name="recordings")
    recording = models.ForeignKey(Recording, models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    transcript = models.TextField(blank=True)
    emotion = models.CharField(max_length=64, blank=True, help_text="Empty: the default of the provider.")
    finding_codes = ShapedJSONField(
        shape=ListOf(str), default=list, help_text="VoiceHub's own findings when the build started."
    )
    has_report = models.BooleanField(default=False)
    from_callback = models.BooleanField(default=False, help_text="Reported by the callback only, not by a poll.")
    stoi = models.FloatField("STOI", null=True, blank=True)
    pesq = models.FloatField("PESQ", null=True, blank=True)
    si_sdr = models.FloatField("SI-SDR", null=True, blank=True)
    sample_score = models.FloatField(null=True, blank=True)
    signal_to_noise_ratio = models.FloatField(null=True, blank=True, help_text="In decibels.")
    loudness_grade = models.CharField(max_length=20, blank=True)
    is_active = models.BooleanField(null=True, blank=True)
    is_outlier = models.BooleanField(null=True, blank=True)
    is_silent = models.BooleanField(null=True, blank=True)
    discard_reason = models.TextField(blank=True, help_text="Why the provider did not use it.")

    objects = BuildRecordingQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["build", "recording"], name="build_recording_once")]
        indexes = [
            models.Index(fields=["recording"], condition=MARKED & Q(has_report=True), name="build_recording_marked"),
            models.Index(fields=["build"], condition=MARKED & Q(has_report=True), name="build_recording_build_marked"),
            models.Index(fields=["id"], condition=PREDICTS, name="build_recording_predicts"),
        ]

    def __str__(self) -> str:
        return f"{self.recording} in {self.build}"

    @property
    def is_flagged(self) -> bool:
        """As MARKED."""
        return bool(self.is_silent or self.is_outlier or self.is_unused)

    @property
    def is_unused(self) -> bool:
        """As the mark `discarded`."""
        return self.is_active is False or bool(self.discard_reason)


class Callback(models.Model):
    """A message that a provider sent about a build. VoiceHub does not trust it: it only triggers a poll."""

    build = models.ForeignKey(Build, models.CASCADE, related_name="callbacks")
    body = models.TextField()
    body_sha256 = models.CharField(max_length=64)
    address = models.GenericIPAddressField(null=True, blank=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["received_at"]
        constraints = [models.UniqueConstraint(fields=["build", "body_sha256"], name="callback_once")]

    def __str__(self) -> str:
        return f"Callback for {self.build}"


class DatasetFetch(models.Model):
    """One download of a build's dataset."""

    build = models.ForeignKey(Build, models.CASCADE, related_name="dataset_fetches")
    address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at"]
        verbose_name = "dataset download"

    def __str__(self) -> str:
        return f"Dataset of {self.build} fetched"
