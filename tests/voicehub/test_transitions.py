"""A status changes by one conditional UPDATE along the allowed moves, and in no other way."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from consent.models import Consent
from voicehub.models import Task, TaskStatus
from voicehub.transitions import Movable, move
from voices.models import Build

pytestmark = pytest.mark.django_db


def test_an_allowed_move_writes_the_fields_and_wins_once() -> None:
    task = Task.objects.create(kind="k", object_id="1")
    twin = Task.objects.get(pk=task.pk)
    now = timezone.now()
    assert move(task, TaskStatus.DONE, finished_at=now)
    assert not move(twin, TaskStatus.DONE, finished_at=now)
    stored = Task.objects.get(pk=task.pk)
    assert (stored.status, stored.finished_at) == (TaskStatus.DONE, now)
    assert (task.status, twin.status) == (TaskStatus.DONE, TaskStatus.WAITING)


def test_a_move_that_is_not_on_the_map_writes_nothing() -> None:
    task = Task.objects.create(kind="k", object_id="1", status=TaskStatus.DONE)
    assert not move(task, TaskStatus.WAITING, reason="again")
    assert Task.objects.get(pk=task.pk).reason == ""


def test_since_narrows_the_start() -> None:
    task = Task.objects.create(kind="k", object_id="1")
    assert not move(task, TaskStatus.DONE, since=TaskStatus.FAILED)
    assert move(task, TaskStatus.DONE, since=TaskStatus.WAITING)


def test_the_database_itself_refuses_an_unknown_status() -> None:
    task = Task.objects.create(kind="k", object_id="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(status="sideways")


@pytest.mark.parametrize("kind", [Task, Consent, Build])
def test_every_move_is_between_known_statuses(kind: type[Movable]) -> None:
    known = set(kind.Status.values)  # type: ignore[attr-defined]  # each of them names its choices so
    assert set(kind.MOVES) | set().union(*kind.MOVES.values()) <= known
    field = kind._meta.get_field("status")
    assert set(dict(field.choices or [])) == known


@pytest.mark.parametrize("kind", [Consent, Build])
def test_every_status_can_be_reached(kind: type[Movable]) -> None:
    """From the first status on, as a status that nothing leads to is a mistake in the map."""
    start = kind._meta.get_field("status").get_default()
    reached, fresh = {start}, {start}
    while fresh:
        fresh = set().union(*(kind.MOVES.get(status, frozenset()) for status in fresh)) - reached
        reached |= fresh
    assert reached == set(kind.Status.values)  # type: ignore[attr-defined]  # as above
