"""Builds, what the providers reported about each recording, and the messages and downloads of a build."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import truncatechars
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from consent.access import get_user
from voicehub import outbox
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.formats import EMPTY, format_day, format_json, format_seconds
from voicehub.admin_base.groups import VOICES, WORK
from voicehub.admin_base.inlines import FirstRowsFormSet, FirstRowsInline
from voicehub.admin_base.rows import ReadOnlyAdmin
from voicehub.refusals import ActionRefused
from voicehub.status_marks import get_tone, render_mark
from voicehub.text import format_decimals, split_sentences
from voices.build_results.marks import list_marks
from voices.lists.builds import load_build_cells, render_badges
from voices.models import Build, BuildRecording, BuildStatus, Callback, DatasetFetch
from voices.models.build import FAILED_STATUSES
from voices.presenters import build_name
from voices.services.builds.changes import annotate_numbers
from voices.services.builds.failures import mark_failure_seen
from voices.services.builds.scores import order_worst_first
from voices.services.builds.spec import shorten_clip_names

ISSUE_LENGTH = 80
RESULTS_IN_NUMBERS = ("sample_score", "signal_to_noise_ratio", "loudness_grade")

# Large recording columns that no page of a build shows.
DEFERRED_FIELDS = [
    f"recording__{name}"
    for name in (
        "peaks", "fine_peaks", "levels", "findings", "set_findings", "sound_features", "measures", "recipe",
    )
]  # fmt: skip


def format_issue(issue: str) -> SafeString:
    """What the provider said, each sentence on its own line, with the names of the files."""
    sentences = split_sentences(shorten_clip_names(issue))
    return format_html_join("", "<div>{}</div>", ((sentence,) for sentence in sentences))


def format_scores(scores: Mapping[str, Any]) -> SafeString | str:
    """The scores of the provider, all with two decimals, so that they can be compared."""
    return format_json({name: format_decimals(one) if isinstance(one, float) else one for name, one in scores.items()})


class WorstRowsFormSet(FirstRowsFormSet):
    max_rows = 10

    def find_rows(self) -> QuerySet[BuildRecording]:
        return order_worst_first(self.instance).defer(*DEFERRED_FIELDS)


class BuildRecordingInline(FirstRowsInline):
    model = BuildRecording
    formset = WorstRowsFormSet
    fields = readonly_fields = ("recording", "result", *RESULTS_IN_NUMBERS)
    verbose_name_plural = "recordings"
    order_text = "worst first"
    narrow_columns = ("result", "sample_score")
    names = {"signal_to_noise_ratio": "speech above the noise", "loudness_grade": "loudness grade"}

    @admin.display(description="result")
    def result(self, row: BuildRecording) -> SafeString | str:
        """What the provider said against it, with its reason."""
        marks = [render_mark(tone, label) for tone, label in list_marks(row)]
        reason = format_html('<small class="sub">{}</small>', row.discard_reason) if row.discard_reason else ""
        return format_html("{}{}", format_html_join(" ", "{}", ((mark,) for mark in marks)), reason) or "Used"


@admin.register(Build)
class BuildAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "Each attempt to make a voice at a provider"
    counted = ({}, "")
    place = 3
    studio_path = ""
    list_display = ["title", "provider", "state", "created", "took"]
    short_columns = ("provider", "created", "took")
    formats = {"issue": format_issue, "scores": format_scores}
    list_filter = ["status", "created_at", "handover", "remote_voice__tier", "remote_voice__account"]
    search_fields = [
        "voice__name",
        "voice__talent__name",
        "remote_voice__reference",
        "remote_voice__remote_id",
        "issue",
    ]
    list_select_related = ["voice", "remote_voice__account", "started_by"]
    exclude = ["samples"]
    inlines = [BuildRecordingInline]
    actions = ["check_now", "mark_seen"]
    action_permission = "voices.start_build"
    attention = (
        (
            {"status__in": ",".join(sorted(FAILED_STATUSES)), "seen_at__isnull": True},
            "failed build not seen",
            "failed builds not seen",
            "wait",
        ),
    )

    @admin.display(description="voice", ordering="voice__name")
    def title(self, build: Build) -> SafeString:
        number = build.number  # type: ignore[attr-defined]  # annotated by get_queryset
        by = format_html('<span class="only-desk">, by {}</span>', build.started_by)
        return format_html('{} <small class="sub">Build {}{}</small>', build.voice, number, by)

    @admin.display(description="provider", ordering="remote_voice__account__provider")
    def provider(self, build: Build) -> str:
        return build_name(build)

    @admin.display(description="created", ordering="created_at")
    def created(self, build: Build) -> str:
        """The day. Its page has the time."""
        return format_day(timezone.localdate(build.created_at))

    @admin.display(description="status", ordering="status")
    def state(self, build: Build) -> SafeString:
        """As in the list of builds, with the reason of a build that waits for a person.

        That list has no build whose talent is lost from the database.
        """
        badges = render_badges(build.badges)  # type: ignore[attr-defined]  # set by get_changelist_instance
        mark = badges or render_mark(get_tone(build.status), build.get_status_display())
        if build.status not in FAILED_STATUSES or not build.issue:
            return mark
        return format_html('{} <small class="sub">{}</small>', mark, truncatechars(build.issue, ISSUE_LENGTH))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with the badges of its rows."""
        changelist = super().get_changelist_instance(request)
        cells = load_build_cells([build.pk for build in changelist.result_list])
        for build in changelist.result_list:
            build.badges = cells[build.pk].badges if build.pk in cells else ()
        return changelist

    def name_row(self, row: Build) -> str:
        """As lists name it."""
        return f"Build {row.number} of {row.voice}"  # type: ignore[attr-defined]  # annotated by get_queryset

    def get_queryset(self, request: HttpRequest) -> QuerySet[Build]:
        return annotate_numbers(super().get_queryset(request))

    @admin.display(description="took")
    def took(self, build: Build) -> str:
        if build.finished_at is None:
            return EMPTY
        return format_seconds((build.finished_at - build.created_at).total_seconds())

    @admin.action(description="Check the status now", permissions=["operate"])
    def check_now(self, request: HttpRequest, builds: QuerySet[Build]) -> None:
        run_on_rows(request, builds, poll_now)

    @admin.action(description="Mark failed builds as seen", permissions=["operate"])
    def mark_seen(self, request: HttpRequest, builds: QuerySet[Build]) -> None:
        def mark(build: Build) -> str:
            mark_failure_seen(build, get_user(request))
            return "Marked as seen. It is no longer on Today."

        run_on_rows(request, builds, mark)


