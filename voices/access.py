"""Querysets for the pages of this app. Views check permissions with `consent.access.may`."""

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from voices.models import Account, Build, BuildRecording, Recording, RemoteVoice, Voice
from voices.models.build import BuildQuerySet


def query_voices() -> QuerySet[Voice]:
    return Voice.objects.select_related("talent")


def query_recordings() -> QuerySet[Recording]:
    """Recordings without their waveforms, which have URLs of their own.

    `flagged_silent`, `flagged_outlier` and `flagged_discarded` say what the provider reported, in the newest build with
    a report on the recording. `source_name` is the file that the recording was split from. `segment_count` is the
    number of segments that were split from the recording.
    """
    build_rows = BuildRecording.objects.filter(recording=OuterRef("pk"))
    flagged_rows = build_rows.still_flagged()
    segments = Recording.objects.filter(source=OuterRef("pk")).order_by().values("source").annotate(count=Count("pk"))
    return (
        Recording.objects.select_related("voice")
        .defer("peaks", "fine_peaks")
        .annotate(
            was_built=Exists(build_rows),
            flagged_silent=Exists(flagged_rows.filter(is_silent=True)),
            flagged_outlier=Exists(flagged_rows.filter(is_outlier=True)),
            flagged_discarded=Exists(flagged_rows.exclude(discard_reason="")),
            source_name=F("source__file_name"),
            segment_count=Coalesce(Subquery(segments.values("count")), 0),
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
    """Remote voices with their builds, both newest first. Of the builds, only the status and the dates are loaded."""
    builds = Build.objects.only("status", "remote_voice", "created_at", "finished_at").order_by("-created_at")
    user_fields = ("made_public_by", "adopted_by", "deletion_requested_by", "deletion_assigned_to")
    remote_voices = RemoteVoice.objects.select_related("account", "voice__talent", *user_fields).defer("raw_response")
    return remote_voices.prefetch_related(Prefetch("builds", builds)).order_by("-created_at", "pk")
