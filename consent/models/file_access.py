from django.conf import settings
from django.db import models

from consent.models.talent import Talent


class FileAccess(models.Model):
    """Who played or downloaded a file of a talent in one hour, and how often (see `consent.services.file_access`).

    A player asks for many ranges of one file, so `count` is the number of requests. `reader` tells people apart and is
    never empty: a user, the talent on a private page, or a provider. Rows are only added and counted.
    """

    talent = models.ForeignKey(Talent, models.PROTECT, null=True, related_name="file_accesses")
    reader = models.CharField(max_length=60, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    reader_name = models.CharField("by", max_length=200)
    kind = models.CharField(max_length=20)
    object_id = models.UUIDField()
    label = models.CharField("file", max_length=200)
    hour = models.DateTimeField(help_text="The hour in which it began.")
    last_at = models.DateTimeField("last time")
    count = models.PositiveIntegerField("requests", default=1)

    class Meta:
        ordering = ["-hour", "-pk"]
        verbose_name = "access to a file"
        verbose_name_plural = "access to files"
        constraints = [
            models.UniqueConstraint(fields=["reader", "kind", "object_id", "hour"], name="file_access_once_an_hour")
        ]
        indexes = [models.Index(fields=["talent", "-hour"], name="file_access_of_talent")]

    def __str__(self) -> str:
        return f"{self.label}, {self.reader_name}"
