"""Work in the background: the database is the truth, the queue only a doorbell.

`add` writes a Task in the caller's transaction and rings the queue when it commits. A worker claims the row with a
lease by one conditional UPDATE, so that a task is run by one worker at a time however often it is rung, and a task
whose worker was killed is free again when the lease is over. `sweep` rings for what is due and unclaimed: a lost
queue costs seconds, never work.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from voicehub.models import Task, TaskStatus
from voicehub.retry_policy import LEASE, MAX_ATTEMPTS, RENOTIFY_AFTER, attempt_delay
from voicehub.transitions import move

logger = logging.getLogger(__name__)

# The names of the queues. What takes long must not hold up what cannot wait: URGENT is what ends or clears something up
# at a provider (deletions, polls, look-ups), SUBMIT sends builds and mails, TAKES checks a take that a talent has just
# sent, ANALYSIS works through recordings.
QUEUES = URGENT, SUBMIT, TAKES, ANALYSIS = "urgent", "submit", "takes", "analysis"
# With the queue, seconds: somebody who saved a page waits for it, and nothing is lost without it.
REDIS_TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": 2}


class PermanentFailure(Exception):
    """Raised by a handler when trying again cannot help; its text is the reason, in plain words."""


class LeaseLost(Exception):
    """The lease ran out and the task belongs to somebody else now: stop, write nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one task until its time is over; long work extends it at each step."""

    task_id: uuid.UUID
    token: uuid.UUID
    due_at: datetime

    def extend(self) -> None:
        """Take another full lease. Raises LeaseLost when the task is no longer ours."""
        until = timezone.now() + LEASE
        if not self._query_held_task().update(lease_until=until):
            raise LeaseLost(str(self.task_id))

    def release(self, **fields: object) -> bool:
        """Write `fields` and let the task go; False when it was no longer ours."""
        return bool(self._query_held_task().update(lease=None, lease_until=None, **fields))

    def complete(self) -> None:
        """Mark the task done, unless somebody asked for the work again while it ran: then it is due again."""
        self._release_unless_requested(status=TaskStatus.DONE, finished_at=timezone.now())

    def reschedule(self, after: timedelta) -> None:
        """The work goes on after this time, or at once if somebody asked for it while it ran."""
        self._release_unless_requested(due_at=timezone.now() + after, attempts=0)
        if not after:
            notify_queue(self.task_id)

    def _release_unless_requested(self, **fields: object) -> None:
        as_claimed = self._query_held_task().filter(due_at=self.due_at)
        if not as_claimed.update(lease=None, lease_until=None, reason="", **fields) and self.release(attempts=0):
            notify_queue(self.task_id)

    def _query_held_task(self) -> QuerySet[Task]:
        return Task.objects.filter(pk=self.task_id, lease=self.token, status=TaskStatus.WAITING)


Handler = Callable[[str, Lease], timedelta | None]
FailureHandler = Callable[[str], None]
_handlers: dict[str, Handler] = {}
_failure_handlers: dict[str, FailureHandler] = {}
_queues: dict[str, str] = {}


def register_handler(
    kind: str, on_failure: FailureHandler | None = None, queue: str = SUBMIT
) -> Callable[[Handler], Handler]:
    """Register the function that does tasks of this kind, and the queue that they go through.

    It gets the object's id and the lease, and returns None when the work is done or the time after which it is due
    again. Any exception but GiveUp and LeaseLost is tried again, at most MAX_ATTEMPTS times in a row. When the task
    is given up, `given_up` is called with the object's id in the same transaction, so that nobody waits in vain.
    """

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        _queues[kind] = queue
        if on_failure:
            _failure_handlers[kind] = on_failure
        return handler

    return register


def enqueue_task(kind: str, object_id: object, *, after: timedelta = timedelta()) -> None:
    """Write down that this work is wanted, in the caller's transaction, and ring for it on commit.

    Asking twice for what still waits is one task, due at the earlier time; what is due already was rung for.
    """
    due_at = timezone.now() + after
    with transaction.atomic():
        # Locked, so that a worker cannot mark it done between our look and our change.
        waiting = Task.objects.select_for_update()
        task, created = waiting.get_or_create(
            kind=kind, object_id=str(object_id), status=TaskStatus.WAITING, defaults={"due_at": due_at}
        )
        late = Task.objects.filter(pk=task.pk, due_at__gt=due_at, lease=None)
        new = created or late.update(due_at=due_at)
        # Who has it rings by itself when it is done, as somebody has asked meanwhile.
        Task.objects.filter(pk=task.pk, lease__isnull=False).update(due_at=due_at)
    if new and not after:
        transaction.on_commit(lambda: notify_queue(task.pk))


def notify_queue(task_id: uuid.UUID) -> None:
    """Tell the workers. Without a queue nothing is lost: the sweeper rings again."""
    rows = Task.objects.filter(pk=task_id)
    rows.update(notified_at=timezone.now())
    kind = rows.values_list("kind", flat=True).first()
    try:
        config = settings.RQ_QUEUES[SUBMIT]
        with Redis.from_url(config["URL"], **REDIS_TIMEOUTS) as connection:
            # Not django_rq's queue, which in a transaction would ring later, when nobody listens for its failure.
            queue = Queue(
                _queues.get(kind or "", SUBMIT),
                connection=connection,
                serializer=JSONSerializer,
                default_timeout=config["DEFAULT_TIMEOUT"],
            )
            queue.enqueue(run_task, str(task_id), result_ttl=0, failure_ttl=3600)
    except (RedisError, OSError) as error:
        logger.warning("The queue cannot be reached (%s); task %s waits for the sweeper.", error, task_id)


def notify_due_tasks() -> int:
    """Ring for every task that is due, unclaimed and not rung for lately; returns how many."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    quiet = Q(notified_at__isnull=True) | Q(notified_at__lt=now - RENOTIFY_AFTER) | Q(notified_at__lt=F("due_at"))
    due = Task.objects.filter(free, quiet, status=TaskStatus.WAITING, due_at__lte=now).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:1000])
    for task_id in ids:
        notify_queue(task_id)
    return len(ids)


