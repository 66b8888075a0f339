"""Tables of lists: which columns a user sees, and how each column sorts."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import django_tables2 as tables
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable, OrderBy

from voicehub.models import User

SortKey = str | Callable[[], Combinable]


class ListColumn(tables.Column):
    """A column of a list. The table renders its cells in a method `render_<name>(record)`.

    `sort_by` has names of fields and functions that make an expression; “-” before a name reverses it. The first
    direction puts the worst rows first, if there is a worst. Rows without a value come last in both directions. Without
    `sort_by` the column cannot be sorted. Users without `permission` do not get the column. With `is_low_good`, the
    heading says that low is good. Without `is_shown`, it is only in the menu that sorts.
    """

    def __init__(
        self,
        label: str,
        *sort_by: SortKey,
        css_class: str = "",
        permission: str = "",
        is_descending_first: bool = False,
        is_low_good: bool = False,
        is_shown: bool = True,
    ) -> None:
        super().__init__(
            label,
            accessor="pk",
            orderable=bool(sort_by),
            initial_sort_descending=is_descending_first,
            visible=is_shown,
        )
        self.sort_by = sort_by
        self.is_shown = is_shown
        self.css_class = css_class
        self.is_low_good = is_low_good
        self.permission = permission

    def order(self, queryset: QuerySet[Any], is_descending: bool) -> tuple[QuerySet[Any], bool]:  # noqa: FBT001
        keys = [_make_order(key, is_descending=is_descending) for key in self.sort_by]
        return queryset.order_by(*keys, "pk"), True


def _make_order(key: SortKey, *, is_descending: bool) -> OrderBy:
    if isinstance(key, str):
        is_descending ^= key.startswith("-")
        expression: Any = F(key.removeprefix("-"))
    else:
        expression = key()
    ordered: OrderBy = expression.desc(nulls_last=True) if is_descending else expression.asc(nulls_last=True)
    return ordered


class ListTable(tables.Table):
    """A table of one list, with the columns that `user` may see.

    Every user may see the column of `default_sort`, which sorts the rows unless `sort` names another sortable column.
    """

    default_sort: ClassVar[str]

    @property
    def row_header(self) -> str:
        """The column whose cell names its row."""
        return str(next(iter(self.columns.names())))

    def __init__(self, rows: QuerySet[Any], user: User, sort: str) -> None:
        columns = type(self).base_columns.items()
        hidden = [name for name, column in columns if column.permission and not user.has_perm(column.permission)]
        super().__init__(rows, order_by=(), extra_columns=[(name, None) for name in hidden])
        self.user = user
        self.order_by = sort if self._can_sort(sort) else self.default_sort

    def _can_sort(self, sort: str) -> bool:
        name = sort.removeprefix("-")
        return name in self.columns and self.columns[name].orderable

    def load_rows(self, records: Sequence[Any]) -> None:
        """Load what the cells of one page need beside its rows, in a constant number of queries."""
