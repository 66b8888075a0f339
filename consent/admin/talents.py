"""Talents, the links and the mails that they get."""

from django.contrib import admin
from django.http import HttpRequest

from consent.models import Invitation, Talent, TalentMail
from voicehub.admin_base.groups import PEOPLE
from voicehub.admin_base.rows import NoDeleteAdmin, ReadOnlyAdmin


@admin.register(Talent)
class TalentAdmin(NoDeleteAdmin):
    group = PEOPLE
    purpose = "People whose voices the studio builds"
    counted = ({}, "")
    place = 1
    studio_path = ""
    list_display = ["name", "email", "phone", "language", "created_at"]
    search_fields = ["name", "email"]
    readonly_fields = ["language", "created_by", "created_at"]  # the dashboard records who changed the language

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False  # the dashboard records who added a talent


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
