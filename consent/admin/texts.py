"""Statements to read aloud, and how names sound."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from consent.models import Pronunciation, Statement
from providers import registry
from voicehub.admin_base.groups import STAFF
from voicehub.admin_base.rows import NoDeleteAdmin, StudioAdmin


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

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider":
            return forms.ChoiceField(choices=registry.list_provider_choices)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Pronunciation)
class PronunciationAdmin(StudioAdmin):
    group = STAFF
    purpose = "Names, and how they sound when they are spoken"
    place = 3
    list_display = ["name", "sounds_like"]
    search_fields = ["name", "sounds_like"]
