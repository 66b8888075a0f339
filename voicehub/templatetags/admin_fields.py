"""The fields on the page of a row in the admin."""

from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from voicehub.admin_base.formats import EMPTY

register = template.Library()


@register.simple_tag
def read_fields(fieldset: Any) -> dict[str, list[Any]]:
    """The fields to show, each with its contents if it is only read, and the names of those without a value."""
    shown: list[Any] = []
    empty: list[Any] = []
    for line in fieldset:
        for field in line:
            if not getattr(field, "is_readonly", False):
                shown.append(field)
                continue
            field.shown_contents = field.contents()
            if field.shown_contents in ("", EMPTY):
                empty.append(_name_field(field, is_first=not empty))
            else:
                shown.append(field)
    return {"shown": shown, "empty": empty}


def _name_field(field: Any, *, is_first: bool) -> str:
    label = str(field.field["label"])
    return str(capfirst(label)) if is_first else label


@register.filter
def drop_colon(label: SafeString) -> SafeString:
    """The label of a field without the colon that Django writes after it."""
    return SafeString(label.replace(":</label>", "</label>"))


@register.filter
def is_nothing(contents: object) -> bool:
    """Whether a value that the page shows is empty, or says “No”, which a narrow window leaves out."""
    return contents in ("", EMPTY, "No")
