import uuid
from datetime import datetime, timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from voicehub.json_fields import ShapedJSONField
from voicehub.json_shapes import FINDINGS
from voicehub.storage import private
from voicehub.transitions import StatusModel, make_status_constraint
from voices.models.choices import ImportFileKind, ImportFileStatus, ImportStatus
from voices.models.voice import Voice

# Long enough for a person who is on holiday, and short enough that forgotten recordings do not stay around.
IMPORT_LIFETIME = timedelta(days=14)
# Of files, with their folders.
NAME_LENGTH = 1000


def make_import_path(file: "ImportFile", _name: str) -> str:
    return f"imports/{file.import_set_id}/{file.pk}/file"


def make_part_path(part: "ImportPart", _name: str) -> str:
    return f"imports/{part.file.import_set_id}/{part.file_id}/{part.start}-{part.pk}.part"


class Import(StatusModel):
    """Files that a person uploads to a voice, sees in a preview, and then adds to the voice or discards.

    A task deletes the files of an import that is discarded, added, or older than IMPORT_LIFETIME.
    """

    Status = ImportStatus
    MOVES: ClassVar = {
        ImportStatus.OPEN: frozenset({ImportStatus.ADDING, ImportStatus.DISCARDED}),
        ImportStatus.ADDING: frozenset({ImportStatus.ADDED, ImportStatus.OPEN}),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voice = models.ForeignKey(Voice, models.PROTECT, related_name="imports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", help_text="Who uploaded it.")
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", help_text="Who had it added."
    )
    status = models.CharField(max_length=16, choices=ImportStatus, default=ImportStatus.OPEN)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True, help_text="When it was added or discarded.")
    planned_files = models.PositiveIntegerField(
        default=0, help_text="How many files were chosen. Those that a closed page did not begin to send have no row."
    )
    file_count = models.PositiveIntegerField(default=0, help_text="How many files it has, also incomplete ones.")
    file_bytes = models.PositiveBigIntegerField(default=0, help_text="The size of these files together.")
    work_done = models.PositiveIntegerField(default=0, help_text="How many files the running task has worked on.")
    work_total = models.PositiveIntegerField(default=0)
    work_started_at = models.DateTimeField(null=True, blank=True, help_text="Empty while no task works on it.")
    text_count = models.PositiveIntegerField(
        "texts of earlier recordings", default=0, help_text="Transcripts that it set of recordings the voice had."
    )

    class Meta:
        ordering = ["-created_at"]
        constraints = [make_status_constraint("import_status_known", ImportStatus)]
        indexes = [models.Index(fields=["voice", "-created_at"], name="import_newest")]

    def __str__(self) -> str:
        return f"Import to {self.voice} of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def expires_at(self) -> datetime:
        return self.created_at + IMPORT_LIFETIME


class ImportFile(StatusModel):
    """One file of an import. Its id is that of its resumable upload (tus 1.0).

    `received` is the offset of the upload: the number of bytes that are stored in its parts. When it equals `size`, the
    parts are joined to `file`. `name` has the folders of a dropped folder, divided by slashes. The same `upload_key`
    means the same file of a person's computer, so that a lost answer or a closed page makes no second row.
    """

    Status = ImportFileStatus
    MOVES: ClassVar = {
        ImportFileStatus.UPLOADING: frozenset({ImportFileStatus.UPLOADED}),
        ImportFileStatus.UPLOADED: frozenset({ImportFileStatus.CHECKED}),
        ImportFileStatus.CHECKED: frozenset({ImportFileStatus.UPLOADED}),  # it is checked once more
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    import_set = models.ForeignKey(Import, models.CASCADE, related_name="files")
    name = models.CharField(max_length=NAME_LENGTH)
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    status = models.CharField(max_length=16, choices=ImportFileStatus, default=ImportFileStatus.UPLOADING)
    file = models.FileField(storage=private, upload_to=make_import_path, max_length=200, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the whole file, in hex.")
    metadata = models.TextField(blank=True, help_text="The header Upload-Metadata, as it was sent.")
    upload_key = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    kind = models.CharField(max_length=10, choices=ImportFileKind, blank=True, help_text="Empty until it is checked.")
    findings = ShapedJSONField(shape=FINDINGS, default=list, help_text="About the file itself, such as an archive.")
    code_page = models.CharField(
        max_length=20, blank=True, help_text="Of the names in an archive. Empty if they are UTF-8."
    )
    chosen_code_page = models.CharField(max_length=20, blank=True, help_text="The choice of a person.")

    class Meta:
        ordering = ["created_at", "name"]
        constraints = [
            make_status_constraint("import_file_status_known", ImportFileStatus),
            models.CheckConstraint(name="import_file_within_size", condition=Q(received__lte=models.F("size"))),
            models.UniqueConstraint(
                fields=["import_set", "upload_key"], condition=~Q(upload_key=""), name="import_file_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ImportPart(models.Model):
    """A part of an upload in the storage, so that another web server can continue the upload.

    The row is written before the part is stored. It counts only if `size` is set; others are of broken requests.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    file = models.ForeignKey(ImportFile, models.CASCADE, related_name="parts")
    start = models.PositiveBigIntegerField(help_text="Its first byte in the file.")
    size = models.PositiveBigIntegerField(null=True, blank=True, help_text="In bytes. Empty until it is stored.")
    content = models.FileField(storage=private, upload_to=make_part_path, max_length=200)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["start"]
        constraints = [
            models.UniqueConstraint(
                fields=["file", "start"], condition=Q(size__isnull=False), name="import_part_once_per_start"
            )
        ]

    def __str__(self) -> str:
        return f"{self.file} from byte {self.start}"
