from contextlib import suppress
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from consent.access import get_user
from providers import registry
from providers.types import Tier
from voicehub.admin_site import NoDeleteAdmin, ReadOnlyAdmin
from voicehub.refusals import ActionRefused
from voices.models import (
    Account,
    AccountCall,
    Build,
    BuildRecording,
    Callback,
    DatasetFetch,
    LimitOverride,
    OfflineProof,
    Preview,
    Recording,
    RemoteFile,
    RemoteVoice,
    UploadProgress,
    Voice,
    WorkSample,
)
from voices.services.accounts import change_key, pause_account, resume_account, test_account
from voices.services.builds.poll import RECORDING_RESULTS
from voices.services.remote_state import find_remote_state


class AccountAdminForm(forms.ModelForm[Account]):
    """The key is stored encrypted and never shown again, except for its last four characters."""

    provider = forms.ChoiceField(choices=registry.list_provider_choices)
    key = forms.CharField(
        required=False,
        strip=True,
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=False),
        help_text="Leave empty to keep the stored key. Existing voices belong to the provider account of the old key. "
        "If the new key is for another provider account, the next build makes new voices.",
    )

    class Meta:
        model = Account
        fields = ["name", "provider", "mode"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if {"provider", "mode"}.intersection(self.changed_data) and self.instance.remote_voices.exists():
            raise forms.ValidationError("This account already has voices. Add another account instead.")
        return data

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if not key and not self.instance.encrypted_key:
            raise forms.ValidationError("Enter the API key of the account.")
        return key


@admin.register(Account)
class AccountAdmin(NoDeleteAdmin):
    form = AccountAdminForm
    readonly_fields = [
        "key_hint", "paused_at", "pause_reason", "checked_at", "last_error", "is_authorized_uploader",
        "uploader_source", "uploader_reason", "uploader_set_by", "uploader_set_at",
    ]  # fmt: skip
    fields = ["name", "provider", "mode", "key", *readonly_fields]
    list_display = ["name", "provider", "mode", "paused_at", "key_hint", "checked_at", "last_error"]
    list_filter = ["provider", "mode", ("paused_at", admin.EmptyFieldListFilter)]
    search_fields = ["name"]
    actions = ["check_keys", "pause", "resume"]

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> list[str]:
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
            change_key(obj, key)

    @admin.action(description="Test the key", permissions=["change"])
    def check_keys(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts:
            test_account(account)
            message = account.last_error or "The key works."
            self.message_user(request, f"{account}: {message}", "ERROR" if account.last_error else "SUCCESS")

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts.filter(paused_at=None):
            with suppress(ActionRefused):  # another request has already paused the account
                pause_account(account, "", get_user(request))

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, _request: HttpRequest, accounts: QuerySet[Account]) -> None:
        for account in accounts.filter(paused_at__isnull=False):
            with suppress(ActionRefused):  # another request has already resumed the account
                resume_account(account)


class LimitOverrideForm(forms.ModelForm[LimitOverride]):
    provider = forms.ChoiceField(choices=registry.list_provider_choices)
    tier = forms.ChoiceField(choices=[(tier.value, tier.value.title()) for tier in Tier])
    limit = forms.ChoiceField(choices=registry.list_limit_choices)

    class Meta:
        model = LimitOverride
        fields = ["provider", "tier", "limit", "value", "source"]


@admin.register(LimitOverride)
class LimitOverrideAdmin(admin.ModelAdmin[LimitOverride]):
    form = LimitOverrideForm
    list_display = ["provider", "tier", "limit", "value", "source"]
    list_filter = ["provider", "tier"]


@admin.register(Voice)
class VoiceAdmin(ReadOnlyAdmin):
    list_display = ["name", "talent", "language", "purpose", "created_by", "created_at"]
    list_filter = ["purpose", "language"]
    search_fields = ["name", "talent__name"]
    list_select_related = ["talent", "created_by"]


@admin.register(Recording)
class RecordingAdmin(ReadOnlyAdmin):
    list_display = ["file_name", "voice", "status", "active", "seconds", "sample_rate", "created_at"]
    list_filter = ["status", "active", "sample_rate"]
    search_fields = ["file_name", "transcript", "sha256", "voice__name", "voice__talent__name"]
    list_select_related = ["voice"]
    exclude = ["file", "wav", "peaks", "fine_peaks", "sound_features"]


@admin.register(RemoteVoice)
class RemoteVoiceAdmin(ReadOnlyAdmin):
    list_display = ["reference", "voice", "account", "tier", "remote_id", "state", "last_report", "deleted_at"]
    list_filter = [
        "account",
        "tier",
        "observed_status",
        "visibility",
        "retired_at",
        ("alert", admin.EmptyFieldListFilter),
    ]
    search_fields = ["reference", "remote_id", "voice__name"]
    list_select_related = ["voice__talent", "account"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[RemoteVoice]:
        return super().get_queryset(request).prefetch_related("builds")

    @admin.display
    def state(self, remote: RemoteVoice) -> str:
        return str(find_remote_state(remote).kind).replace("_", " ")

    @admin.display(ordering="observed_status")
    def last_report(self, remote: RemoteVoice) -> str:
        return remote.get_observed_status_display()


@admin.register(RemoteFile)
class RemoteFileAdmin(ReadOnlyAdmin):
    list_display = [
        "remote_id",
        "kind",
        "remote_voice",
        "account",
        "announced_at",
        "deletion_requested_at",
        "deleted_at",
    ]
    list_filter = ["kind", "account", "deletion_requested_at", "deleted_at"]
    search_fields = ["remote_id", "remote_voice__reference", "recording__file_name"]
    list_select_related = ["remote_voice", "account"]


class BuildRecordingInline(admin.TabularInline[BuildRecording, Build]):
    model = BuildRecording
    fields = readonly_fields = ("recording", *RECORDING_RESULTS)
    can_delete = False
    max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[BuildRecording]:
        return super().get_queryset(request).select_related("recording", "build__voice", "build__remote_voice")


@admin.register(Build)
class BuildAdmin(ReadOnlyAdmin):
    list_display = ["voice", "remote_voice", "status", "raw_status", "started_by", "created_at", "finished_at"]
    list_filter = ["status", "handover", "remote_voice__tier", "remote_voice__account"]
    search_fields = [
        "voice__name",
        "voice__talent__name",
        "remote_voice__reference",
        "remote_voice__remote_id",
        "issue",
    ]
    list_select_related = ["voice", "remote_voice", "started_by"]
    date_hierarchy = "created_at"
    exclude = ["callback_digest", "dataset_digest", "resume_state", "samples"]
    inlines = [BuildRecordingInline]


@admin.register(OfflineProof)
class OfflineProofAdmin(ReadOnlyAdmin):
    list_display = ["consent", "account", "sent_on", "sent_to", "sent_by", "confirmed_on", "recorded_by"]
    list_filter = ["account", "sent_on", ("confirmed_on", admin.EmptyFieldListFilter)]
    search_fields = ["consent__talent__name", "sent_to", "file_name", "sha256", "note"]
    list_select_related = ["consent__talent", "account", "recorded_by"]
    exclude = ["file"]


@admin.register(Preview)
class PreviewAdmin(ReadOnlyAdmin):
    list_display = ["text", "remote_voice", "status", "requested_by", "created_at", "finished_at"]
    list_filter = ["status", "remote_voice__account"]
    search_fields = ["text", "remote_voice__reference", "remote_voice__voice__name"]
    list_select_related = ["remote_voice", "requested_by"]
    exclude = ["file", "url"]


@admin.register(AccountCall)
class AccountCallAdmin(ReadOnlyAdmin):
    list_display = ["account", "at", "operation", "status", "response_text"]
    list_filter = ["account", "status", "operation"]
    search_fields = ["operation", "response_text"]
    list_select_related = ["account"]
    date_hierarchy = "at"


@admin.register(Callback)
class CallbackAdmin(ReadOnlyAdmin):
    list_display = ["build", "received_at", "address"]
    search_fields = ["build__voice__name", "body"]
    list_select_related = ["build__voice", "build__remote_voice"]
    date_hierarchy = "received_at"


@admin.register(DatasetFetch)
class DatasetFetchAdmin(ReadOnlyAdmin):
    list_display = ["build", "at", "address", "user_agent"]
    list_select_related = ["build__voice", "build__remote_voice"]


@admin.register(WorkSample)
class WorkSampleAdmin(ReadOnlyAdmin):
    list_display = ["kind", "key", "units", "seconds", "finished_at"]
    list_filter = ["kind"]
    search_fields = ["key"]


@admin.register(UploadProgress)
class UploadProgressAdmin(ReadOnlyAdmin):
    list_display = ["id", "user", "activity", "done", "total", "started_at"]
    list_select_related = ["user"]
