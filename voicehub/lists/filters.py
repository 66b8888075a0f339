"""Filters of lists: the search, and choices with the number of rows that each would leave."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import django_filters
from django.db.models import Count, Q, QuerySet
from django.http import QueryDict

from voicehub.models import User

SEARCH_LENGTH = 100
VALUE_LENGTH = 100
# The filter whose choices are shown as tabs over the list.
TABS = "show"


class Choice(NamedTuple):
    """`value` is in the address. `condition` selects the rows."""

    value: str
    label: str
    condition: Q


class CountedChoice(NamedTuple):
    value: str
    label: str
    row_count: int


class ChoiceFilter(django_filters.CharFilter):
    """Choices with a condition each. A value that is no choice filters nothing."""

    def __init__(self, label: str, list_choices: Callable[[], Sequence[Choice]], *, permission: str = "") -> None:
        super().__init__(label=label, max_length=VALUE_LENGTH)
        self.list_choices = list_choices
        self.permission = permission

    def filter(self, rows: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        chosen = next((choice for choice in self.list_choices() if choice.value == value), None)
        return rows.filter(chosen.condition) if chosen else rows

    def count_choices(self, rows: QuerySet[Any]) -> list[CountedChoice]:
        """All choices, in one query. The first one has the number of all rows and no value."""
        choices = self.list_choices()
        counts = {f"count_{number}": Count("pk", filter=choice.condition) for number, choice in enumerate(choices)}
        totals = rows.order_by().aggregate(count_all=Count("pk"), **counts)
        return [
            CountedChoice("", "All", totals["count_all"]),
            *(
                CountedChoice(choice.value, choice.label, totals[f"count_{number}"])
                for number, choice in enumerate(choices)
            ),
        ]


class ValueFilter(django_filters.CharFilter):
    """The values of a field that occur in the list, such as its languages."""

    def __init__(self, label: str, field: str, describe: Callable[[str], str], *, permission: str = "") -> None:
        super().__init__(label=label, field_name=field, max_length=VALUE_LENGTH)
        self.describe = describe
        self.permission = permission

    def count_choices(self, rows: QuerySet[Any]) -> list[CountedChoice]:
        """The values in the order of their labels, in one query."""
        counts = rows.order_by().values_list(self.field_name).annotate(count=Count("pk"))
        return sorted(
            (CountedChoice(value, self.describe(value), count) for value, count in counts if value),
            key=lambda choice: choice.label.casefold(),
        )


@dataclass(frozen=True, slots=True)
class FilterOption:
    label: str
    count: int
    url: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class FilterMenu:
    """One filter with its options. `clear_url` shows the list without it."""

    label: str
    options: Sequence[FilterOption]
    current: FilterOption | None
    clear_url: str


class ListFilter(django_filters.FilterSet):
    """The filters of one list. `search_fields` says which permission the search in a field needs, if any.

    A list of which most tabs are empty most of the time shows only those with rows.
    """

    search = django_filters.CharFilter(method="filter_search")
    search_fields: ClassVar[Mapping[str, str]] = {}
    search_label: ClassVar[str]
    shows_empty_tabs: ClassVar[bool] = True

    def __init__(self, data: QueryDict, rows: QuerySet[Any], user: User) -> None:
        self.address = data
        super().__init__(_clean_search(data), rows)
        self.user = user
        for name, one in list(self.filters.items()):
            if not self._is_allowed(getattr(one, "permission", "")):
                del self.filters[name]

    def _is_allowed(self, permission: str) -> bool:
        return not permission or self.user.has_perm(permission)

    def list_search_fields(self) -> list[str]:
        return [field for field, permission in self.search_fields.items() if self._is_allowed(permission)]

    def describe_search(self) -> str:
        """What this user can search for."""
        return self.search_label

    def filter_search(self, rows: QuerySet[Any], _name: str, text: str) -> QuerySet[Any]:
        """Rows that contain each word of the search."""
        for word in text.split():
            condition = Q()
            for field in self.list_search_fields():
                condition |= Q(**{f"{field}__icontains": word})
            rows = rows.filter(condition)
        return rows

    @property
    def values(self) -> dict[str, str]:
        """The values that filter the list, by the name of their filter."""
        return {name: value for name, value in self.form.cleaned_data.items() if value and self._is_in_use(name, value)}

    def _is_in_use(self, name: str, value: str) -> bool:
        one = self.filters[name]
        return not isinstance(one, ChoiceFilter) or value in {choice.value for choice in one.list_choices()}

    def list_menus(self) -> Iterator[tuple[str, FilterMenu]]:
        """Each filter with the number of rows that its choices leave together with the other filters."""
        values = self.values
        for name, one in self.filters.items():
            if isinstance(one, ChoiceFilter | ValueFilter):
                yield name, self._make_menu(name, one, values)

    def _make_menu(self, name: str, one: ChoiceFilter | ValueFilter, values: Mapping[str, str]) -> FilterMenu:
        current = values.get(name, "")
        choices = one.count_choices(self._filter_by({key: value for key, value in values.items() if key != name}))
        if isinstance(one, ValueFilter) and current and current not in {choice.value for choice in choices}:
            choices.append(CountedChoice(current, one.describe(current), 0))
        options = [
            FilterOption(label, count, make_query(self.address, **{name: value}), value == current)
            for value, label, count in choices
            if count or name != TABS or self.shows_empty_tabs or value in ("", current)
        ]
        chosen = next((option for option in options if option.is_current), None) if current else None
        return FilterMenu(one.label, options, chosen, make_query(self.address, **{name: ""}))

    def _filter_by(self, values: Mapping[str, str]) -> QuerySet[Any]:
        rows = self.queryset.all()
        for name, value in values.items():
            rows = self.filters[name].filter(rows, value)
        filtered: QuerySet[Any] = rows
        return filtered


def _clean_search(data: QueryDict) -> QueryDict:
    cleaned = data.copy()
    cleaned["search"] = cleaned.get("search", "").strip().replace("\x00", "")[:SEARCH_LENGTH]
    return cleaned


def make_query(data: QueryDict, **changes: str) -> str:
    """The query of an address with these changes, on its first page. An empty value removes a parameter."""
    query = data.copy()
    for name, value in {"page": "", **changes}.items():
        if value:
            query[name] = value
        else:
            query.pop(name, None)
    return f"?{query.urlencode()}"
