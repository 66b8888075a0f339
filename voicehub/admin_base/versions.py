"""Forms of the admin that do not overwrite what someone else saved meanwhile (see `voicehub.edit_versions`)."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.db import models, transaction
from django.http import HttpRequest

from voicehub.edit_versions import VersionedFormMixin

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin

    ModelFormBase = forms.ModelForm[Any]
    AdminBase = ModelAdmin[Any]
else:
    ModelFormBase = forms.ModelForm
    AdminBase = object


class VersionedForm(VersionedFormMixin, ModelFormBase):
    """A form for an existing row, which compares all its fields with the stored row."""

    version_field = "row_version"  # a statement has a field `version`

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.track_version(read_stored_values(self.instance, list(self.fields)))


def read_stored_values(row: models.Model, names: list[str]) -> dict[str, Any]:
    """The stored values of these fields, as a form compares them. A relation to many rows has their ids."""
    values = forms.model_to_dict(row, names)
    return {name: _read_ids(value) if isinstance(value, list) else value for name, value in values.items()}


def _read_ids(value: list[Any]) -> list[Any]:
    return [one.pk if isinstance(one, models.Model) else one for one in value]


class LockedRowMixin(AdminBase):
    """Locks the row that is saved until the end of the transaction, so that the comparison still holds then."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is None or request.method != "POST" or not transaction.get_connection().in_atomic_block:
            return row
        return self.model._default_manager.select_for_update().filter(pk=row.pk).first()
