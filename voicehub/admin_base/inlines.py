"""The table of related rows on the page of a row. It shows a limited number of rows, and links to the list of all."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property

from voicehub.admin_base.rows import FormattedFields

MAX_ROWS = 50

if TYPE_CHECKING:
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    InlineFormSet = BaseInlineFormSet


class FirstRowsFormSet(InlineFormSet):
    """The first rows only. `find_rows` decides about the order."""

    max_rows = MAX_ROWS

    def find_rows(self) -> QuerySet[Any]:
        return super().get_queryset()

    def get_queryset(self) -> Any:
        if not isinstance(getattr(self, "_queryset", None), list):
            self._queryset: Any = list(self.find_rows()[: self.max_rows])
        return self._queryset

    @cached_property
    def total(self) -> int:
        return len(self.get_queryset()) if self.queryset is None else self.queryset.count()

    @property
    def total_text(self) -> str:
        return f"{self.total:,}"

    @cached_property
    def all_rows_url(self) -> str:
        """The address of the list of all related rows. Empty if this table shows all of them."""
        if self.total <= len(self.get_queryset()):
            return ""
        opts = self.fk.model._meta
        try:
            url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        except NoReverseMatch:
            return ""
        return f"{url}?{self.fk.name}__{self.fk.target_field.name}__exact={self.instance.pk}"


class FirstRowsInline(FormattedFields, admin.TabularInline[Any, Any]):
    """A table that is only read.

    `order_text` says which rows stand first, for a table that does not show all. A narrow window shows the first column
    as the title of a row, and below it the `narrow_columns`.
    """

    template = "admin/first_rows.html"
    formset = FirstRowsFormSet
    can_delete = False
    max_num = extra = 0
    order_text = "newest first"
    narrow_columns: tuple[str, ...] = ()

    def has_add_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Model | None = None) -> bool:
        return False
