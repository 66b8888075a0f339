"""Work that is written down is done: once, by one worker at a time, again if asked for, given up with a reason."""

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
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Say what tasks of KIND do; `given_up` is what is called at their end in failure."""
    monkeypatch.setattr(outbox, "_handlers", dict(outbox._handlers))
    monkeypatch.setattr(outbox, "_failure_handlers", dict(outbox._failure_handlers))

    def register(work: Any, given_up: Any = None) -> None:
        outbox.register_handler(KIND, on_failure=given_up)(work)

    yield register


def add(object_id: object = "x", **more: Any) -> Task:
    outbox.enqueue_task(KIND, object_id, **more)
    return Task.objects.get(kind=KIND, object_id=str(object_id), status=TaskStatus.WAITING)


def now_due(task: Task) -> None:
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now(), notified_at=None)


def run(task: Task) -> Task:
    """As the queue does, when the time has come."""
    now_due(task)
    outbox.run_task(str(task.pk))
    task.refresh_from_db()
    return task


def seconds_from_now(moment: Any) -> float:
    return float((moment - timezone.now()).total_seconds())


# --- doing ------------------------------------------------------------------------------


def test_work_is_done_once_however_often_it_is_rung(handler: Any) -> None:
    done: list[str] = []
    handler(lambda object_id, _lease: done.append(object_id))
    task = add("7")
    for _ in range(3):
        run(task)
    assert done == ["7"]
    assert task.status == TaskStatus.DONE
    assert task.finished_at
    assert (task.lease, task.lease_until) == (None, None)


def test_work_that_goes_on_is_due_again(handler: Any) -> None:
    handler(lambda *_: timedelta(seconds=100))
    task = add()
    for _ in range(3 * MAX_ATTEMPTS):
        run(task)
        assert task.status == TaskStatus.WAITING
        assert task.attempts == 0
        assert 95 < seconds_from_now(task.due_at) <= 100
        assert task.lease is None


def test_work_is_not_done_before_its_time(handler: Any) -> None:
    handler(lambda *_: pytest.fail("too early"))
    task = add(after=timedelta(seconds=60))
    outbox.run_task(str(task.pk))
    task.refresh_from_db()
    assert task.attempts == 0


@pytest.mark.parametrize("task_id", [str(uuid.uuid4())])
def test_task_that_is_gone_is_nobodys(task_id: str) -> None:
    outbox.run_task(task_id)


def test_asking_twice_is_one_task_at_the_earlier_time() -> None:
    add(after=timedelta(hours=2))
    task = add(after=timedelta(hours=1))
    assert seconds_from_now(task.due_at) < 3601
    assert seconds_from_now(add(after=timedelta(hours=2)).due_at) < 3601
    add("y")
    assert Task.objects.filter(kind=KIND).count() == 2


def test_task_is_written_with_what_it_is_about() -> None:
    """In the caller's transaction: neither without the other."""
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.enqueue_task(KIND, "x")
        _ = 1 / 0
    assert not Task.objects.exists()


# --- asked for again while it runs ------------------------------------------------------


@pytest.mark.parametrize("answer", [None, timedelta(minutes=5)])
def test_asked_for_while_it_runs_it_is_run_again_at_once(handler: Any, answer: timedelta | None) -> None:
    runs: list[int] = []

    def work(_object_id: str, _lease: Lease) -> timedelta | None:
        runs.append(1)
        if len(runs) == 1:
            outbox.enqueue_task(KIND, "x")
        return answer

    handler(work)
    task = run(add())
    assert task.status == TaskStatus.WAITING
    assert task.due_at <= timezone.now()
    assert task.lease is None
    outbox.run_task(str(task.pk))
    assert len(runs) == 2
    task.refresh_from_db()
    assert (task.status == TaskStatus.DONE) == (answer is None)


def test_asked_for_later_while_it_runs(handler: Any) -> None:
    handler(lambda *_: outbox.enqueue_task(KIND, "x", after=timedelta(minutes=5)))
    task = run(add())
    assert task.status == TaskStatus.WAITING
    assert 290 < seconds_from_now(task.due_at) <= 300


@pytest.mark.django_db(transaction=True)
def test_asking_never_falls_between_two_stools() -> None:
    """However asking and finishing meet: afterwards either the work has been begun after the asking, or it waits."""
    for _ in range(25):
        Task.objects.all().delete()
        task = add()
        lease = outbox.claim_task(str(task.pk))
        assert lease
        both = Barrier(2)

        def ask(barrier: Barrier = both) -> None:
            barrier.wait(60)
            outbox.enqueue_task(KIND, "x")
            connection.close()

        asking = Thread(target=ask)
        asking.start()
        both.wait(60)
        lease.complete()
        asking.join()
        assert Task.objects.filter(kind=KIND, status=TaskStatus.WAITING, lease=None).count() == 1


@pytest.mark.django_db(transaction=True)
def test_asking_in_a_long_transaction_is_not_lost() -> None:
    """The worker finishes between the asking and its commit: it has not seen what the transaction wrote."""
    task = add()
    lease = outbox.claim_task(str(task.pk))
    assert lease
    asked = Event()

    def ask() -> None:
        with transaction.atomic():
            outbox.enqueue_task(KIND, "x")
            asked.set()
            finishing.join(0.5)
        connection.close()

    def finish() -> None:
        asked.wait(60)
        lease.complete()
        connection.close()

    finishing = Thread(target=finish)
    asking = Thread(target=ask)
    finishing.start()
    asking.start()
    asking.join()
    finishing.join()
    assert Task.objects.filter(kind=KIND, status=TaskStatus.WAITING, lease=None).count() == 1


