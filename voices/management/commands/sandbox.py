"""`manage.py sandbox`: the provider simulator, a server in its own process."""

import signal
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sandbox import clock, registry, training, vendor_defaults
from sandbox.context import SandboxContext, Settings
from sandbox.server import Server
from sandbox.store import FolderInUse, Store

DEFAULT_PORT = 8800


class Command(BaseCommand):
    help = "Run a simulator of the voice providers, with its own state and without sign-in."
    # The sandbox shares nothing with the dashboard, so the dashboard's checks would only delay its start.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=DEFAULT_PORT, help=f"port; 0 for any free port (default: {DEFAULT_PORT})"
        )
        folder = settings.DATA_DIR / "sandbox"
        parser.add_argument("--data", type=Path, default=folder, help="folder for state and audio")
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument(
            "--training-seconds", type=float, default=vendor_defaults.TRAINING_SECONDS, help="seconds per build"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        signal.signal(signal.SIGTERM, _handle_sigterm)
        try:
            server = _open_server(options["host"], options["port"], options["data"], options["training_seconds"])
            self._serve(server, f"http://{options['host']}:{server.server_port}", options["data"])
        except KeyboardInterrupt:
            self.stdout.write("Sandbox stopped")

    def _serve(self, server: Server, address: str, folder: Path) -> None:
        """Answer requests until KeyboardInterrupt. Trainings that a stop interrupted continue at the next start."""
        try:
            self.stdout.write(f"Sandbox listening on {address} (data: {folder})")
            self.stdout.flush()
            clock.set_offset(server.context.store.load_clock_offset())
            training.resume_trainings(server.context)
            server.serve_forever()
        finally:
            server.context.closing.set()
            server.server_close()
            server.context.store.close()


def _handle_sigterm(_number: int, _frame: FrameType | None) -> None:
    """Stop the sandbox as Ctrl-C does."""
    raise KeyboardInterrupt


def _open_server(host: str, port: int, folder: Path, training_seconds: float) -> Server:
    """Open the data folder and listen on the port. Raises CommandError if one of them is in use."""
    try:
        context = SandboxContext(Store(folder, registry.SCHEMA), Settings(training_seconds=training_seconds))
        return Server(host, port, context)
    except FolderInUse as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        advice = "Choose another --port or --host."
        raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}. {advice}") from None
