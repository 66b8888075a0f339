import uuid

from django.conf import settings
from django.db import models

from voices.models.choices import DatasetLayout
from voices.models.voice import Voice


class DatasetDownload(models.Model):
    """Who downloaded the recordings of a voice as a dataset. `failure` says why the archive broke off.

    A row with neither an end nor a failure is of a download that still runs, or whose server was stopped.
    """

    Layout = DatasetLayout

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voice = models.ForeignKey(Voice, models.CASCADE, related_name="dataset_downloads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    layout = models.CharField(max_length=16, choices=DatasetLayout)
    only_in_builds = models.BooleanField(default=False)
    recording_count = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField(help_text="Of the archive, in bytes.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "download of a voice"
        verbose_name_plural = "downloads of voices"
        indexes = [models.Index(fields=["voice", "-started_at"], name="dataset_download_newest")]

    def __str__(self) -> str:
        return f"{self.voice} for {self.get_layout_display()}"
