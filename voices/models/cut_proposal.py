from django.db import models

from voicehub.json_fields import NUMBER, ListOf, PairOf, ShapedJSONField
from voices.models.voice import Recording

SPANS = ListOf(PairOf(NUMBER))


class CutProposal(models.Model):
    """Where a recording that is too long would be split, and where a person chose to split it.

    `segments` and `clips` are [start, end] in samples. `clips` is empty if a split uses the proposal as it is.
    `speech` are the spans of detected speech in seconds. `peaks` are the loudest sample of each 10 ms, as a byte each,
    in Base64. They are large, so they have a row of their own. Until `proposed_at`, `read_share` says how much of the
    recording has been read.
    """

    recording = models.OneToOneField(Recording, models.CASCADE, related_name="cut_proposal", primary_key=True)
    requested_at = models.DateTimeField()
    read_share = models.FloatField(default=0)
    proposed_at = models.DateTimeField(null=True, blank=True)
    has_failed = models.BooleanField(default=False)
    segments = ShapedJSONField(shape=SPANS, default=list, editable=False)
    clips = ShapedJSONField(shape=SPANS, default=list, editable=False)
    speech = ShapedJSONField(shape=SPANS, default=list, editable=False)
    method = models.CharField(max_length=10, blank=True, help_text="What detected the speech.")
    peaks = models.TextField(blank=True, editable=False)

    class Meta:
        ordering = ["-requested_at"]
        verbose_name = "proposal of cuts"
        verbose_name_plural = "proposals of cuts"

    def __str__(self) -> str:
        return f"Cuts of {self.recording}"
