"""On commit, a task's id goes to the queue. The sweeper enqueues due tasks again that no worker has claimed."""

from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from rq.serializers import JSONSerializer

from launcher.studio import list_worker_queues
from tests.voicehub.test_outbox import KIND, enqueue, make_due
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.retry_policy import LEASE, RENOTIFY_AFTER

pytestmark = pytest.mark.django_db


def list_queued_ids(queue: str = outbox.SUBMIT) -> list[str]:
    jobs = django_rq.get_queue(queue).jobs
    assert all(job.func_name == "voicehub.outbox.run_task" for job in jobs)
    return [str(job.args[0]) for job in jobs]


def test_queue_is_notified_on_commit_and_not_before(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        task = enqueue()
        assert list_queued_ids() == []
    for callback in callbacks:
        callback()
    assert list_queued_ids() == [str(task.pk)]


QUEUES_BY_KIND = {
    "delete_remote_voice": outbox.URGENT,
    "delete_remote_files": outbox.URGENT,
    "delete_partial_files": outbox.SUBMIT,
    "finish_bulk_change": outbox.SUBMIT,
    "refresh_build": outbox.URGENT,
    "schedule_deletions": outbox.URGENT,
    "send_deletion_notice": outbox.SUBMIT,
    "send_build_mail": outbox.SUBMIT,
    "send_pause_mail": outbox.SUBMIT,
    "send_public_voice_mail": outbox.SUBMIT,
    "refresh_usage": outbox.SUBMIT,
    "settle_build": outbox.URGENT,
    "submit_build": outbox.SUBMIT,
    "make_preview": outbox.SUBMIT,
    "send_invitation": outbox.SUBMIT,
    "send_deletion_task": outbox.SUBMIT,
    "check_evidence": outbox.ANALYSIS,
    "send_talent_mail": outbox.SUBMIT,
    "send_talent_change": outbox.SUBMIT,
    "send_code": outbox.URGENT,
    "expire_consents": outbox.SUBMIT,
    "delete_contract_draft_file": outbox.SUBMIT,
    "check_take": outbox.TAKES,
    "check_import": outbox.TAKES,
    "add_import": outbox.TAKES,
    "clear_import": outbox.SUBMIT,
    "expire_imports": outbox.SUBMIT,
    "delete_old_access_data": outbox.SUBMIT,
    "examine_recordings": outbox.ANALYSIS,
    "examine_share": outbox.ANALYSIS,
    "compare_recordings": outbox.ANALYSIS,
    "match_takes": outbox.ANALYSIS,
    "set_transcripts": outbox.ANALYSIS,
    "join_import_file": outbox.TAKES,
    "delete_old_uploads": outbox.SUBMIT,
    "propose_cuts": outbox.ANALYSIS,
    "cut_recording": outbox.ANALYSIS,
}


def test_each_task_kind_goes_to_its_queue() -> None:
    """Urgent tasks do not wait behind long tasks. Every queue has settings and a worker."""
    tasks = {kind: Task.objects.create(kind=kind, object_id="1") for kind in QUEUES_BY_KIND}
    assert outbox.notify_due_tasks() == len(tasks)
    queued_ids = {name: sorted(list_queued_ids(name)) for name in outbox.QUEUES}
    assert queued_ids == {
        name: sorted(str(tasks[kind].pk) for kind, queue in QUEUES_BY_KIND.items() if queue == name)
        for name in outbox.QUEUES
    }
    assert set(django_settings.RQ_QUEUES) == set(outbox.QUEUES)
    assert {name for queues in list_worker_queues(1).values() for name in queues.split()[1::2]} == set(outbox.QUEUES)
    assert list_worker_queues(1)["urgent"] == "--queue urgent"


def test_sweeper_enqueues_task_once_it_is_due(django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        task = enqueue(after=timedelta(seconds=30))
    assert list_queued_ids() == []
    assert outbox.notify_due_tasks() == 0
    make_due(task)
    assert outbox.notify_due_tasks() == 1
    assert list_queued_ids() == [str(task.pk)]


def test_sweeper_enqueues_task_again_only_after_the_renotify_delay() -> None:
    task = enqueue()
    assert [outbox.notify_due_tasks(), outbox.notify_due_tasks(), outbox.notify_due_tasks()] == [1, 0, 0]
    Task.objects.filter(pk=task.pk).update(
        notified_at=timezone.now() - RENOTIFY_AFTER - timedelta(seconds=1), due_at=timezone.now() - timedelta(minutes=1)
    )
    assert outbox.notify_due_tasks() == 1


def test_sweeper_skips_claimed_task_until_its_lease_expires() -> None:
    task = enqueue()
    outbox.claim_task(str(task.pk))
    assert outbox.notify_due_tasks() == 0
    Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert outbox.notify_due_tasks() == 1
    assert RENOTIFY_AFTER <= LEASE, "the task of a dead worker would wait for longer than its lease"


def test_finished_tasks_are_not_enqueued() -> None:
    for status in (TaskStatus.DONE, TaskStatus.FAILED):
        Task.objects.create(kind=KIND, object_id=status, status=status)
    assert outbox.notify_due_tasks() == 0


def test_unreachable_queue_loses_no_task(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.RQ_QUEUES = {name: queue | {"URL": "unix:///nowhere.sock"} for name, queue in settings.RQ_QUEUES.items()}
    task = enqueue()
    outbox.notify_queue(task.pk)
    assert "The sweeper will enqueue" in caplog.text
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING


def test_queue_carries_only_the_task_id() -> None:
    """The queue stores JSON, because loading a pickle from the queue can run code."""
    task = enqueue("secret-object")
    outbox.notify_queue(task.pk)
    (job,) = django_rq.get_queue(outbox.SUBMIT).jobs
    raw = django_rq.get_connection(outbox.SUBMIT).hgetall(job.key)
    assert "secret-object" not in str(raw)
    assert job.serializer is JSONSerializer
