"""Today: what waits for staff and what blocks the next step, one row per talent or voice."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from consent.access import may, user_of
from voices.views import lists, waiting


@may("consent.view_talent")
@require_safe
def today(request: HttpRequest) -> HttpResponse:
    """The number of queries does not grow with the rows: each part of the page asks once for all of them."""
    steps = [waiting.for_person(step, user_of(request)) for step in waiting.steps()]
    answers, moving = lists.answers(), lists.moving()
    context = {
        "steps": steps,
        "answers": answers,
        "moving": moving,
        "ending": lists.contracts_ending(),
        "stopped": lists.stopped(),
        "is_new": not steps and not answers and not moving.rows and not waiting.has_talents(),
        "no_account": not waiting.has_account(),
    }
    return render(request, "today.html", context)


@may("voices.view_build")
@require_safe
def moving(request: HttpRequest) -> HttpResponse:
    """The builds in progress alone; nothing (204) when the page shows that already.

    The fragment asks again by itself as long as one of them moves.
    """
    found = lists.moving()
    if found.any_active and request.GET.get("seen") == found.stamp:
        return HttpResponse(status=204)
    return render(request, "voices/_moving.html", {"moving": found})
