"""Voices and their recordings."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consent.access import get_user
from consent.services.countries import describe_countries
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.formats import EMPTY, format_json, format_seconds
from voicehub.admin_base.groups import VOICES
from voicehub.admin_base.rows import LEADING_FIELDS, ReadOnlyAdmin
from voicehub.status_marks import get_tone, render_mark
from voicehub.text import format_minus
from voices.access import are_recordings_closed
from voices.models import FindingSeverity, Recording, Voice
from voices.presenters import is_playable
from voices.recording_rows import get_quality_grade
from voices.services.recordings.store import check_again


@admin.register(Voice)
class VoiceAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "Voices of the studio, each of one talent"
    counted = ({}, "")
    place = 1
    studio_path = ""
    formats = {"countries": describe_countries}
    short_columns = ("talent", "created_at")
    list_display = ["name", "talent", "language", "purpose", "created_by", "created_at"]
    list_filter = ["purpose", "language", "created_at"]
    search_fields = ["name", "talent__name"]
    list_select_related = ["talent", "created_by"]
    actions = ["check_recordings"]
    action_permission = "voices.change_recording"

    @admin.action(description="Check the recordings again", permissions=["operate"])
    def check_recordings(self, request: HttpRequest, voices: QuerySet[Voice]) -> None:
        run_on_rows(request, voices, check_voice)


def check_voice(voice: Voice) -> str:
    check_again(voice)
    return "The recordings are checked in the background."


def format_findings(findings: list[dict[str, Any]]) -> SafeString | str:
    marks = ((render_mark("wait", str(format_json(finding))),) for finding in findings)
    return format_html_join("", "<div>{}</div>", marks) or EMPTY


# The sound on the left, who and when on the right.
PAIRED_FIELDS = (
    "seconds", "voice", "quality", "active", "loudness", "uploaded_by", "signal_to_noise", "created_at", "sample_rate",
    "checked_at", "size",
)  # fmt: skip


def rank_field(name: str) -> int:
    """Other fields keep their order: those that lead a page stand before the pairs, and all others after them."""
    return PAIRED_FIELDS.index(name) + 1 if name in PAIRED_FIELDS else 0 if name in LEADING_FIELDS else 99


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "Files of the voices, with length and format"
    place = 2
    studio_path = "voice"
    list_display = ["file_name", "voice", "state", "estimate", "active", "length", "created_at"]
    names = {"active": "in builds"}
    formats = {
        "quality": lambda value: f"{value:.1f} of 5",
        "findings": format_findings,
        "loudness": lambda value: f"{format_minus(f'{value:.1f}')} LUFS",
    }
    short_columns = ("voice", "estimate", "length")
    list_filter = ["status", "active", "created_at"]
    searched_text = "file names and transcripts"
    search_fields = ["file_name", "transcript", "sha256", "voice__name", "voice__talent__name"]
    list_select_related = ["voice"]
    actions = ["check_recordings"]
    action_permission = "voices.change_recording"

    readonly_fields = ["sound", "state"]
    exclude = ["status"]

    def get_fields(self, request: HttpRequest, obj: Recording | None = None) -> Any:
        """The sound of a closed recording is not on the page. The title is the name of the file."""
        names = sorted(super().get_fields(request, obj), key=rank_field)
        is_heard = obj is not None and is_playable(obj) and not are_recordings_closed(obj.voice, get_user(request))
        return [name for name in names if name != "file_name" and (is_heard or name != "sound")]

    @admin.display(description="sound")
    def sound(self, recording: Recording) -> SafeString:
        url = reverse("voices:recording_audio", args=[recording.pk])
        player = '<audio controls preload="none" src="{}" aria-label="{}" data-seconds="{}"></audio>'
        return format_html(player, url, recording.file_name, recording.seconds or 0)

    @admin.display(description="status", ordering="status")
    def state(self, recording: Recording) -> SafeString | str:
        """Whether it can be used, and whether a finding is to be checked. One without a finding has no mark."""
        if recording.is_usable:
            has_findings = recording.worst_severity == FindingSeverity.WARNING
            return render_mark("wait", "With findings") if has_findings else recording.get_status_display()
        return render_mark(get_tone(recording.status), recording.get_status_display())

    @admin.display(description="quality", ordering="quality")
    def estimate(self, recording: Recording) -> SafeString | str:
        """The estimate of the studio, empty before the analysis."""
        if recording.quality is None:
            return EMPTY
        grade = get_quality_grade(recording.quality)
        return format_html('<span class="vh-quality{}">{}</span>', grade, f"{recording.quality:.1f}")

    @admin.display(description="length", ordering="seconds")
    def length(self, recording: Recording) -> str:
        return format_seconds(recording.seconds) if recording.seconds else EMPTY

    @admin.action(description="Check again, with all recordings of the voice", permissions=["operate"])
    def check_recordings(self, request: HttpRequest, recordings: QuerySet[Recording]) -> None:
        voices = Voice.objects.filter(pk__in=recordings.order_by().values("voice"))
        run_on_rows(request, voices, check_voice)
