"""The counts beside links of the main navigation. Apps register them, and one small query reads all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from voicehub.models import User
from voicehub.row_counts import count_rows


@dataclass(frozen=True, slots=True)
class RailCount:
    """The number of rows of `make_rows`, beside the link to `url_name`: “3 running”, if it is not zero."""

    url_name: str
    label: str
    permission: str
    make_rows: Callable[[], QuerySet[Any]]


_registered: dict[str, RailCount] = {}


def register_count(count: RailCount) -> None:
    _registered[count.url_name] = count


def read_counts(user: User) -> dict[str, tuple[int, str]]:
    """By name of the URL, the number of rows and its label. Only what this user may see."""
    shown = [count for count in _registered.values() if user.has_perm(count.permission)]
    if not shown:
        return {}
    columns = {f"count_{number}": count_rows(count.make_rows()) for number, count in enumerate(shown)}
    numbers = User.objects.filter(pk=user.pk).values_list(*columns.values()).first() or [0] * len(shown)
    return {count.url_name: (number, count.label) for count, number in zip(shown, numbers, strict=True)}
