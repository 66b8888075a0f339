"""The lists and pages of rows in the admin: values formatted for people, links to the studio, bounded queries."""

from collections.abc import Mapping
from functools import reduce
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import flatten, get_fields_from_path
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst

from voicehub.admin_base.changes import RecordedChangesMixin
from voicehub.admin_base.columns import Column, is_hidden, is_technical, name_field
from voicehub.admin_base.filters import ValuesFilter
from voicehub.admin_base.formats import EMPTY, Format
from voicehub.admin_base.groups import Attention, Counted
from voicehub.admin_base.versions import LockedRowMixin, VersionedForm

if TYPE_CHECKING:
    BaseAdmin = BaseModelAdmin[Any]
    ModelAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = ModelAdmin = object

TECHNICAL_DETAILS = "Technical details"
# Fewer dates stand among the other values.
FEWEST_DATES, FEWEST_OTHERS = 3, 4
# The lists and pages of these apps open only with all of these permissions.
PRIVATE_APPS = {"consent", "voices"}
PRIVATE_PERMISSIONS = (
    "consent.view_names", "consent.view_contacts", "consent.read_contract", "consent.hear_take", "voices.view_spend",
)  # fmt: skip
EMPTY_CHOICE = ("", "Choose an action")
# What a person reads first on the page of a row. Each has a line of its own.
LEADING_FIELDS = (
    "sound",
    "state",
    "status",
    "in_force",
    "issue",
    "reason",
    "error",
    "alert",
    "text",
    "transcript",
    "findings",
)
Fieldset = tuple[Any, Any]


def rank_name(name: Any) -> int:
    return LEADING_FIELDS.index(name) if name in LEADING_FIELDS else len(LEADING_FIELDS)


