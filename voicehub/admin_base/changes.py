"""What the admin records of changes: who changed what, from which value to which, in the transaction of the change."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest

from voicehub.admin_base.formats import make_label
from voicehub.confirmation import ask_confirmation
from voicehub.models import SecurityEventKind, User
from voicehub.security_log import record_security_event

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    AdminBase = ModelAdmin[Any]
else:
    AdminBase = object

MAX_VALUE = 120


def describe_value(field: forms.Field, value: Any) -> str:
    """In the words of the form."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ", ".join(sorted(str(one) for one in value)) or "none"
    labels = {str(key): str(label) for key, label in getattr(field, "choices", ())} if value is not None else {}
    text = labels.get(str(value), "" if value is None else str(value))
    return (text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}…") or "empty"


def describe_changes(form: forms.BaseForm, *, is_new: bool) -> str:
    """Each changed field with its value before and after. Fields with secrets are left out."""
    parts = []
    for name in form.changed_data:
        field = form.fields[name]
        if field.widget.is_hidden or isinstance(field.widget, forms.PasswordInput):
            continue
        label = field.label or make_label(name)
        after = describe_value(field, form.cleaned_data.get(name))
        before = describe_value(field, form.get_initial_for_field(field, name))
        parts.append(f"{label}: {after}" if is_new else f"{label}: {before} → {after}")
    return "; ".join(parts)


class RecordedChangesMixin(AdminBase):
    """Records each change of a row. `security_kind` is None if a service records them."""

    security_kind: SecurityEventKind | None = SecurityEventKind.SETTING_CHANGED

    def name_subject(self, row: Any) -> str:
        return f"{make_label(str(self.opts.verbose_name))}: {row}"

    def record(self, request: HttpRequest, row: Any, detail: str) -> None:
        if self.security_kind is None:
            return
        by = request.user if isinstance(request.user, User) else None
        person = row if isinstance(row, User) else None
        record_security_event(self.security_kind, by, request, self.name_subject(row), detail, person)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        detail = describe_changes(form, is_new=not change)
        if not change:
            self.record(request, form.instance, f"Added. {detail}")
        elif detail:
            self.record(request, form.instance, detail)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.record_deletion(request, obj)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.record_deletion(request, row)
        super().delete_queryset(request, queryset)

    def record_deletion(self, request: HttpRequest, row: Any) -> None:
        self.record(request, row, "Deleted.")


class ConfirmedMixin(AdminBase):
    """Asks people to confirm that it is them before they add, change or delete rows.

    With `opens_confirmed`, the pages with a form open only then: a form with a secret is not kept meanwhile.
    """

    opens_confirmed = False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        if request.method == "POST" or (self.opens_confirmed and self.has_change_permission(request)):
            ask_confirmation(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        if request.method == "POST":
            ask_confirmation(request)
        return super().delete_view(request, object_id, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method == "POST":
            ask_confirmation(request)
        return super().changelist_view(request, extra_context)
