"""The one way to change a status: a single conditional UPDATE, so that of two racing calls exactly one wins.

A model that moves has a `status` field and a class attribute `MOVES`: for each status, the statuses that it may
go to. A status without an entry is final.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models


class Movable(models.Model):
    """Base of every row with a life: `status` says where it is, `MOVES` where it may go."""

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {}
    status = models.CharField(max_length=16)

    class Meta:
        abstract = True


def list_sources(row_type: type[Movable], to: str) -> list[str]:
    """The statuses from which `to` may be reached, in the order of `MOVES`."""
    return [source for source, targets in row_type.MOVES.items() if to in targets]


def move(row: Movable, to: str, *, since: str | None = None, **fields: Any) -> bool:
    """Move `row` to status `to` and write `fields` with it; True if this very call did it.

    `since` narrows the move to one starting status. False means that the row stood where the move is not
    allowed, or that another call was faster: then nothing is written and `row` is left as it was.
    """
    allowed = [status for status in list_sources(type(row), to) if since in (None, status)]
    rows = type(row)._default_manager.filter(pk=row.pk, status__in=allowed)
    if not rows.update(status=to, **fields):
        return False
    for name, value in {"status": to, **fields}.items():
        setattr(row, name, value)
    return True


def make_status_constraint(name: str, choices: type[models.TextChoices]) -> models.CheckConstraint:
    """The database's own guard that a status is one of its choices, as choices alone constrain nothing."""
    return models.CheckConstraint(name=name, condition=models.Q(status__in=choices.values))
