"""What concerns access in the admin: sessions, second factors, and what happened. Nothing is edited."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from voicehub.admin_base.actions import run_on_rows
from voicehub.admin_base.changes import ConfirmedMixin
from voicehub.admin_base.groups import STAFF
from voicehub.admin_base.rows import ReadOnlyAdmin
from voicehub.admin_base.subjects import Subject, register_subject
from voicehub.browser_names import name_browser
from voicehub.models import BrowserSession, SecurityEvent, SecurityEventKind, User
from voicehub.refusals import ActionRefused
from voicehub.security_log import record_security_event
from voicehub.security_words import describe_event
from voicehub.sign_in.mails import TASK, enqueue_security_mail
from voicehub.sign_in.second_factor import FACTOR_NAMES
from voicehub.user_rules import can_manage

register_subject(Subject(SecurityEvent, "voicehub.view_securityevent", ("person__username", "actor__username")), TASK)


def check_management(request: HttpRequest, user: User | None) -> tuple[User, User]:
    """The signed-in person and the user, whom they may manage. Raises ActionRefused otherwise."""
    if not (isinstance(request.user, User) and user and can_manage(request.user, user)):
        raise ActionRefused("Not done, because this user has more permissions than you.")
    return request.user, user


class SecurityEventAdmin(ReadOnlyAdmin):
    group = STAFF
    purpose = "Sign-ins, denied requests, and changes of access"
    place = 3
    counted = ({}, "")
    menu_name = "Security events"
    list_display = ["event", "account", "at", "address", "browser_name"]
    short_columns = ("at",)
    list_select_related = ["actor"]
    list_filter = ["kind", "at"]
    search_fields = ["actor_name", "actor__username", "person_name", "subject", "detail", "address"]

    @admin.display(description="event")
    def event(self, event: SecurityEvent) -> str:
        return describe_event(event)

    @admin.display(description="by", ordering="actor__username")
    def account(self, event: SecurityEvent) -> str:
        """The username: people change their name themselves."""
        return event.actor.username if event.actor else ""

    @admin.display(description="browser")
    def browser_name(self, event: SecurityEvent) -> str:
        return name_browser(event.browser) if event.browser else ""


class BrowserSessionAdmin(ReadOnlyAdmin):
    """Sessions of signed-in people."""

    group = STAFF
    purpose = "Where people are signed in"
    place = 4
    counted = ({"user__isnull": False}, "")
    menu_name = "Sessions"
    exclude = ("session_data",)
    list_display = ["user", "browser_name", "started_at", "seen_at", "address"]
    short_columns = ("browser_name", "seen_at")
    list_filter = ["seen_at"]
    search_fields = ["user__username", "user__first_name", "user__last_name", "address"]
    actions = ["end"]
    action_permission = "voicehub.delete_browsersession"

    def get_queryset(self, request: HttpRequest) -> QuerySet[BrowserSession]:
        sessions: QuerySet[BrowserSession] = super().get_queryset(request)
        return sessions.filter(user__isnull=False).select_related("user")

    @admin.display(description="browser")
    def browser_name(self, session: BrowserSession) -> str:
        return name_browser(session.browser)

    @admin.action(description="End", permissions=["operate"])
    def end(self, request: HttpRequest, sessions: QuerySet[BrowserSession]) -> None:
        def end_session(session: BrowserSession) -> str:
            by, user = check_management(request, session.user)
            session.delete()
            record_security_event(SecurityEventKind.SESSIONS_ENDED, by, request, "1", person=user)
            return "Ended. The browser is signed out."

        run_on_rows(request, sessions, end_session)


class FactorAdmin(ConfirmedMixin, ReadOnlyAdmin):
    group = STAFF
    purpose = "Second factors. Remove one whose owner has lost it"
    place = 5
    counted = ({}, "")
    menu_name = "Second factors"
    row_word = "second factor"
    exclude = ("data",)
    list_display = ["user", "factor", "created_at", "last_used_at"]
    short_columns = ("factor", "created_at")
    list_filter = ["type"]
    search_fields = ["user__username", "user__first_name", "user__last_name"]
    actions = ["remove"]
    action_permission = "mfa.delete_authenticator"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        factors: QuerySet[Any] = super().get_queryset(request)
        return factors.select_related("user")

    @admin.display(description="factor", ordering="type")
    def factor(self, factor: Any) -> str:
        return FACTOR_NAMES[factor.type]

    @admin.action(description="Remove", permissions=["operate"])
    def remove(self, request: HttpRequest, factors: QuerySet[Any]) -> None:
        def remove_factor(factor: Any) -> str:
            by, user = check_management(request, factor.user)
            name = FACTOR_NAMES[factor.type]
            factor.delete()
            event = record_security_event(SecurityEventKind.FACTOR_REMOVED, by, request, name, person=user)
            enqueue_security_mail(event)
            return f"Removed. {user} gets a mail about it."

        run_on_rows(request, factors, remove_factor)
