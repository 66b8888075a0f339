"""`manage.py sandbox`: the stand-in for the providers, a server in a process of its own."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox import clock, registry, training, vendor_defaults
from sandbox.context import House, Settings
from sandbox.server import Server
from sandbox.store import FolderInUse, Store

PORT = 8800


class Command(BaseCommand):
    help = "Serve a stand-in for the voice providers, with its own state and no login."
    # It shares nothing with the dashboard, whose checks would only delay it.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=PORT, help=f"0 takes any free port (default: {PORT})")
        folder = settings.DATA_DIR / "sandbox"
        parser.add_argument("--data", type=Path, default=folder, help="folder for its state and audio")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--training-seconds", type=float, default=vendor_defaults.TRAINING_SECONDS, help="how long a build takes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _stop)
        try:
            server = _opened(options["host"], options["port"], options["data"], options["training_seconds"])
            self._serve(server, f"http://{options['host']}:{server.server_port}", options["data"])
        except KeyboardInterrupt:
            self.stdout.write("Sandbox stopped")

    def _serve(self, server: Server, address: str, folder: Path) -> None:
        """Until KeyboardInterrupt. Trainings that are under way go on at the next start."""
        try:
            self.stdout.write(f"Sandbox listening on {address} with its data in {folder}")
            self.stdout.flush()
            clock.start(server.house.store.ahead())
            training.resume(server.house)
            server.serve_forever()
        finally:
            server.house.closing.set()
            server.server_close()
            server.house.store.close()


def _stop(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the sandbox as Ctrl-C does."""
    raise KeyboardInterrupt


def _opened(host: str, port: int, folder: Path, training_seconds: float) -> Server:
    """The server, listening; CommandError where the folder or the port is taken."""
    try:
        house = House(Store(folder, registry.SCHEMA), Settings(training_seconds=training_seconds))
        return Server(host, port, house)
    except FolderInUse as problem:
        raise CommandError(str(problem)) from None
    except OSError as problem:
        raise CommandError(f"Cannot listen on {host}:{port}: {problem.strerror}") from None
