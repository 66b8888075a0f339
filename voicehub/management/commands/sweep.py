"""The sweeper: rings again for work that is due and that nobody has taken (voicehub.outbox.sweep)."""

import logging
import signal
import threading

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from voicehub import outbox

logger = logging.getLogger(__name__)

# Work that nobody asks for by a click; once begun, each asks for itself again.
RECURRING = ("expire_consents",)


class Command(BaseCommand):
    help = "Rings for due work that nobody has taken, again and again. Any number of them may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="sweep once and say how many were rung for")
        parser.add_argument("--every", type=float, default=5.0, help="seconds between two sweeps (default: 5)")

    def handle(self, *, once: bool, every: float, **options: object) -> None:
        if once:
            self.stdout.write(f"Rang for {outbox.notify_due_tasks()} of the tasks that wait.")
            return
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        begun = False
        while not stopped.is_set():
            begun = sweep(begin=not begun) or begun
            stopped.wait(every)


def sweep(begin: bool) -> bool:
    """One round, True if it was made; a database that is away for a moment is no reason to stop."""
    close_old_connections()
    try:
        for kind in RECURRING if begin else ():
            outbox.enqueue_task(kind, "all")
        outbox.notify_due_tasks()
    except DatabaseError as error:
        logger.warning("The sweep was skipped, the database does not answer: %s", error)
        return False
    return True
