"""The number of rows of a queryset as a part of another query."""

from typing import Any

from django.db.models import Func, IntegerField, QuerySet, Subquery
from django.db.models.expressions import Combinable

# A plain function: an aggregate would add GROUP BY, and a group without rows returns no row instead of 0.
ROW_COUNT = Func(function="COUNT", template="%(function)s(*)", output_field=IntegerField())


def count_rows(rows: QuerySet[Any]) -> Combinable:
    """The number of these rows, 0 without any."""
    return Subquery(rows.order_by().annotate(row_count=ROW_COUNT).values("row_count"))
