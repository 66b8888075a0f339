"""Voices, files and previews as the providers have them."""

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.filters import PresenceFilter
from voicehub.admin_base.formats import format_moment
from voicehub.admin_base.groups import VOICES
from voicehub.admin_base.rows import ReadOnlyAdmin
from voicehub.status_marks import render_mark
from voices.models import BlindVote, Build, Preview, RemoteFile, RemoteVoice
from voices.presenters import make_remote_badge
from voices.services.remote_voices import refresh_remote_voice


@admin.register(RemoteVoice)
class RemoteVoiceAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "Voices as the providers have them"
    studio_path = ""
    names = {"observed_status": "status"}
    attention = (({"alert__gt": ""}, "voice with an alert", "voices with an alert", "bad"),)
    readonly_fields = ["state"]
    list_display = ["title", "account", "tier", "state", "checked"]
    short_columns = ("account", "tier")
    list_filter = [
        "account",
        "tier",
        "observed_status",
        ("alert", PresenceFilter),
    ]
    search_fields = ["reference", "remote_id", "voice__name"]
    list_select_related = ["voice__talent", "account"]

    actions = ["refresh"]
    action_permission = "voices.change_remotevoice"

    def get_queryset(self, request: HttpRequest) -> QuerySet[RemoteVoice]:
        rows: QuerySet[RemoteVoice] = super().get_queryset(request)
        builds = Build.objects.defer("raw_response", "samples", "scores", "options")
        return rows.prefetch_related(Prefetch("builds", builds))

    def name_row(self, row: RemoteVoice) -> str:
        return str(row.voice or row.name or "A voice")

    @admin.display(description="voice", ordering="voice__name")
    def title(self, remote: RemoteVoice) -> SafeString:
        return format_html('{} <small class="sub">{}</small>', self.name_row(remote), remote.reference)

    @admin.display(description="status")
    def state(self, remote: RemoteVoice) -> SafeString:
        badge = make_remote_badge(remote)
        return render_mark(badge.severity, badge.label)

    @admin.display(description="checked", ordering="checked_at")
    def checked(self, remote: RemoteVoice) -> str:
        return format_moment(remote.checked_at) if remote.checked_at else "Not yet"

    @admin.action(description="Refresh from the provider", permissions=["operate"])
    def refresh(self, request: HttpRequest, remotes: QuerySet[RemoteVoice]) -> None:
        run_on_rows(request, remotes, refresh)


def refresh(remote: RemoteVoice) -> str:
    refresh_remote_voice(remote)
    return "Status updated from the provider."


@admin.register(RemoteFile)
class RemoteFileAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "Files that were sent to the providers"
    studio_path = "remote_voice"
    list_display = [
        "remote_id",
        "kind",
        "remote_voice",
        "account",
        "announced_at",
        "deletion_requested_at",
        "deleted_at",
    ]
    list_filter = ["kind", "account", "deletion_requested_at", "deleted_at"]
    search_fields = ["remote_id", "remote_voice__reference", "recording__file_name"]
    list_select_related = ["remote_voice", "account"]


@admin.register(Preview)
class PreviewAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "Sentences that built voices speak"
    studio_path = "remote_voice"
    list_display = ["text", "remote_voice", "status", "requested_by", "created_at", "finished_at"]
    list_filter = ["status", "remote_voice__account"]
    search_fields = ["text", "remote_voice__reference", "remote_voice__voice__name"]
    list_select_related = ["remote_voice", "requested_by"]
    exclude = ["url"]


@admin.register(BlindVote)
class BlindVoteAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "Choices between builds whose names were hidden"
    list_display = ["text", "choice", "chosen_build", "voter", "voted_at"]
    list_filter = ["choice", "voted_at"]
    search_fields = ["previews__text", "voter__username"]
    list_select_related = ["voter", "chosen__build__voice", "chosen__build__remote_voice__account"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[BlindVote]:
        rows: QuerySet[BlindVote] = super().get_queryset(request)
        return rows.prefetch_related("previews")

    @admin.display(description="sentence")
    def text(self, vote: BlindVote) -> str:
        return next((str(preview) for preview in vote.previews.all()), "")

    @admin.display(description="better build")
    def chosen_build(self, vote: BlindVote) -> str:
        return str(vote.chosen.build) if vote.chosen else ""
