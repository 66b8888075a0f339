"""The page of a remote voice: status, name and visibility. See `deletions` for what a user does about its deletion."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import retarget

from consent.access import get_user, require_permission
from providers.types import Visibility
from voicehub.edit_versions import make_version
from voicehub.refusals import handle_refusal
from voicehub.tokens import hash_token
from voices import access, presenters
from voices.account_forms import RenameForm, show_errors
from voices.deletion_progress import (
    load_past_deletions,
    make_file_deletion_progress,
    make_voice_deletion_progress,
)
from voices.models import RemoteVoice
from voices.services import remote_voices
from voices.services.builds.changes import number_builds
from voices.services.builds.lifecycle import VOICE_WAS_PUBLIC
from voices.services.builds.recheck import find_hold, find_reasons_against_use
from voices.services.deletion import is_creation_in_doubt
from voices.services.deletion_assignment import query_assignable_users
from voices.services.deletion_lists import is_deletion_planned
from voices.services.deletion_log import describe_files
from voices.services.deletion_table import find_file_deletion
from voices.services.remote_state import find_outdated_builds, find_remote_state
from voices.services.remote_voices import NOT_FOUND, mark_alert_seen, rename_remote_voice, set_visibility
from voices.work_progress import WorkProgress

BUILDS_ON_PAGE = 20
# How often a page that waits for a deletion loads again what has not changed, for its relative times.
REFRESH_MINUTES = 10


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
    return render(request, "voices/remote_voice.html", make_remote_context(remote, request.GET.get("page")))


@require_permission("voices.view_remotevoice")
@require_safe
def remote_progress(request: HttpRequest, pk: str) -> HttpResponse:
    """The deletion, for a page that waits for it. Returns 204 if the page is up to date.

    If anything else of the page moved, or the deletion ended, the page gets everything about the voice.
    """
    remote = get_remote_or_404(pk)
    token, seen, is_waiting = compute_change_token(remote), request.GET.get("seen", ""), is_waiting_for_provider(remote)
    if is_waiting and seen == token:
        return HttpResponse(status=204)
    context = make_remote_context(remote, request.GET.get("page"))
    if is_waiting and seen.partition(".")[2] == token.partition(".")[2]:
        return render(request, "voices/_remote_progress.html", context)
    return retarget(render(request, "voices/_remote_voice.html", context | {"is_fragment": True}), "#remote")


def get_remote_or_404(pk: str) -> RemoteVoice:
    return get_object_or_404(access.query_remote_voices(), pk=pk)


def is_waiting_for_provider(remote: RemoteVoice) -> bool:
    """Whether VoiceHub is deleting the voice or its files, so that the page shows the progress."""
    is_deleting_voice = remote.is_being_deleted and not remote.needs_manual_deletion
    return is_deleting_voice or remote.files.requested().exists()


def make_remote_context(remote: RemoteVoice, page: str | None) -> dict[str, Any]:
    """`page` is the page of its builds, from the query string."""
    is_held = bool(find_hold(remote))
    builds = Paginator(remote.builds.all(), BUILDS_ON_PAGE).get_page(page)
    builds.object_list = list(builds.object_list)
    return {
        "remote": remote,
        "capabilities": remote.find_capabilities(),
        "gate_reasons": find_reasons_against_use(remote),
        "denied_changes": describe_changes(remote),
        "state": find_remote_state(remote),
        "badge": presenters.make_remote_badge(remote, is_held=is_held),
        "held": [remote.pk] if is_held else [],
        "page": builds,
        "numbered_builds": list(zip(builds, number_builds(builds.object_list), strict=True)),
        "outdated": find_outdated_builds(builds),
        "proof": load_deletion_proof(remote),
        "is_waiting": is_waiting_for_provider(remote),
        **make_deletion_context(remote),
        "file_deletion": find_file_deletion(remote),
        "files_at_provider": describe_files(list(remote.files.open())),
        "assignable_users": query_assignable_users() if remote.needs_manual_deletion else (),
        "is_being_deleted": remote.is_being_deleted,
        "is_manual_deletion": remote.needs_manual_deletion,
        "is_deletion_planned": is_deletion_planned(remote),
        "is_in_doubt": is_creation_in_doubt(remote),
        "is_still_visible": remote.is_still_visible,
        "is_public": remote.is_public,
        "was_public": remote.alert == VOICE_WAS_PUBLIC,
        "change_token": compute_change_token(remote),
    }


def make_deletion_context(remote: RemoteVoice) -> dict[str, WorkProgress | None]:
    """The progress of the deletions of the voice and of its files."""
    past = load_past_deletions([remote]) if is_waiting_for_provider(remote) else {}
    requested = [file for file in remote.files.all() if file.deletion_requested_at]
    done, requested_at = sum(bool(file.deleted_at) for file in requested), remote.deletion_requested_at
    if requested:
        requested_at = max(file.deletion_requested_at or timezone.now() for file in requested)
    return {
        "deletion_progress": make_voice_deletion_progress(remote, past),
        "file_progress": make_file_deletion_progress(remote, past, done, len(requested), requested_at),
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
    """Two tokens: of the deletion, and of the rest of the page. Times such as “5 min ago” change them."""
    account, minute, open_files = remote.account, int(timezone.now().timestamp() // 60), remote.files.open().count()
    deletion = (remote.deletion_proof, account.last_error, minute, remote.file_alert, open_files)
    rest = (
        (remote.deleted_at, remote.alert, remote.is_being_deleted, remote.is_on_hold, remote.deletion_assigned_to_id),
        (remote.name, remote.visibility, remote.raw_status, account.paused_at, bool(open_files)),
        minute // REFRESH_MINUTES,
    )
    return f"{hash_token(repr(deletion))}.{hash_token(repr(rest))}"


def load_deletion_proof(remote: RemoteVoice) -> DeletionProof | None:
    deletion = remote.deletion_proof
    if not deletion:
        return None
    response = json.dumps(deletion["answer"], indent=2, ensure_ascii=False) if deletion.get("answer") else ""
    recorded_at = None
    with suppress(ValueError):
        recorded_at = parse_datetime(str(deletion.get("at", "")))
    return DeletionProof(response, str(deletion.get("look", "")), str(deletion.get("by_hand", "")), recorded_at)


@require_permission("voices.change_remotevoice")
@require_POST
def remote_refresh(request: HttpRequest, pk: str) -> HttpResponse:
    return run_action(
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
    if request.POST.get("version", "") not in {"", make_version(remote.name)}:
        messages.error(
            request, f"The voice was renamed to “{remote.name}” meanwhile, so it was not renamed to “{name}”."
        )
        return redirect(remote)
    return run_action(request, remote, lambda voice: rename_remote_voice(voice, name), "Renamed at the provider.")


@require_permission("voices.change_remotevoice")
@require_POST
def remote_alert_seen(request: HttpRequest, pk: str) -> HttpResponse:
    """Mark the alert that the voice was public as seen."""
    remote = get_remote_or_404(pk)
    if mark_alert_seen(remote, get_user(request)):
        messages.success(request, "Marked as seen. The alert is no longer on Today.")
    else:
        messages.error(request, "Nothing was changed: the alert has ended, or the voice is public again.")
    return redirect(remote)


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
        return run_action(request, remote, lambda voice: _change_visibility(voice, Visibility(requested), request), "")
    return redirect(remote)


def _change_visibility(remote: RemoteVoice, visibility: Visibility, request: HttpRequest) -> None:
    """Change the visibility and report what the provider shows afterwards."""
    set_visibility(remote, visibility, get_user(request))
    if remote.visibility == visibility:
        messages.success(request, f"The provider now shows the voice as {visibility}.")
    else:
        shown = f"still shows {remote.visibility}" if remote.visibility else "does not show the visibility"
        messages.error(request, f"The provider accepted the change but {shown}. Check the provider's website.")


def run_action(
    request: HttpRequest, remote: RemoteVoice, action: Callable[[RemoteVoice], None], success_message: str
) -> HttpResponse:
    """Run an action, show its success or the reason of its refusal, and return to the page of the remote voice."""
    with handle_refusal(partial(messages.error, request)):
        action(remote)
        if success_message:
            messages.success(request, success_message)
    return redirect(remote)
