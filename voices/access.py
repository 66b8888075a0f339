"""The rows of this app as its pages need them. Views name who may see them with `consent.access.may`."""

from django.db.models import Exists, OuterRef, QuerySet

from voices.models import Build, BuildRecording, Recording, Voice


def voices() -> QuerySet[Voice]:
    return Voice.objects.select_related("talent")


def recordings() -> QuerySet[Recording]:
    """Recordings without the waveform and the levels, which only their own addresses serve.

    `marked_silent` and `marked_outlier` are what the provider said in the newest build that reported on them.
    """
    used = BuildRecording.objects.filter(recording=OuterRef("pk"))
    marks = used.still_marked()
    return (
        Recording.objects.select_related("voice")
        .defer("peaks", "levels")
        .annotate(
            was_built=Exists(used),
            marked_silent=Exists(marks.filter(is_silent=True)),
            marked_outlier=Exists(marks.filter(is_outlier=True)),
        )
        .order_by()
    )


def builds() -> QuerySet[Build]:
    return Build.objects.select_related(
        "voice__talent", "remote_voice__account", "consent", "contract", "started_by"
    ).defer("raw_answer")
