"""The worker: does the tasks that the queue rings for (voicehub.outbox), one at a time, in this process."""

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


class StudioWorker(SimpleWorker):
    """RQ's worker without what a doorbell needs none of: no fork, no commands by pub/sub.

    The state of a task is in the database, under a lease, so a killed worker is as good as an unplugged
    one. Commands sent through the queue could stop a task halfway; nobody may.
    """

    is_stopping = False
    # Where RQ itself tries to reach the queue again: its own limit of a minute would keep deletions waiting.
    max_connection_wait_time = QUEUE_RECONNECT_SECONDS

    def subscribe(self) -> None:
        pass

    def unsubscribe(self) -> None:
        pass

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish the task in hand, then stop."""
        self.is_stopping = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]  # RQ gives it no types

    def perform_job(self, job: Job, queue: Queue) -> bool:
        """Do one task with a database connection that is known to be alive."""
        close_old_connections()
        try:
            return super().perform_job(job, queue)
        finally:
            close_old_connections()


class Command(BaseCommand):
    help = "Does the tasks that wait in the queues, until it is told to stop."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queue", choices=QUEUES, action="append", help="only this queue; several are emptied in the order given"
        )

    def handle(self, *, queue: list[str] | None, **options: object) -> None:
        connection = django_rq.get_connection(SUBMIT)
        stopped = threading.Event()
        while not stopped.is_set():
            # Until RQ puts its own in place, and between two of its workers.
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: stopped.set())
            try:
                if work(connection, queue or QUEUES):
                    return
            except RedisError as error:
                logger.warning("The queue cannot be reached: %s", error)
            stopped.wait(QUEUE_RECONNECT_SECONDS)


def work(connection: Redis, names: Sequence[str]) -> bool:
    """Work until told to stop (True) or until the queue is lost (False, or RedisError)."""
    queues = [Queue(name, connection=connection, serializer=JSONSerializer) for name in names]
    worker = StudioWorker(queues, connection=connection, serializer=JSONSerializer, log_job_description=False)
    try:
        worker.work(logging_level="WARNING")
    except SystemExit:  # RQ's word for a second signal
        return True
    return worker.is_stopping
