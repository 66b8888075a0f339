"""Today: open work for staff and blocked next steps, one row per talent or voice."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent.access import get_user, require_permission
from voices.views import dashboard_lists, next_steps


@require_permission("consent.view_talent")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The number of queries does not grow with the rows."""
    steps = [next_steps.apply_permissions(step, get_user(request)) for step in next_steps.list_steps()]
    answers, moving = dashboard_lists.list_pending_consents(), dashboard_lists.load_active_builds()
    context = {
        "steps": steps,
        "pending_consents": answers,
        "active_builds": moving,
        "ending_contracts": dashboard_lists.list_ending_contracts(),
        "failed_tasks": dashboard_lists.list_failed_tasks(),
        "is_new": not steps and not answers and not moving.rows and not next_steps.has_talents(),
        "has_no_account": not next_steps.has_account(),
    }
    return render(request, "today.html", context)


@require_permission("voices.view_build")
@require_safe
def active_builds(request: HttpRequest) -> HttpResponse:
    """The active builds fragment; 204 when the page is up to date. It polls while a build is active."""
    found = dashboard_lists.load_active_builds()
    if found.has_active and request.GET.get("seen") == found.change_token:
        return HttpResponse(status=204)
    return render(request, "voices/_active_builds.html", {"active_builds": found})
