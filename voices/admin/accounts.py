"""Accounts at providers, their calls, the proofs that were sent to them, and the limits that admins corrected."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from consent.access import get_user
from providers import registry
from providers.types import Tier
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.changes import ConfirmedMixin
from voicehub.admin_base.columns import MAX_CHARACTERS
from voicehub.admin_base.filters import PresenceFilter
from voicehub.admin_base.formats import EMPTY, format_moment, format_scalar
from voicehub.admin_base.groups import ACCOUNTS, STAFF
from voicehub.admin_base.rows import NoDeleteAdmin, ReadOnlyAdmin, StudioAdmin
from voicehub.admin_base.versions import VersionedForm
from voicehub.confirmation import LEFT_OUT
from voicehub.models import SecurityEventKind, User
from voicehub.refusals import ActionRefused
from voicehub.status_marks import render_mark
from voicehub.text import format_duration
from voices.models import Account, AccountCall, LimitOverride, OfflineProof, UsageReading
from voices.services.accounts import change_key, pause_account, resume_account, test_account
from voices.services.call_answers import summarize_answer
from voices.services.usage import SECONDS


class AccountAdminForm(VersionedForm):
    """The key is stored encrypted and never shown again, except for its last four characters."""

    provider = forms.ChoiceField(choices=registry.list_provider_choices)
    key = forms.CharField(
        required=False,
        strip=True,
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=False),
    )

    class Meta:
        model = Account
        fields = ["name", "provider", "mode"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.fields["key"].help_text = "It is stored encrypted, and never shown again."
        else:
            hint = f" that ends in {self.instance.key_hint}" if self.instance.key_hint else ""
            self.fields[
                "key"
            ].help_text = (
                f"Leave empty to keep the key{hint}. With the key of another provider account, builds make new voices."
            )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if {"provider", "mode"}.intersection(self.changed_data) and self.instance.remote_voices.exists():
            raise forms.ValidationError("This account already has voices. Add another account instead.")
        return data

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not key and (not self.instance.encrypted_key or LEFT_OUT in self.data):
            raise forms.ValidationError("Enter the API key of the account.")
        return key


@admin.register(Account)
class AccountAdmin(ConfirmedMixin, NoDeleteAdmin):
    security_kind = SecurityEventKind.KEY_CHANGED
    opens_confirmed = True
    group = ACCOUNTS
    purpose = "API keys of the studio at the providers"
    counted = ({}, "")
    place = 1
    studio_path = ""
    form = AccountAdminForm
    readonly_fields = [
        "key_hint", "tested", "paused", "pause_reason", "last_error", "proof",
        "uploader_source", "uploader_reason", "uploader_set_by", "uploader_set_at",
    ]  # fmt: skip
    fieldsets = (
        (None, {"fields": ("name", "provider", "mode", "key")}),
        ("State", {"fields": tuple(readonly_fields)}),
    )
    names = {"key_hint": "key ends in", "last_error": "problem"}
    attention = (
        ({"last_error__gt": ""}, "account with a problem", "accounts with a problem", "bad"),
        ({"paused_at__isnull": False}, "paused account", "paused accounts", "wait"),
    )
    list_display = ["name", "provider", "mode", "key_hint", "checked_at", "paused_at", "last_error"]
    short_columns = ("provider", "last_error")
    list_filter = ["provider", "mode", ("paused_at", PresenceFilter)]
    search_fields = ["name"]
    actions = ["check_keys", "pause", "resume"]

    def list_readonly_names(self, _request: HttpRequest, obj: Account | None = None) -> list[str]:
        """An existing account keeps its provider and mode.

        Otherwise its key could be sent to another provider, or a live key unencrypted to the sandbox.
        """
        return [*self.readonly_fields, *(["provider", "mode"] if obj else [])]

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        key = form.cleaned_data.get("key")
        if not change:
            obj.set_key(key)
            super().save_model(request, obj, form, change)
            return
        # Save only these fields. The account may have been paused since it was loaded.
        obj.save(update_fields=["name", "provider", "mode"])
        if key:
            change_key(obj, key, get_user(request))

    def find_studio_url(self, row: Account) -> str:
        return reverse("voices:account", args=[row.pk])

    @admin.display(description="last call")
    def tested(self, account: Account) -> str:
        return format_moment(account.checked_at) if account.checked_at else "None yet with this key"

    @admin.display(description="pause")
    def paused(self, account: Account) -> str:
        return f"Paused, {format_moment(account.paused_at)}" if account.paused_at else "Not paused"

    @admin.display(description="proof of consent")
    def proof(self, account: Account) -> str:
        return "Not sent: authorized uploader" if account.is_authorized_uploader else "Sent with each new voice"

    @admin.action(description="Test the key", permissions=["change"])
    def check_keys(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        run_on_rows(request, accounts, check_key)

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        def stop(account: Account) -> str:
            pause_account(account, "", get_user(request))
            return "Paused. It makes no calls until it is resumed."

        run_on_rows(request, accounts, stop)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        run_on_rows(request, accounts, partial(resume, by=get_user(request)))


def check_key(account: Account) -> str:
    test_account(account)
    if account.last_error:
        raise ActionRefused(account.last_error)
    return "The key works."


def resume(account: Account, by: User) -> str:
    resume_account(account, by)
    return "Resumed. Its waiting work runs again."


class LimitOverrideForm(VersionedForm):
    provider = forms.ChoiceField(choices=registry.list_provider_choices)
    tier = forms.ChoiceField(choices=[(tier.value, tier.value.title()) for tier in Tier])
    limit = forms.ChoiceField(choices=registry.list_limit_choices)

    class Meta:
        model = LimitOverride
        fields = ["provider", "tier", "limit", "value", "source"]


@admin.register(LimitOverride)
class LimitOverrideAdmin(StudioAdmin):
    group = STAFF
    purpose = "Limits of a provider that this studio has changed"
    place = 5
    counted = ({}, "")
    form = LimitOverrideForm
    list_display = ["provider", "tier", "limit", "value", "source"]
    list_filter = ["provider", "tier"]


@admin.register(AccountCall)
class AccountCallAdmin(ReadOnlyAdmin):
    group = ACCOUNTS
    purpose = "Calls to the providers, with their responses"
    place = 2
    list_display = ["operation", "answer", "result", "account", "time"]
    short_columns = ("answer", "account", "time")
    list_filter = ["account", "status", "operation", "at"]
    search_fields = ["operation", "response_text"]
    list_select_related = ["account"]

    @admin.display(description="answer")
    def answer(self, call: AccountCall) -> str:
        return Truncator(summarize_answer(call.response_text)).chars(MAX_CHARACTERS) or EMPTY

    @admin.display(description="time", ordering="at")
    def time(self, call: AccountCall) -> str:
        return date_format(timezone.localtime(call.at), "M j, Y, H:i:s")

    @admin.display(description="status", ordering="status")
    def result(self, call: AccountCall) -> SafeString | str:
        """Only a call that failed has a mark."""
        is_good = call.status is not None and call.status < 400
        return str(call.status) if is_good else render_mark("bad", str(call.status or "No response"))


@admin.register(UsageReading)
class UsageReadingAdmin(ReadOnlyAdmin):
    group = ACCOUNTS
    purpose = "Credits and use that a provider stated on each day"
    empty_text = "Once a day, VoiceHub asks each provider that reports usage. The answers are listed here."
    studio_path = "account"
    list_display = ["account", "day", "used_amount", "left_amount"]
    list_filter = ["account", "day"]
    list_select_related = ["account"]

    def find_studio_url(self, row: UsageReading) -> str:
        return reverse("voices:account", args=[row.account_id])

    @admin.display(description="used", ordering="used")
    def used_amount(self, reading: UsageReading) -> SafeString | str:
        return format_reading(reading.used, reading.unit) or NOT_STATED

    @admin.display(description="left", ordering="remaining")
    def left_amount(self, reading: UsageReading) -> SafeString | str:
        return format_reading(reading.remaining, reading.unit) or NOT_STATED


NOT_STATED = SafeString('<span class="nothing">Not stated</span>')


def format_reading(amount: float | None, unit: str) -> str:
    """A number with its unit, which is seconds of speech or a word of the provider."""
    if amount is None:
        return ""
    return f"{format_duration(amount)} of speech" if unit == SECONDS else f"{format_scalar(amount)} {unit}".strip()


@admin.register(OfflineProof)
class OfflineProofAdmin(ReadOnlyAdmin):
    group = ACCOUNTS
    purpose = "Proofs of consent that were mailed to a provider"
    studio_path = "consent"
    list_display = ["consent", "account", "sent_on", "sent_to", "sent_by", "confirmed_on", "recorded_by"]
    list_filter = ["account", "sent_on", ("confirmed_on", PresenceFilter)]
    search_fields = ["consent__talent__name", "sent_to", "file_name", "sha256", "note"]
    list_select_related = ["consent__talent", "account", "recorded_by"]
