"""The words beside the fields of a new password."""

from collections.abc import Mapping

from django import forms
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    get_default_password_validators,
)

from voicehub.text import join_with_and


def describe_password_rules() -> str:
    """All rules for a password, in one line."""
    rules: list[str] = []
    for validator in get_default_password_validators():
        if isinstance(validator, MinimumLengthValidator):
            rules.insert(0, f"at least {validator.min_length} characters")
        elif isinstance(validator, CommonPasswordValidator):
            rules.append("not a common password")
    text = join_with_and(rules)
    return f"{text[:1].upper()}{text[1:]}."


def describe_password_fields(fields: Mapping[str, forms.Field]) -> None:
    fields["password1"].help_text = describe_password_rules()
    fields["password2"].help_text = ""
    fields["password2"].label = "Repeat the password"
