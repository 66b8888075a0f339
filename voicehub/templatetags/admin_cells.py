"""The cells of the lists of the admin."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import template
from django.contrib.admin.templatetags.admin_list import result_headers
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from voicehub.admin_base.formats import EMPTY

STATUS_COLUMNS = {"status", "state", "result"}
MAX_DETAILS = 2  # values on the second line of a row in a narrow window

register = template.Library()


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort a list, for a narrow window, which has no headings."""

    text: str
    url: str
    is_current: bool


@register.simple_tag
def list_orders(changelist: Any) -> list[Order]:
    headers = (header for header in result_headers(changelist) if header.get("sortable"))
    return [
        Order(capfirst(str(header["text"])), str(header["url_primary"]), header["sort_priority"] == 1)
        for header in headers
    ]


@register.simple_tag
def find_page(changelist: Any) -> Any:
    """The page of the list that is shown."""
    return changelist.paginator.page(changelist.page_num)


@register.simple_tag
def label_cells(cells: Sequence[SafeString], headers: Sequence[Mapping[str, Any]], changelist: Any) -> list[SafeString]:
    """The cells of a row, each with its heading in `data-label`.

    A narrow window shows the title, the status and the first values of the row: those that the admin names in
    `short_columns`, most of which need no heading, or else the first two that are not empty, each with its heading. An
    empty value is quieter than others, and a narrow window leaves it out.
    """
    names = [str(name) for name in changelist.list_display]
    short_columns = changelist.model_admin.short_columns
    bare_columns = {*short_columns}.difference(changelist.model_admin.named_columns)
    shown = {*short_columns} if short_columns else {*_find_details(cells, names)}
    return [
        _label_cell(cell, name, str(header["text"]), is_detail=name in shown, is_bare=name in bare_columns)
        for cell, name, header in zip(cells, names, headers, strict=True)
    ]


def _find_details(cells: Sequence[SafeString], names: Sequence[str]) -> Iterator[str]:
    fixed = {"action_checkbox", *STATUS_COLUMNS}
    details = [name for cell, name in zip(cells, names, strict=True) if cell.startswith("<td") and not _is_empty(cell)]
    yield from [name for name in details if name not in fixed][:MAX_DETAILS]


def _is_empty(cell: SafeString) -> bool:
    return cell.endswith(f">{EMPTY}</td>")


def _label_cell(cell: SafeString, name: str, heading: str, *, is_detail: bool, is_bare: bool) -> SafeString:
    # Django has made the cell as HTML that begins with "<td" or "<th". The heading of the check boxes is a check box.
    if not cell.startswith(("<td", "<th")) or heading.startswith("<"):
        return cell
    label = escape(heading[:1].upper() + heading[1:])
    is_left_out = cell.startswith("<td") and (_is_empty(cell) or not (is_detail or name in STATUS_COLUMNS))
    kind = ' data-narrow="out"' if is_left_out else ' data-narrow="bare"' if is_bare else ""
    labeled = f'{cell[:3]} data-label="{label}"{kind}{cell[3:]}'
    return SafeString(labeled.replace(f">{EMPTY}</td>", f'><span class="nothing">{EMPTY}</span></td>'))
