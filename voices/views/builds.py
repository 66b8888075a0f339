"""The pages of builds: start, progress, results, export, and the answers of staff on unclear builds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from consent.access import get_user, require_permission
from providers import registry
from voicehub.refusals import show_refusal_as_message
from voicehub.tokens import hash_token
from voices import access
from voices.account_forms import show_errors
from voices.forms import BuildForm, ResolveSubmitForm, ResolveTrainingForm, read_options
from voices.models import Account, Build, BuildRecording, BuildStatus
from voices.models.build import ACTIVE_STATUSES
from voices.presenters import compute_change_token, describe_bill, describe_handover, needs_staff_answer
from voices.services.builds.failures import is_open_failure
from voices.services.builds.options import describe_emotions, list_option_fields, list_shown_options
from voices.services.builds.recheck import check_built_voices
from voices.services.builds.reconcile import resolve_submit_manually, resolve_training_manually
from voices.services.builds.scores import SCORES, ScoreInfo, count_scores, order_worst_first
from voices.services.builds.start import cancel_build, find_blockers, start_build
from voices.services.remote_state import find_retraining, load_build_history
from voices.views.build_csv import generate_csv_lines
from voices.work_progress import WorkProgress, load_build_progress

PAGE_SIZE = 100
VERDICT_SEVERITIES = {"good": "good", "fair": "wait", "poor": "bad"}
# Large recording columns that no build page shows.
DEFERRED_FIELDS = ("peaks", "fine_peaks", "levels", "findings", "set_findings", "sound_features")
# VoiceHub's own estimates, shown beside the provider's scores: key and column heading.
ESTIMATE_LABELS = {"dnsmos_overall": "DNSMOS", "stoi": "STOI", "si_sdr": "SI-SDR"}
RESULT_SEVERITIES = {
    BuildStatus.READY: "good",
    BuildStatus.DATASET_ISSUE: "wait",
    BuildStatus.CONSENT_REJECTED: "bad",
    BuildStatus.FAILED: "bad",
    BuildStatus.CANCELED: "over",
    BuildStatus.WITHDRAWN: "bad",
}


@dataclass(frozen=True, slots=True)
class TimelineStep:
    """One step of a build's timeline. `state` is "done", "now", "next", or the severity of the result."""

    label: str
    state: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """One quality score of a build, with its value and what the value means."""

    info: ScoreInfo
    value: float

    @property
    def verdict(self) -> str:
        return self.info.get_verdict(self.value)

    @property
    def severity(self) -> str:
        return VERDICT_SEVERITIES[self.verdict]


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:readiness")
def build_start(request: HttpRequest, pk: str) -> HttpResponse:
    voice = get_object_or_404(access.query_voices(), pk=pk)
    form = BuildForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The build was not started. Choose the account and the kind of build again.")
        return redirect(voice.get_readiness_url())
    account = get_object_or_404(Account, pk=form.cleaned_data["account"])
    tier, handover, new_voice = (form.cleaned_data[name] for name in ("tier", "handover", "new_voice"))
    if account.provider not in registry.PROVIDERS or tier not in registry.get_provider_class(account.provider).tiers:
        raise Http404
    options = read_options(request.POST)
    build = start_build(voice, account, tier, handover, get_user(request), options, new_voice=new_voice == "yes")
    return redirect(build)


@require_permission("voices.view_build")
@require_safe
def build_detail(request: HttpRequest, pk: str) -> HttpResponse:
    build = get_object_or_404(access.query_builds(), pk=pk)
    return render(request, "voices/build.html", make_build_context(request, build, load_build_progress(build)))


@require_permission("voices.view_build")
@require_safe
def build_progress(request: HttpRequest, pk: str) -> HttpResponse:
    """The progress of an active build. Returns 204 if the page is up to date.

    If anything else of the page moved, or the build ended, the page gets everything about the build.
    """
    build = get_object_or_404(access.query_builds(), pk=pk)
    progress = load_build_progress(build)
    if progress and request.GET.get("seen") == compute_change_token(build, progress):
        return HttpResponse(status=204)
    context = make_build_context(request, build, progress)
    if build.is_active and request.GET.get("rest") == context["rest_token"]:
        return render(request, "voices/_build_progress.html", context)
    return retarget(render(request, "voices/_build.html", context), "#build")


