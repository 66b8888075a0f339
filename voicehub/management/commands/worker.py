"""The worker: runs the tasks in the queues (voicehub.outbox), one at a time, in this process."""

import gc
import logging
import signal
import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from types import FrameType

import django_rq
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer

from voicehub.outbox import QUEUES, SUBMIT
from voicehub.retry_policy import QUEUE_RECONNECT_SECONDS

logger = logging.getLogger(__name__)

COLLECT_AFTER_OBJECTS = 20_000


class StudioWorker(SimpleWorker):
    """RQ's worker without forking and without pub/sub commands.

    A task's state is in the database, under a lease, so no work is lost when a worker is killed. Pub/sub commands
    could stop a task halfway, so they are disabled.
    """

    is_stopping = False
    # The longest wait between RQ's own reconnection attempts. RQ's default of a minute would delay deletions.
    max_connection_wait_time = QUEUE_RECONNECT_SECONDS

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the current task, then stop."""
        self.is_stopping = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # untyped in RQ

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Run one task with a live database connection."""
        close_old_connections()
        try:
            return super().perform_job(job, queue)
        finally:
            close_old_connections()


class Command(BaseCommand):
    help = "Run the tasks in the queues until the worker gets SIGINT or SIGTERM."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queue", choices=QUEUES, action="append", help="only this queue; repeat it for several, by priority"
        )

    def handle(self, *, queue: list[str] | None, **options: object) -> None:
        connection = django_rq.get_connection(SUBMIT)
        spare_collections()
        stopped = threading.Event()
        while not stopped.is_set():
            # These handlers act before RQ installs its own handlers, and between two RQ workers.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
            try:
                if work(connection, queue or QUEUES):
                    return
            except RedisError as error:
                logger.warning("The queue cannot be reached: %s", error)
            stopped.wait(QUEUE_RECONNECT_SECONDS)


def spare_collections() -> None:
    """Have the garbage collector look less often, and never at what was loaded at the start.

    Otherwise it goes through all of that again and again while a task makes many rows.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER_OBJECTS, *gc.get_threshold()[1:])


def work(connection: Redis, names: Sequence[str]) -> bool:
    """Run tasks. Returns True after a stop request; returns False or raises RedisError if the queue is lost."""
    queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in names]
    worker = StudioWorker(queues, connection=connection, serializer=JSONSerializer, log_job_description=False)
    try:
        worker.work(logging_level="WARNING")
    except SystemExit:  # RQ raises SystemExit at a second signal
        return True
    return worker.is_stopping
