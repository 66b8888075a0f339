"""What the page of a build shows."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from consent.access import get_user
from voicehub.models import User
from voicehub.text import split_sentences
from voicehub.tokens import hash_token
from voices import access
from voices.build_results.distributions import load_distributions
from voices.build_results.gauges import make_gauges
from voices.build_results.report_columns import ALL, ReportColumns, choose_columns
from voices.build_results.timeline import make_timeline
from voices.gap_links import FixLink
from voices.models import Build, BuildRecording, BuildStatus
from voices.models.build import ACTIVE_STATUSES, MARKED, MARKS
from voices.next_fixes import find_rebuild_fix, name_fix
from voices.presenters import FIX_LINKS, compute_change_token, describe_bill, describe_handover
from voices.services.builds.changes import find_previous_build, load_changes, number_build
from voices.services.builds.failures import is_open_failure
from voices.services.builds.options import describe_emotions, list_option_fields, list_shown_options
from voices.services.builds.readiness import check_readiness
from voices.services.builds.rebuild import UNSUPPORTED, RebuildPlan, is_supported, plan_rebuild
from voices.services.builds.recheck import check_built_voices
from voices.services.builds.scores import count_scores, has_scores, order_worst_first
from voices.services.builds.start import find_blockers
from voices.services.remote_state import find_retraining, load_build_history
from voices.views.comparison import make_compare_url
from voices.work_progress import WorkProgress, needs_staff_answer

PAGE_SIZE = 10
MAX_FIXES = 2
# Large recording columns that no build page shows.
DEFERRED_FIELDS = ("fine_peaks", "levels", "findings", "set_findings", "sound_features")
# VoiceHub's own estimates, shown beside the provider's scores: key and column heading.
ESTIMATE_LABELS = {"dnsmos_overall": "DNSMOS", "stoi": "STOI", "si_sdr": "SI-SDR"}


def get_open_build(request: HttpRequest, pk: str) -> Build:
    """The build. Its recordings are closed to some users after a withdrawal: PermissionDenied."""
    build = get_object_or_404(access.query_builds(), pk=pk)
    access.require_open_recordings(build.voice, get_user(request))
    return build


def make_build_context(request: HttpRequest, build: Build, progress: WorkProgress | None) -> dict[str, Any]:
    page = load_recording_page(build, request.GET.get("page"))
    counts = count_reports(build)
    history, states = load_build_history(build), check_built_voices([build])
    score_counts, downloads = count_scores(build), list(build.dataset_fetches.order_by("-at")[:20])
    is_closed = access.are_recordings_closed(build.voice, get_user(request))
    estimates = select_estimate_columns(page, score_counts)
    return {
        "build": build,
        "number": number_build(build),
        "hold": states.held.get(build.remote_voice_id, ()),
        "voice_states": states,
        "bill": describe_bill(build) if build.status == BuildStatus.WITHDRAWN else "",
        "is_closed": is_closed,
        "rest_token": compute_rest_token(build, counts, len(downloads), is_closed, states.held),
        "progress": progress,
        "change_token": compute_change_token(build, progress),
        "timeline": make_timeline(build, is_outdated=history.is_outdated),
        "history": history,
        "newest_number": number_build(history.newest_build) if history.newest_build else 0,
        "outdated": [build.pk] if history.is_outdated else [],
        "page": page,
        "options": list_shown_options(build),
        "rebuild_fields": list_option_fields(build),
        "emotions": describe_emotions(build),
        "estimates": estimates,
        "columns": make_columns(request, build, page, score_counts, counts, len(estimates)),
        "dataset_downloads": downloads,
        "cause": find_cause(build),
        "hidden_issue": find_hidden_issue(build),
        "needs_staff_answer": needs_staff_answer(build),
        "is_seen_shown": build.seen_at is not None or is_open_failure(build),
        "handover_summary": describe_handover(build, page.paginator.count, counts["seconds"]),
        "score_counts": score_counts,
        **counts,
        **({} if build.is_active else make_result_context(request, build, score_counts, is_closed=is_closed)),
    }


def find_cause(build: Build) -> str:
    """The issue without advice such as “Start the build again.”: the note says what is possible now."""
    return " ".join(sentence for sentence in split_sentences(build.issue) if not sentence.endswith("again."))


def find_hidden_issue(build: Build) -> str:
    """What the provider said, if the note of the build leaves it out or shortens it."""
    is_cut = build.status == BuildStatus.FAILED and find_cause(build) != build.issue
    return build.issue if is_cut or build.needs_work else ""


def make_columns(
    request: HttpRequest,
    build: Build,
    page: Page[Any],
    score_counts: Mapping[str, int],
    counts: Mapping[str, Any],
    estimates: int,
) -> ReportColumns:
    can_fix = get_user(request).has_perm("voices.change_recording") and not build.is_active
    return choose_columns(
        build,
        list(page.object_list),
        score_counts,
        estimates=estimates,
        is_reported=bool(counts["reported_count"]),
        has_fix=can_fix and bool(counts["marked_count"]),
        wants_all=request.GET.get("scores") == ALL,
        page_number=page.number,
    )


def load_recording_page(build: Build, number: str | None) -> Page[Any]:
    """A page of recordings, the worst first. The database orders ids, and looks up the rest only for these rows."""
    page: Page[Any] = Paginator(order_worst_first(build).values_list("pk", flat=True), PAGE_SIZE).get_page(number)
    rows = BuildRecording.objects.select_related("recording").defer(*(f"recording__{name}" for name in DEFERRED_FIELDS))
    silent = BuildRecording.objects.still_flagged().filter(MARKS["silent"], recording=OuterRef("recording"))
    by_id = rows.annotate(is_found_silent=Exists(silent)).in_bulk(list(page.object_list))
    page.object_list = [by_id[pk] for pk in page.object_list if pk in by_id]
    return page


def make_result_context(
    request: HttpRequest, build: Build, score_counts: Mapping[str, int], *, is_closed: bool
) -> dict[str, Any]:
    """What only the page of an ended build shows. Without details of recordings if they are closed."""
    previous, user = find_previous_build(build), get_user(request)
    plan = None if is_closed else plan_rebuild(build)
    return {
        "previous": previous,
        "previous_number": number_build(previous) if previous else 0,
        "scores": make_gauges(build, previous),
        "has_details": not is_closed and bool(previous or any(score_counts.values())),
        "comparable_builds": [(other, make_compare_url([build, other])) for other in list_comparable_builds(build)],
        "is_again_offered": user.has_perm("voices.start_build")
        and build.status not in (BuildStatus.FAILED, BuildStatus.CANCELED),
        "rebuild_plan": plan,
        "has_rebuild_note": is_rebuild_offered(build, plan, user),
        "rebuild_fixes": list_fixes(build, plan, user) if plan else [],
        "retraining": find_retraining(build.remote_voice),
        **check_rebuild(build, user),
    }


def is_rebuild_offered(build: Build, plan: RebuildPlan | None, user: User) -> bool:
    if plan is None or not user.has_perms(("voices.start_build", "voices.change_recording")):
        return False
    return not plan.newer_build or build.status != BuildStatus.READY


def list_fixes(build: Build, plan: RebuildPlan, user: User) -> list[FixLink]:
    """What this user can do about what is missing for the rebuild."""
    voice_url = build.voice.get_absolute_url()
    fixes = {
        name_fix(gap): FixLink(gap.text, f"{voice_url}{path}", name_fix(gap), permission)
        for gap in plan.gaps
        for path, _label, permission in [FIX_LINKS[gap.kind]]
        if path and (not permission or user.has_perm(permission))
    }
    return list(fixes.values())[:MAX_FIXES]


def load_details(build: Build) -> dict[str, Any]:
    """The distributions and what changed. The page loads them after itself, because they read many recordings."""
    previous = find_previous_build(build)
    previous_number = number_build(previous) if previous else 0
    names = (f"Build {number_build(build)}", f"Build {previous_number}")
    return {
        "details_loaded": True,
        "previous": previous,
        "previous_number": previous_number,
        "changes": load_changes(build, previous) if previous else None,
        "distributions": load_distributions(build, previous, names) if has_scores(build) else [],
    }


def count_reports(build: Build) -> dict[str, Any]:
    """How long the recordings of the build are together, and how many the provider reported on and marked."""
    return build.recordings.aggregate(
        seconds=Sum("recording__seconds", default=0.0),
        reported_count=Count("pk", filter=Q(has_report=True)),
        callback_only_count=Count("pk", filter=Q(from_callback=True)),
        marked_count=Count("pk", filter=MARKED),
    )


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


def check_rebuild(build: Build, user: User) -> dict[str, Any]:
    """Why a rebuild with the recordings as they are would be refused now, and the first step against it."""
    if not is_supported(build):
        return {"rebuild_refusals": [UNSUPPORTED], "rebuild_step": None}
    account, tier = build.remote_voice.account, build.remote_voice.tier
    state = check_readiness(build.voice, account, tier)
    refusals = find_blockers(build.voice, account, tier, build.handover, state=state)
    return {"rebuild_refusals": refusals, "rebuild_step": find_rebuild_fix(build, state, user) if refusals else None}
