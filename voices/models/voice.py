import uuid
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Q, TextField
from django.db.models.fields.files import FieldFile
from django.db.models.functions import Cast, Length
from django.db.models.lookups import Contains
from django.db.models.sql.compiler import SQLCompiler
from django.urls import reverse

from consent.models import WORLDWIDE, Purpose, Talent
from voicehub.edit_versions import make_version
from voicehub.json_fields import NUMBER, Fields, ListOf, Maybe, ShapedJSONField
from voicehub.json_shapes import FINDINGS, LEVELS, MEASURES, PEAKS, SOUND_FEATURES, SPEAKER_RESULT
from voicehub.storage import private
from voicehub.transitions import StatusModel, make_status_constraint
from voices.models.choices import FindingSeverity, InclusionSource, RecordingStatus
from voices.models.recording_files import CONVERTED_SUFFIX, OTHER_SUFFIX, RECIPE, WAV_SUFFIX, format_recording_path
from voices.models.recording_lengths import LONGEST_PROPOSED_CLIP, UNCUTTABLE_CODES
from voices.models.recording_orders import BEST_QUALITY, LOUDEST, MOST_SEVERE, NOISIEST, QUIETEST, WORST_QUALITY

COMPARISON = Fields(
    {
        "text": Maybe(str),
        "compared_at": Maybe(str),
        "days": Maybe(FINDINGS),
        "judged_together": Maybe(NUMBER),  # number of recordings in the last full judgement of speakers
        "sound": Maybe(Fields({"days": list, "quality": list})),  # see `voices.services.recordings.days`
    }
)


def get_default_countries() -> list[str]:
    return [WORLDWIDE]


