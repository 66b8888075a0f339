"""One account: whether its key works, another key, a pause, its last answers, and the voices that it holds."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent.access import may, user_of
from consent.services import NotPossible
from voices import access, services
from voices.account_forms import KeyForm, PauseForm
from voices.models import Account
from voices.providers import registry
from voices.views.saying import say_errors

VOICES, CALLS = 25, 20
FORGOTTEN = "VoiceHub does not know this provider any more."


def account_or_404(pk: str) -> Account:
    return get_object_or_404(Account.objects.select_related("paused_by"), pk=pk)


@may("voices.view_account")
@require_safe
def account(request: HttpRequest, pk: str) -> HttpResponse:
    account = account_or_404(pk)
    known = account.provider in registry.PROVIDERS
    tiers = registry.provider_class(account.provider).tiers.values() if known else ()
    voices = Paginator(access.remote_voices().filter(account=account), VOICES).get_page(request.GET.get("page"))
    context = {
        "account": account,
        "known": known,
        "lists": any(tier.can_list for tier in tiers),
        "calls": account.calls.all()[:CALLS],
        "page": voices,
        "waiting": access.builds().active().filter(remote_voice__account=account).count() if account.paused_at else 0,
    }
    return render(request, "voices/account.html", context)


@may("voices.test_account")
@require_POST
def account_test(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask the provider whether the key works; the answer stands in the account's row afterwards."""
    account = account_or_404(pk)
    if account.provider not in registry.PROVIDERS:
        messages.error(request, FORGOTTEN)
        return redirect("voices:account", account.pk)
    services.test_account(account)
    if account.last_error:
        messages.error(request, f"{account.name}: {account.last_error}")
    else:
        messages.success(request, f"The key of {account.name} works.")
    return redirect("voices:account", account.pk)


@may("voices.change_account")
@require_POST
def account_key(request: HttpRequest, pk: str) -> HttpResponse:
    account, form = account_or_404(pk), KeyForm(request.POST)
    if form.is_valid():
        services.change_key(account, form.cleaned_data["key"])
        messages.success(request, "The new key is stored. Test it, to see that the provider takes it.")
    else:
        say_errors(request, form)
    return redirect("voices:account", account.pk)


@may("voices.change_account")
@require_POST
def account_pause(request: HttpRequest, pk: str) -> HttpResponse:
    account, form = account_or_404(pk), PauseForm(request.POST)
    if not form.is_valid():
        say_errors(request, form)
        return redirect("voices:account", account.pk)
    try:
        services.pause_account(account, form.cleaned_data["reason"], user_of(request))
    except NotPossible as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, f"{account.name} is paused: the provider is not asked for anything with it.")
    return redirect("voices:account", account.pk)


@may("voices.change_account")
@require_POST
def account_resume(request: HttpRequest, pk: str) -> HttpResponse:
    account = account_or_404(pk)
    try:
        services.resume_account(account)
    except NotPossible as reason:
        messages.error(request, str(reason))
    else:
        messages.success(request, f"{account.name} is in use again, and what waited for it goes on.")
    return redirect("voices:account", account.pk)