class FormattedFields(BaseAdmin):
    """Shows fields that are not edited as `Column`s.

    `formats` has formats for fields of this model, and `names` has headings for them.
    """

    formats: Mapping[str, Format] = {}
    names: Mapping[str, str] = {}

    def make_column(self, name: Any, **options: Any) -> Any:
        """A Column if `name` is a field of the model. Anything else, such as a method, stays as it is."""
        try:
            field = self.model._meta.get_field(name)
        except FieldDoesNotExist:
            return name
        return Column(field, self.formats.get(field.name), name_field(field, self.names), **options)

    def list_readonly_names(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """The fields that the page shows but does not change."""
        return list(super().get_readonly_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The names, which a form leaves out, and the columns, which the page shows in their place."""
        names = self.list_readonly_names(request, obj)
        return [*names, *(column for name in names if (column := self.make_column(name)) != name)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        shown = [
            (title, {**options, "fields": self._show_fields(request, obj, flatten(options["fields"]))})
            for title, options in fieldsets
        ]
        return [(title, options) for title, options in shown if options["fields"] or title is None]

    def _show_fields(self, request: HttpRequest, obj: Any, names: list[Any]) -> list[Any]:
        """A page that adds a row shows only the fields of the form."""
        if obj is not None and not self.has_change_permission(request, obj):
            return [self.make_column(name) for name in names]
        read_only = self.list_readonly_names(request, obj)
        if obj is None:
            return [name for name in names if name not in read_only]
        columns = [self.make_column(name) if name in read_only else name for name in names]
        return list(dict.fromkeys(columns))  # Django lists what is only read by its name and as a column


class RowsMixin(FormattedFields, ModelAdmin):
    """What all lists and pages of rows have in common.

    `group` is the heading of the model on the first page of the admin, and `purpose` says there what its rows are.
    Those with a `place` stand first there, in this order. `attention` has lookups of rows that need a person, each
    with the words for one row and for many, and `counted` what the first page counts. `menu_name` and `row_word` name
    the list and a row if the model does not, and `empty_text` says when rows appear. `searched_text` names what the
    search looks at.
    A narrow window shows the `short_columns`, with their headings only if they are `named_columns`.
    `studio_path` is the attribute path from a row to the object whose page in the studio shows it, "" for the row
    itself. `action_permission` is what the actions of the list require. `loaded_in_lists` has the JSON fields that the
    columns of the list need.
    """

    group = ""
    purpose = ""
    place = 0
    row_word = ""
    attention: tuple[Attention, ...] = ()
    counted: Counted | None = None
    menu_name = ""
    empty_text = ""
    searched_text = ""
    short_columns: tuple[str, ...] = ()
    named_columns: tuple[str, ...] = ()
    studio_path: str | None = None
    action_permission = ""
    loaded_in_lists: tuple[str, ...] = ()
    list_per_page = 50
    list_max_show_all = 200
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = EMPTY

    def find_studio_object(self, row: Any) -> Any:
        path = [name for name in (self.studio_path or "").split(".") if name]
        return reduce(lambda part, name: None if part is None else getattr(part, name), path, row)

    def find_studio_url(self, row: Any) -> str | None:
        """The address of the page in the studio that shows the row. None if there is none."""
        shown = self.find_studio_object(row) if self.studio_path is not None else None
        return str(shown.get_absolute_url()) if shown is not None else None

    def view_on_site(self, row: Any) -> str | None:
        return self.find_studio_url(row)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        title = self.menu_name or capfirst(self.model._meta.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, whose filters have the names of the columns."""
        changelist = super().get_changelist_instance(request)
        for spec in changelist.filter_specs:
            field = getattr(spec, "field", None)
            if field is not None and spec.title == getattr(field, "verbose_name", None):
                spec.title = name_field(field, self.names)
        return changelist

    def name_row(self, row: Any) -> str:
        """The title of the page of a row."""
        return str(row)

    def render_change_form(
        self, request: HttpRequest, context: Any, add: bool = False, change: bool = False, form_url: str = "",
        obj: Any = None,
    ) -> Any:  # fmt: skip
        if obj is not None:
            title, word = self.name_row(obj), self.row_word or str(self.opts.verbose_name)
            context |= {"subtitle": title, "row_word": word, "has_word": title.lower().startswith(word.lower())}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return [self.make_column(name, is_in_list=True, is_linked=place > 0) for place, name in enumerate(names)]

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [
            (name, ValuesFilter) if self._has_free_values(name) else name for name in super().get_list_filter(request)
        ]

    def _has_free_values(self, name: Any) -> bool:
        if not isinstance(name, str):
            return False
        field: Any = get_fields_from_path(self.model, name)[-1]
        return isinstance(field, models.CharField) and not field.choices

    def get_action_choices(self, request: HttpRequest, default_choices: Any = (EMPTY_CHOICE,)) -> Any:
        return super().get_action_choices(request, list(default_choices))

    def get_queryset(self, request: HttpRequest) -> Any:
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_list = bool(match and (match.url_name or "").endswith("_changelist"))
        return rows.defer(*self._list_unused_fields()) if is_list else rows

    def _list_unused_fields(self) -> list[str]:
        """JSON can be large, and lists do not show it."""
        fields = self.model._meta.concrete_fields
        return [
            field.name
            for field in fields
            if isinstance(field, models.JSONField) and field.name not in self.loaded_in_lists
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A page without own fieldsets has its codes and raw values under “Technical details”."""
        fieldsets: list[Fieldset] = super().get_fieldsets(request, obj)
        if obj is None or len(fieldsets) != 1:
            return fieldsets
        (title, options) = fieldsets[0]
        technical = [one for one in options["fields"] if isinstance(one, Column) and is_technical(one.field)]
        if not technical:
            return fieldsets
        plain = [one for one in options["fields"] if one not in technical]
        details = (TECHNICAL_DETAILS, {"fields": technical, "classes": ["collapse"]})
        return [(title, {**options, "fields": plain}), details]

    def may_read_rows(self, request: HttpRequest) -> bool:
        """Whether the user may see what the rows have as it is stored: real names, addresses, fees, spend."""
        return self.opts.app_label not in PRIVATE_APPS or request.user.has_perms(PRIVATE_PERMISSIONS)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_read_rows(request) and super().has_view_permission(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_read_rows(request) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_read_rows(request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_read_rows(request) and super().has_delete_permission(request, obj)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whether the user may run the actions of this list, as on the pages of the studio."""
        return request.user.has_perm(self.action_permission)


class StudioAdmin(RecordedChangesMixin, LockedRowMixin, RowsMixin, admin.ModelAdmin[Any]):
    """Rows can be added, changed and deleted. What someone else changed meanwhile is not overwritten."""

    form = VersionedForm


class NoDeleteAdmin(StudioAdmin):
    """Rows can be changed but not deleted, because other rows depend on them."""

    def has_delete_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False


def is_date(field: Any, obj: Any) -> bool:
    """Whether it is a date that the row has."""
    return isinstance(field, models.DateField) and getattr(obj, field.name, None) is not None


class ReadOnlyAdmin(RowsMixin, admin.ModelAdmin[Any]):
    """Rows can be read and searched, but not added, changed or deleted. The page shows all fields except secrets."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A page with many values has its dates beside the others."""
        fieldsets: list[Fieldset] = super().get_fieldsets(request, obj)
        (title, options), *more = fieldsets
        dates = [one for one in options["fields"] if is_date(getattr(one, "field", None), obj)]
        others = [one for one in options["fields"] if one not in dates]
        if obj is None or title or len(dates) < FEWEST_DATES or len(others) < FEWEST_OTHERS:
            return fieldsets
        return [(title, {**options, "fields": others}), ("Dates", {"fields": dates, "classes": ["dates"]}), *more]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self.fields:
            return super().get_fields(request, obj)
        opts, hidden = self.model._meta, set(self.exclude or ())
        fields = (*opts.concrete_fields, *opts.many_to_many)
        names = [field.name for field in fields if not is_hidden(field) and field.name not in hidden]
        return sorted([*names, *self.readonly_fields], key=rank_name)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: models.Model | None = None) -> bool:
        return False
