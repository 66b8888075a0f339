"""The forms of users in the admin. No form asks for a password: people choose theirs by a link."""

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.forms import ReadOnlyPasswordHashField, ReadOnlyPasswordHashWidget, UserChangeForm
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group
from django.utils.html import format_html
from django.utils.safestring import SafeString

from voicehub.admin_base.formats import make_label
from voicehub.admin_base.versions import VersionedForm
from voicehub.models import User
from voicehub.sign_in.emails import TAKEN, is_email_taken
from voicehub.user_rules import LAST_SUPERUSER, is_last_superuser

# What each role of voicehub.roles may do. Each may also do what the one before it may.
ROLE_TEXTS = {
    "viewer": "Reads lists and results with short names of talents, and votes on previews.",
    "engineer": "Also sees real names, and adds and changes voices and recordings.",
    "producer": "Also sees contacts, usage and costs, and works on contracts, consents and builds.",
    "admin": "Does everything.",
}
# The labels and help of the form.
FIELD_TEXTS = {
    "username": ("Username", "To sign in with. Letters, digits and @ . + - _"),
    "first_name": ("First name", ""),
    "last_name": ("Last name", ""),
    "email": ("Email", ""),
    "is_active": ("May sign in", "Clear this instead of deleting a user."),
    "is_staff": ("May open the administration", "The roles decide what it shows."),
    "is_superuser": ("Superuser", "May do everything, whatever the roles."),
    "password": ("Password", "Only the person chooses it. “Send …” at the top sends them a link."),
    "groups": ("Roles", ""),
    "user_permissions": ("Single permissions", "Beyond those of the roles. Most users need none."),
}
USERNAME_CHARACTERS = re.compile(r"[^\w.@+-]+")  # all that Django's validator of usernames refuses
MAX_USERNAME = 150


def describe_fields(fields: Mapping[str, forms.Field]) -> None:
    for name, (label, help_text) in FIELD_TEXTS.items():
        if name in fields:
            fields[name].label, fields[name].help_text = label, help_text


def propose_username(email: str) -> str:
    """The part before the @, with a number if another user has it."""
    local = unicodedata.normalize("NFKC", email.partition("@")[0])
    base = USERNAME_CHARACTERS.sub("", local)[: MAX_USERNAME - 10] or "user"
    name, number = base, 1
    while User.objects.filter(username__iexact=name).exists():
        number += 1
        name = f"{base}{number}"
    return name


if TYPE_CHECKING:
    ChangeForm = UserChangeForm[User]
    UserModelForm = forms.ModelForm[User]
    RolesChoice = forms.ModelMultipleChoiceField[Group]
else:
    ChangeForm, UserModelForm, RolesChoice = UserChangeForm, forms.ModelForm, forms.ModelMultipleChoiceField


class PasswordState(ReadOnlyPasswordHashWidget):
    """Whether a password is set. Its hash is not shown."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        is_set = bool(value) and not value.startswith(UNUSABLE_PASSWORD_PREFIX)
        return format_html('<div id="{}">{}</div>', (attrs or {}).get("id", name), "Set" if is_set else "Not set")


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

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        # An address that two users already share may stay.
        if "email" in self.changed_data and is_email_taken(email, self.instance):
            raise forms.ValidationError(TAKEN)
        return email


class NewUserForm(UserModelForm):
    """A person who is invited. The username is proposed from the email address."""

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email", "username"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        describe_fields(self.fields)
        for name in ("first_name", "last_name"):
            self.fields[name].label = f"{FIELD_TEXTS[name][0]} (optional)"
        self.fields["email"].required = True
        username = self.fields["username"]
        username.required, username.label = False, "Username (optional)"
        username.help_text = "To sign in with. If it is empty, it is made from the email address."

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if is_email_taken(email, self.instance):
            raise forms.ValidationError(TAKEN)
        return email

    def clean_username(self) -> str:
        name = unicodedata.normalize("NFKC", self.cleaned_data["username"])
        if not name:
            return propose_username(self.cleaned_data.get("email", ""))
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError("Another user has this username.")
        return name


class RolesField(RolesChoice):
    def label_from_instance(self, obj: Group) -> str:
        return make_label(obj.name)


class RoleBoxes(forms.CheckboxSelectMultiple):
    """A box for each role, with what it may do below its name."""

    def create_option(self, name: str, value: Any, label: int | str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        text = ROLE_TEXTS.get(str(label).lower())
        shown = format_html('{} <small class="sub">{}</small>', label, text) if text else label
        return super().create_option(name, value, shown, *args, **kwargs)
