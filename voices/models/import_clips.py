"""What was found in the files of an import: clips, texts, and lines of tables that give no clip its text."""

import uuid
from pathlib import PurePath
from typing import ClassVar

from django.db import models
from django.db.models.fields.files import FieldFile

from voicehub.json_fields import ListOf, ShapedJSONField
from voicehub.json_shapes import FINDINGS, LEVELS, PEAKS
from voicehub.storage import private
from voicehub.transitions import StatusModel, make_status_constraint
from voices.models.choices import ImportClipState, ImportLineReason, ImportTextKind
from voices.models.imports import NAME_LENGTH, Import, ImportFile
from voices.models.recording_files import (
    CONVERTED_SUFFIX,
    OTHER_SUFFIX,
    RECIPE,
    RECORDING_SUFFIXES,
    WAV_SUFFIX,
    format_recording_path,
)
from voices.models.voice import Recording

SAMPLES = ListOf(ListOf(str))
CLIP_NAMESPACE = uuid.UUID("7c1f7d4c-3f0e-4f0b-9d3e-6a1d0c4b5e21")


def make_clip_path(clip: "ImportClip", _name: str) -> str:
    is_wav = clip.is_usable and not clip.wav
    return clip.make_path(WAV_SUFFIX if is_wav else OTHER_SUFFIX)


def make_clip_wav_path(clip: "ImportClip", _name: str) -> str:
    return clip.make_path(CONVERTED_SUFFIX)


def make_text_path(text: "ImportText", _name: str) -> str:
    return f"imports/{text.file.import_set_id}/{text.file_id}/{text.pk}.text"


class ImportClip(StatusModel):
    """One file of audio in an import. It becomes the recording with the same id, and its files are named as that one's.

    `position` is its place in its file: 0 unless that is an archive. `is_usable` says that no finding refuses it.
    `is_long`: some providers do not take it whole. It is added, also if its length alone makes it unusable, and can be
    cut. `recording` is what the voice has with the same bytes, and `twin` the clip of this import with the same bytes
    that is added in place of this one.
    """

    Status = ImportClipState
    MOVES: ClassVar = {
        ImportClipState.READY: frozenset({ImportClipState.DUPLICATE, ImportClipState.ADDED}),
        ImportClipState.DUPLICATE: frozenset({ImportClipState.READY}),  # another clip with these bytes is left out
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    import_set = models.ForeignKey(Import, models.CASCADE, related_name="clips")
    source = models.ForeignKey(ImportFile, models.CASCADE, related_name="clips")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=NAME_LENGTH, help_text="With its folders.")
    status = models.CharField(max_length=10, choices=ImportClipState)
    is_usable = models.BooleanField(default=True)
    is_long = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0)
    sample_rate = models.PositiveIntegerField(default=0)
    file = models.FileField(storage=private, upload_to=make_clip_path, max_length=200, blank=True)
    wav = models.FileField(storage=private, upload_to=make_clip_wav_path, max_length=200, blank=True)
    wav_size = models.PositiveBigIntegerField(default=0, help_text="In bytes, of the converted WAV.")
    wav_sha256 = models.CharField(max_length=64, blank=True)
    text = models.TextField(blank=True)
    normalized_text = models.TextField(blank=True)
    in_builds = models.BooleanField(null=True, blank=True, help_text="What a table says. Empty if none says it.")
    recording = models.ForeignKey(Recording, models.SET_NULL, null=True, blank=True, related_name="+")
    twin = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    # SQLite reads a row from its start, so what is large and not in the lists comes last.
    findings = ShapedJSONField(shape=FINDINGS, default=list)
    levels = ShapedJSONField(shape=LEVELS, default=dict)
    recipe = ShapedJSONField(shape=RECIPE, default=dict)
    peaks = ShapedJSONField(shape=PEAKS, default=list)
    fine_peaks = ShapedJSONField(shape=PEAKS, default=list)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            make_status_constraint("import_clip_status_known", ImportClipState),
            models.UniqueConstraint(fields=["source", "position"], name="import_clip_once_per_position"),
        ]
        indexes = [models.Index(fields=["import_set", "status", "name", "id"], name="import_clip_by_status")]

    def __str__(self) -> str:
        return self.name

    def make_path(self, suffix: str) -> str:
        return format_recording_path(self.import_set.voice_id, self.pk, suffix)

    def list_paths(self) -> list[str]:
        return [self.make_path(suffix) for suffix in RECORDING_SUFFIXES]

    @property
    def file_name(self) -> str:
        return PurePath(self.name).name

    @property
    def sound(self) -> FieldFile:
        """The WAV that is played: the converted one, or the file itself."""
        return self.wav or self.file

    @property
    def is_playable(self) -> bool:
        return bool(self.file) and self.seconds > 0

    @property
    def can_replace_twin(self) -> bool:
        """Whether it can be added in place of its twin. The transcript of the audio stays."""
        twin = self.twin if self.status == ImportClipState.DUPLICATE else None
        return twin is not None and twin.status == ImportClipState.READY and (bool(self.text) or not twin.text)


