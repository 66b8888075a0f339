"""Today: open work for staff and blocked next steps, one row per talent or voice."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent.access import may, user_of
from voices.views import dashboard_lists, next_steps


@may("consent.view_talent")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The number of queries does not grow with the rows."""
    steps = [next_steps.for_person(step, user_of(request)) for step in next_steps.steps()]
    answers, moving = dashboard_lists.answers(), dashboard_lists.moving()
    context = {
        "steps": steps,
        "answers": answers,
        "moving": moving,
        "ending": dashboard_lists.contracts_ending(),
        "stopped": dashboard_lists.stopped(),
        "is_new": not steps and not answers and not moving.rows and not next_steps.has_talents(),
        "no_account": not next_steps.has_account(),
    }
    return render(request, "today.html", context)


@may("voices.view_build")
@require_safe
def moving(request: HttpRequest) -> HttpResponse:
    """The active builds fragment; 204 when the page is up to date. It polls while a build is active."""
    found = dashboard_lists.moving()
    if found.any_active and request.GET.get("seen") == found.stamp:
        return HttpResponse(status=204)
    return render(request, "voices/_active_builds.html", {"moving": found})
