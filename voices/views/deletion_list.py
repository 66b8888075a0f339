"""The page Deletions: every open deletion, and the decision on voices that had ended before an upgrade."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent.access import get_user, require_permission
from consent.services.legal_hold import query_talents_on_hold
from voicehub.models import User
from voicehub.refusals import handle_refusal
from voices.account_forms import RemoteReasonForm, show_errors
from voices.models import RemoteVoice
from voices.services.deletion_lists import load_open_deletions
from voices.services.scheduled_deletion import confirm_deletion, keep_voice
from voices.views.remote_voices import get_remote_or_404


@require_permission("voices.view_remotevoice")
@require_safe
def deletion_list(request: HttpRequest) -> HttpResponse:
    talents_on_hold = query_talents_on_hold().select_related("legal_hold_by").order_by("name")
    context = {"deletions": load_open_deletions(), "talents_on_hold": list(talents_on_hold)}
    return render(request, "voices/deletions.html", context)


@require_permission("voices.delete_remotevoice")
@require_POST
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