@require_permission("voices.view_build")
@require_safe
def build_export(request: HttpRequest, pk: str) -> StreamingHttpResponse:
    """The recordings of a build with their results, as CSV. Texts are escaped against formula injection."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    access.require_open_recordings(build.voice, get_user(request))
    rows = generate_csv_lines(order_worst_first(build))
    response = StreamingHttpResponse(rows, content_type="text/csv; charset=utf-8")
    name = f"{slugify(build.voice.name) or 'voice'}-{build.remote_voice.tier}-{build.created_at:%Y%m%d-%H%M}.csv"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_cancel(request: HttpRequest, pk: str) -> HttpResponse:
    build = get_object_or_404(access.query_builds(), pk=pk)
    cancel_build(build, get_user(request))
    messages.success(request, "Build canceled. Nothing was sent to the provider.")
    return redirect(build)


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_resolve_submit(request: HttpRequest, pk: str) -> HttpResponse:
    """Store the answer of staff on a build that VoiceHub's lookup at the provider did not find."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    form = ResolveSubmitForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(build)
    data = form.cleaned_data
    resolve_submit_manually(build, get_user(request), form.confirmed_id, data["why"], pending_call=data["step"])
    messages.success(request, "Saved. The build continues from there.")
    return redirect(build)


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_resolve_training(request: HttpRequest, pk: str) -> HttpResponse:
    """Store the answer of staff on a build whose provider status VoiceHub does not recognize."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    form = ResolveTrainingForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(build)
    resolve_training_manually(build, get_user(request), form.cleaned_data["became"], form.cleaned_data["why"])
    messages.success(request, "Saved. The build is finished.")
    return redirect(build)


def make_build_context(request: HttpRequest, build: Build, progress: WorkProgress | None) -> dict[str, Any]:
    rows = order_worst_first(build).defer(*(f"recording__{name}" for name in DEFERRED_FIELDS))
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    flagged = Q(is_silent=True) | Q(is_outlier=True) | ~Q(discard_reason="")
    counts = build.recordings.aggregate(
        seconds=Sum("recording__seconds", default=0.0),
        reported_count=Count("pk", filter=Q(has_report=True)),
        callback_only_count=Count("pk", filter=Q(from_callback=True)),
        flagged_count=Count("pk", filter=flagged),
        problem_count=Count("pk", filter=flagged | Q(is_active=False)),
    )
    history, states = load_build_history(build), check_built_voices([build])
    score_counts, downloads = count_scores(build), list(build.dataset_fetches.order_by("-at")[:20])
    is_closed = access.are_recordings_closed(build.voice, get_user(request))
    return {
        "build": build,
        "hold": states.held.get(build.remote_voice_id, ()),
        "voice_states": states,
        "bill": describe_bill(build) if build.status == BuildStatus.WITHDRAWN else "",
        "is_closed": is_closed,
        "rest_token": compute_rest_token(build, counts, len(downloads), is_closed, states.held),
        "progress": progress,
        "change_token": compute_change_token(build, progress),
        "timeline": make_timeline(build, is_outdated=history.is_outdated),
        "history": history,
        "outdated": [build.pk] if history.is_outdated else [],
        "scores": list_scores(build),
        "page": page,
        "options": list_shown_options(build),
        "rebuild_fields": list_option_fields(build),
        "emotions": describe_emotions(list(build.recordings.values_list("emotion", flat=True))),
        "estimates": select_estimate_columns(page, score_counts),
        "dataset_downloads": downloads,
        "needs_staff_answer": needs_staff_answer(build),
        "is_open_failure": is_open_failure(build),
        "handover_summary": describe_handover(build, page.paginator.count, counts["seconds"]),
        "comparable_builds": [] if build.is_active else list(list_comparable_builds(build)),
        "can_rebuild": not build.is_active,
        "retraining": None if build.is_active else find_retraining(build.remote_voice),
        "rebuild_refusals": list_rebuild_refusals(build),
        "score_counts": score_counts,
        "provider_columns": sum(1 for count in score_counts.values() if count),
        **counts,
    }


def compute_rest_token(build: Build, *shown: object) -> str:
    """Changes when the page would show something else of an active build than in its progress."""
    account = build.remote_voice.account
    own = (build.status, build.issue, build.lookup_attempts, build.has_unknown_status)
    return hash_token(repr((own, account.paused_at, account.pause_reason, shown)))


def list_comparable_builds(build: Build) -> QuerySet[Build]:
    """The other finished builds of the same voice, at most 50."""
    return (
        access.query_builds().filter(voice=build.voice_id).exclude(pk=build.pk).exclude(status__in=ACTIVE_STATUSES)[:50]
    )


def select_estimate_columns(rows: Iterable[BuildRecording], score_counts: Mapping[str, int]) -> dict[str, str]:
    """The estimates to show as columns, with their headings.

    At least one of these recordings has the estimate, and the provider has not measured the same score.
    """
    estimates_by_row = [row.recording.measures.get("estimates") or {} for row in rows]
    return {
        key: label
        for key, label in ESTIMATE_LABELS.items()
        if not score_counts.get(key) and any(estimates.get(key) is not None for estimates in estimates_by_row)
    }


def list_rebuild_refusals(build: Build) -> list[str]:
    """Why a rebuild would be refused now. While the build is active, the list is empty and no query is made."""
    account, tier = build.remote_voice.account, build.remote_voice.tier
    if build.is_active:
        return []
    if account.provider not in registry.PROVIDERS or tier not in registry.get_provider_class(account.provider).tiers:
        return ["VoiceHub no longer supports this provider or this kind of build."]
    return find_blockers(build.voice, account, tier, build.handover)


def make_timeline(build: Build, *, is_outdated: bool = False) -> list[TimelineStep]:
    """The steps of the build: started, sending, training, result. An outdated result is described in the past tense."""
    is_sending = build.status in {BuildStatus.SUBMITTING, BuildStatus.UNCONFIRMED}
    steps = [
        TimelineStep("Started", "done", build.created_at),
        TimelineStep("Sending", _get_step_state(build.training_at is not None, is_sending), build.submitted_at),
        TimelineStep(
            "Training",
            _get_step_state(
                build.training_at is not None and not build.is_active, build.status == BuildStatus.TRAINING
            ),
            build.training_at,
        ),
    ]
    if build.status == BuildStatus.CANCELED:
        steps = steps[:1]
    if build.is_active:
        return [*steps, TimelineStep("Result", "next")]
    label, severity = build.get_status_display(), RESULT_SEVERITIES[BuildStatus(build.status)]
    if is_outdated:
        label, severity = "Was ready", "over"
    return [*(step for step in steps if step.state == "done"), TimelineStep(label, severity, build.finished_at)]


def _get_step_state(is_done: bool, is_current: bool) -> str:
    return "done" if is_done else "now" if is_current else "next"


def list_scores(build: Build) -> list[Score]:
    return [Score(info, float(build.scores[info.key])) for info in SCORES if build.scores.get(info.key) is not None]
