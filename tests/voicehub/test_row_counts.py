"""The number of rows of one query as a part of another."""

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from voicehub.models import User
from voicehub.row_counts import count_rows

pytestmark = pytest.mark.django_db


def count_all(user: User, *querysets: QuerySet[User]) -> tuple[int, ...]:
    return tuple(User.objects.filter(pk=user.pk).values_list(*map(count_rows, querysets)).get())


def test_rows_are_counted_and_none_is_zero(producer: User, engineer: User) -> None:
    rows = User.objects.filter(pk__in=[producer.pk, engineer.pk])
    assert count_all(producer, rows, rows.order_by("-username"), rows.filter(username="x")) == (2, 2, 0)


def test_count_groups_no_rows(producer: User) -> None:
    """A count that groups reads its rows, where one that does not reads an index alone."""
    with CaptureQueriesContext(connection) as captured:
        count_all(producer, User.objects.order_by("username"))
    sql = captured[0]["sql"]
    assert "COUNT(*)" in sql
    assert "GROUP BY" not in sql
    assert "ORDER BY" not in sql
