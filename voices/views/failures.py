"""What staff answer to the failures on Today: failed builds are marked as seen, failed tasks retried or dismissed."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub import outbox
from voicehub.models import Task
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


@require_permission("voicehub.change_task")
@require_POST
def task_retry(request: HttpRequest, pk: str) -> HttpResponse:
    if outbox.retry_task(get_object_or_404(Task, pk=pk)):
        messages.success(request, "The task runs again. If it fails again, it is back on Today.")
    else:
        messages.error(request, "The task was not started: it has not failed, or the same task is already waiting.")
    return redirect("today")


@require_permission("voicehub.change_task")
@require_POST
def task_seen(request: HttpRequest, pk: str) -> HttpResponse:
    if outbox.mark_task_seen(get_object_or_404(Task, pk=pk), get_user(request)):
        messages.success(request, "Marked as seen. The failed task is no longer on Today.")
    else:
        messages.error(request, "Nothing was changed: the task has not failed, or it is already marked as seen.")
    return redirect("today")
