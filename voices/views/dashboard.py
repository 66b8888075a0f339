"""The page Today: what staff must do next, and what blocks it, in one row for each talent or voice."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from voices.views import dashboard_lists, next_steps
from voices.views.next_step import apply_permissions


@require_permission("consent.view_talent")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The page Today. The number of queries does not grow with the number of rows."""
    steps = [apply_permissions(step, get_user(request)) for step in next_steps.list_steps()]
    pending_consents, active = (
        dashboard_lists.list_pending_consents(),
        dashboard_lists.load_active_builds(has_ends=False),
    )
    context = {
        "steps": steps,
        "waiting_count": sum(step.is_for_staff for step in steps),
        "pending_consents": pending_consents,
        "active_builds": active,
        "ending_contracts": dashboard_lists.list_ending_contracts(),
        "failed_tasks": dashboard_lists.list_failed_tasks(),
        "is_new": not steps and not pending_consents and not active.rows and not next_steps.has_talents(),
        "has_no_account": not (active.rows or next_steps.has_account()),  # a build needs an account
    }
    return render(request, "today.html", context)


@require_permission("voices.view_build")
@require_safe
def active_builds(request: HttpRequest) -> HttpResponse:
    """The list of active builds. Returns 204 if the page is up to date.

    The page polls this URL while a build is active.
    """
    builds = dashboard_lists.load_active_builds(has_ends=True)
    if builds.has_active and request.GET.get("seen") == builds.change_token:
        return HttpResponse(status=204)
    return render(request, "voices/_active_builds.html", {"active_builds": builds})
