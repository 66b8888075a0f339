from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from consent import labels
from consent.labels import DELETE_AT_END_LABEL
from consent.models import (
    Consent,
    Contract,
    ContractConfirmation,
    ContractDraft,
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
from consent.services.countries import describe_countries
from consent.services.evidence_checks import check_contract_file, check_history
from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.filters import PresenceFilter
from voicehub.admin_base.formats import EMPTY, format_code, format_flag, format_moment, format_names, make_label
from voicehub.admin_base.groups import PEOPLE, STAFF
from voicehub.admin_base.inlines import FirstRowsInline
from voicehub.admin_base.rows import NoDeleteAdmin, ReadOnlyAdmin, StudioAdmin
from voicehub.refusals import ActionRefused
from voicehub.storage import StorageUnavailable


@admin.register(Talent)
class TalentAdmin(NoDeleteAdmin):
    group = PEOPLE
    purpose = "People whose voices the studio builds"
    place = 1
    studio_path = ""
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
    group = PEOPLE
    purpose = "What was agreed with each talent, and until when"
    place = 2
    studio_path = ""
    formats = {"purposes": format_names(labels.get_purpose_label), "countries": describe_countries}
    list_display = ["talent", "signed_on", "starts_on", "ends_on", "in_force", "exclusive", "filed_by"]
    list_filter = ["exclusive", "training_allowed", ("delete_at_end", DeleteAtEndFilter), "ends_on"]
    search_fields = ["talent__name", "intended_uses", "sha256"]
    list_select_related = ["talent", "filed_by"]
    exclude = ["delete_at_end"]
    readonly_fields = ["deletion", "in_force"]
    actions = ["check_files"]
    action_permission = "consent.view_contract"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contract]:
        in_force = Contract.objects.in_force().filter(pk=OuterRef("pk")).order_by()
        rows: QuerySet[Contract] = super().get_queryset(request)
        return rows.annotate(is_now_in_force=Exists(in_force))

    @admin.display(description=DELETE_AT_END_LABEL)
    def deletion(self, contract: Contract) -> str:
        return format_flag(contract.delete_at_end)

    @admin.display(description="in force")
    def in_force(self, contract: Any) -> str:
        return format_flag(contract.is_now_in_force)

    @admin.action(description="Check the file", permissions=["operate"])
    def check_files(self, request: HttpRequest, contracts: QuerySet[Contract]) -> None:
        run_on_rows(request, contracts, check_file)


def check_file(contract: Contract) -> str:
    try:
        problem = check_contract_file(contract)
    except StorageUnavailable as error:
        raise ActionRefused(f"Not checked. {error}") from None
    if problem:
        raise ActionRefused(problem)
    return "The file is the one that was filed."


@admin.register(ContractSuspension)
class ContractSuspensionAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "When a contract was suspended and resumed, and by whom"
    studio_path = "contract"
    list_display = ["contract", "suspended_at", "suspended_by", "resumed_at", "resumed_by"]
    list_filter = ["suspended_at", ("resumed_at", PresenceFilter)]
    search_fields = ["contract__talent__name", "reason", "resume_reason"]
    list_select_related = ["contract__talent", "suspended_by", "resumed_by"]


@admin.register(ContractConfirmation)
class ContractConfirmationAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Purposes of a contract that a person has confirmed"
    studio_path = "contract"
    list_display = ["contract", "purpose", "confirmed_by", "confirmed_at"]
    list_filter = ["purpose", "confirmed_at"]
    search_fields = ["contract__talent__name"]
    list_select_related = ["contract__talent", "confirmed_by"]


