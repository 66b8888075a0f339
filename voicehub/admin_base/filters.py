"""Filters of the admin's lists. Each link has a text, also the link to rows without a value."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin

from voicehub.admin_base.formats import find_format


class ValuesFilter(admin.AllValuesFieldListFilter):
    """One link for each stored value, as the lists show it."""

    def __init__(self, field: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, *args, **kwargs)
        self.format = find_format(field)

    def choices(self, changelist: Any) -> Iterator[Any]:
        for place, choice in enumerate(super().choices(changelist)):
            yield choice if place == 0 else {**choice, "display": self._make_text(str(choice["display"]))}

    def _make_text(self, value: str) -> str:
        return str(self.format(value)) if value.strip() else "None"


class PresenceFilter(admin.EmptyFieldListFilter):
    """Whether the field has a value."""

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice, text in zip(super().choices(changelist), ("All", "No", "Yes"), strict=True):
            yield {**choice, "display": text}
