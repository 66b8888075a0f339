"""Imports, with their files and the parts of uploads that are not complete."""

from django.contrib import admin

from voicehub.admin_base.groups import WORK
from voicehub.admin_base.rows import ReadOnlyAdmin
from voices.models import Import, ImportFile, ImportPart


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Files that are uploaded, shown in a preview and then added to a voice"
    list_display = ["voice", "by", "status", "planned_files", "created_at", "finished_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["voice__name", "by__username"]
    list_select_related = ["voice", "by"]


@admin.register(ImportFile)
class ImportFileAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "The files of imports"
    list_display = ["name", "import_set", "status", "received", "size", "created_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["name"]
    list_select_related = ["import_set__voice"]


@admin.register(ImportPart)
class ImportPartAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Stored parts of uploads that are not complete"
    list_display = ["file", "start", "size", "created_at"]
    list_select_related = ["file"]