@admin.register(ContractDraft)
class ContractDraftAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Uploaded contract files that are not filed yet"
    studio_path = "talent"
    list_display = ["talent", "file_name", "size", "owner", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["talent__name", "file_name"]
    list_select_related = ["talent", "owner"]


@admin.register(LanguageException)
class LanguageExceptionAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Statements that were allowed in another language"
    studio_path = "consent"
    list_display = ["consent", "language", "reason", "allowed_by", "allowed_at"]
    list_filter = ["language", "allowed_at"]
    search_fields = ["consent__talent__name", "reason"]
    list_select_related = ["consent__talent", "allowed_by"]


@admin.register(Statement)
class StatementAdmin(NoDeleteAdmin):
    """New versions can be added; the text of an existing version is read-only."""

    group = STAFF
    purpose = "Texts that talents read aloud, by provider and language"
    place = 2
    list_display = ["provider", "language", "version", "source", "source_date", "retired"]
    list_filter = ["provider", "language", "retired"]
    search_fields = ["text", "source"]

    def list_readonly_names(self, _request: HttpRequest, obj: Statement | None = None) -> list[str]:
        return ["provider", "language", "version", "text", "source", "source_date"] if obj else []


class EventInline(FirstRowsInline):
    model = Event
    fields = readonly_fields = ("sequence", "at", "what_happened", "short_hash")
    ordering = ["-sequence"]
    verbose_name_plural = "audit log"

    @admin.display(description="what happened")
    def what_happened(self, event: Event) -> str:
        reason = event.payload.get("reason", "")
        return f"{labels.describe_event(event)}: “{reason}”" if reason else f"{labels.describe_event(event)}."

    @admin.display(description="hash")
    def short_hash(self, event: Event) -> SafeString:
        return format_code(f"{event.hash[:12]}…")


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Each request for a consent, its text and its state"
    place = 3
    studio_path = ""
    list_display = ["talent", "provider", "purpose", "status", "approved", "valid_until", "created_at"]
    short_columns = ("provider", "created_at")
    list_filter = ["status", "provider", "purpose", "language", "created_at"]
    search_fields = ["talent__name", "text", "text_sha256"]
    list_select_related = ["talent", "approved_by"]
    inlines = [EventInline]
    actions = ["verify"]

    action_permission = "consent.view_consent"

    @admin.display(description="approved", ordering="approved_at")
    def approved(self, consent: Consent) -> str:
        return f"{consent.approved_by}, {format_moment(consent.approved_at)}" if consent.approved_at else EMPTY

    @admin.action(description="Check the audit log", permissions=["operate"])
    def verify(self, request: HttpRequest, consents: QuerySet[Consent]) -> None:
        run_on_rows(request, consents, check_audit_log)


def check_audit_log(consent: Consent) -> str:
    broken = check_history(consent)
    if broken is not None:
        raise ActionRefused(f"The audit log is broken at entry {broken}. Build nothing on this consent.")
    return "The audit log is intact."


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Private links that were sent to talents"
    studio_path = "talent"
    list_display = ["talent", "channel", "sent_to", "sent_at", "expires_at", "opened_at", "revoked_at"]
    list_filter = ["channel", "expires_at"]
    search_fields = ["talent__name", "sent_to"]
    list_select_related = ["talent"]


@admin.register(TalentMail)
class TalentMailAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Mails to talents about their consents"
    studio_path = "consent"
    list_display = ["consent", "kind", "recipient", "sent_to", "sent_at", "disputed_at", "resolved_at"]
    list_filter = ["kind", "recipient", "created_at"]
    search_fields = ["consent__talent__name", "sent_to"]
    list_select_related = ["consent__talent"]


@admin.register(Take)
class TakeAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Recordings of the spoken consents"
    studio_path = "consent"
    list_display = ["consent", "capture", "recorded_by", "acceptable", "seconds", "sample_rate", "created_at"]
    list_filter = ["capture", "acceptable"]
    search_fields = ["consent__talent__name", "sha256"]
    list_select_related = ["consent__talent", "recorded_by"]


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "What happened, as a chain that shows every change"
    place = 4
    menu_name = "Audit log entries"
    row_word = "audit log entry"
    studio_path = "consent"
    names = {"kind": "what happened", "at": "when", "actor": "user", "actor_name": "name at that time"}
    ordering = ["-pk"]
    list_display = ["kind", "consent", "who", "when"]
    short_columns = ("consent", "when")
    list_filter = ["kind", "at"]
    search_fields = ["consent__talent__name", "actor_name", "hash"]
    list_select_related = ["consent__talent"]

    def name_row(self, row: Event) -> str:
        return f"{row.get_kind_display()}, {row.consent.talent}"

    @admin.display(description="who", ordering="actor_name")
    def who(self, event: Event) -> str:
        return event.actor_name or EMPTY

    @admin.display(description="when", ordering="pk")
    def when(self, event: Event) -> str:
        return format_moment(event.at)


@admin.register(TakeCheck)
class TakeCheckAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "What the checks of each take found"
    studio_path = "take.consent"
    list_display = ["take", "checked_at", "verdict", "error"]
    loaded_in_lists = ("statement",)
    list_filter = ["created_at"]
    search_fields = ["take__consent__talent__name", "take__sha256"]
    list_select_related = ["take__consent__talent"]

    @admin.display(description="statement")
    def verdict(self, check: TakeCheck) -> str:
        return make_label(str(check.statement.get("verdict") or ""))


@admin.register(Pronunciation)
class PronunciationAdmin(StudioAdmin):
    group = STAFF
    purpose = "Names, and how they sound when they are spoken"
    place = 3
    list_display = ["name", "sounds_like"]
    search_fields = ["name", "sounds_like"]