class Voice(models.Model):
    """A talent's voice project: its language, its purpose and its set of recordings."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    talent = models.ForeignKey(Talent, models.PROTECT, related_name="voices")
    name = models.CharField(max_length=100)
    language = models.CharField(max_length=16, default="en-US", help_text="A BCP 47 tag, such as en-US.")
    purpose = models.CharField(max_length=20, choices=Purpose)
    countries = ShapedJSONField(
        shape=ListOf(str),
        default=get_default_countries,
        help_text="Where the voice is used: ISO 3166-1 codes, or only “worldwide”.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    emotion = models.CharField(
        max_length=64, blank=True, help_text="Of its recordings, unless a recording has its own. Empty: the default."
    )
    comparison = ShapedJSONField(
        shape=COMPARISON, default=dict, editable=False, help_text="Result of comparing the recordings of this voice."
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["talent", "name"], name="voice_name_once_per_talent")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("voices:voice", args=[self.pk])

    def get_readiness_url(self) -> str:
        return reverse("voices:readiness", args=[self.pk])

    def get_builds_url(self) -> str:
        return reverse("voices:voice_builds", args=[self.pk])

    def get_providers_url(self) -> str:
        return reverse("voices:voice_providers", args=[self.pk])


def make_recording_path(recording: "Recording", suffix: str) -> str:
    return format_recording_path(recording.voice_id, recording.pk, suffix)


def recording_path(recording: "Recording", _name: str) -> str:
    is_wav = recording.is_usable and not recording.wav
    return make_recording_path(recording, WAV_SUFFIX if is_wav else OTHER_SUFFIX)


def wav_path(recording: "Recording", _name: str) -> str:
    return make_recording_path(recording, CONVERTED_SUFFIX)


class ContainsConstant(Contains):
    """A constant text in a column. SQLite finds the index with this condition only if the SQL has the text in it."""

    def as_sqlite(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, Sequence[Any]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{column} LIKE '%%{self.rhs}%%' ESCAPE '\\'", params


WARNING = (Cast(F("findings"), TextField()), '"look"')
HAS_SET_FINDINGS = ~Q(set_findings=[])
# A recording with a warning of its own analysis, or with a finding of the comparison. Only warnings need a review.
NEEDS_REVIEW = Q(ContainsConstant(*WARNING)) | HAS_SET_FINDINGS
# Always true. SQLite counts the rows of a filter in the index of the filter only if a condition on the index's second
# column stands beside: without statistics, it expects few rows of any other index that has the voice and the status.
BY_NAME = Q(file_name__gte="")


WARNING_CODES_LENGTH = 500


def make_filter_index(name: str, condition: Q) -> models.Index:
    """An index of the few recordings that a filter of the table shows, in the order of their names."""
    return models.Index(fields=["voice", "file_name", "id"], condition=condition, name=name)


class Recording(StatusModel):
    """One clip of training audio with its transcript. The uploaded file is kept unchanged, even if it cannot be used.

    `wav` is the 16-bit mono WAV converted from a file in another format. `recipe` describes the conversion, and how a
    segment was split from its `source`. The background analysis of the audio sets `measures` and `analyzed_at`, and
    adds `findings`. A change of the transcript replaces the findings about the text at once. `set_findings` come from
    the comparison with the voice's other recordings, and `sound_features` is what it needs of the audio.
    `speaker_result` says how similar the speaker is to the person of the other recordings; no voiceprint is stored.
    `checked_at` is the time of the last change to findings, measures or inclusion by a check.
    `active_by` is who decided about `active`: the choice of a person stands until the file changes, which makes another
    row. `exclusion_code` is the code of the finding for which a check left the recording out of builds.
    `active_set_at` and `transcript_set_at` say when a person last set `active` or the transcript, also to what it was.
    Bulk changes do not set them: each has a row of its own, which an undo reads beside these times.
    The figures from `quality` on repeat what findings and measures say (see `voices.services.recordings.figures`).
    """

    Status = RecordingStatus
    MOVES: ClassVar = {
        RecordingStatus.ACCEPTED: frozenset({RecordingStatus.SPLITTING}),
        RecordingStatus.REFUSED: frozenset({RecordingStatus.SPLITTING}),
        RecordingStatus.SPLITTING: frozenset(
            {RecordingStatus.SPLIT, RecordingStatus.ACCEPTED, RecordingStatus.REFUSED}
        ),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voice = models.ForeignKey(Voice, models.PROTECT, related_name="recordings")
    file = models.FileField(storage=private, upload_to=recording_path, max_length=200)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    transcript = models.TextField(blank=True)
    normalized_transcript = models.TextField(
        blank=True, help_text="A second text, with numbers and abbreviations as words. From a column of a table."
    )
    normalized_version = models.CharField(
        max_length=12, blank=True, editable=False, help_text="The version of the transcript that it belongs to."
    )
    emotion = models.CharField(max_length=64, blank=True, help_text="Empty: that of the voice.")
    status = models.CharField(max_length=10, choices=RecordingStatus)
    active = models.BooleanField(default=True, help_text="Included in the next build.")
    active_by = models.CharField(
        "in builds decided by", max_length=10, choices=InclusionSource, blank=True, help_text="Empty if undecided."
    )
    exclusion_code = models.CharField(
        max_length=40, blank=True, help_text="The finding for which a check left it out of builds."
    )
    seconds = models.FloatField(default=0)
    sample_rate = models.PositiveIntegerField(default=0)
    findings = ShapedJSONField(shape=FINDINGS, default=list)
    levels = ShapedJSONField(shape=LEVELS, default=dict)
    peaks = ShapedJSONField(shape=PEAKS, default=list)
    wav = models.FileField(storage=private, upload_to=wav_path, max_length=200, blank=True)
    wav_sha256 = models.CharField(max_length=64, blank=True)
    source = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="pieces")
    recipe = ShapedJSONField(shape=RECIPE, default=dict)
    measures = ShapedJSONField(shape=MEASURES, default=dict)
    fine_peaks = ShapedJSONField(shape=PEAKS, default=list)
    set_findings = ShapedJSONField(shape=FINDINGS, default=list)
    sound_features = ShapedJSONField(shape=SOUND_FEATURES, default=dict, editable=False)
    speaker_result = ShapedJSONField(shape=SPEAKER_RESULT, default=dict, editable=False)
    analyzed_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    active_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    transcript_set_at = models.DateTimeField(null=True, blank=True, editable=False)
    quality = models.FloatField(null=True, blank=True, editable=False, help_text="Estimated, from 1 to 5.")
    signal_to_noise = models.FloatField(null=True, blank=True, editable=False, help_text="In decibels.")
    loudness = models.FloatField(null=True, blank=True, editable=False, help_text="In LUFS.")
    worst_severity = models.PositiveSmallIntegerField(
        null=True, blank=True, editable=False, choices=FindingSeverity, help_text="Of its findings."
    )
    selection_quality = models.FloatField(
        null=True, blank=True, editable=False, help_text="By it, builds of the best recordings choose, from 0 to 1."
    )
    warning_codes = models.CharField(  # noqa: DJ001 - null: not known; empty: no warning
        null=True, blank=True, editable=False, max_length=WARNING_CODES_LENGTH, help_text="Of its findings."
    )
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["file_name", "created_at"]
        constraints = [
            make_status_constraint("recording_status_known", RecordingStatus),
            models.UniqueConstraint(fields=["voice", "sha256"], name="recording_once_per_voice"),
            models.CheckConstraint(
                name="recording_exclusion_has_code",
                condition=Q(active_by=InclusionSource.CHECK, active=False) & ~Q(exclusion_code="")
                | ~Q(active_by=InclusionSource.CHECK) & Q(exclusion_code=""),
            ),
        ]
        indexes = [
            # The orders of the table. They end with the id, so that the ids of a page are read from the index alone.
            models.Index(fields=["voice", "file_name", "id"], name="recording_by_name"),
            models.Index(fields=["voice", "-created_at", "id"], name="recording_by_time"),
            models.Index(fields=["voice", "seconds", "id"], name="recording_by_length"),
            models.Index("voice", WORST_QUALITY, "file_name", "id", name="recording_by_worst_quality"),
            models.Index("voice", BEST_QUALITY, "id", name="recording_by_best_quality"),
            models.Index("voice", MOST_SEVERE, "id", name="recording_by_severity"),
            models.Index("voice", NOISIEST, "id", name="recording_by_noise"),
            models.Index("voice", QUIETEST, "id", name="recording_by_quietest"),
            models.Index("voice", LOUDEST, "id", name="recording_by_loudest"),
            # What polls and readiness count, without the waveforms that stand in the row before these columns.
            models.Index(
                fields=[
                    *("voice", "status", "active", "analyzed_at", "checked_at", "seconds", "sample_rate"),
                    "warning_codes",
                ],
                name="recording_counts",
            ),
            # What a build would send, chosen and judged without reading more of each row.
            models.Index(
                fields=[
                    *("voice", "file_name", "created_at", "id", "seconds", "sample_rate"),
                    *("selection_quality", "warning_codes", "active_by"),
                ],
                condition=Q(active=True, status=RecordingStatus.ACCEPTED),
                name="recording_selection",
            ),
            models.Index(
                F("voice"),
                Length("transcript"),
                condition=Q(active=True, status=RecordingStatus.ACCEPTED),
                name="recording_by_text_length",
            ),
            make_filter_index("recording_refused", Q(status=RecordingStatus.REFUSED)),
            make_filter_index("recording_excluded", Q(active=False)),
            make_filter_index("recording_without_text", Q(transcript="")),
            make_filter_index("recording_to_review", Q(Contains(*WARNING)) | HAS_SET_FINDINGS),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_usable(self) -> bool:
        return self.status == RecordingStatus.ACCEPTED

    @property
    def normalized_text(self) -> str:
        """The normalized transcript. Empty while the transcript is another one than it was made from."""
        is_current = self.normalized_version == make_version(self.transcript)
        return self.normalized_transcript if is_current else ""

    @property
    def sound(self) -> FieldFile:
        """The WAV that is played, measured and sent: the converted WAV, or the uploaded file if there is none."""
        return self.wav or self.file

    # Set by `note_refusals`: why a provider uses this recording in no build, and whether no account is at another one.
    refusal_text = ""
    is_refused_everywhere = False

    @property
    def sound_sha256(self) -> str:
        return self.wav_sha256 or self.sha256

    @property
    def error_codes(self) -> list[str]:
        return [finding["code"] for finding in self.findings if finding["severity"] == "refused"]

    @property
    def is_too_long(self) -> bool:
        """Whether the recording is a WAV whose only error is its length."""
        return self.status == RecordingStatus.REFUSED and self.error_codes == ["too_long"]

    @property
    def can_be_cut(self) -> bool:
        """Whether the recording can be split into clips. It is longer than a clip of a proposal, and has speech."""
        if self.is_usable and self.seconds > LONGEST_PROPOSED_CLIP:
            return UNCUTTABLE_CODES.isdisjoint(finding["code"] for finding in self.findings)
        return self.is_too_long

    @property
    def title(self) -> str:
        """The file name without its suffix."""
        return PurePath(self.file_name).stem
