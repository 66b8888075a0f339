"""Imports with their files and what was found in them, until they expire."""

from django.contrib import admin

from voicehub.admin_base.formats import format_seconds
from voicehub.admin_base.groups import WORK
from voicehub.admin_base.rows import ReadOnlyAdmin
from voices.models import Import, ImportClip, ImportFile, ImportLine, ImportPart, ImportText


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Uploads that staff review before they are added to a voice"
    names = {"finished_at": "finished", "work_started_at": "task at work since"}
    list_display = ["voice", "by", "status", "created_at", "finished_at"]
    list_filter = ["status", "created_at"]
    search_fields = ["voice__name", "by__username"]
    list_select_related = ["voice", "by"]


@admin.register(ImportFile)
class ImportFileAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Files of imports"
    list_display = ["name", "import_set", "status", "kind", "size", "created_at"]
    list_filter = ["status", "kind"]
    search_fields = ["name", "import_set__voice__name"]
    list_select_related = ["import_set__voice"]
    names = {"import_set": "import", "received": "received bytes"}


@admin.register(ImportPart)
class ImportPartAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Parts of uploads that are not complete"
    list_display = ["file", "start", "size", "created_at"]
    list_select_related = ["file"]


@admin.register(ImportClip)
class ImportClipAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Recordings that were found in imports"
    list_display = ["name", "import_set", "status", "length"]
    list_filter = ["status", "is_usable", "is_long"]
    searched_text = "names and transcripts"
    search_fields = ["name", "text", "sha256", "import_set__voice__name"]
    list_select_related = ["import_set__voice"]
    names = {"import_set": "import", "source": "from file"}
    exclude = ["peaks", "fine_peaks"]

    @admin.display(description="length", ordering="seconds")
    def length(self, clip: ImportClip) -> str:
        return format_seconds(clip.seconds)


@admin.register(ImportText)
class ImportTextAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Tables and texts that were found in imports"
    list_display = ["name", "file", "kind", "line_count", "matched_count"]
    list_filter = ["kind"]
    search_fields = ["name"]
    list_select_related = ["file"]
    exclude = ["data", "samples"]


@admin.register(ImportLine)
class ImportLineAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Lines of tables that fit no recording of an import"
    list_display = ["name", "text_file", "number", "reason"]
    list_filter = ["reason"]
    search_fields = ["name", "text"]
    list_select_related = ["text_file"]
    names = {"import_set": "import", "text_file": "table"}
