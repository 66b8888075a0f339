"""A voice at its provider: how it stands there, its name, who may use it, and its end with the proof of it."""

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

from consent.access import may, user_of
from providers.types import Visibility
from voicehub.refusals import refusal_to
from voicehub.tokens import digest
from voices import access, presenters
from voices.account_forms import RemoteReasonForm, RenameForm, say_errors
from voices.models import RemoteVoice
from voices.presenters import can
from voices.services import remote_voices
from voices.services.builds.recheck import reasons_against_use
from voices.services.remote_voices import NO_SUCH_VOICE, ask_deletion, note_deletion, rename, set_visibility


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands behind "deleted": the provider's answer, and what a look after it has shown."""

    answer: str
    look: str
    by_hand: str
    at: datetime | None

    @property
    def absent(self) -> bool:
        """The look found nothing, rather than a voice that is shown as deleted."""
        return self.look == NO_SUCH_VOICE


@may("voices.view_remotevoice")
@require_safe
def remote_voice(request: HttpRequest, pk: str) -> HttpResponse:
    remote = remote_or_404(pk)
    return render(request, "voices/remote_voice.html", remote_context(remote))


@may("voices.view_remotevoice")
@require_safe
def remote_progress(request: HttpRequest, pk: str) -> HttpResponse:
    """How the voice stands, for a page that waits for its end; nothing (204) when the page shows that already."""
    remote = remote_or_404(pk)
    if going(remote) and request.GET.get("seen") == stamp(remote):
        return HttpResponse(status=204)
    return render(request, "voices/_remote_voice.html", remote_context(remote))


def remote_or_404(pk: str) -> RemoteVoice:
    return get_object_or_404(access.remote_voices(), pk=pk)


def remote_context(remote: RemoteVoice) -> dict[str, Any]:
    return {
        "remote": remote,
        "can": can(remote),
        "not_allowed": reasons_against_use(remote),
        "use_denied": changes(remote),
        "standing": presenters.of_remote(remote),
        "proof": proof(remote),
        "going": going(remote),
        "lingers": remote.lingers,
        "public": remote.public,
        "stamp": stamp(remote),
    }


def changes(remote: RemoteVoice) -> str:
    """What could be done to the voice at this provider if the gate allowed it: “renamed or made public”."""
    known = can(remote)
    offered = {"renamed": known and known.can_rename, "made public": known and known.can_set_visibility}
    return " or ".join(what for what, is_offered in offered.items() if is_offered)


def going(remote: RemoteVoice) -> bool:
    """Whether somebody has asked for its end, and it is not there yet."""
    return remote.delete_asked_at is not None and remote.deleted_at is None


def stamp(remote: RemoteVoice) -> str:
    """Changes with what the page shows of it; times in words move on by the minute."""
    account, minute = remote.account, int(timezone.now().timestamp() // 60)
    parts = (remote.deleted_at, remote.alarm, remote.deletion, account.last_error, account.paused_at, minute)
    return digest(repr(parts))


def proof(remote: RemoteVoice) -> Proof | None:
    said = remote.deletion
    if not said:
        return None
    answer = json.dumps(said["answer"], indent=2, ensure_ascii=False) if said.get("answer") else ""
    at = parse_datetime(str(said.get("at", "")))
    return Proof(answer, str(said.get("look", "")), str(said.get("by_hand", "")), at)


@may("voices.change_remotevoice")
@require_POST
def remote_look(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask the provider how it stands now."""
    return _try(
        request, remote_or_404(pk), remote_voices.look, "The provider was asked just now; this is what it says."
    )


@may("voices.change_remotevoice")
@require_POST
def remote_rename(request: HttpRequest, pk: str) -> HttpResponse:
    remote, form = remote_or_404(pk), RenameForm(request.POST)
    if not form.is_valid():
        say_errors(request, form)
        return redirect(remote)
    name = form.cleaned_data["name"]
    return _try(request, remote, lambda it: rename(it, name), "Renamed at the provider.")


@may("voices.change_remotevoice")
@require_POST
def remote_visibility(request: HttpRequest, pk: str) -> HttpResponse:
    """Private at once; public only with the box ticked under what that means."""
    remote, asked = remote_or_404(pk), request.POST.get("visibility")
    if asked not in {Visibility.PRIVATE, Visibility.PUBLIC}:
        messages.error(request, "Choose private or public.")
    elif asked == Visibility.PUBLIC and request.POST.get("sure") != "yes":
        messages.error(request, "Nothing has changed: tick the box first if everybody is to be able to use the voice.")
    else:
        return _try(request, remote, lambda it: _show_to(it, Visibility(asked), request), "")
    return redirect(remote)


def _show_to(remote: RemoteVoice, visibility: Visibility, request: HttpRequest) -> None:
    """Change it, and believe only what the provider shows after that."""
    set_visibility(remote, visibility, user_of(request))
    if remote.visibility == visibility:
        messages.success(request, f"The provider shows the voice as {visibility} now.")
    else:
        shown = remote.visibility or "nothing of it"
        messages.error(request, f"The provider took the change, and shows {shown}. Look at its own page.")


@may("voices.delete_remotevoice")
@require_POST
def remote_delete(request: HttpRequest, pk: str) -> HttpResponse:
    done = "The provider is asked to delete the voice, and looked at until it is gone."
    return _with_reason(request, remote_or_404(pk), ask_deletion, done)


@may("voices.delete_remotevoice")
@require_POST
def remote_deleted(request: HttpRequest, pk: str) -> HttpResponse:
    """A person has deleted it on the provider's own page."""
    return _with_reason(request, remote_or_404(pk), note_deletion, "Noted: the voice is gone.")


def _with_reason(request: HttpRequest, remote: RemoteVoice, act: Callable[..., None], done: str) -> HttpResponse:
    form = RemoteReasonForm(request.POST)
    if not form.is_valid():
        say_errors(request, form)
        return redirect(remote)
    reason = form.cleaned_data["reason"]
    return _try(request, remote, lambda it: act(it, user_of(request), reason), done)


def _try(request: HttpRequest, remote: RemoteVoice, act: Callable[[RemoteVoice], None], done: str) -> HttpResponse:
    with refusal_to(partial(messages.error, request)):
        act(remote)
        if done:
            messages.success(request, done)
    return redirect(remote)