def make_clip_id(source: ImportFile, position: int) -> uuid.UUID:
    """The same each time, so that a check that is repeated writes the same files again."""
    return uuid.uuid5(CLIP_NAMESPACE, f"{source.pk.hex}:{position}")


class ImportText(models.Model):
    """A table or a text of an import, as a file of its own or in an archive. `data` has small ones, `content` others.

    The columns are counted from 0. With `is_chosen` a person chose them, otherwise they are found.
    """

    Kind = ImportTextKind

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(ImportFile, models.CASCADE, related_name="texts")
    name = models.CharField(max_length=NAME_LENGTH)
    kind = models.CharField(max_length=10, choices=ImportTextKind, blank=True)
    data = models.BinaryField(blank=True)
    content = models.FileField(storage=private, upload_to=make_text_path, max_length=200, blank=True)
    problem = models.TextField(blank=True, help_text="Why it cannot be read.")
    line_count = models.PositiveIntegerField(default=0)
    matched_count = models.PositiveIntegerField(default=0, help_text="Lines that give a clip its text.")
    name_at = models.PositiveSmallIntegerField(null=True, blank=True)
    text_at = models.PositiveSmallIntegerField(null=True, blank=True)
    normalized_at = models.PositiveSmallIntegerField(null=True, blank=True)
    is_certain = models.BooleanField(default=True, help_text="Whether the column of the texts is not in doubt.")
    is_chosen = models.BooleanField(default=False)
    restores_zeros = models.BooleanField(default=False, help_text="Whether names that lost their zeros are repaired.")
    samples = ShapedJSONField(shape=SAMPLES, default=list)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class ImportLine(models.Model):
    """A line of a table that gives no clip its text. With EARLIER it is that of a recording that the voice has."""

    Reason = ImportLineReason

    id = models.BigAutoField(primary_key=True)
    import_set = models.ForeignKey(Import, models.CASCADE, related_name="lines")
    text_file = models.ForeignKey(ImportText, models.CASCADE, related_name="lines")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=NAME_LENGTH)
    text = models.TextField(blank=True)
    reason = models.CharField(max_length=10, choices=ImportLineReason)
    proposal = models.CharField(max_length=NAME_LENGTH, blank=True, help_text="The file that it seems to mean.")
    recording = models.ForeignKey(Recording, models.CASCADE, null=True, blank=True, related_name="+")
    text_before = models.TextField(blank=True, help_text="The transcript that the recording had. Another one stays.")

    class Meta:
        ordering = ["text_file", "number"]
        indexes = [models.Index(fields=["import_set", "reason"], name="import_line_by_reason")]

    def __str__(self) -> str:
        return f"Line {self.number} of {self.text_file}"