def claim_task(task_id: str) -> Lease | None:
    """Take the task for this worker; None when it is done, not due yet, or somebody has it."""
    now = timezone.now()
    token = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = Task.objects.filter(free, pk=task_id, status=TaskStatus.WAITING, due_at__lte=now)
    if not rows.update(lease=token, lease_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    return Lease(uuid.UUID(task_id), token, Task.objects.values_list("due_at", flat=True).get(pk=task_id))


def run_task(task_id: str) -> None:
    """Do one task, if it is there to be done. The only function that the queue ever calls."""
    lease = claim_task(task_id)
    if lease is None:
        return
    task = Task.objects.get(pk=task_id)
    if task.attempts > MAX_ATTEMPTS:
        fail_task(task, lease, f"The worker stopped in the middle of it {MAX_ATTEMPTS} times.")
        return
    try:
        again = _handlers[task.kind](task.object_id, lease)
    except LeaseLost:
        logger.warning("Lost the lease of %s; its new owner goes on.", task)
    except PermanentFailure as reason:
        fail_task(task, lease, str(reason))
    except Exception as error:  # noqa: BLE001 - the one place where any failure of any work becomes a row
        logger.exception("%s failed", task)
        _handle_exception(task, lease, error)
    else:
        if again is None:
            lease.complete()
        else:
            lease.reschedule(again)


def _handle_exception(task: Task, lease: Lease, error: Exception) -> None:
    # Of a file what is wrong, and not where it lies: everybody who signs in may read this.
    said = error.strerror if isinstance(error, OSError) and error.strerror else error
    reason = f"{type(error).__name__}: {said}"[:500]
    if task.attempts >= MAX_ATTEMPTS:
        fail_task(task, lease, f"Tried {task.attempts} times. Last time: {reason}")
    else:
        lease.release(due_at=timezone.now() + attempt_delay(task.attempts), reason=reason)


def fail_task(task: Task, lease: Lease, reason: str) -> None:
    """Stop trying, and say why where staff will see it."""
    with transaction.atomic():
        if not lease.release(status=TaskStatus.FAILED, reason=reason, finished_at=timezone.now()):
            return
        if farewell := _failure_handlers.get(task.kind):
            farewell(task.object_id)
    logger.error("Gave up on %s: %s", task, reason)


def retry_task(task: Task) -> bool:
    """Staff ask for a task that was given up; False when it was not, or the same work waits already."""
    if Task.objects.filter(kind=task.kind, object_id=task.object_id, status=TaskStatus.WAITING).exists():
        return False
    moved = move(task, TaskStatus.WAITING, due_at=timezone.now(), attempts=0, finished_at=None)
    if moved:
        transaction.on_commit(lambda: notify_queue(task.pk))
    return moved
