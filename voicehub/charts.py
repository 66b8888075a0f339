"""Charts of a page. Each chart has a table of the same numbers, and the script draws what the table says.

`{% include "studio/chart.html" with chart=chart %}` shows one; the head of the page needs "studio/chart_scripts.html".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class ChartKind(StrEnum):
    BAR = "bar"
    LINE = "line"
    SCATTER = "scatter"


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one name, keyed by their position on the x axis. A missing position is a gap, not a zero."""

    name: str
    values: Mapping[str | float, float]


@dataclass(frozen=True, slots=True)
class Limit:
    """A horizontal line, such as a threshold: what it is, and its value on the y axis."""

    label: str
    value: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and its table.

    `x_values` are the rows of the table, in order: labels, or numbers for a scatter plot.
    `y_range` fixes the y axis; without it, the axis fits the values, and that of bars begins at 0.
    `ticks` are shorter words for `x_values` in the drawing.
    `is_bare` leaves out the names of the axes and the legend: the title and the heading above say them.
    """

    title: str
    kind: ChartKind
    x_label: str
    y_label: str
    x_values: tuple[str | float, ...]
    series: tuple[Series, ...]
    limit: Limit | None = None
    y_range: tuple[float, float] | None = None
    ticks: Mapping[str | float, str] = field(default_factory=dict)
    is_bare: bool = False

    @property
    def rows(self) -> Iterable[tuple[str | float, str, list[float | None]]]:
        """Position, its tick if it has one, and the value of each series."""
        return [(x, self.ticks.get(x, ""), [one.values.get(x) for one in self.series]) for x in self.x_values]

    @property
    def summary(self) -> str:
        """What a screen reader says in place of the drawing."""
        return f"{self.title}. {self.y_label} by {self.x_label}. The table below has the values."


@dataclass(frozen=True, slots=True)
class MonthColumn:
    """A month in a small chart. `share` of the height is None if the number is not known."""

    month: date
    text: str
    share: float | None
