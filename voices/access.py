"""The rows of this app as its pages need them. Views name who may see them with `consent.access.may`."""

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from voices.models import Build, BuildRecording, Recording, Voice


def voices() -> QuerySet[Voice]:
    return Voice.objects.select_related("talent")


def recordings() -> QuerySet[Recording]:
    """Recordings without their waveforms, which only addresses of their own serve.

    `marked_silent` and `marked_outlier` are what the provider said in the newest build that reported on them;
    `source_name` is the file that it was cut from, and `cut_into` how many clips were cut from it.
    """
    used = BuildRecording.objects.filter(recording=OuterRef("pk"))
    marks = used.still_marked()
    pieces = Recording.objects.filter(source=OuterRef("pk")).order_by().values("source").annotate(count=Count("pk"))
    return (
        Recording.objects.select_related("voice")
        .defer("peaks", "fine_peaks")
        .annotate(
            was_built=Exists(used),
            marked_silent=Exists(marks.filter(is_silent=True)),
            marked_outlier=Exists(marks.filter(is_outlier=True)),
            source_name=F("source__file_name"),
            cut_into=Coalesce(Subquery(pieces.values("count")), 0),
        )
        .order_by()
    )


def builds() -> QuerySet[Build]:
    return Build.objects.select_related(
        "voice__talent", "remote_voice__account", "consent", "contract", "started_by"
    ).defer("raw_answer")
