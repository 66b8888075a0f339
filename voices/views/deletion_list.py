"""The page Deletions: every open deletion, and the decision on voices that had ended before an upgrade."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from consent.access import get_user, require_permission
from consent.names import get_name_field
from consent.services.legal_hold import query_talents_on_hold
from voicehub.confirmation import require_confirmation
from voicehub.models import User
from voicehub.refusals import handle_refusal
from voices.account_forms import RemoteReasonForm, show_errors
from voices.deletion_progress import (
    load_past_deletions,
    make_file_deletion_progress,
    make_listed_deletion_progress,
)
from voices.models import RemoteVoice
from voices.row_polls import RowState, compare_rows, make_list_token
from voices.services.deletion_lists import OpenDeletions, load_last_deleted, load_open_deletions
from voices.services.scheduled_deletion import confirm_deletion, keep_voice
from voices.services.work_samples import PastByKey
from voices.views.remote_voices import get_remote_or_404, load_deletion_proof
from voices.work_progress import WorkProgress

MAX_DELETED = 10


@require_permission("voices.view_remotevoice")
@require_safe
def deletion_list(request: HttpRequest) -> HttpResponse:
    talents_on_hold = query_talents_on_hold().select_related("legal_hold_by").order_by(get_name_field())
    deletions = load_open_deletions()
    context = {
        "deletions": deletions,
        "talents_on_hold": list(talents_on_hold),
        "deleted": [(remote, load_deletion_proof(remote)) for remote in load_last_deleted(MAX_DELETED)],
    }
    return render(request, "voices/deletions.html", context | make_running_context(deletions))


@require_permission("voices.view_remotevoice")
@require_safe
def running_deletions(request: HttpRequest) -> HttpResponse:
    """The rows of running deletions that moved. Returns 204 if the page is up to date.

    If a deletion came or went, the page gets the whole list.
    """
    context = make_running_context(load_open_deletions())
    seen = request.GET.get("seen", "")
    poll = compare_rows(seen, context["row_states"])
    if seen and poll.is_empty:
        return HttpResponse(status=204)
    if poll.is_whole or poll.is_empty:
        return retarget(render(request, "voices/_running_deletions.html", context), "#running-deletions")
    context |= {"change_token": poll.token, "moved": poll.moved}
    return render(request, "voices/_running_deletions_poll.html", context)


def make_running_context(deletions: OpenDeletions) -> dict[str, Any]:
    """The running deletions of voices and of files, each with its progress. Relative times change every minute."""
    past = load_past_deletions([*deletions.running, *deletions.files])
    voice_progress = {remote.pk: make_listed_deletion_progress(remote, past) for remote in deletions.running}
    file_progress = {remote.pk: _make_file_progress(remote, past) for remote in deletions.files}
    states = [
        *(_make_state("running", remote, voice_progress[remote.pk]) for remote in deletions.running),
        *(_make_state("files", remote, file_progress[remote.pk]) for remote in deletions.files),
    ]
    return {
        "running_voices": deletions.running,
        "running_files": deletions.files,
        "voice_progress": voice_progress,
        "file_progress": file_progress,
        "row_states": states,
        "change_token": make_list_token(states),
    }


def _make_state(kind: str, remote: RemoteVoice, progress: WorkProgress | None) -> RowState[tuple[str, RemoteVoice]]:
    minute = int(timezone.now().timestamp() // 60)
    shown = (minute, remote.alert, remote.file_alert, remote.is_on_hold, progress)
    return RowState((kind, remote), f"{kind} {remote.pk}", shown)


def _make_file_progress(remote: Any, past: PastByKey) -> WorkProgress | None:
    """`remote` has the counts of `load_open_deletions`."""
    counts = (remote.deleted_file_count or 0, remote.file_count or 0, remote.files_requested_at)
    return make_file_deletion_progress(remote, past, *counts)


@require_permission("voices.delete_remotevoice")
@require_POST
@require_confirmation()
def deletion_confirm(request: HttpRequest, pk: str) -> HttpResponse:
    return _decide(request, pk, confirm_deletion, "Deletion requested. It is done when the provider confirms it.")


@require_permission("voices.delete_remotevoice")
@require_POST
def deletion_keep(request: HttpRequest, pk: str) -> HttpResponse:
    return _decide(request, pk, keep_voice, "The voice is kept. Your reason is stored.")


def _decide(
    request: HttpRequest, pk: str, decide: Callable[[RemoteVoice, User, str], None], success_message: str
) -> HttpResponse:
    remote, form = get_remote_or_404(pk), RemoteReasonForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect("voices:deletion_list")
    with handle_refusal(partial(messages.error, request)):
        decide(remote, get_user(request), form.cleaned_data["reason"])
        messages.success(request, success_message)
    return redirect("voices:deletion_list")
