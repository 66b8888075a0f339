"""The cells of the lists of the admin."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString

from voicehub.admin_base.formats import EMPTY

register = template.Library()


@register.filter
def label_cells(cells: Sequence[SafeString], headers: Sequence[Mapping[str, Any]]) -> list[SafeString]:
    """The cells of a row, each with its heading in `data-label`, which a narrow window shows before the value.

    An empty value is quieter than others.
    """
    return [_label_cell(cell, str(header["text"])) for cell, header in zip(cells, headers, strict=True)]


def _label_cell(cell: SafeString, heading: str) -> SafeString:
    # Django has made the cell as HTML that begins with "<td" or "<th". The heading of the check boxes is a check box.
    if not cell.startswith(("<td", "<th")) or heading.startswith("<"):
        return cell
    label = escape(heading[:1].upper() + heading[1:])
    labeled = f'{cell[:3]} data-label="{label}"{cell[3:]}'
    return SafeString(labeled.replace(f">{EMPTY}</td>", f'><span class="nothing">{EMPTY}</span></td>'))
