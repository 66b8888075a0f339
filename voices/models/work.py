import uuid

from django.conf import settings
from django.db import models

from voices.models.choices import UploadActivity, WorkKind


class WorkSample(models.Model):
    """How long one finished piece of work took. Pages learn from it when such work is expected to end.

    `key` tells apart work of one kind that takes different times, such as the trainings of two providers. `units` is
    the number of recordings or files. It is 0 for work that is not counted.
    """

    Kind = WorkKind

    kind = models.CharField(max_length=12, choices=WorkKind)
    key = models.CharField(max_length=90, blank=True)
    units = models.PositiveIntegerField(default=0)
    seconds = models.FloatField()
    finished_at = models.DateTimeField()

    class Meta:
        ordering = ["-finished_at", "-pk"]
        indexes = [models.Index(fields=["kind", "key", "-finished_at"], name="work_sample_newest")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.key}: {self.seconds:.1f} s"


class UploadProgress(models.Model):
    """How many files of an archive were read or added so far, while its upload is processed.

    The page that uploads makes the id. Only its user can read the row, which exists until the upload is answered.
    """

    Activity = UploadActivity

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    activity = models.CharField(max_length=8, choices=UploadActivity, default=UploadActivity.READING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "upload progress"

    def __str__(self) -> str:
        return f"{self.get_activity_display()} {self.done} of {self.total}"
