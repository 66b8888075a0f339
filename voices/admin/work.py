"""How long finished work took, actions on many recordings that can be undone, and downloads."""

from django.contrib import admin

from voicehub.admin_base.groups import WORK
from voicehub.admin_base.rows import ReadOnlyAdmin
from voices.models import BulkChange, CutProposal, DatasetDownload, WorkSample


@admin.register(WorkSample)
class WorkSampleAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "How long finished work took"
    names = {"seconds": "took"}
    list_display = ["kind", "key", "units", "seconds", "finished_at"]
    list_filter = ["kind", "finished_at"]
    search_fields = ["key"]


@admin.register(BulkChange)
class BulkChangeAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Actions on many recordings, which can be undone"
    list_display = ["kind", "voice", "by", "created_at", "applied_at", "undone_at"]
    list_filter = ["kind", "created_at"]
    list_select_related = ["voice", "by"]
    # Up to 20,000 transcripts, which are in the rows of the recordings too.
    exclude = ["changes"]


@admin.register(DatasetDownload)
class DatasetDownloadAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Who downloaded the recordings of a voice"
    list_display = ["voice", "by", "layout", "recording_count", "size", "started_at", "finished_at", "failure"]
    list_filter = ["layout", "started_at"]
    search_fields = ["voice__name", "by__username"]
    list_select_related = ["voice", "by"]


@admin.register(CutProposal)
class CutProposalAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Where recordings that are too long would be split"
    names = {"has_failed": "failed", "read_share": "read so far"}
    list_display = ["recording", "requested_at", "proposed_at", "has_failed"]
    list_filter = ["requested_at"]
    search_fields = ["recording__file_name"]
    list_select_related = ["recording"]
    # Up to a megabyte, and thousands of numbers, which the page of the cuts draws.
    exclude = ["peaks", "speech", "segments", "clips"]
