"""Users in the admin. An editor cannot change a user who has more permissions. The last superuser cannot be removed."""

from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ManyToManyField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from voicehub.admin_base.changes import ConfirmedMixin, RecordedChangesMixin
from voicehub.admin_base.formats import format_moment, make_label
from voicehub.admin_base.groups import STAFF
from voicehub.admin_base.rows import TECHNICAL_DETAILS, RowsMixin
from voicehub.admin_base.versions import LockedRowMixin
from voicehub.confirmation import ask_confirmation
from voicehub.models import SecurityEventKind, User
from voicehub.refusals import ActionRefused
from voicehub.sign_in.emails import record_new_email
from voicehub.sign_in.password_links import is_invited, send_password_link
from voicehub.sign_in.sessions import end_sessions
from voicehub.user_forms import NewUserForm, RoleBoxes, RolesField, UserForm
from voicehub.user_rules import LAST_TO_DELETE, can_manage, find_assignable_roles, find_superusers

# Only a superuser can set these fields, because they allow more than any role.
SUPERUSER_FIELDS = ["is_superuser", "user_permissions"]
# Only VoiceHub writes these fields.
WRITTEN_FIELDS = ["last_login", "date_joined"]
INVITE_AGAIN = "Send the invitation again"
SEND_RESET = "Send a link for a new password"


def get_staff(request: HttpRequest) -> User:
    return cast(User, request.user)


class RoleFilter(admin.RelatedFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "role"
        self.lookup_choices = [(key, make_label(str(name))) for key, name in self.lookup_choices]


class StudioUserAdmin(ConfirmedMixin, RecordedChangesMixin, LockedRowMixin, RowsMixin, UserAdmin[User]):
    group = STAFF
    purpose = "Staff who sign in, with their roles"
    counted = ({}, "")
    place = 1
    form = UserForm
    security_kind = SecurityEventKind.USER_CHANGED
    add_form = NewUserForm
    names = {
        "email": "email",
        "is_active": "may sign in",
        "is_staff": "administration",
        "last_login": "last sign-in",
        "date_joined": "added",
    }
    list_display = ["person", "email", "roles", "signed_in"]
    short_columns = ("email", "roles")
    list_filter = [("groups", RoleFilter), "is_active", "is_staff"]
    add_fieldsets = (
        (None, {"fields": ("first_name", "last_name", "email", "username")}),
        ("Access", {"fields": ("groups",)}),
    )
    fieldsets = (
        (None, {"fields": ("username", "password", "first_name", "last_name", "email")}),
        ("Access", {"fields": ("groups",)}),
        ("Permissions", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
        (TECHNICAL_DETAILS, {"fields": ("user_permissions",), "classes": ("collapse",)}),
    )
    # The two lists of Django's widget have labels that screen readers do not read.
    filter_horizontal = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        users: QuerySet[User] = super().get_queryset(request)
        return users.prefetch_related("groups")

    @admin.display(description="person", ordering="username")
    def person(self, user: User) -> SafeString | str:
        name = str(user)
        facts = [f"Signs in as {user.username}"] if name != user.username else []
        facts += [] if user.is_active else ["May not sign in"]
        return format_html('{} <small class="sub">{}</small>', name, ". ".join(facts)) if facts else name

    @admin.display(description="last sign-in", ordering="last_login")
    def signed_in(self, user: User) -> SafeString | str:
        return format_moment(user.last_login) if user.last_login else format_html('<span class="nothing">Never</span>')

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(make_label(group.name) for group in user.groups.all())

    def list_readonly_names(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        names = [*super().list_readonly_names(request, obj), *WRITTEN_FIELDS]
        return names if request.user.is_superuser else [*names, *SUPERUSER_FIELDS]

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "groups":
            roles = find_assignable_roles(request.user)
            return RolesField(queryset=roles, widget=RoleBoxes, required=False)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or can_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or can_manage(request.user, obj))

    def name_subject(self, row: User) -> str:
        return row.username

    def get_urls(self) -> list[URLPattern]:
        """No page for a password: people choose theirs. A link to choose one can be sent."""
        urls = [entry for entry in super().get_urls() if entry.name != "auth_user_password_change"]
        page = self.admin_site.admin_view(require_POST(self.send_link))
        return [path("<int:pk>/link/", page, name="voicehub_user_link"), *urls]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        user = context.get("original")
        if isinstance(user, User) and user.is_active and self.has_change_permission(request, user):
            context |= {"password_link": INVITE_AGAIN if is_invited(user) else SEND_RESET}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
            obj.is_staff = obj.is_staff or any(role.name == "admin" for role in form.cleaned_data.get("groups", ()))
        super().save_model(request, obj, form, change)
        if change and "is_active" in form.changed_data and not obj.is_active:
            end_sessions(obj)
        if change and "email" in form.changed_data:
            record_new_email(obj, form.initial.get("email") or "", get_staff(request), request)

    def response_add(self, request: HttpRequest, obj: User, post_url_continue: str | None = None) -> HttpResponse:
        """The page of the new user. Without a mail server, a page with the link to pass on comes first."""
        link = send_password_link(obj, get_staff(request), request)
        if link:
            return self.show_link(request, obj, link)
        self.message_user(request, f"{obj} is invited by a mail to {obj.email}.", messages.SUCCESS)
        page = "add" if "_addanother" in request.POST else "changelist"
        return redirect(f"admin:voicehub_user_{page}")

    def send_link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the invitation again, or a link for a new password."""
        user = get_object_or_404(User, pk=pk)
        if not self.has_change_permission(request, user):
            raise PermissionDenied
        ask_confirmation(request)
        try:
            with transaction.atomic():
                link = send_password_link(user, get_staff(request), request)
        except ActionRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect("admin:voicehub_user_change", pk)
        if link:
            return self.show_link(request, user, link)
        self.message_user(request, f"A link to choose a password is on its way to {user.email}.", messages.SUCCESS)
        return redirect("admin:voicehub_user_change", pk)

    def show_link(self, request: HttpRequest, user: User, link: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"Link for {user}",
            "original": user,
            "link": link,
            "days": settings.PASSWORD_RESET_TIMEOUT // 86400,
        }
        return render(request, "admin/auth/user/link.html", context)

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Check again under a lock, because another superuser may be deleting at the same time."""
        with transaction.atomic():
            left = set(find_superusers().select_for_update()) - set(queryset)
            if not left and queryset.filter(is_superuser=True).exists():
                raise PermissionDenied
            super().delete_queryset(request, queryset)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Protect the last superuser. The delete page and the bulk action call this, and delete no protected row."""
        deleted, counts, missing_permissions, protected = super().get_deleted_objects(objs, request)
        chosen = {user.pk for user in objs}
        superusers = list(find_superusers())
        if superusers and chosen.issuperset(user.pk for user in superusers):
            protected = [*protected, LAST_TO_DELETE.format(name=superusers[0])]
        return deleted, counts, missing_permissions, protected
