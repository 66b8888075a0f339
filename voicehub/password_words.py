"""The words beside the fields of a new password."""

from collections.abc import Mapping

from django import forms
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
    get_default_password_validators,
)

from voicehub.text import join_with_and

_RULES = {
    UserAttributeSimilarityValidator: "not like the name or email",
    CommonPasswordValidator: "not a common password",
    NumericPasswordValidator: "not only digits",
}
_SECOND_FIELDS = {"password2": "password1", "new_password2": "new_password1"}


def describe_password_rules() -> str:
    """All rules for a password, in one line."""
    rules: list[str] = []
    for validator in get_default_password_validators():
        if isinstance(validator, MinimumLengthValidator):
            rules.insert(0, f"at least {validator.min_length} characters")
        elif type(validator) in _RULES:
            rules.append(_RULES[type(validator)])
    text = join_with_and(rules)
    return f"{text[:1].upper()}{text[1:]}."


def describe_password_fields(fields: Mapping[str, forms.Field]) -> None:
    for second, first in _SECOND_FIELDS.items():
        if second in fields:
            fields[first].help_text = describe_password_rules()
            fields[second].help_text = ""
            fields[second].label = "Repeat the new password" if second == "new_password2" else "Repeat the password"
    if "usable_password" in fields:
        fields["usable_password"].label = "Sign in with a password"
        fields["usable_password"].help_text = "Disabled: the user cannot sign in until a password is set."
