"""The queue is told of work, on commit, by id; the sweeper tells it again of what nobody has taken."""

from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.conf import settings as studio_settings
from django.utils import timezone
from rq.serializers import JSONSerializer

from launcher.studio import list_worker_queues
from tests.voicehub.test_outbox import KIND, enqueue, make_due
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.retry_policy import LEASE, RENOTIFY_AFTER

pytestmark = pytest.mark.django_db


def rung(queue: str = outbox.SUBMIT) -> list[str]:
    jobs = django_rq.get_queue(queue).jobs
    assert all(job.func_name == "voicehub.outbox.run_task" for job in jobs)
    return [str(job.args[0]) for job in jobs]


def test_it_rings_on_commit_and_not_before(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        task = enqueue()
        assert rung() == []
    for callback in callbacks:
        callback()
    assert rung() == [str(task.pk)]


QUEUE_OF = {
    "delete_remote_voice": outbox.URGENT,
    "refresh_build": outbox.URGENT,
    "settle_build": outbox.URGENT,
    "submit_build": outbox.SUBMIT,
    "make_preview": outbox.SUBMIT,
    "send_invitation": outbox.SUBMIT,
    "expire_consents": outbox.SUBMIT,
    "check_take": outbox.TAKES,
    "examine_recordings": outbox.ANALYSIS,
    "compare_recordings": outbox.ANALYSIS,
    "cut_recording": outbox.ANALYSIS,
}


def test_each_kind_of_task_has_its_queue() -> None:
    """What cannot wait stands behind nothing that takes long, and every queue has settings and workers."""
    tasks = {kind: Task.objects.create(kind=kind, object_id="1") for kind in QUEUE_OF}
    assert outbox.notify_due_tasks() == len(tasks)
    found = {name: sorted(rung(name)) for name in outbox.QUEUES}
    assert found == {
        name: sorted(str(tasks[kind].pk) for kind, queue in QUEUE_OF.items() if queue == name) for name in outbox.QUEUES
    }
    assert set(studio_settings.RQ_QUEUES) == set(outbox.QUEUES)
    assert {word for queues in list_worker_queues(1).values() for word in queues.split()[1::2]} == set(outbox.QUEUES)
    assert list_worker_queues(1)["urgent"] == "--queue urgent"


def test_what_is_due_later_is_rung_by_the_sweeper(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        task = enqueue(after=timedelta(seconds=30))
    assert rung() == []
    assert outbox.notify_due_tasks() == 0
    make_due(task)
    assert outbox.notify_due_tasks() == 1
    assert rung() == [str(task.pk)]


def test_sweeper_rings_for_each_once_in_a_while() -> None:
    task = enqueue()
    assert [outbox.notify_due_tasks(), outbox.notify_due_tasks(), outbox.notify_due_tasks()] == [1, 0, 0]
    Task.objects.filter(pk=task.pk).update(
        notified_at=timezone.now() - RENOTIFY_AFTER - timedelta(seconds=1), due_at=timezone.now() - timedelta(minutes=1)
    )
    assert outbox.notify_due_tasks() == 1


def test_sweeper_leaves_what_a_worker_has_until_its_lease_is_over() -> None:
    task = enqueue()
    outbox.claim_task(str(task.pk))
    assert outbox.notify_due_tasks() == 0
    Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert outbox.notify_due_tasks() == 1
    assert RENOTIFY_AFTER <= LEASE, "a dead worker's task would wait for longer than its lease"


def test_done_and_given_up_are_not_rung_for() -> None:
    for status in (TaskStatus.DONE, TaskStatus.FAILED):
        Task.objects.create(kind=KIND, object_id=status, status=status)
    assert outbox.notify_due_tasks() == 0


def test_without_a_queue_nothing_is_lost(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.RQ_QUEUES = {name: queue | {"URL": "unix:///nowhere.sock"} for name, queue in settings.RQ_QUEUES.items()}
    task = enqueue()
    outbox.notify_queue(task.pk)
    assert "The sweeper will enqueue" in caplog.text
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING


def test_queue_carries_the_id_only() -> None:
    """As JSON: a pickle from a queue is code."""
    task = enqueue("secret-object")
    outbox.notify_queue(task.pk)
    (job,) = django_rq.get_queue(outbox.SUBMIT).jobs
    raw = django_rq.get_connection(outbox.SUBMIT).hgetall(job.key)
    assert "secret-object" not in str(raw)
    assert job.serializer is JSONSerializer
