"""One page of a list, as its address asks for it: filters, order, page number and page size."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from voicehub.lists.filters import TABS, FilterMenu, ListFilter, make_query
from voicehub.lists.tables import ListTable
from voicehub.models import User

PAGE_SIZES = (25, 50, 100)
# The rows of a list that is one part of a page.
PART_SIZE = 10
DIRECTIONS = {True: "descending", False: "ascending"}


@dataclass(frozen=True, slots=True)
class Header:
    """The heading of a column. `url` sorts the list by it; empty if it cannot. `direction` is as in aria-sort."""

    label: str
    css_class: str
    url: str
    direction: str
    is_low_good: bool = False
    is_shown: bool = True


@dataclass(frozen=True, slots=True)
class PageLink:
    """`url` is empty for the gap between page numbers. `rel` is of the links to the pages beside the current one."""

    label: str
    url: str
    is_current: bool = False
    rel: str = ""


@dataclass(frozen=True, slots=True)
class ListPage:
    """What templates/studio/table.html shows. `orders` has a header for each column, and those that only sort.

    `search_label` is empty if the user may search in no field. `hidden_fields` is the state that a new search keeps.
    """

    table: ListTable
    page: Page[Any]
    orders: Sequence[Header]
    tabs: FilterMenu | None
    menus: Sequence[FilterMenu]
    search: str
    search_label: str
    hidden_fields: Sequence[tuple[str, str]]
    is_filtered: bool
    page_links: Sequence[PageLink]
    size_links: Sequence[PageLink]

    @property
    def is_empty(self) -> bool:
        """Whether the list has no row at all, however it is filtered."""
        return not self.is_filtered and self.page.paginator.count == 0

    @property
    def headers(self) -> list[Header]:
        """Those of the columns that are shown."""
        return [header for header in self.orders if header.is_shown]

    @property
    def more_orders(self) -> list[Header]:
        """What sorts the rows though no column shows it."""
        return [header for header in self.orders if header.url and not header.is_shown]

    @property
    def sorted_header(self) -> Header | None:
        return next((header for header in self.orders if header.direction), None)


def load_list(
    request: HttpRequest, rows: QuerySet[Any], table_class: type[ListTable], filter_class: type[ListFilter]
) -> ListPage:
    """The page of the list that the address asks for. What it cannot have falls back to the default."""
    address, user = request.GET, cast(User, request.user)
    filters = filter_class(address, rows, user)
    table = table_class(filters.qs, user, address.get("sort", ""))
    table.paginate(per_page=_read_size(address))
    table.page = table.paginator.get_page(_read_page(address))
    table.load_rows([row.record for row in table.page.object_list])
    menus, values = dict(filters.list_menus()), filters.values
    tabs = menus.pop(TABS, None)
    kept = {**values, **{name: address.get(name, "") for name in ("sort", "size")}, "search": ""}
    return ListPage(
        table=table,
        page=table.page,
        orders=[_make_header(column, address) for column in table.columns.iterall() if _is_offered(column)],
        tabs=tabs,
        menus=[menu for menu in menus.values() if menu.current or len(menu.options) > 1],
        search=values.get("search", ""),
        search_label=filters.describe_search() if filters.list_search_fields() else "",
        hidden_fields=[(name, value) for name, value in kept.items() if value],
        is_filtered=bool(values),
        page_links=list_page_links(table.page, partial(_make_page_url, address)),
        size_links=[_make_size_link(size, table.paginator.per_page, address) for size in PAGE_SIZES],
    )


class CountedPaginator(Paginator[Any]):
    """A paginator that knows the number of its rows."""

    def __init__(self, rows: QuerySet[Any], size: int, count: int) -> None:
        super().__init__(rows, size)
        self.count = count


def load_part(request: HttpRequest, rows: QuerySet[Any] | Sequence[Any], name: str, size: int = PART_SIZE) -> Page[Any]:
    """One page of a list that shares its page with others. Its number is the parameter `name` of the address."""
    return Paginator(rows, size).get_page(request.GET.get(name))


def _read_size(address: QueryDict) -> int:
    sizes = {str(size): size for size in PAGE_SIZES}
    return sizes.get(address.get("size", ""), PAGE_SIZES[0])


def _read_page(address: QueryDict) -> str:
    """The paginator takes no number for the first page, and a number that is too large for the last one."""
    number = address.get("page", "")
    return "1" if number.startswith(("0", "-")) else number


def _is_offered(column: Any) -> bool:
    """Whether the list shows this bound column or always offers its order. A table hides a column that says nothing."""
    return bool(column.visible or not column.column.is_shown)


def _make_header(column: Any, address: QueryDict) -> Header:
    """`column` is a bound column of django-tables2."""
    url = make_query(address, sort=column.order_by_alias.next) if column.orderable else ""
    direction = DIRECTIONS[column.order_by_alias.is_descending] if column.is_ordered else ""
    return Header(
        column.header, column.column.css_class, url, direction, column.column.is_low_good, is_shown=column.visible
    )


def list_page_links(page: Page[Any], make_url: Callable[[int], str]) -> list[PageLink]:
    """The same links below each list: to the pages beside this one, and to the nearby numbers. Empty for one page."""
    return list(_iterate_page_links(page, make_url)) if page.has_other_pages() else []


def _iterate_page_links(page: Page[Any], make_url: Callable[[int], str]) -> Iterator[PageLink]:
    if page.has_previous():
        yield PageLink("Previous", make_url(page.number - 1), rel="prev")
    for number in page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1):
        if isinstance(number, int):
            yield PageLink(str(number), make_url(number), number == page.number)
        else:
            yield PageLink(str(number), "")
    if page.has_next():
        yield PageLink("Next", make_url(page.number + 1), rel="next")


def _make_page_url(address: QueryDict, number: int) -> str:
    return f"{make_query(address)}&page={number}".replace("?&", "?")


def _make_size_link(size: int, current: int, address: QueryDict) -> PageLink:
    default = PAGE_SIZES[0]
    return PageLink(str(size), make_query(address, size="" if size == default else str(size)), size == current)
