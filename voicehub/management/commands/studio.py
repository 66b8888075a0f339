"""Everything at once on one machine: web, worker, sweeper, queue and sandbox under one supervisor."""

import fcntl
import hashlib
import http.client
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

import django
from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from voicehub import valkey
from voicehub.supervisor import Program, Supervisor

HOST = "127.0.0.1"
MANAGE = [sys.executable, str(settings.BASE_DIR / "manage.py")]

Say = Callable[[str], object]


class Refused(Exception):
    """The studio cannot be started; the text says why, and what to do."""


class Command(BaseCommand):
    help = "Runs the whole studio on this machine until Ctrl-C."
    # What they find would be said again by every program that is started; a start should not wait for it.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where the pages are served (default: 8000)")
        parser.add_argument("--workers", type=int, default=1, help="how many workers (default: 1)")
        parser.add_argument("--no-sample", action="store_true", help="start without making the sample studio")

    def handle(self, *, port: int, workers: int, no_sample: bool, **options: object) -> None:
        try:
            with only_one(settings.DATA_DIR / "run", f"http://{HOST}:{port}"):
                demand_free(port)
                prepare_database(self.stdout.write)
                prepare_static(self.stdout.write)
                run(port, workers, sample=not no_sample)
        except (Refused, valkey.NoServer, PermissionError) as trouble:
            sys.exit(str(trouble))
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")


# --- Before anything starts -------------------------------------------------------------


@contextmanager
def only_one(folder: Path, address: str) -> Iterator[None]:
    """Hold the data folder for this studio alone. The lock ends with the process, however that ends."""
    valkey.make_folder(folder)
    with (folder / "studio.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(_already_running(file)) from None
        file.truncate(0)
        file.write(f"{address} (process {os.getpid()})")
        file.flush()
        yield


def _already_running(file: IO[str]) -> str:
    file.seek(0)
    where = f" at {file.read().strip()}" if os.fstat(file.fileno()).st_size else ""
    return (
        f"A studio is already running on {settings.DATA_DIR}{where}.\n"
        "Stop it first, or give this one a folder of its own: VOICEHUB_DATA_DIR=…"
    )


def demand_free(port: int) -> None:
    """Raises Refused when the port cannot be served."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # As the web server does it: a port whose last connections are still winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise Refused(
                f"Port {port} cannot be used: {(error.strerror or str(error)).lower()}.\n"
                f"Stop the program that has it, or choose another port: make run PORT={port + 1}"
            ) from error


def prepare_database(say: Say) -> None:
    """Bring the database up to date, if it is not."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)
    connections.close_all()


def prepare_static(say: Say) -> None:
    """Collect the static files, if any of them changed since the last time."""
    stamp = settings.STATIC_ROOT / ".stamp"
    now = fingerprint()
    if stamp.is_file() and stamp.read_text(encoding="ascii") == now:
        return
    say("Gathering the static files …")
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    stamp.write_text(now, encoding="ascii")


def fingerprint() -> str:
    """Of every static file of ours its name, size and time; of those in packages, the lock that pins them."""
    found = hashlib.sha256(f"{django.__version__} {settings.DEBUG}".encode())
    lock = settings.BASE_DIR / "requirements" / "run.txt"
    files = sorted(path for folder in settings.STATICFILES_DIRS for path in Path(folder).rglob("*"))
    for path in [lock, *files]:
        if path.is_file():
            status = path.stat()
            found.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()


# --- The programs -----------------------------------------------------------------------


def run(port: int, workers: int, sample: bool) -> None:
    """Run the studio until it is told to stop; what is given from outside is not run here."""
    address = f"http://{HOST}:{port}"
    environment = {"VOICEHUB_BASE_URL": os.environ.get("VOICEHUB_BASE_URL") or address}
    parts: list[Program] = []
    if not os.environ.get("REDIS_URL"):
        parts.append(queue())
    if not os.environ.get("VOICEHUB_SANDBOX_URL"):
        parts.append(sandbox(environment))
    greeting = Greeting(address, settings.DATA_DIR / "sign-ins.txt")
    # The page first: somebody waits for it.
    parts.insert(1, web(port, environment, greeting.is_served))
    parts += [manage(f"worker{number}", "worker", environment) for number in range(1, workers + 1)]
    parts.append(manage("sweeper", "sweep", environment))
    if sample and "sample_studio" in get_commands():
        parts.append(manage("sample", "sample_studio", environment, once=True))
    supervisor = Supervisor(parts, greeting.look)
    greeting.say = supervisor.output.line
    supervisor.run()


def manage(name: str, command: str, environment: dict[str, str], once: bool = False) -> Program:
    return Program(name, [*MANAGE, command], environment, once=once)


def queue() -> Program:
    where = valkey.socket_path(settings.DATA_DIR)
    command = valkey.command(settings.DATA_DIR)
    return Program("queue", command, ready=lambda: valkey.answers(where), outlives=True)


def sandbox(environment: dict[str, str]) -> Program:
    """The stand-in for the providers; puts its address into `environment`, for those that call it."""
    port = free_port(settings.DATA_DIR / "run" / "sandbox.port")
    environment["VOICEHUB_SANDBOX_URL"] = f"http://{HOST}:{port}"
    command = [*MANAGE, "sandbox", "--port", str(port), "--data", str(settings.DATA_DIR / "sandbox")]
    return Program("sandbox", command, environment, outlives=True)


def web(port: int, environment: dict[str, str], ready: Callable[[], bool]) -> Program:
    options = {
        "bind": f"{HOST}:{port}",
        "chdir": str(settings.BASE_DIR),
        "worker-class": "gthread",
        "workers": "2",
        "threads": "8",
        "timeout": "60",
        "graceful-timeout": "8",  # within what the supervisor allows
        "log-level": "warning",
    }
    command = [sys.executable, "-m", "gunicorn", "voicehub.wsgi:application", "--no-control-socket"]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    return Program("web", command, environment, ready=ready)


def free_port(remembered: Path) -> int:
    """The port of last time if it is free, so that addresses stay as they were; or else any that is."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(remembered.read_text(encoding="ascii"))))
        except (OSError, ValueError, OverflowError):
            probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    remembered.write_text(str(port), encoding="ascii")
    return port


class Greeting:
    """Says where the studio is as soon as it answers there, and how to sign in as soon as that is known."""

    def __init__(self, address: str, sign_ins: Path) -> None:
        self.say: Say = str
        self._address = address
        self._sign_ins = sign_ins
        self._served = self._greeted = self._introduced = False

    def is_served(self) -> bool:
        """True when the web server gives an answer, whatever it is."""
        site = http.client.HTTPConnection(self._address.removeprefix("http://"), timeout=0.5)
        with closing(site), suppress(OSError, http.client.HTTPException):
            site.request("GET", "/healthz")
            site.getresponse()
            self._served = True
        return self._served

    def look(self) -> None:
        if self._served and not self._greeted:
            self._greeted = True
            self.say(f"\nVoiceHub is at {self._address} – stop it with Ctrl-C.\n")
        if self._greeted and not self._introduced and self._sign_ins.is_file():
            self._introduced = True
            self.say(self._sign_ins.read_text(encoding="utf-8"))
