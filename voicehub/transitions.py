"""The only way to change a status: one conditional UPDATE, so exactly one of two racing calls wins.

A `StatusModel` has a `status` field and a class attribute `MOVES`: for each status, its allowed next statuses.
A status without an entry is final.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.db import models


class StatusModel(models.Model):
    """Abstract base for a model with a status: `MOVES` holds the allowed transitions."""

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {}
    status = models.CharField(max_length=16)

    class Meta:
        abstract = True


def list_sources(row_type: type[StatusModel], to: str) -> list[str]:
    """The statuses from which a row may change to `to`, in the order of `MOVES`."""
    return [source for source, targets in row_type.MOVES.items() if to in targets]


def move(row: StatusModel, to: str, *, since: str | None = None, **fields: Any) -> bool:
    """Change the status of `row` to `to` and write `fields` in the same UPDATE. True if this call changed it.

    `since` limits the transition to one source status. False means that the transition is not allowed from the row's
    status, or that another call was faster. Then nothing is written, and `row` is unchanged.
    """
    allowed = [status for status in list_sources(type(row), to) if since in (None, status)]
    rows = type(row)._default_manager.filter(pk=row.pk, status__in=allowed)
    if not rows.update(status=to, **fields):
        return False
    for name, value in {"status": to, **fields}.items():
        setattr(row, name, value)
    return True


def move_all(rows: Collection[StatusModel], to: str, **fields: Any) -> int:
    """Change the status of all these rows, of one model, in one UPDATE, with the same `fields`.

    Returns how many were changed: rows whose status allows no such transition stay as they are.
    """
    if not rows:
        return 0
    row_type = type(next(iter(rows)))
    found = row_type._default_manager.filter(pk__in=[row.pk for row in rows], status__in=list_sources(row_type, to))
    return found.update(status=to, **fields)


def make_status_constraint(name: str, choices: type[models.TextChoices]) -> models.CheckConstraint:
    """A CHECK constraint on the status, because Django's choices do not constrain the database."""
    return models.CheckConstraint(name=name, condition=models.Q(status__in=choices.values))
