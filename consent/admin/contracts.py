"""Contracts, and what people did with them."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from consent import labels
from consent.labels import DELETE_AT_END_LABEL
from consent.models import Contract, ContractConfirmation, ContractDraft, ContractNotice, ContractSuspension
from consent.services.countries import describe_countries
from consent.services.evidence_checks import check_contract_file
from voicehub.admin_base.actions import report_file_check, run_on_rows
from voicehub.admin_base.filters import PresenceFilter
from voicehub.admin_base.formats import format_flag, format_names
from voicehub.admin_base.groups import PEOPLE
from voicehub.admin_base.rows import ReadOnlyAdmin


class DeleteAtEndFilter(admin.BooleanFieldListFilter):
    """Filter whose title says, as the form does, when the voice is deleted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = DELETE_AT_END_LABEL


@admin.register(Contract)
class ContractAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "What was agreed with each talent, and until when"
    counted = ({}, "")
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
    return report_file_check(check_contract_file, contract, "The file is the one that was filed.")


@admin.register(ContractSuspension)
class ContractSuspensionAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "When a contract was suspended and resumed"
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


@admin.register(ContractNotice)
class ContractNoticeAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Mails to producers before a contract ends"
    studio_path = "contract"
    list_display = ["contract", "days", "sent_to", "created_at", "sent_at"]
    list_filter = ["days", "created_at"]
    search_fields = ["contract__talent__name", "sent_to"]
    list_select_related = ["contract__talent"]
