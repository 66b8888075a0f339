"""The page of a remote voice: status, name, visibility, and deletion with its proof."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_user, require_permission
from providers.types import Visibility
from voicehub.refusals import handle_refusal
from voicehub.tokens import hash_token
from voices import access, presenters
from voices.account_forms import RemoteReasonForm, RenameForm, show_errors
from voices.models import RemoteVoice
from voices.services import remote_voices
from voices.services.builds.recheck import find_reasons_against_use
from voices.services.deletion import is_creation_in_doubt, record_manual_deletion, request_deletion
from voices.services.remote_voices import NOT_FOUND, rename_remote_voice, set_visibility


@dataclass(frozen=True, slots=True)
class DeletionProof:
    """The provider's response to the deletion, and the result of the check that followed."""

    response: str
    check_result: str
    confirmed_by: str
    recorded_at: datetime | None

    @property
    def is_absent(self) -> bool:
        """Whether the check found no voice at all, not even one that the provider shows as deleted."""
        return self.check_result == NOT_FOUND


@require_permission("voices.view_remotevoice")
@require_safe
def remote_voice_detail(request: HttpRequest, pk: str) -> HttpResponse:
    remote = get_remote_or_404(pk)
    return render(request, "voices/remote_voice.html", make_remote_context(remote))


@require_permission("voices.view_remotevoice")
@require_safe
def remote_progress(request: HttpRequest, pk: str) -> HttpResponse:
    """The status, for a page that waits for the deletion of the voice. Returns 204 if the page is up to date."""
    remote = get_remote_or_404(pk)
    if remote.is_being_deleted and request.GET.get("seen") == compute_change_token(remote):
        return HttpResponse(status=204)
    return render(request, "voices/_remote_voice.html", make_remote_context(remote))


def get_remote_or_404(pk: str) -> RemoteVoice:
    return get_object_or_404(access.query_remote_voices(), pk=pk)


def make_remote_context(remote: RemoteVoice) -> dict[str, Any]:
    return {
        "remote": remote,
        "capabilities": remote.find_capabilities(),
        "gate_reasons": find_reasons_against_use(remote),
        "denied_changes": describe_changes(remote),
        "badge": presenters.make_remote_badge(remote),
        "proof": load_deletion_proof(remote),
        "is_being_deleted": remote.is_being_deleted,
        "is_manual_deletion": remote.needs_manual_deletion,
        "is_in_doubt": is_creation_in_doubt(remote),
        "is_still_visible": remote.is_still_visible,
        "is_public": remote.is_public,
        "change_token": compute_change_token(remote),
    }


def describe_changes(remote: RemoteVoice) -> str:
    """The changes that this provider supports and that the gate may refuse, such as “renamed or made public”."""
    capabilities = remote.find_capabilities()
    changes = {
        "renamed": capabilities and capabilities.can_rename,
        "made public": capabilities and capabilities.can_set_visibility,
    }
    return " or ".join(change for change, is_supported in changes.items() if is_supported)


def compute_change_token(remote: RemoteVoice) -> str:
    """A token that changes when the page would show something else. Times such as “5 min ago” change each minute."""
    account, minute = remote.account, int(timezone.now().timestamp() // 60)
    shown = (remote.deleted_at, remote.alert, remote.deletion_proof, account.last_error, account.paused_at, minute)
    return hash_token(repr(shown))


def load_deletion_proof(remote: RemoteVoice) -> DeletionProof | None:
    deletion = remote.deletion_proof
    if not deletion:
        return None
    response = json.dumps(deletion["answer"], indent=2, ensure_ascii=False) if deletion.get("answer") else ""
    recorded_at = parse_datetime(str(deletion.get("at", "")))
    return DeletionProof(response, str(deletion.get("look", "")), str(deletion.get("by_hand", "")), recorded_at)


@require_permission("voices.change_remotevoice")
@require_POST
def remote_refresh(request: HttpRequest, pk: str) -> HttpResponse:
    return _run_action(
        request, get_remote_or_404(pk), remote_voices.refresh_remote_voice, "Status updated from the provider."
    )


@require_permission("voices.change_remotevoice")
@require_POST
def remote_rename(request: HttpRequest, pk: str) -> HttpResponse:
    remote, form = get_remote_or_404(pk), RenameForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect(remote)
    name = form.cleaned_data["name"]
    return _run_action(request, remote, lambda voice: rename_remote_voice(voice, name), "Renamed at the provider.")


@require_permission("voices.change_remotevoice")
@require_POST
def remote_visibility(request: HttpRequest, pk: str) -> HttpResponse:
    """Change the visibility. To make a voice public, the confirmation checkbox must be selected."""
    remote, requested = get_remote_or_404(pk), request.POST.get("visibility")
    if requested not in {Visibility.PRIVATE, Visibility.PUBLIC}:
        messages.error(request, "Choose private or public.")
    elif requested == Visibility.PUBLIC and request.POST.get("sure") != "yes":
        messages.error(request, "Nothing has changed. To let everyone use the voice, select the checkbox first.")
    else:
        return _run_action(request, remote, lambda voice: _change_visibility(voice, Visibility(requested), request), "")
    return redirect(remote)


def _change_visibility(remote: RemoteVoice, visibility: Visibility, request: HttpRequest) -> None:
    """Change the visibility and report what the provider shows afterwards."""
    set_visibility(remote, visibility, get_user(request))
    if remote.visibility == visibility:
        messages.success(request, f"The provider now shows the voice as {visibility}.")
    else:
        shown = f"still shows {remote.visibility}" if remote.visibility else "does not show the visibility"
        messages.error(request, f"The provider accepted the change but {shown}. Check the provider's website.")


@require_permission("voices.delete_remotevoice")
@require_POST
def remote_delete(request: HttpRequest, pk: str) -> HttpResponse:
    done = "Deletion requested. VoiceHub checks the provider until the voice is gone."
    return _run_action_with_reason(request, get_remote_or_404(pk), request_deletion, done)


@require_permission("voices.delete_remotevoice")
@require_POST
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
    return _run_action(request, remote, lambda voice: action(voice, get_user(request), reason), success_message)


def _run_action(
    request: HttpRequest, remote: RemoteVoice, action: Callable[[RemoteVoice], None], success_message: str
) -> HttpResponse:
    """Run an action, show its success or the reason of its refusal, and return to the page of the remote voice."""
    with handle_refusal(partial(messages.error, request)):
        action(remote)
        if success_message:
            messages.success(request, success_message)
    return redirect(remote)
