"""How long finished work took, and uploads in progress."""

from django.contrib import admin

from voicehub.admin_base.groups import WORK
from voicehub.admin_base.rows import ReadOnlyAdmin
from voices.models import UploadProgress, WorkSample


@admin.register(WorkSample)
class WorkSampleAdmin(ReadOnlyAdmin):
    group = WORK
    list_display = ["kind", "key", "units", "seconds", "finished_at"]
    list_filter = ["kind", "finished_at"]
    search_fields = ["key"]


@admin.register(UploadProgress)
class UploadProgressAdmin(ReadOnlyAdmin):
    group = WORK
    list_display = ["activity", "user", "done", "total", "started_at"]
    list_select_related = ["user"]
