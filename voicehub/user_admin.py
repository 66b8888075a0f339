"""Users in the admin. An editor cannot change a user who has more permissions. The last superuser cannot be removed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import (
    AdminPasswordChangeForm,
    AdminUserCreationForm,
    ReadOnlyPasswordHashField,
    ReadOnlyPasswordHashWidget,
    UserChangeForm,
)
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import ManyToManyField, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voicehub.admin_base.formats import format_moment, make_label
from voicehub.admin_base.groups import STAFF
from voicehub.admin_base.rows import TECHNICAL_DETAILS, RowsMixin
from voicehub.admin_base.versions import LockedRowMixin, VersionedForm
from voicehub.models import User
from voicehub.password_words import describe_password_fields

LAST_SUPERUSER = "No other superuser can sign in. Make another user a superuser before you change {name}."
LAST_TO_DELETE = "No other superuser can sign in. Make another user a superuser before you delete {name}."
# What each role of voicehub.roles may do. Each may also do what the one before it may.
ROLE_TEXTS = {
    "viewer": "Reads everything, and votes on previews.",
    "engineer": "Also adds and changes voices and recordings.",
    "producer": "Also works on contracts, consents and builds.",
    "admin": "Does everything.",
}
# Only a superuser can set these fields, because they allow more than any role.
SUPERUSER_FIELDS = ["is_superuser", "user_permissions"]
# The labels and help of the form.
FIELD_TEXTS = {
    "username": ("Username", "To sign in with. Letters, digits and @ . + - _"),
    "first_name": ("First name", ""),
    "last_name": ("Last name", ""),
    "email": ("Email", ""),
    "is_active": ("May sign in", "Take this away instead of deleting a user."),
    "is_staff": ("May open the administration", "The roles decide what it shows."),
    "is_superuser": ("Superuser", "May do everything, whatever the roles."),
    "groups": ("Roles", ""),
    "user_permissions": ("Single permissions", "Beyond those of the roles. Most users need none."),
}
# Only VoiceHub writes these fields.
WRITTEN_FIELDS = ["last_login", "date_joined"]


def find_superusers() -> QuerySet[User]:
    """The superusers who can sign in to the admin."""
    superusers = User.objects.filter(is_superuser=True, is_active=True, is_staff=True)
    return superusers.exclude(password="").exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX)


def is_last_superuser(user: User) -> bool:
    # Locked: two superusers who demote each other at the same time must not both succeed.
    return list(find_superusers().select_for_update()) == [user]


def find_permissions(user: User) -> set[int]:
    """The user's permissions. Those of an inactive account count, because it may be activated again."""
    held = Permission.objects.filter(Q(group__user=user) | Q(user=user))
    return set(held.values_list("pk", flat=True))


def can_manage(editor: User | AnonymousUser, user: User) -> bool:
    """Whether the user has no permission that the editor lacks, so that the editor gains nothing by the change."""
    if editor.is_superuser:
        return True
    return isinstance(editor, User) and not user.is_superuser and find_permissions(user) <= find_permissions(editor)


def find_assignable_roles(editor: User | AnonymousUser) -> QuerySet[Group]:
    """The roles that contain no permission that the editor lacks."""
    if editor.is_superuser:
        return Group.objects.all()
    held = find_permissions(editor) if isinstance(editor, User) else set()
    return Group.objects.exclude(permissions__in=Permission.objects.exclude(pk__in=held))


if TYPE_CHECKING:
    ChangeForm = UserChangeForm[User]
else:
    ChangeForm = UserChangeForm


class PasswordState(ReadOnlyPasswordHashWidget):
    """Whether a password is set, and the way to set one. Its hash is not shown."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        is_set = bool(value) and not value.startswith(UNUSABLE_PASSWORD_PREFIX)
        return {**context, "summary": [{"label": "Set" if is_set else "Not set"}]}


def describe_fields(fields: Mapping[str, forms.Field]) -> None:
    for name, (label, help_text) in FIELD_TEXTS.items():
        if name in fields:
            fields[name].label, fields[name].help_text = label, help_text


class UserForm(VersionedForm, ChangeForm):
    """Rejects a change that would demote or deactivate the last superuser."""

    password = ReadOnlyPasswordHashField(label="Password", widget=PasswordState)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe_fields(self.fields)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        flags = ("is_superuser", "is_active", "is_staff")
        is_demoted = any(cleaned.get(flag) is False for flag in flags)
        # Read from the database again, because form validation has already changed `self.instance`.
        before = User.objects.get(pk=self.instance.pk)
        if is_demoted and is_last_superuser(before):
            raise forms.ValidationError(LAST_SUPERUSER.format(name=before))
        return cleaned


if TYPE_CHECKING:
    NewForm = AdminUserCreationForm[User]
    RolesChoice = forms.ModelMultipleChoiceField[Group]
else:
    NewForm, RolesChoice = AdminUserCreationForm, forms.ModelMultipleChoiceField


class NewUserForm(NewForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe_password_fields(self.fields)
        describe_fields(self.fields)
        for name in ("first_name", "last_name", "email"):
            self.fields[name].label = f"{FIELD_TEXTS[name][0]} (optional)"
        usable = self.fields["usable_password"]
        usable.label, usable.help_text = "Set it", "Without a password, the user cannot sign in."
        usable.widget.choices = [("true", "Now"), ("false", "Later")]


class RolesField(RolesChoice):
    def label_from_instance(self, obj: Group) -> str:
        return make_label(obj.name)


class RoleBoxes(forms.CheckboxSelectMultiple):
    """A box for each role, with what it may do below its name."""

    def create_option(self, name: str, value: Any, label: int | str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        text = ROLE_TEXTS.get(str(label).lower())
        shown = format_html('{} <small class="sub">{}</small>', label, text) if text else label
        return super().create_option(name, value, shown, *args, **kwargs)


class RoleFilter(admin.RelatedFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "role"
        self.lookup_choices = [(key, make_label(str(name))) for key, name in self.lookup_choices]


if TYPE_CHECKING:
    PasswordForm = AdminPasswordChangeForm[User]
else:
    # Generic only in the type stubs.
    PasswordForm = AdminPasswordChangeForm


class UserPasswordForm(PasswordForm):
    """Rejects removing the last superuser's password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe_password_fields(self.fields)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        with transaction.atomic():
            is_last = not cleaned.get("set_usable_password", True) and is_last_superuser(self.user)
        if is_last:
            # The error belongs to a field, because the page shows only field errors.
            self.add_error("usable_password", LAST_SUPERUSER.format(name=self.user))
        return cleaned


class StudioUserAdmin(LockedRowMixin, RowsMixin, UserAdmin[User]):
    group = STAFF
    purpose = "Staff who sign in, with their roles"
    counted = ({}, "")
    place = 1
    form = UserForm
    change_password_form = UserPasswordForm
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
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        ("Access", {"fields": ("groups",)}),
        ("Password", {"fields": ("usable_password", "password1", "password2")}),
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
    def signed_in(self, user: User) -> str:
        return format_moment(user.last_login) if user.last_login else "Never"

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

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    def delete_queryset(self, _request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Check again under a lock, because another superuser may be deleting at the same time."""
        with transaction.atomic():
            left = set(find_superusers().select_for_update()) - set(queryset)
            if not left and queryset.filter(is_superuser=True).exists():
                raise PermissionDenied
            queryset.delete()

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
