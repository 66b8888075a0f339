"""The page Today: what staff must do next, and what blocks it, in one row for each talent or voice."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django_htmx.http import retarget

from consent.access import get_user, require_permission
from voicehub.lists.pages import load_part
from voices.row_polls import compare_rows
from voices.services.builds.recheck import check_built_voices
from voices.views import dashboard_lists, next_steps
from voices.views.comparison import LISTEN
from voices.views.figures import TodayCounts, count_today, list_figures
from voices.views.gate_steps import check_builds
from voices.views.mail_steps import load_failed_tasks
from voices.views.next_step import apply_permissions

STEPS_PER_PAGE = 50
# So many steps are shown at first, unless a few more are all.
FIRST_STEPS = 8
SIDE_ROWS_PER_PAGE = 6
# So many talents who have not answered are shown at first.
FIRST_ANSWERS = 3


@require_permission("consent.view_talent")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The page Today. The number of queries does not grow with the number of rows."""
    user, builds = get_user(request), dashboard_lists.list_active_builds()
    to_check = dashboard_lists.list_builds_to_check(builds)
    checked = check_builds(to_check)
    failed = load_failed_tasks()
    allowed = [apply_permissions(step, user) for step in next_steps.list_steps(checked, failed=failed)]
    steps = next_steps.merge_talent_steps(allowed)
    states = check_built_voices(to_check, checked.answers)
    active = dashboard_lists.make_active_builds(builds, states, has_ends=False)
    pending_consents, endings = dashboard_lists.list_pending_consents(), dashboard_lists.list_ending_contracts()
    hidden_count = 0 if request.GET.keys() & {"all", "steps"} else max(0, len(steps) - FIRST_STEPS)
    hidden_answers = 0 if request.GET.keys() & {"all", "answers"} else max(0, len(pending_consents) - FIRST_ANSWERS)
    is_new = not steps and not pending_consents and not active.rows and not next_steps.has_talents()
    counts = TodayCounts() if is_new else count_today(user)
    context = {
        "figures": [] if is_new else list_figures(user, counts, allowed, active, endings),
        "steps": steps,
        "step_page": load_part(request, steps[: len(steps) - hidden_count], "steps", STEPS_PER_PAGE),
        "hidden_count": hidden_count,
        "ready_voices": dashboard_lists.list_ready_voices() if user.has_perm(LISTEN) else [],
        "waiting_count": sum(step.is_for_staff for step in steps),
        "busy_count": sum(not step.is_for_staff for step in steps),
        "pending_consents": load_part(
            request, pending_consents[: len(pending_consents) - hidden_answers], "answers", SIDE_ROWS_PER_PAGE
        ),
        "pending_count": len(pending_consents) if hidden_answers else 0,
        "active_builds": active,
        "change_token": active.change_token,
        "ending_contracts": load_part(request, endings, "endings", SIDE_ROWS_PER_PAGE),
        "failed_tasks": load_part(request, dashboard_lists.list_failed_tasks(failed), "failures", SIDE_ROWS_PER_PAGE),
        "deletion_count": counts.deletions,
        "is_new": is_new,
        "has_no_account": not (active.rows or next_steps.has_account()),  # a build needs an account
    }
    return render(request, "today.html", context)


@require_permission("voices.view_build")
@require_safe
def active_builds(request: HttpRequest) -> HttpResponse:
    """The rows of active builds that moved. Returns 204 if the page is up to date.

    The page polls this URL while a build is active. If a build came or went, or the last one ended, it gets the list.
    """
    builds = dashboard_lists.load_active_builds()
    poll = compare_rows(request.GET.get("seen", ""), builds.row_states)
    if builds.has_active and poll.is_empty:
        return HttpResponse(status=204)
    if builds.has_active and not poll.is_whole:
        context = {"active_builds": builds, "change_token": poll.token, "moved": poll.moved}
        return render(request, "voices/_active_builds_poll.html", context)
    context = {"active_builds": builds, "change_token": builds.change_token}
    return retarget(render(request, "voices/_active_builds.html", context), "#active-builds")
