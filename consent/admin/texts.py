"""Statements to read aloud, and how names sound."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods

from consent.access import get_user
from consent.models import Pronunciation, Statement
from consent.services.statements import (
    ImportReport,
    describe_language_risk,
    import_statements,
    import_translations,
    list_translated_languages,
)
from providers import registry
from voicehub.admin_base.groups import STAFF
from voicehub.admin_base.rows import NoDeleteAdmin, StudioAdmin
from voicehub.languages import list_language_choices
from voicehub.models import SecurityEventKind
from voicehub.refusals import ActionRefused
from voicehub.security_log import record_security_event
from voicehub.text import get_language_name


class StatementTableForm(forms.Form):
    file = forms.FileField(
        label="Table",
        help_text="CSV in UTF-8, at most 1 MB.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt"}),
    )


@admin.register(Statement)
class StatementAdmin(NoDeleteAdmin):
    """New versions can be added; the text of an existing version is read-only."""

    group = STAFF
    purpose = "Texts that talents read aloud, by provider and language"
    place = 2
    counted = ({}, "")
    list_display = ["provider", "language", "version", "wording", "source", "source_date", "check_on", "retired"]
    list_filter = ["provider", "language", "wording", "check_on", "retired"]
    search_fields = ["text", "source"]

    def list_readonly_names(self, _request: HttpRequest, obj: Statement | None = None) -> list[str]:
        fixed = ["provider", "language", "version", "text", "wording", "source", "source_date", "language_risk"]
        return fixed if obj else []

    @admin.display(description="Note")
    def language_risk(self, row: Statement) -> str:
        return describe_language_risk(row) or "–"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider":
            return forms.ChoiceField(choices=registry.list_provider_choices)
        if db_field.name == "language":
            choices = [(tag, f"{name}, {tag}") for tag, name in list_language_choices()]
            return forms.ChoiceField(choices=choices, initial="en-US", label="Language")
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        page = require_http_methods(["GET", "HEAD", "POST"])(self.admin_site.admin_view(self.import_page))
        return [path("import/", page, name="consent_statement_import"), *super().get_urls()]

    def record_import(self, request: HttpRequest, report: ImportReport | None) -> None:
        if report and report.added_count:
            names = ", ".join(row.name for row in report.rows if row.is_added)
            subject = f"Statements: {report.added_count} added"
            record_security_event(SecurityEventKind.SETTING_CHANGED, get_user(request), request, subject, names)

    def import_page(self, request: HttpRequest) -> HttpResponse:
        """Choose a table or add the translations of VoiceHub. After that, the page shows what became of each row."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form, report = StatementTableForm(), None
        if request.method == "POST":
            try:
                with transaction.atomic():
                    if "translations" in request.POST:
                        report = import_translations()
                    elif (form := StatementTableForm(request.POST, request.FILES)).is_valid():
                        report = import_statements(form.cleaned_data["file"].read())
                    self.record_import(request, report)
            except ActionRefused as refusal:
                form.add_error("file", str(refusal))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Import statements",
            "form": form,
            "report": report,
            "languages": [get_language_name(tag) for tag in list_translated_languages()],
        }
        return render(request, "admin/consent/statement/import.html", context)


@admin.register(Pronunciation)
class PronunciationAdmin(StudioAdmin):
    group = STAFF
    purpose = "Names, and how they sound when they are spoken"
    place = 3
    counted = ({}, "")
    list_display = ["name", "sounds_like"]
    search_fields = ["name", "sounds_like"]
