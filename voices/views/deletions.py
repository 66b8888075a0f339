"""The deletion of a remote voice: request it, assign it to a person, and confirm what was deleted by hand."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from consent.access import get_user, require_permission
from voicehub.confirmation import require_confirmation
from voices.account_forms import AssignDeletionForm, RemoteReasonForm, show_errors
from voices.models import RemoteVoice
from voices.services.deletion import record_manual_deletion, request_deletion
from voices.services.deletion_assignment import assign_deletion
from voices.services.file_deletion import record_manual_file_deletion
from voices.views.remote_voices import get_remote_or_404, run_action


@require_permission("voices.delete_remotevoice")
@require_POST
@require_confirmation()
def remote_delete(request: HttpRequest, pk: str) -> HttpResponse:
    done = "Deletion requested. VoiceHub checks the provider until the voice is gone."
    return _run_action_with_reason(request, get_remote_or_404(pk), request_deletion, done)


@require_permission("voices.delete_remotevoice")
@require_POST
@require_confirmation()
def remote_confirm_deletion(request: HttpRequest, pk: str) -> HttpResponse:
    """Record that staff deleted the voice on the provider's website."""
    return _run_action_with_reason(
        request, get_remote_or_404(pk), record_manual_deletion, "Saved. The voice is marked as deleted."
    )


def _run_action_with_reason(
    request: HttpRequest, remote: RemoteVoice, action: Callable[..., None], success_message: str
) -> HttpResponse:
    """Run an action that needs a reason, if the form has one. Then show the page of the remote voice."""
    form = RemoteReasonForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(remote)
    reason = form.cleaned_data["reason"]
    return run_action(request, remote, lambda voice: action(voice, get_user(request), reason), success_message)


@require_permission("voices.delete_remotevoice")
@require_POST
@require_confirmation()
def remote_confirm_files(request: HttpRequest, pk: str) -> HttpResponse:
    """Record that staff saw that the uploaded files are gone."""
    return _run_action_with_reason(
        request, get_remote_or_404(pk), record_manual_file_deletion, "Saved. The files are marked as deleted."
    )


@require_permission("voices.delete_remotevoice")
@require_POST
def remote_assign_deletion(request: HttpRequest, pk: str) -> HttpResponse:
    """Assign the deletion on the provider's website to another person."""
    remote, form = get_remote_or_404(pk), AssignDeletionForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(remote)
    user = form.cleaned_data["user"]
    return run_action(request, remote, lambda voice: assign_deletion(voice, user), f"{user} deletes the voice.")
