"""Background tasks, as a transactional outbox: tasks are stored in the database, the queue only carries their ids.

`enqueue_task` writes a Task in the caller's transaction and notifies the queue on commit. A worker claims the row with
a lease by one conditional UPDATE, so one worker at a time runs a task, however many notifications there are. When a
worker dies, its task is free again after the lease. `manage.py sweep` re-enqueues due, unclaimed tasks: if the
queue is lost, tasks start some seconds later, but none is lost.
"""

import logging
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from voicehub.models import Task, TaskStatus, User
from voicehub.retry_policy import FAILED_TASK_RETRY, LEASE, MAX_ATTEMPTS, RENOTIFY_AFTER, attempt_delay
from voicehub.transitions import move

logger = logging.getLogger(__name__)

# Separate queues keep long tasks from delaying urgent ones. URGENT: deletions, polls and look-ups at providers.
# SUBMIT: builds and mails to send. TAKES: checks that a person waits for, of a take that a talent has just sent and of
# files that staff import. ANALYSIS: recordings.
QUEUES = URGENT, SUBMIT, TAKES, ANALYSIS = "urgent", "submit", "takes", "analysis"
# In seconds. Short, because saving a page waits for Redis, and no task is lost if the queue cannot be reached.
REDIS_TIMEOUTS: dict[str, Any] = {"socket_connect_timeout": 2, "socket_timeout": 2}


class PermanentFailure(Exception):
    """Raised by a handler when a retry cannot help. Its text is the reason, for staff."""


class LeaseLost(Exception):
    """The lease expired and another worker may own the task: stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one task until it expires. Long work extends it at each step."""

    task_id: uuid.UUID
    token: uuid.UUID
    due_at: datetime

    def extend(self) -> None:
        """Renew the lease for its full time. Raises LeaseLost if this worker no longer owns the task."""
        until = timezone.now() + LEASE
        if not self._query_held_task().update(lease_until=until):
            raise LeaseLost(str(self.task_id))

    def release(self, **fields: object) -> bool:
        """Write `fields` and release the task. False if this worker no longer owns the task."""
        return bool(self._query_held_task().update(lease=None, lease_until=None, **fields))

    def complete(self) -> None:
        """Mark the task done. If it was enqueued again while it ran, make it due again instead."""
        self._release_unless_requested(status=TaskStatus.DONE, finished_at=timezone.now())

    def reschedule(self, after: timedelta) -> None:
        """Make the task due again after this time, or at once if it was enqueued again while it ran."""
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
    kind: str, on_failure: FailureHandler | None = None, queue: str = SUBMIT, *, gives_up: bool = True
) -> Callable[[Handler], Handler]:
    """Decorator: register the handler for tasks of this kind, and their queue.

    The handler gets the object's id and the lease. It returns None when the work is done, or the delay until the task
    is due again. Any exception except PermanentFailure and LeaseLost is retried, at most MAX_ATTEMPTS times in a row.
    When the task fails, `on_failure` is called with the object's id in the same transaction. A kind that never gives up
    is then enqueued again, after FAILED_TASK_RETRY.
    """
    if not gives_up:
        on_failure = partial(enqueue_task, kind, after=FAILED_TASK_RETRY)

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        _queues[kind] = queue
        if on_failure:
            _failure_handlers[kind] = on_failure
        return handler

    return register


def enqueue_task(kind: str, object_id: object, *, after: timedelta = timedelta()) -> None:
    """Write the task in the caller's transaction, and notify the queue on commit.

    If the same task is already waiting, it stays and is due at the earlier of both times. The queue already knows a
    task that is due.
    """
    due_at = timezone.now() + after
    with transaction.atomic():
        # Locked, so that a worker cannot mark the task done between this read and the update.
        waiting = Task.objects.select_for_update()
        task, created = waiting.get_or_create(
            kind=kind, object_id=str(object_id), status=TaskStatus.WAITING, defaults={"due_at": due_at}
        )
        due_later = Task.objects.filter(pk=task.pk, due_at__gt=due_at, lease=None)
        is_new = created or due_later.update(due_at=due_at)
        # The worker that holds the lease re-enqueues the task when it finishes, because due_at changed.
        Task.objects.filter(pk=task.pk, lease__isnull=False).update(due_at=due_at)
    if is_new and not after:
        transaction.on_commit(lambda: notify_queue(task.pk))


def hasten_tasks(kind: str, object_ids: Iterable[object]) -> None:
    """Enqueue again those of these tasks that wait for a later time, so that they are due now."""
    wanted = [str(pk) for pk in object_ids]
    rows = Task.objects.filter(kind=kind, object_id__in=wanted, status=TaskStatus.WAITING)
    for object_id in list(rows.values_list("object_id", flat=True)):
        enqueue_task(kind, object_id)


