"""The fields on the page of a row in the admin."""

from collections.abc import Iterable
from typing import Any

from django import template
from django.apps import apps
from django.utils.safestring import SafeString

from voicehub.admin_base.formats import EMPTY

FEW_FIELDS = 5  # a page with fewer hides nothing

register = template.Library()


@register.simple_tag
def read_fields(fieldset: Any) -> dict[str, Any]:
    """The fields to show, each with its contents if it is only read, and the names of those without a value.

    A page names its empty fields where it is unfolded: in the group that is folded, which stands last. That group is
    open on a page that has little else.
    """
    shown: list[Any] = []
    empty: list[str] = []
    for line in fieldset:
        for field in line:
            if not getattr(field, "is_readonly", False):
                shown.append(field)
                continue
            field.shown_contents = field.contents()
            if field.shown_contents in ("", EMPTY):
                empty.append(str(field.field["label"]))
            else:
                shown.append(field)
    page = fieldset.form.__dict__
    unset: list[str] = page.setdefault("unset_names", [])
    unset.extend(empty)
    page["shown_count"] = page.get("shown_count", 0) + (0 if fieldset.is_collapsible else len(shown))
    is_open = page["shown_count"] < FEW_FIELDS
    return {"shown": shown, "empty": unset if fieldset.is_collapsible else [], "is_open": is_open}


@register.simple_tag
def list_others(counts: Iterable[tuple[str, int]], opts: Any) -> list[str]:
    """What is deleted with a row, in words: “2 work samples”. Links between rows are no rows for a reader."""
    models = {str(model._meta.verbose_name_plural): model._meta for model in apps.get_models()}
    own = str(opts.verbose_name_plural)
    others = [(models[str(name)], count) for name, count in counts if str(name) in models and str(name) != own]
    return [f"{count:,} {meta.verbose_name if count == 1 else meta.verbose_name_plural}" for meta, count in others]


@register.filter
def drop_colon(label: SafeString) -> SafeString:
    """The label of a field without the colon that Django writes after it."""
    return SafeString(label.replace(":</label>", "</label>"))


@register.filter
def is_nothing(contents: object) -> bool:
    """Whether a value that the page shows is empty, or says “No”, which a narrow window leaves out."""
    return contents in ("", EMPTY, "No")
