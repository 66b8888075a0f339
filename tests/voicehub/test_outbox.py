"""The transactional outbox. One worker at a time runs a task. A task ends once, runs again on request, or fails."""

import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease, LeaseLost, PermanentFailure
from voicehub.retry_policy import LEASE, MAX_ATTEMPTS

pytestmark = pytest.mark.django_db

KIND = "test_kind"


@pytest.fixture
def set_handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A function that registers the handler of KIND, and `on_failure`, which is called when a task finally fails."""
    monkeypatch.setattr(outbox, "_handlers", dict(outbox._handlers))
    monkeypatch.setattr(outbox, "_failure_handlers", dict(outbox._failure_handlers))

    def register(work: Any, on_failure: Any = None) -> None:
        outbox.register_handler(KIND, on_failure=on_failure)(work)

    yield register


def enqueue(object_id: object = "x", **options: Any) -> Task:
    outbox.enqueue_task(KIND, object_id, **options)
    return Task.objects.get(kind=KIND, object_id=str(object_id), status=TaskStatus.WAITING)


def make_due(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now(), notified_at=None)


def run_when_due(task: Task) -> Task:
    """Make the task due, and run it as a worker does."""
    make_due(task)
    outbox.run_task(str(task.pk))
    task.refresh_from_db()
    return task


def seconds_from_now(moment: Any) -> float:
    return float((moment - timezone.now()).total_seconds())


# --- running ----------------------------------------------------------------------------


def test_task_runs_once_despite_repeated_notifications(set_handler: Any) -> None:
    handled_ids: list[str] = []
    set_handler(lambda object_id, _lease: handled_ids.append(object_id))
    task = enqueue("7")
    for _ in range(3):
        run_when_due(task)
    assert handled_ids == ["7"]
    assert task.status == TaskStatus.DONE
    assert task.finished_at
    assert (task.lease, task.lease_until) == (None, None)


def test_returned_delay_makes_task_due_again(set_handler: Any) -> None:
    set_handler(lambda *_: timedelta(seconds=100))
    task = enqueue()
    for _ in range(3 * MAX_ATTEMPTS):
        run_when_due(task)
        assert task.status == TaskStatus.WAITING
        assert task.attempts == 0
        assert 95 < seconds_from_now(task.due_at) <= 100
        assert task.lease is None


def test_task_does_not_run_before_it_is_due(set_handler: Any) -> None:
    set_handler(lambda *_: pytest.fail("too early"))
    task = enqueue(after=timedelta(seconds=60))
    outbox.run_task(str(task.pk))
    task.refresh_from_db()
    assert task.attempts == 0


@pytest.mark.parametrize("task_id", [str(uuid.uuid4())])
def test_missing_task_is_ignored(task_id: str) -> None:
    outbox.run_task(task_id)


def test_task_enqueued_twice_is_one_row_due_at_the_earlier_time() -> None:
    enqueue(after=timedelta(hours=2))
    task = enqueue(after=timedelta(hours=1))
    assert seconds_from_now(task.due_at) < 3601
    assert seconds_from_now(enqueue(after=timedelta(hours=2)).due_at) < 3601
    enqueue("y")
    assert Task.objects.filter(kind=KIND).count() == 2


def test_task_is_written_in_the_transaction_of_the_caller() -> None:
    """If the transaction of the caller is rolled back, the task is not written either."""
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.enqueue_task(KIND, "x")
        _ = 1 / 0
    assert not Task.objects.exists()


# --- enqueued again while it runs -------------------------------------------------------


@pytest.mark.parametrize("delay", [None, timedelta(minutes=5)])
def test_task_enqueued_while_it_runs_runs_again_at_once(set_handler: Any, delay: timedelta | None) -> None:
    runs: list[int] = []

    def work(_object_id: str, _lease: Lease) -> timedelta | None:
        runs.append(1)
        if len(runs) == 1:
            outbox.enqueue_task(KIND, "x")
        return delay

    set_handler(work)
    task = run_when_due(enqueue())
    assert task.status == TaskStatus.WAITING
    assert task.due_at <= timezone.now()
    assert task.lease is None
    outbox.run_task(str(task.pk))
    assert len(runs) == 2
    task.refresh_from_db()
    assert (task.status == TaskStatus.DONE) == (delay is None)


def test_task_enqueued_for_later_while_it_runs_is_due_at_that_time(set_handler: Any) -> None:
    set_handler(lambda *_: outbox.enqueue_task(KIND, "x", after=timedelta(minutes=5)))
    task = run_when_due(enqueue())
    assert task.status == TaskStatus.WAITING
    assert 290 < seconds_from_now(task.due_at) <= 300


@pytest.mark.django_db(transaction=True)
def test_enqueue_during_completion_is_not_lost() -> None:
    """Whichever of enqueuing and completing comes first, the task waits for another run."""
    for _ in range(25):
        Task.objects.all().delete()
        task = enqueue()
        lease = outbox.claim_task(str(task.pk))
        assert lease
        barrier = Barrier(2)

        def enqueue_again(barrier: Barrier = barrier) -> None:
            barrier.wait(60)
            outbox.enqueue_task(KIND, "x")
            connection.close()

        enqueuing = Thread(target=enqueue_again)
        enqueuing.start()
        barrier.wait(60)
        lease.complete()
        enqueuing.join()
        assert Task.objects.filter(kind=KIND, status=TaskStatus.WAITING, lease=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_enqueue_in_long_transaction_is_not_lost() -> None:
    """The worker completes the task between the write and its commit, so it cannot see what the transaction wrote."""
    task = enqueue()
    lease = outbox.claim_task(str(task.pk))
    assert lease
    enqueued = Event()

    def enqueue_again() -> None:
        with transaction.atomic():
            outbox.enqueue_task(KIND, "x")
            enqueued.set()
            finishing.join(0.5)
        connection.close()

    def finish() -> None:
        enqueued.wait(60)
        lease.complete()
        connection.close()

    finishing = Thread(target=finish)
    enqueuing = Thread(target=enqueue_again)
    finishing.start()
    enqueuing.start()
    enqueuing.join()
    finishing.join()
    assert Task.objects.filter(kind=KIND, status=TaskStatus.WAITING, lease=None).count() == 1


# --- one worker at a time ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [2, 20])
def test_one_of_many_workers_claims_the_task(workers: int) -> None:
    for _ in range(5):
        Task.objects.all().delete()
        task = enqueue()
        barrier, leases = Barrier(workers), list[Lease | None]()

        def claim(task_id: str, barrier: Barrier, leases: list[Lease | None]) -> None:
            barrier.wait(60)
            leases.append(outbox.claim_task(task_id))
            connection.close()

        threads = [Thread(target=claim, args=(str(task.pk), barrier, leases)) for _ in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(leases) == workers
        (winner,) = [lease for lease in leases if lease]
        task.refresh_from_db()
        assert (task.lease, task.attempts) == (winner.token, 1)


def take_over_lease(task: Task) -> tuple[Lease, Lease]:
    """Return an expired lease, and the lease of the worker that has claimed the task since."""
    old = outbox.claim_task(str(task.pk))
    assert old
    assert outbox.claim_task(str(task.pk)) is None
    Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    new = outbox.claim_task(str(task.pk))
    assert new
    return old, new


def test_worker_that_lost_its_lease_writes_nothing() -> None:
    task = enqueue()
    old, new = take_over_lease(task)
    before = Task.objects.values().get(pk=task.pk)
    with pytest.raises(LeaseLost):
        old.extend()
    assert not old.release(reason="Mine!")
    old.complete()
    old.reschedule(timedelta(hours=1))
    outbox.fail_task(task, old, "I cannot go on.")
    assert Task.objects.values().get(pk=task.pk) == before
    new.extend()
    new.complete()
    task.refresh_from_db()
    assert task.status == TaskStatus.DONE
    with pytest.raises(LeaseLost):
        new.extend()


def test_failure_after_lost_lease_is_not_recorded(set_handler: Any) -> None:
    """The worker raises an error after its lease has expired and another worker has claimed the task."""
    new_token = uuid.uuid4()

    def work(_object_id: str, lease: Lease) -> None:
        Task.objects.filter(pk=lease.task_id).update(lease=new_token)
        raise RuntimeError("too late")

    set_handler(work)
    task = run_when_due(enqueue())
    assert (task.lease, task.reason, task.status) == (new_token, "", TaskStatus.WAITING)


def test_lost_lease_is_not_a_failure(set_handler: Any) -> None:
    def work(_object_id: str, lease: Lease) -> None:
        Task.objects.filter(pk=lease.task_id).update(lease=uuid.uuid4())
        lease.extend()

    set_handler(work)
    task = run_when_due(enqueue())
    assert task.status == TaskStatus.WAITING
    assert task.reason == ""


def test_extending_a_lease_renews_its_full_duration(set_handler: Any) -> None:
    task = enqueue()
    lease = outbox.claim_task(str(task.pk))
    assert lease
    Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() + timedelta(seconds=1))
    lease.extend()
    task.refresh_from_db()
    assert task.lease_until
    assert abs(seconds_from_now(task.lease_until) - LEASE.total_seconds()) < 5


# --- failing ----------------------------------------------------------------------------


def test_task_fails_after_max_attempts(set_handler: Any) -> None:
    attempts: list[int] = []
    failed_ids: list[str] = []

    def work(*_: Any) -> None:
        attempts.append(1)
        raise ValueError("bad number")

    set_handler(work, failed_ids.append)
    task = enqueue("7")
    delays = []
    while task.status == TaskStatus.WAITING:
        run_when_due(task)
        delays.append(seconds_from_now(task.due_at))
        assert len(attempts) <= MAX_ATTEMPTS
    assert len(attempts) == MAX_ATTEMPTS
    assert task.status == TaskStatus.FAILED
    assert "bad number" in task.reason
    assert failed_ids == ["7"]
    assert delays[:-1] == sorted(delays[:-1]), "each wait is longer than the one before"
    run_when_due(task)
    assert len(attempts) == MAX_ATTEMPTS


def test_failure_reason_contains_no_file_path(set_handler: Any) -> None:
    def work(*_: Any) -> None:
        raise FileNotFoundError(2, "No such file", "/srv/studio/media/recordings/1.wav")

    set_handler(work)
    assert run_when_due(enqueue()).reason == "FileNotFoundError: No such file"


def test_success_resets_attempts_and_reason(set_handler: Any) -> None:
    outcomes: list[Any] = [ValueError("once"), ValueError("twice"), timedelta(seconds=1)] * 4 + [None]

    def work(*_: Any) -> timedelta | None:
        delay = outcomes.pop(0)
        if isinstance(delay, Exception):
            raise delay
        return delay  # type: ignore[no-any-return]  # every other entry is a delay or None

    set_handler(work)
    task = enqueue()
    while task.status == TaskStatus.WAITING:
        run_when_due(task)
    assert task.status == TaskStatus.DONE
    assert task.reason == ""


def test_task_fails_when_its_worker_dies_each_time(set_handler: Any) -> None:
    """A worker that dies records no exception. Only its lease expires."""
    set_handler(lambda *_: pytest.fail("the task ran again"))
    task = enqueue()
    for _ in range(MAX_ATTEMPTS):
        assert outbox.claim_task(str(task.pk))
        Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    run_when_due(task)
    assert task.status == TaskStatus.FAILED
    assert "stopped during the task" in task.reason


def test_permanent_failure_stores_its_reason(set_handler: Any) -> None:
    def work(*_: Any) -> None:
        raise PermanentFailure("The mail address does not exist.")

    set_handler(work)
    task = run_when_due(enqueue())
    assert (task.status, task.reason) == (TaskStatus.FAILED, "The mail address does not exist.")


def test_task_keeps_waiting_when_failure_handler_fails(set_handler: Any) -> None:
    """The status FAILED and the changes of the failure handler are written together, or not at all."""

    def work(*_: Any) -> None:
        raise PermanentFailure("No use.")

    def failure_handler(_object_id: str) -> None:
        raise RuntimeError("no database")

    set_handler(work, failure_handler)
    task = enqueue()
    with pytest.raises(RuntimeError):
        run_when_due(task)
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING


def test_task_of_unknown_kind_is_retried_then_fails() -> None:
    task = enqueue()
    for _ in range(MAX_ATTEMPTS):
        run_when_due(task)
    assert task.status == TaskStatus.FAILED
    assert KIND in task.reason


def test_failed_task_can_be_retried_unless_an_equal_task_waits(set_handler: Any) -> None:
    set_handler(lambda *_: None)
    task = enqueue()
    assert not outbox.retry_task(task)
    Task.objects.filter(pk=task.pk).update(status=TaskStatus.FAILED, attempts=5)
    task.refresh_from_db()
    assert outbox.retry_task(task)
    assert run_when_due(task).status == TaskStatus.DONE
    Task.objects.filter(pk=task.pk).update(status=TaskStatus.FAILED)
    task.refresh_from_db()
    enqueue()
    assert not outbox.retry_task(task), "the same task is already waiting"
