"""What staff answer to the failures on Today: failed builds are marked as seen, failed tasks retried or dismissed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.refusals import show_refusal_as_message
from voices.models import Build
from voices.services.builds.failures import clear_seen_mark, mark_failure_seen


@require_permission("voices.start_build")
@require_POST
@show_refusal_as_message("voices:build")
def build_seen(request: HttpRequest, pk: str) -> HttpResponse:
    """Mark the failed build as seen, or show it on Today again (`seen=no`). Goes back to Today if `from=today`."""
    build = get_object_or_404(Build, pk=pk)
    if request.POST.get("seen") == "no":
        clear_seen_mark(build)
        messages.success(request, "The failed build is on Today again.")
    else:
        mark_failure_seen(build, get_user(request))
        messages.success(request, "Marked as seen. The failed build is no longer on Today.")
    return redirect("today" if request.POST.get("from") == "today" else build)
