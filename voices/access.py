"""Querysets for the pages of this app. Views check permissions with `consent.access.may`."""

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from voices.models import Account, Build, BuildRecording, Recording, RemoteVoice, Voice
from voices.models.build import BuildQuerySet


def query_voices() -> QuerySet[Voice]:
    return Voice.objects.select_related("talent")


def query_recordings() -> QuerySet[Recording]:
    """Recordings without their waveforms, which have URLs of their own.

    `marked_silent`, `marked_outlier` and `marked_discarded` come from the newest build that reported on the recording.
    `source_name` is the file that it was split from, and `cut_into` the number of segments split from it.
    """
    used = BuildRecording.objects.filter(recording=OuterRef("pk"))
    marks = used.still_flagged()
    pieces = Recording.objects.filter(source=OuterRef("pk")).order_by().values("source").annotate(count=Count("pk"))
    return (
        Recording.objects.select_related("voice")
        .defer("peaks", "fine_peaks")
        .annotate(
            was_built=Exists(used),
            marked_silent=Exists(marks.filter(is_silent=True)),
            marked_outlier=Exists(marks.filter(is_outlier=True)),
            marked_discarded=Exists(marks.exclude(discard_reason="")),
            source_name=F("source__file_name"),
            cut_into=Coalesce(Subquery(pieces.values("count")), 0),
        )
        .order_by()
    )


def query_builds() -> BuildQuerySet:
    return Build.objects.select_related(
        "voice__talent", "remote_voice__account", "consent", "contract", "started_by", "resolved_by"
    ).defer("raw_response")


def query_paused_accounts() -> QuerySet[Account]:
    return Account.objects.filter(paused_at__isnull=False).order_by("paused_at")


def query_remote_voices() -> QuerySet[RemoteVoice]:
    """Remote voices, each with its builds, newest first. Only the status and dates of the builds are loaded."""
    builds = Build.objects.only("status", "remote_voice", "created_at", "finished_at").order_by("-created_at")
    people = ("made_public_by", "adopted_by", "deletion_requested_by")
    rows = RemoteVoice.objects.select_related("account", "voice__talent", *people).defer("raw_response")
    return rows.prefetch_related(Prefetch("builds", builds)).order_by("-created_at", "pk")
