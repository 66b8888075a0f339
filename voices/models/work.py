from django.db import models

from voices.models.choices import WorkKind


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
