"""`move` changes a status by one conditional UPDATE, and only as the MOVES of the model allow."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from consent.models import Consent
from voicehub.models import Task, TaskStatus
from voicehub.transitions import StatusModel, move, move_all
from voices.models import Build

pytestmark = pytest.mark.django_db


def test_allowed_move_writes_fields_and_succeeds_once() -> None:
    task = Task.objects.create(kind="k", object_id="1")
    stale_task = Task.objects.get(pk=task.pk)
    now = timezone.now()
    assert move(task, TaskStatus.DONE, finished_at=now)
    assert not move(stale_task, TaskStatus.DONE, finished_at=now)
    stored = Task.objects.get(pk=task.pk)
    assert (stored.status, stored.finished_at) == (TaskStatus.DONE, now)
    assert (task.status, stale_task.status) == (TaskStatus.DONE, TaskStatus.WAITING)


def test_move_that_is_not_allowed_writes_nothing() -> None:
    task = Task.objects.create(kind="k", object_id="1", status=TaskStatus.DONE)
    assert not move(task, TaskStatus.WAITING, reason="again")
    assert Task.objects.get(pk=task.pk).reason == ""


def test_move_with_since_needs_that_current_status() -> None:
    task = Task.objects.create(kind="k", object_id="1")
    assert not move(task, TaskStatus.DONE, since=TaskStatus.FAILED)
    assert move(task, TaskStatus.DONE, since=TaskStatus.WAITING)


def test_database_refuses_unknown_status() -> None:
    task = Task.objects.create(kind="k", object_id="1")
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(status="unknown")


@pytest.mark.parametrize("model", [Task, Consent, Build])
def test_every_move_is_between_known_statuses(model: type[StatusModel]) -> None:
    statuses = set(model.Status.values)  # type: ignore[attr-defined]  # each model has a Status
    assert set(model.MOVES) | set().union(*model.MOVES.values()) <= statuses
    field = model._meta.get_field("status")
    assert set(dict(field.choices or [])) == statuses


@pytest.mark.parametrize("model", [Consent, Build])
def test_every_status_can_be_reached(model: type[StatusModel]) -> None:
    """Every status can be reached from the initial status by the MOVES of its model."""
    initial = model._meta.get_field("status").get_default()
    reached, new_statuses = {initial}, {initial}
    while new_statuses:
        new_statuses = set().union(*(model.MOVES.get(status, frozenset()) for status in new_statuses)) - reached
        reached |= new_statuses
    assert reached == set(model.Status.values)  # type: ignore[attr-defined]  # as above


def test_many_rows_are_moved_at_once_but_those_that_may_not() -> None:
    tasks = [Task.objects.create(kind="k", object_id=str(number)) for number in range(3)]
    Task.objects.filter(pk=tasks[2].pk).update(status=TaskStatus.DONE)
    assert move_all(tasks, TaskStatus.FAILED, reason="stopped") == 2
    assert [Task.objects.get(pk=task.pk).reason for task in tasks] == ["stopped", "stopped", ""]
    assert move_all([], TaskStatus.FAILED) == 0
