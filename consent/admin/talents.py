"""Talents, the links and the mails that they get."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from consent.access import get_user
from consent.models import (
    AccessCode,
    ComparisonAnswer,
    FileAccess,
    Invitation,
    Question,
    Talent,
    TalentChange,
    TalentMail,
)
from consent.services.file_access import get_kind_label
from consent.services.talent_details import change_talent
from voicehub.admin_base.filters import PresenceFilter
from voicehub.admin_base.groups import PEOPLE
from voicehub.admin_base.rows import NoDeleteAdmin, ReadOnlyAdmin

LINKS_ENDED = (
    "The private links that were mailed to the earlier address no longer work. Send a new one from the page of the "
    "consent."
)


@admin.register(Talent)
class TalentAdmin(NoDeleteAdmin):
    security_kind = None  # the service records each change
    group = PEOPLE
    purpose = "People whose voices the studio builds"
    counted = ({}, "")
    place = 1
    studio_path = ""
    list_display = ["name", "short_name", "email", "phone", "language", "created_at"]
    search_fields = ["name", "short_name", "email"]
    readonly_fields = ["language", "created_by", "created_at"]  # the dashboard records who changed the language

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False  # the dashboard records who added a talent

    def save_model(self, request: HttpRequest, obj: Talent, form: Any, _change: bool) -> None:
        """As on the page of the talent: the earlier address gets a mail, and its links end."""
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in form.cleaned_data}
        if values and change_talent(obj, values, get_user(request)).without_link:
            self.message_user(request, LINKS_ENDED, messages.WARNING)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Private links that were sent to talents"
    studio_path = "talent"
    list_display = ["talent", "channel", "sent_to", "sent_at", "expires_at", "opened_at", "revoked_at"]
    list_filter = ["channel", "expires_at"]
    search_fields = ["talent__name", "sent_to"]
    list_select_related = ["talent"]


@admin.register(ComparisonAnswer)
class ComparisonAnswerAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Whether talents allow that their voice is compared"
    studio_path = "talent"
    list_display = ["talent", "number", "is_allowed", "invitation", "recorded_by", "created_at"]
    list_filter = ["is_allowed", "version", "created_at"]
    search_fields = ["talent__name", "reason", "sha256"]
    list_select_related = ["talent", "invitation__talent", "recorded_by"]


@admin.register(TalentMail)
class TalentMailAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Mails to talents about their consents"
    studio_path = "consent"
    list_display = ["consent", "kind", "recipient", "sent_to", "sent_at", "disputed_at", "resolved_at"]
    list_filter = ["kind", "recipient", "created_at"]
    search_fields = ["consent__talent__name", "sent_to"]
    list_select_related = ["consent__talent"]


@admin.register(Question)
class QuestionAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Questions that talents asked on their private pages"
    studio_path = "consent"
    list_display = ["consent", "asked_at", "answered_at", "answered_by"]
    list_filter = ["asked_at", ("answered_at", PresenceFilter)]
    search_fields = ["consent__talent__name", "text", "answer"]
    list_select_related = ["consent__talent", "answered_by"]


@admin.register(TalentChange)
class TalentChangeAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Changes of names and emails, with their mails"
    studio_path = "talent"
    list_display = ["talent", "is_name_changed", "is_email_changed", "changed_by", "created_at", "sent_at"]
    list_filter = ["is_name_changed", "is_email_changed", "created_at"]
    search_fields = ["talent__name", "sent_to"]
    list_select_related = ["talent", "changed_by"]


@admin.register(AccessCode)
class AccessCodeAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "One-time codes that were mailed to talents"
    studio_path = "invitation.talent"
    list_display = ["invitation", "sent_to", "created_at", "expires_at", "tries", "used_at"]
    list_filter = ["created_at", ("used_at", PresenceFilter)]
    search_fields = ["invitation__talent__name", "sent_to"]
    list_select_related = ["invitation__talent"]
    exclude = ["digest"]


@admin.register(FileAccess)
class FileAccessAdmin(ReadOnlyAdmin):
    group = PEOPLE
    purpose = "Who played or downloaded recordings, contracts and other files of talents"
    menu_name = "File access"
    row_word = "access"
    studio_path = "talent"
    formats = {"kind": get_kind_label}
    list_display = ["label", "kind", "reader_name", "hour", "count", "talent"]
    list_filter = ["kind", "hour"]
    search_fields = ["talent__name", "reader_name", "label"]
    list_select_related = ["talent"]
