"""Edits of the same row by two people: the second one sees what the first one changed, and overwrites nothing.

A page carries the version of the values that it was made from. The server compares it with the stored values in the
transaction that saves.
"""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

if TYPE_CHECKING:
    FormBase = forms.BaseForm
else:
    FormBase = object

VERSION_FIELD = "version"
DIGEST_LENGTH = 12


class ChangedMeanwhile(Exception):
    """The stored value is not the one that the page was made from. `current` is the stored value."""

    def __init__(self, current: Any) -> None:
        self.current = current
        super().__init__("Someone else changed this meanwhile.")


def make_version(value: Any) -> str:
    """A short digest of one value. Equal values have equal versions, whether they come from a row or from a form."""
    return sha256(_normalize(value).encode()).hexdigest()[:DIGEST_LENGTH]


def _normalize(value: Any) -> str:
    if isinstance(value, list | tuple | QuerySet):
        return "\n".join(sorted(str(getattr(part, "pk", part)) for part in value))
    return "" if value is None else " ".join(str(value).split())


class VersionedFormMixin(FormBase):
    """A form that is not saved, but shown again with what was typed, if someone else changed the row meanwhile.

    `version_field` is the name of the hidden field, for a form whose row has a field of the usual name.
    """

    version_field = VERSION_FIELD
    has_conflict = False
    stored: Mapping[str, Any] = MappingProxyType({})

    def track_version(self, stored: Mapping[str, Any]) -> None:
        """Add the hidden version. `stored` has the current value of each field that is compared."""
        self.stored = {name: value for name, value in stored.items() if name in self.fields}
        version = " ".join(f"{name}={make_version(value)}" for name, value in self.stored.items())
        self.fields[self.version_field] = forms.CharField(required=False, widget=forms.HiddenInput(), initial=version)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        page_version = cleaned.pop(self.version_field, "")
        shown = dict(part.partition("=")[::2] for part in page_version.split())
        versions = {name: make_version(value) for name, value in self.stored.items()}
        changed = [name for name, version in versions.items() if shown.get(name, version) != version]
        unsaved = [name for name in changed if make_version(cleaned.get(name)) != versions[name]]
        if unsaved:
            self._show_stored_values(unsaved, shown, cleaned)
        return cleaned

    def _show_stored_values(self, names: list[str], shown: Mapping[str, str], cleaned: Mapping[str, Any]) -> None:
        """Say what was changed. Fields in which the user typed nothing show the stored values."""
        self.has_conflict = True
        data = cast(QueryDict, self.data).copy()
        data[self.add_prefix(self.version_field)] = self.fields[self.version_field].initial
        for name in names:
            if make_version(cleaned.get(name)) == shown[name]:
                _set_value(data, self.add_prefix(name), self.stored[name])
        self.data = data
        changes = " ".join(self._describe_value(name) for name in names)
        self.add_error(
            None,
            f"Someone else changed this meanwhile. {changes} Nothing of yours is saved yet. Check it and save again.",
        )

    def _describe_value(self, name: str) -> str:
        value, field = self.stored[name], self.fields[name]
        labels = dict(getattr(field, "choices", ()))
        parts = value if isinstance(value, list | tuple) else [value]
        text = ", ".join(str(labels.get(part, part)) for part in parts if part)
        label = field.label or name.replace("_", " ").capitalize()
        return f"{label} is now “{text}”." if text else f"{label} is now empty."


def _set_value(data: Any, key: str, value: Any) -> None:
    if isinstance(value, list | tuple):
        data.setlist(key, list(value))
    else:
        data[key] = "" if value is None else value