def poll_now(build: Build) -> str:
    if build.status != BuildStatus.TRAINING:
        raise ActionRefused("Not checked, because it is not in training.")
    outbox.enqueue_task("refresh_build", build.pk)
    return "The provider is asked now. The page of the build shows the result."


@admin.register(BuildRecording)
class BuildRecordingAdmin(ReadOnlyAdmin):
    group = VOICES
    purpose = "What a provider reported about each recording"
    studio_path = "build"
    list_display = ["recording", "build", "sample_score", "stoi", "pesq", "is_silent", "is_outlier", "discard_reason"]
    list_filter = ["has_report", "is_silent", "is_outlier", "is_active", "from_callback"]
    search_fields = ["recording__file_name", "build__voice__name", "transcript"]
    list_select_related = ["recording", "build__voice", "build__remote_voice"]
    ordering = ["-pk"]


@admin.register(Callback)
class CallbackAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Messages of the providers about builds"
    studio_path = "build"
    list_display = ["build", "received_at", "address"]
    list_filter = ["received_at"]
    search_fields = ["build__voice__name", "body"]
    list_select_related = ["build__voice", "build__remote_voice"]


@admin.register(DatasetFetch)
class DatasetFetchAdmin(ReadOnlyAdmin):
    group = WORK
    purpose = "Downloads of a dataset by a provider"
    studio_path = "build"
    list_display = ["build", "at", "address", "user_agent"]
    list_filter = ["at"]
    list_select_related = ["build__voice", "build__remote_voice"]
