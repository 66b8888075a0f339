"""The sweeper: re-enqueues due, unclaimed tasks (voicehub.outbox.notify_due_tasks)."""

import logging
import signal
import threading

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from voicehub import outbox

logger = logging.getLogger(__name__)

# Recurring tasks. The sweeper enqueues them at its start; each then reschedules itself.
RECURRING = ("expire_consents",)


class Command(BaseCommand):
    help = "Re-enqueue due, unclaimed tasks at an interval. Any number of sweepers may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="sweep once and print the number of tasks")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between sweeps (default: 5)")

    def handle(self, *, once: bool, every: float, **options: object) -> None:
        if once:
            self.stdout.write(f"Due tasks enqueued: {outbox.notify_due_tasks()}.")
            return
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        is_started = False
        while not stopped.is_set():
            is_started = sweep(start_recurring=not is_started) or is_started
            stopped.wait(every)


def sweep(start_recurring: bool) -> bool:
    """Sweep once. False if the database did not respond, which must not stop the sweeper."""
    close_old_connections()
    try:
        for kind in RECURRING if start_recurring else ():
            outbox.enqueue_task(kind, "all")
        outbox.notify_due_tasks()
    except DatabaseError as error:
        logger.warning("Sweep skipped, because the database does not respond: %s", error)
        return False
    return True