def notify_queue(task_id: uuid.UUID) -> None:
    """Put the task's id in its queue. If the queue is unreachable, the sweeper enqueues the task later."""
    rows = Task.objects.filter(pk=task_id)
    rows.update(notified_at=timezone.now())
    kind = rows.values_list("kind", flat=True).first()
    try:
        config = settings.RQ_QUEUES[SUBMIT]
        with Redis.from_url(config["URL"], **REDIS_TIMEOUTS) as connection:
            # Not django_rq's queue: inside a transaction it enqueues on commit, outside of this `except`.
            queue = Queue(
                _queues.get(kind or "", SUBMIT),
                connection=connection,
                serializer=JSONSerializer,
                default_timeout=config["DEFAULT_TIMEOUT"],
            )
            queue.enqueue(run_task, str(task_id), result_ttl=0, failure_ttl=3600)
    except (RedisError, OSError) as error:
        logger.warning("The queue cannot be reached (%s). The sweeper will enqueue task %s.", error, task_id)


def notify_due_tasks() -> int:
    """Notify the queue of every due, unclaimed task without a recent notification. Returns the number of tasks."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    unnotified = Q(notified_at__isnull=True) | Q(notified_at__lt=now - RENOTIFY_AFTER) | Q(notified_at__lt=F("due_at"))
    due = Task.objects.filter(free, unnotified, status=TaskStatus.WAITING, due_at__lte=now).order_by("due_at")
    ids = list(due.values_list("pk", flat=True)[:1000])
    for task_id in ids:
        notify_queue(task_id)
    return len(ids)


def claim_task(task_id: str) -> Lease | None:
    """Claim the task for this worker. None if it is done, not due yet, or claimed by another worker."""
    now = timezone.now()
    token = uuid.uuid4()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    rows = Task.objects.filter(free, pk=task_id, status=TaskStatus.WAITING, due_at__lte=now)
    if not rows.update(lease=token, lease_until=now + LEASE, attempts=F("attempts") + 1):
        return None
    return Lease(uuid.UUID(task_id), token, Task.objects.values_list("due_at", flat=True).get(pk=task_id))


def run_task(task_id: str) -> None:
    """Claim and run one task, if it can be claimed. The only function that the queue calls."""
    lease = claim_task(task_id)
    if lease is None:
        return
    task = Task.objects.get(pk=task_id)
    if task.attempts > MAX_ATTEMPTS:
        fail_task(task, lease, f"The worker stopped during the task {MAX_ATTEMPTS} times.")
        return
    try:
        delay = _handlers[task.kind](task.object_id, lease)
    except LeaseLost:
        logger.warning("Lost the lease of %s. Another worker continues it.", task)
    except PermanentFailure as reason:
        fail_task(task, lease, str(reason))
    except Exception as error:  # noqa: BLE001 - any failure of any handler is stored on the task
        logger.exception("%s failed", task)
        _handle_exception(task, lease, error)
    else:
        if delay is None:
            lease.complete()
        else:
            lease.reschedule(delay)


def _handle_exception(task: Task, lease: Lease, error: Exception) -> None:
    # All staff can read the reason, so an OSError is stored without its path.
    message = error.strerror if isinstance(error, OSError) and error.strerror else error
    reason = f"{type(error).__name__}: {message}"[:500]
    if task.attempts >= MAX_ATTEMPTS:
        fail_task(task, lease, f"Failed {task.attempts} times. Last error: {reason}")
    else:
        lease.release(due_at=timezone.now() + attempt_delay(task.attempts), reason=reason)


def fail_task(task: Task, lease: Lease, reason: str) -> None:
    """Stop retrying, store the reason for staff, and call the failure handler."""
    with transaction.atomic():
        if not lease.release(status=TaskStatus.FAILED, reason=reason, finished_at=timezone.now()):
            return
        if on_failure := _failure_handlers.get(task.kind):
            on_failure(task.object_id)
    logger.error("%s failed for good: %s", task, reason)


def retry_task(task: Task) -> bool:
    """Run a failed task again. False if it has not failed, or if the same task is already waiting."""
    if Task.objects.filter(kind=task.kind, object_id=task.object_id, status=TaskStatus.WAITING).exists():
        return False
    unseen = {"seen_at": None, "seen_by": None}
    moved = move(task, TaskStatus.WAITING, due_at=timezone.now(), attempts=0, finished_at=None, **unseen)
    if moved:
        transaction.on_commit(lambda: notify_queue(task.pk))
    return moved


def mark_task_seen(task: Task, by: User) -> bool:
    """Take a failed task off the page Today. False if it has not failed, or if it is already marked."""
    failed = Task.objects.filter(pk=task.pk, status=TaskStatus.FAILED, seen_at=None)
    return bool(failed.update(seen_at=timezone.now(), seen_by=by))
