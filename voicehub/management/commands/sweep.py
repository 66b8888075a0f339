"""Runs the sweeper (voicehub.scheduler) until it is stopped, or once."""

import signal
import threading

from django.core.management.base import BaseCommand, CommandParser

from voicehub import outbox
from voicehub.scheduler import run_sweeper


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
        run_sweeper(stopped, every)
