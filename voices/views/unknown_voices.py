"""The pages of unknown voices: list them, adopt one for a voice of the studio, delete one."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.access import get_user, require_permission
from providers import registry
from providers.types import RemoteStatus
from voicehub.confirmation import require_confirmation
from voicehub.refusals import handle_refusal, show_refusal_as_message
from voices.account_forms import AdoptForm, DeleteUnknownVoiceForm, RemoteIdForm, show_errors
from voices.models import Account, Voice
from voices.models.choices import OBSERVED_STATUS_LABELS
from voices.presenters import StatusBadge
from voices.services.unknown_voices import adopt_voice, delete_unknown_voice, list_unknown_voices
from voices.views.accounts import get_account_or_404

# Others have failed.
OBSERVED_TONES = {
    RemoteStatus.READY: "good",
    RemoteStatus.TRAINING: "busy",
    RemoteStatus.AWAITING_DATA: "wait",
    RemoteStatus.UNKNOWN: "over",
}


@require_permission("voices.change_remotevoice")
@require_safe
def unknown_voice_list(request: HttpRequest, pk: str) -> HttpResponse:
    """The unknown voices of an account. Each request fetches the list from the provider."""
    account = get_supported_account(pk)
    tiers = registry.get_provider_class(account.provider).tiers.values()
    context: dict[str, Any] = {"account": account, "can_delete": any(tier.can_delete for tier in tiers)}
    context["can_list"] = any(tier.can_list for tier in tiers)
    with handle_refusal(partial(context.__setitem__, "issue")):
        context["unknown_voices"] = [
            (voice, make_observed_badge(voice.status)) for voice in list_unknown_voices(account)
        ]
        context["has_dates"] = any(voice.created_at for voice, _badge in context["unknown_voices"])
    return render(request, "voices/unknown_voices.html", context)


def make_observed_badge(status: RemoteStatus) -> StatusBadge:
    """What the provider says of a voice."""
    return StatusBadge(OBSERVED_TONES.get(status, "bad"), OBSERVED_STATUS_LABELS[status])


def get_supported_account(pk: str) -> Account:
    """The account. Raises Http404 if it does not exist, or if VoiceHub no longer supports its provider."""
    account = get_account_or_404(pk)
    if account.provider not in registry.PROVIDERS:
        raise Http404
    return account


@require_permission("voices.change_remotevoice")
@require_http_methods(["GET", "HEAD", "POST"])
def unknown_voice_adopt(request: HttpRequest, pk: str) -> HttpResponse:
    account = get_supported_account(pk)
    if request.method != "POST":
        return _render_adopt_page(
            request, account, AdoptForm(account, initial={"remote_id": _get_requested_id(request)})
        )
    form = AdoptForm(account, request.POST)
    if form.is_valid():
        data = form.cleaned_data
        with handle_refusal(partial(form.add_error, None)):
            remote = adopt_voice(account, data["remote_id"], data["tier"], data["voice"], get_user(request))
            messages.success(request, f"Voice adopted. It now belongs to {data['voice']}.")
            return redirect(remote)
    return _render_adopt_page(request, account, form)


def _get_requested_id(request: HttpRequest) -> str:
    """The provider's voice id in the query string. Raises Http404 if it is too long or missing."""
    form = RemoteIdForm({"remote_id": request.GET.get("id", "")})
    if not form.is_valid():
        raise Http404
    return str(form.cleaned_data["remote_id"])


def _render_adopt_page(request: HttpRequest, account: Account, form: AdoptForm) -> HttpResponse:
    context = {"account": account, "form": form, "has_voices": Voice.objects.exists()}
    return render(request, "voices/unknown_voice_adopt.html", context)


@require_permission("voices.delete_remotevoice")
@require_POST
@require_confirmation()
@show_refusal_as_message("voices:unknown_voices")
def unknown_voice_delete(request: HttpRequest, pk: str) -> HttpResponse:
    account, form = get_supported_account(pk), DeleteUnknownVoiceForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect("voices:unknown_voices", pk)
    tiers = registry.get_provider_class(account.provider).tiers
    tier = next((tier for tier, capabilities in tiers.items() if capabilities.can_delete), next(iter(tiers)))
    data = form.cleaned_data
    remote = delete_unknown_voice(account, data["remote_id"], tier, get_user(request), data["reason"])
    messages.success(request, "Deletion requested. VoiceHub checks the provider until the voice is gone.")
    return redirect(remote)