# --- one worker at a time ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("workers", [2, 20])
def test_one_of_many_workers_gets_it(workers: int) -> None:
    for _ in range(5):
        Task.objects.all().delete()
        task = add()
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


def taken_over(task: Task) -> tuple[Lease, Lease]:
    """The lease of a worker that was silent for too long, and of the one that took its task over."""
    old = outbox.claim_task(str(task.pk))
    assert old
    assert outbox.claim_task(str(task.pk)) is None
    Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    new = outbox.claim_task(str(task.pk))
    assert new
    return old, new


def test_old_holder_writes_nothing_more() -> None:
    task = add()
    old, new = taken_over(task)
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


def test_worker_that_fails_late_does_not_count_against_the_new_one(handler: Any) -> None:
    """It wakes up after its lease, fails, and says so: the task is another's by then."""
    other = uuid.uuid4()

    def work(_object_id: str, lease: Lease) -> None:
        Task.objects.filter(pk=lease.task_id).update(lease=other)
        raise RuntimeError("too late")

    handler(work)
    task = run(add())
    assert (task.lease, task.reason, task.status) == (other, "", TaskStatus.WAITING)


def test_losing_the_lease_is_no_failure(handler: Any) -> None:
    def work(_object_id: str, lease: Lease) -> None:
        Task.objects.filter(pk=lease.task_id).update(lease=uuid.uuid4())
        lease.extend()

    handler(work)
    task = run(add())
    assert task.status == TaskStatus.WAITING
    assert task.reason == ""


def test_lease_lasts_and_grows(handler: Any) -> None:
    task = add()
    lease = outbox.claim_task(str(task.pk))
    assert lease
    Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() + timedelta(seconds=1))
    lease.extend()
    task.refresh_from_db()
    assert task.lease_until
    assert abs(seconds_from_now(task.lease_until) - LEASE.total_seconds()) < 5


# --- failing ----------------------------------------------------------------------------


def test_poison_is_given_up_after_five_tries(handler: Any) -> None:
    tries: list[int] = []
    ended: list[str] = []

    def work(*_: Any) -> None:
        tries.append(1)
        raise ValueError("bad number")

    handler(work, ended.append)
    task = add("7")
    waits = []
    while task.status == TaskStatus.WAITING:
        run(task)
        waits.append(seconds_from_now(task.due_at))
        assert len(tries) <= MAX_ATTEMPTS
    assert len(tries) == MAX_ATTEMPTS
    assert task.status == TaskStatus.FAILED
    assert "bad number" in task.reason
    assert ended == ["7"]
    assert waits[:-1] == sorted(waits[:-1]), "each wait is longer than the one before"
    run(task)
    assert len(tries) == MAX_ATTEMPTS


def test_a_reason_tells_no_path(handler: Any) -> None:
    def work(*_: Any) -> None:
        raise FileNotFoundError(2, "No such file", "/srv/studio/media/recordings/1.wav")

    handler(work)
    assert run(add()).reason == "FileNotFoundError: No such file"


def test_success_wipes_out_earlier_failures(handler: Any) -> None:
    answers: list[Any] = [ValueError("once"), ValueError("twice"), timedelta(seconds=1)] * 4 + [None]

    def work(*_: Any) -> timedelta | None:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]  # what is not an error is one of these

    handler(work)
    task = add()
    while task.status == TaskStatus.WAITING:
        run(task)
    assert task.status == TaskStatus.DONE
    assert task.reason == ""


def test_worker_that_dies_each_time_is_given_up(handler: Any) -> None:
    """No failure is ever reported; the leases just run out."""
    handler(lambda *_: pytest.fail("it was tried once more"))
    task = add()
    for _ in range(MAX_ATTEMPTS):
        assert outbox.claim_task(str(task.pk))
        Task.objects.filter(pk=task.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    run(task)
    assert task.status == TaskStatus.FAILED
    assert "stopped during the task" in task.reason


def test_giving_up_says_why(handler: Any) -> None:
    def work(*_: Any) -> None:
        raise PermanentFailure("The mail address does not exist.")

    handler(work)
    task = run(add())
    assert (task.status, task.reason) == (TaskStatus.FAILED, "The mail address does not exist.")


def test_farewell_that_fails_keeps_the_task(handler: Any) -> None:
    """Neither of the two is done without the other."""

    def work(*_: Any) -> None:
        raise PermanentFailure("No use.")

    def farewell(_object_id: str) -> None:
        raise RuntimeError("no database")

    handler(work, farewell)
    task = add()
    with pytest.raises(RuntimeError):
        run(task)
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING


def test_work_of_an_unknown_kind_is_kept_and_given_up() -> None:
    task = add()
    for _ in range(MAX_ATTEMPTS):
        run(task)
    assert task.status == TaskStatus.FAILED
    assert KIND in task.reason


def test_trying_again_by_hand(handler: Any) -> None:
    handler(lambda *_: None)
    task = add()
    assert not outbox.retry_task(task)
    Task.objects.filter(pk=task.pk).update(status=TaskStatus.FAILED, attempts=5)
    task.refresh_from_db()
    assert outbox.retry_task(task)
    assert run(task).status == TaskStatus.DONE
    Task.objects.filter(pk=task.pk).update(status=TaskStatus.FAILED)
    task.refresh_from_db()
    add()
    assert not outbox.retry_task(task), "the same work waits already"
