"""The pages of accounts."""

from dataclasses import dataclass
from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from consent.access import get_user, require_permission
from providers import registry
from providers.types import Capabilities
from voicehub.confirmation import needs_confirmation, require_confirmation
from voicehub.lists.pages import load_list
from voicehub.refusals import handle_refusal, show_refusal_as_message
from voices import access
from voices.access import VIEW_SPEND
from voices.account_forms import AccountForm, KeyForm, PauseForm, UploaderForm, show_errors
from voices.lists.accounts import AccountFilter, AccountTable
from voices.models import Account
from voices.services.accounts import add_account, change_key, pause_account, resume_account, test_account
from voices.services.uploaders import find_exemption, set_authorized_uploader
from voices.services.usage import reports_usage
from voices.views.account_calls import list_call_rows
from voices.views.account_usage import list_usage_rows
from voices.views.account_voices import load_account_voices
from voices.views.spend import make_account_months


@dataclass(frozen=True, slots=True)
class ProviderOption:
    """What pages show of a provider. A template that got the provider class itself would call it."""

    slug: str
    label: str
    tiers: list[Capabilities]


def list_provider_options() -> list[ProviderOption]:
    return [
        ProviderOption(provider.slug, provider.label, list(provider.tiers.values()))
        for provider in registry.list_providers()
    ]


@require_permission("voices.view_account")
@require_safe
def account_list(request: HttpRequest) -> HttpResponse:
    listing = load_list(request, Account.objects.all(), AccountTable, AccountFilter)
    return render(request, "voices/account_list.html", {"list": listing, "providers": list_provider_options()})


@require_permission("voices.add_account")
@require_http_methods(["GET", "HEAD", "POST"])
@require_confirmation(on_get=True)
def account_add(request: HttpRequest) -> HttpResponse:
    form = AccountForm(request.POST or None, initial={"provider": request.GET.get("provider", "")})
    if request.method == "POST" and form.is_valid():
        with handle_refusal(partial(form.add_error, None)):
            account = add_account(**form.cleaned_data, by=get_user(request))
            messages.success(request, f"{account.name} added. Test its key to check that the provider accepts it.")
            return redirect("voices:account", account.pk)
    return render(request, "voices/account_add.html", {"form": form, "providers": list_provider_options()})


MAX_CALLS = 20
UNKNOWN_PROVIDER = "VoiceHub no longer supports this provider."


def get_account_or_404(pk: str) -> Account:
    return get_object_or_404(Account.objects.select_related("paused_by", "uploader_set_by"), pk=pk)


@require_permission("voices.view_account")
@require_safe
def account_detail(request: HttpRequest, pk: str) -> HttpResponse:
    account = get_account_or_404(pk)
    is_known_provider = account.provider in registry.PROVIDERS
    tiers = registry.get_provider_class(account.provider).tiers.values() if is_known_provider else ()
    context = {
        "account": account,
        "is_known_provider": is_known_provider,
        "is_untested": is_known_provider and account.is_untested,
        "can_list": any(tier.can_list for tier in tiers),
        "needs_confirmation": needs_confirmation(request),
        "exemption": find_exemption(account.provider),
        "plan_refusals": list_plan_refusals(account),
        "calls": list_call_rows(account.calls.all()[:MAX_CALLS]),
        "reports_usage": reports_usage(account),
        **(load_usage(account) if get_user(request).has_perm(VIEW_SPEND) else {}),
        **load_account_voices(account, request.GET.get("page")),
        "waiting_builds": access.query_builds().active().filter(remote_voice__account=account).count()
        if account.paused_at
        else 0,
    }
    return render(request, "voices/account.html", context)


def load_usage(account: Account) -> dict[str, object]:
    """What the provider stated: now, per month and per day. `has_usage` is false if that is nothing at all."""
    rows, months = list_usage_rows(account), make_account_months(account)
    return {"usage_rows": rows, **months, "has_usage": bool(rows or months["months"] or months["charts"])}


def list_plan_refusals(account: Account) -> list[dict[str, object]]:
    """The tiers that the provider refused because of the account's plan, by the provider's name for the tier."""
    is_known_provider = account.provider in registry.PROVIDERS
    tiers = registry.get_provider_class(account.provider).tiers if is_known_provider else {}
    return [
        {"label": tier.label, "day": day, "text": account.plan_refusals[str(tier.tier)]["text"]}
        for tier in tiers.values()
        if (day := account.find_plan_refusal(tier.tier))
    ]


@require_permission("voices.test_account")
@require_POST
def account_test(request: HttpRequest, pk: str) -> HttpResponse:
    """Test the key at the provider. The result is stored in the account's row."""
    account = get_account_or_404(pk)
    if account.provider not in registry.PROVIDERS:
        messages.error(request, UNKNOWN_PROVIDER)
        return redirect("voices:account", account.pk)
    test_account(account)
    if account.last_error:
        messages.error(request, f"{account.name}: {account.last_error}")
    else:
        messages.success(request, f"The key of {account.name} works.")
    return redirect("voices:account", account.pk)


@require_permission("voices.change_account")
@require_http_methods(["GET", "HEAD", "POST"])
@require_confirmation(on_get=True)
def account_key(request: HttpRequest, pk: str) -> HttpResponse:
    """Replace the key. By GET, the page of the account opens with the form for it."""
    account, form = get_account_or_404(pk), KeyForm(request.POST)
    if request.method != "POST":
        return redirect(f"{reverse('voices:account', args=[account.pk])}#new-key")
    if form.is_valid():
        change_key(account, form.cleaned_data["key"], get_user(request))
        messages.success(request, "New key saved. Test it to check that the provider accepts it.")
    else:
        show_errors(request, form)
    return redirect("voices:account", account.pk)


@require_permission("voices.change_account")
@require_POST
@show_refusal_as_message("voices:account")
def account_pause(request: HttpRequest, pk: str) -> HttpResponse:
    account, form = get_account_or_404(pk), PauseForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect("voices:account", account.pk)
    pause_account(account, form.cleaned_data["reason"], get_user(request))
    messages.success(
        request, f"{account.name} is paused. VoiceHub makes no calls with this account until it is resumed."
    )
    return redirect("voices:account", account.pk)


@require_permission("voices.change_account")
@require_POST
@show_refusal_as_message("voices:account")
def account_uploader(request: HttpRequest, pk: str) -> HttpResponse:
    """Record whether the provider asks for no proof of consent of this account."""
    account, form = get_account_or_404(pk), UploaderForm(request.POST)
    if not form.is_valid():
        show_errors(request, form)
        return redirect("voices:account", account.pk)
    data = form.cleaned_data
    set_authorized_uploader(
        account, data["is_authorized"], get_user(request), source=data["source"], reason=data["reason"]
    )
    messages.success(request, "Saved. It applies from the next build on.")
    return redirect("voices:account", account.pk)


@require_permission("voices.change_account")
@require_POST
@show_refusal_as_message("voices:account")
def account_resume(request: HttpRequest, pk: str) -> HttpResponse:
    account = get_account_or_404(pk)
    resume_account(account, get_user(request))
    messages.success(request, f"{account.name} is resumed. Waiting work continues.")
    return redirect("voices:account", account.pk)
