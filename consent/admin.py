from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from consent import labels
from consent.labels import DELETE_AT_END_LABEL
from consent.models import (
    Consent,
    Contract,
    ContractConfirmation,
    ContractSuspension,
    Event,
    Invitation,
    LanguageException,
    Pronunciation,
    Statement,
    Take,
    TakeCheck,
    Talent,
    TalentMail,
)
from consent.services.evidence_checks import check_history
from voicehub.admin_site import NoDeleteAdmin, ReadOnlyAdmin


@admin.register(Talent)
class TalentAdmin(NoDeleteAdmin):
    list_display = ["name", "email", "phone", "created_at"]
    search_fields = ["name", "email"]
    readonly_fields = ["created_by", "created_at"]

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False  # the dashboard records who added a talent


class DeleteAtEndFilter(admin.BooleanFieldListFilter):
    """Filter whose title says, as the form does, when the voice is deleted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = DELETE_AT_END_LABEL


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin):
    list_display = ["talent", "signed_on", "starts_on", "ends_on", "in_force", "exclusive", "filed_by"]
    list_filter = ["exclusive", "training_allowed", ("delete_at_end", DeleteAtEndFilter), "ends_on"]
    search_fields = ["talent__name", "intended_uses", "sha256"]
    list_select_related = ["talent", "filed_by"]
    exclude = ["file", "delete_at_end"]
    readonly_fields = ["deletion"]

    @admin.display(boolean=True, description=DELETE_AT_END_LABEL)
    def deletion(self, contract: Contract) -> bool:
        return contract.delete_at_end

    @admin.display(boolean=True, description="in force")
    def in_force(self, contract: Contract) -> bool:
        return contract.is_in_force


@admin.register(ContractSuspension)
class ContractSuspensionAdmin(ReadOnlyAdmin):
    list_display = ["contract", "suspended_at", "suspended_by", "resumed_at", "resumed_by"]
    list_filter = ["resumed_at"]
    search_fields = ["contract__talent__name", "reason", "resume_reason"]
    list_select_related = ["contract__talent", "suspended_by", "resumed_by"]
    date_hierarchy = "suspended_at"


@admin.register(ContractConfirmation)
class ContractConfirmationAdmin(ReadOnlyAdmin):
    list_display = ["contract", "purpose", "confirmed_by", "confirmed_at"]
    list_filter = ["purpose"]
    search_fields = ["contract__talent__name"]
    list_select_related = ["contract__talent", "confirmed_by"]
    date_hierarchy = "confirmed_at"


@admin.register(LanguageException)
class LanguageExceptionAdmin(ReadOnlyAdmin):
    list_display = ["consent", "language", "reason", "allowed_by", "allowed_at"]
    list_filter = ["language"]
    search_fields = ["consent__talent__name", "reason"]
    list_select_related = ["consent__talent", "allowed_by"]
    date_hierarchy = "allowed_at"


@admin.register(Statement)
class StatementAdmin(NoDeleteAdmin):
    """New versions can be added; the text of an existing version is read-only."""

    list_display = ["provider", "language", "version", "source", "source_date", "retired"]
    list_filter = ["provider", "language", "retired"]
    search_fields = ["text", "source"]

    def get_readonly_fields(self, _request: HttpRequest, obj: Statement | None = None) -> list[str]:
        return ["provider", "language", "version", "text", "source", "source_date"] if obj else []


class EventInline(admin.TabularInline[Event, Consent]):
    model = Event
    fields = readonly_fields = ("sequence", "at", "what_happened", "short_hash")
    can_delete = False
    max_num = 0
    ordering = ["sequence"]

    @admin.display(description="what happened")
    def what_happened(self, event: Event) -> str:
        reason = event.payload.get("reason", "")
        return f"{labels.describe_event(event)}: “{reason}”" if reason else f"{labels.describe_event(event)}."

    @admin.display(description="hash")
    def short_hash(self, event: Event) -> str:
        return f"{event.hash[:12]}…"


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    list_display = [
        "talent",
        "provider",
        "purpose",
        "status",
        "approved_by",
        "approved_at",
        "valid_until",
        "created_at",
    ]
    list_filter = ["status", "provider", "purpose", "language"]
    search_fields = ["talent__name", "text", "text_sha256"]
    list_select_related = ["talent", "approved_by"]
    date_hierarchy = "created_at"
    inlines = [EventInline]
    actions = ["verify"]

    @admin.action(description="Check the audit log", permissions=["view"])
    def verify(self, request: HttpRequest, consents: QuerySet[Consent]) -> None:
        for consent in consents:
            broken = check_history(consent)
            result = "the audit log is intact" if broken is None else f"the audit log is broken at entry {broken}"
            self.message_user(request, f"{consent}: {result}.", "SUCCESS" if broken is None else "ERROR")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    list_display = ["talent", "channel", "sent_to", "sent_at", "expires_at", "opened_at", "revoked_at"]
    list_filter = ["channel", "expires_at"]
    search_fields = ["talent__name", "sent_to"]
    list_select_related = ["talent"]
    exclude = ["token_digest"]


@admin.register(TalentMail)
class TalentMailAdmin(ReadOnlyAdmin):
    list_display = ["consent", "kind", "recipient", "sent_to", "sent_at", "disputed_at", "resolved_at"]
    list_filter = ["kind", "recipient"]
    search_fields = ["consent__talent__name", "sent_to"]
    list_select_related = ["consent__talent"]
    date_hierarchy = "created_at"
    exclude = ["token_digest"]


@admin.register(Take)
class TakeAdmin(ReadOnlyAdmin):
    list_display = ["consent", "capture", "recorded_by", "acceptable", "seconds", "sample_rate", "created_at"]
    list_filter = ["capture", "acceptable"]
    search_fields = ["consent__talent__name", "sha256"]
    list_select_related = ["consent__talent", "recorded_by"]
    exclude = ["file", "peaks"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ["consent", "sequence", "kind", "actor_name", "at"]
    list_filter = ["kind"]
    search_fields = ["consent__talent__name", "actor_name", "hash"]
    list_select_related = ["consent__talent"]
    date_hierarchy = "at"


@admin.register(TakeCheck)
class TakeCheckAdmin(ReadOnlyAdmin):
    list_display = ["take", "checked_at", "verdict", "error"]
    search_fields = ["take__consent__talent__name", "take__sha256"]
    list_select_related = ["take__consent__talent"]
    date_hierarchy = "created_at"
    exclude = ["fine_peaks"]

    @admin.display(description="statement")
    def verdict(self, check: TakeCheck) -> str:
        return str(check.statement.get("verdict", ""))


@admin.register(Pronunciation)
class PronunciationAdmin(admin.ModelAdmin[Pronunciation]):
    list_display = ["name", "sounds_like"]
    search_fields = ["name", "sounds_like"]
