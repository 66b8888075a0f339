"""Consents, their audit logs, takes and checks."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from consent import labels
from consent.lists.consents import ENDED, Term, load_terms
from consent.models import Consent, Event, LanguageException, Notice, Take, TakeCheck, TakeSound
from consent.services.evidence_checks import check_history, check_take_files
from voicehub.admin_base.actions import report_file_check, run_on_rows
from voicehub.admin_base.formats import EMPTY, format_code, format_day, format_moment, make_label
from voicehub.admin_base.groups import PEOPLE
from voicehub.admin_base.inlines import FirstRowsInline
from voicehub.admin_base.rows import ReadOnlyAdmin
from voicehub.refusals import ActionRefused


@admin.register(LanguageException)
class LanguageExceptionAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Statements that were allowed in another language"
    studio_path = "consent"
    list_display = ["consent", "language", "reason", "allowed_by", "allowed_at"]
    list_filter = ["language", "allowed_at"]
    search_fields = ["consent__talent__name", "reason"]
    list_select_related = ["consent__talent", "allowed_by"]


class EventInline(FirstRowsInline):
    model = Event
    names = {"sequence": "entry"}
    narrow_columns = ("at",)
    fields = readonly_fields = ("what_happened", "at", "sequence", "short_hash")
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
    counted = ({}, "")
    place = 3
    studio_path = ""
    list_display = ["talent", "provider", "purpose", "status", "approved", "ends", "created_at"]
    short_columns = ("provider", "purpose", "created_at")
    list_filter = ["status", "provider", "purpose", "language", "created_at"]
    search_fields = ["talent__name", "text", "text_sha256"]
    list_select_related = ["talent", "approved_by"]
    inlines = [EventInline]
    readonly_fields = ["log_check"]
    exclude = ["history_checked_at", "broken_event"]
    actions = ["verify"]

    action_permission = "consent.view_consent"

    @admin.display(description="approved", ordering="approved_at")
    def approved(self, consent: Consent) -> str:
        return f"{consent.approved_by}, {format_moment(consent.approved_at)}" if consent.approved_at else EMPTY

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with the terms of its rows."""
        changelist = super().get_changelist_instance(request)
        terms = load_terms(changelist.result_list)
        for consent in changelist.result_list:
            consent.term = terms[consent.pk]
        return changelist

    @admin.display(description="valid until")
    def ends(self, consent: Consent) -> str:
        """As in the list of consents: the end of the contract ends the consent too."""
        term: Term = consent.term  # type: ignore[attr-defined]  # set by get_changelist_instance
        if term.last_day:
            return format_day(term.last_day)
        if consent.status in ENDED:
            return EMPTY
        return "No end" if term.has_contract else "Contract missing"

    @admin.display(description="audit log checked")
    def log_check(self, consent: Consent) -> str:
        if consent.history_checked_at is None:
            return EMPTY
        result = "no gap found" if consent.broken_event is None else f"broken at entry {consent.broken_event}"
        return f"{format_moment(consent.history_checked_at)}, {result}"

    @admin.action(description="Check the audit log", permissions=["operate"])
    def verify(self, request: HttpRequest, consents: QuerySet[Consent]) -> None:
        run_on_rows(request, consents, check_audit_log)


def check_audit_log(consent: Consent) -> str:
    broken = check_history(consent)
    if broken is not None:
        raise ActionRefused(f"The audit log is broken at entry {broken}. Build nothing on this consent.")
    return "The audit log is intact."


@admin.register(Take)
class TakeAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Recordings of the spoken consents"
    studio_path = "consent"
    list_display = ["consent", "capture", "recorded_by", "acceptable", "seconds", "sample_rate", "created_at"]
    list_filter = ["capture", "acceptable"]
    search_fields = ["consent__talent__name", "sha256", "wav_sha256"]
    list_select_related = ["consent__talent", "recorded_by"]
    actions = ["check_files"]

    action_permission = "consent.view_take"

    @admin.action(description="Check the files", permissions=["operate"])
    def check_files(self, request: HttpRequest, takes: QuerySet[Take]) -> None:
        run_on_rows(request, takes, check_files_of_take)


def check_files_of_take(take: Take) -> str:
    return report_file_check(check_take_files, take, "The files are as they were stored.")


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
    list_display = ["kind", "about", "who", "when"]
    short_columns = ("about", "who", "when")
    list_filter = ["kind", "at"]
    search_fields = ["consent__talent__name", "actor_name", "hash"]
    list_select_related = ["consent__talent"]

    def name_row(self, row: Event) -> str:
        kind = row.get_kind_display()
        return f"{row.consent.talent}: {kind[:1].lower()}{kind[1:]}"

    def get_fields(self, request: HttpRequest, obj: Event | None = None) -> Any:
        """The title says what happened. The name at that time is shown if the user has another name today."""
        repeated = {"kind"}
        if obj is not None and obj.actor is not None and obj.actor_name == str(obj.actor):
            repeated.add("actor_name")
        return [name for name in super().get_fields(request, obj) if name not in repeated]

    @admin.display(description="consent", ordering="consent")
    def about(self, event: Event) -> str:
        return str(event.consent)

    @admin.display(description="who", ordering="actor_name")
    def who(self, event: Event) -> str:
        return event.actor_name or EMPTY

    @admin.display(description="when", ordering="pk")
    def when(self, event: Event) -> str:
        return format_moment(event.at)


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "What talents were shown before they recorded"
    studio_path = "consent"
    list_display = ["consent", "version", "created_at"]
    list_filter = ["version", "created_at"]
    search_fields = ["consent__talent__name", "sha256"]
    list_select_related = ["consent__talent"]


@admin.register(TakeCheck)
class TakeCheckAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "What the checks of each take found"
    studio_path = "take.consent"
    list_display = ["take", "checked_at", "verdict", "error", "file_problem"]
    loaded_in_lists = ("statement",)
    list_filter = ["created_at"]
    search_fields = ["take__consent__talent__name", "take__sha256"]
    list_select_related = ["take__consent__talent"]

    @admin.display(description="statement")
    def verdict(self, check: TakeCheck) -> str:
        return make_label(str(check.statement.get("verdict") or ""))


@admin.register(TakeSound)
class TakeSoundAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Sounds of statements, to find one that is sent twice"
    studio_path = "take.consent"
    list_display = ["take", "created_at"]
    list_filter = ["created_at"]
    search_fields = ["take__consent__talent__name", "take__sha256"]
    list_select_related = ["take__consent__talent"]
