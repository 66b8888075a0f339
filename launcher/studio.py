"""The whole studio on one machine: the programs that `manage.py studio` starts, and its checks before the start.

Nothing here imports Django. The supervisor stays small, and Django is loaded only once before the first page, by the
web server itself.
"""

import argparse
import fcntl
import http.client
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO

from launcher import valkey
from launcher.environment import ROOT, data_dir, make_secrets
from launcher.supervisor import Program, Supervisor

HOST = "127.0.0.1"
MANAGE = [sys.executable, str(ROOT / "manage.py")]

Say = Callable[[str], object]


class StartRefused(Exception):
    """The studio cannot be started; the text says why and what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000, help="port of the web pages (default: 8000)")
    parser.add_argument("--workers", type=int, default=1, help="number of workers (default: 1)")
    parser.add_argument("--no-sample", action="store_true", help="start without the sample studio")


def main(arguments: list[str]) -> None:
    """Run the studio until it is stopped, then exit."""
    parser = argparse.ArgumentParser(prog="manage.py studio")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    sys.exit(run(options.port, options.workers, sample=not options.no_sample))


def run(port: int, workers: int, *, sample: bool) -> int | str:
    """Run the studio until it is stopped. Returns 0, 1, or why it was not started."""
    folder = data_dir()
    try:
        make_secrets(folder)
        with only_one(folder, f"http://{HOST}:{port}"):
            demand_free(port)
            return supervise(folder, port, workers, sample)
    except (StartRefused, valkey.NoServer, OSError) as error:
        return str(error)


# --- Before anything starts -------------------------------------------------------------


@contextmanager
def only_one(folder: Path, address: str) -> Iterator[None]:
    """Lock the data folder for this studio. The lock ends with the process, however that ends."""
    valkey.make_folder(folder / "run")
    with (folder / "run" / "studio.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartRefused(_already_running(folder, file)) from None
        file.truncate(0)
        file.write(f"{address} (process {os.getpid()})")
        file.flush()
        yield


def _already_running(folder: Path, file: IO[str]) -> str:
    file.seek(0)
    where = file.read().strip()
    return (
        f"A studio is already running on {folder}{where and ' at '}{where}.\n"
        "Stop it first, or use another folder for this one: VOICEHUB_DATA_DIR=…"
    )


def demand_free(port: int) -> None:
    """Raises StartRefused if the port cannot be used."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # As the web server does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise StartRefused(
                f"Port {port} cannot be used: {(getattr(error, 'strerror', '') or str(error)).lower()}.\n"
                f"Stop the program that uses it, or choose another port: make run PORT={port + 1}"
            ) from error


def free_port(remembered: Path) -> int:
    """The port of the last start if it is free, so that addresses stay the same, or else any free port."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(remembered.read_text(encoding="ascii"))))
        except (OSError, ValueError, OverflowError):
            probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    remembered.write_text(str(port), encoding="ascii")
    return port


# --- The programs -----------------------------------------------------------------------


def supervise(folder: Path, port: int, workers: int, sample: bool) -> int:
    """Start the programs and keep them running. External ones (REDIS_URL, VOICEHUB_SANDBOX_URL) are not started."""
    address = f"http://{HOST}:{port}"
    environment = {"VOICEHUB_BASE_URL": os.environ.get("VOICEHUB_BASE_URL") or address}
    greeting = Greeting(address, folder / "sign-ins.txt")
    parts = [] if os.environ.get("REDIS_URL") else [queue(folder)]
    sandbox_parts = [] if os.environ.get("VOICEHUB_SANDBOX_URL") else [sandbox(folder, environment)]
    # The web server first: the user waits for it, and the others need the database that it prepares.
    parts += [web(port, environment, greeting.is_served), *sandbox_parts]
    parts += [manage(name, f"worker {queues}", environment) for name, queues in worker_queues(workers).items()]
    parts.append(manage("sweeper", "sweep", environment))
    if sample:
        parts.append(manage("sample", "sample_studio", environment, once=True))
    supervisor = Supervisor(parts, greeting.look)
    greeting.say = supervisor.output.line
    return supervisor.run()


def worker_queues(workers: int) -> dict[str, str]:
    """The queue options of each worker, by name. One runs only urgent tasks, so they never wait for a build upload.

    The others take `submit` first: a worker reads a queue only if those before it are empty, and many polls of a slow
    provider would delay builds and mails.
    """
    sending = {f"worker{number}": "--queue submit --queue urgent" for number in range(1, workers + 1)}
    return {"urgent": "--queue urgent", **sending, "analysis": "--queue takes --queue analysis"}


def manage(name: str, command: str, environment: dict[str, str], once: bool = False) -> Program:
    return Program(name, [*MANAGE, *command.split()], environment, once=once)


def queue(folder: Path) -> Program:
    where = valkey.socket_path(folder)
    return Program("queue", valkey.command(folder), ready=lambda: valkey.answers(where), outlives=True)


def sandbox(folder: Path, environment: dict[str, str]) -> Program:
    """The provider simulator. Adds its address to `environment`, for the programs that call it."""
    port = free_port(folder / "run" / "sandbox.port")
    environment["VOICEHUB_SANDBOX_URL"] = f"http://{HOST}:{port}"
    command = [*MANAGE, "sandbox", "--port", str(port), "--data", str(folder / "sandbox")]
    return Program("sandbox", command, environment, outlives=True)


def web(port: int, environment: dict[str, str], ready: Callable[[], bool]) -> Program:
    options = {
        "config": "python:launcher.gunicorn_conf",
        "bind": f"{HOST}:{port}",
        "chdir": str(ROOT),
        "worker-class": "gthread",
        "workers": "2",
        "threads": "8",
        "timeout": "60",
        "graceful-timeout": "8",  # less than the supervisor's grace period
        "log-level": "warning",
    }
    command = [sys.executable, "-m", "gunicorn", "voicehub.wsgi:application", "--no-control-socket"]
    command += [part for name, value in options.items() for part in (f"--{name}", value)]
    return Program("web", command, environment, ready=ready)


class Greeting:
    """Prints the studio's address once it is served, and the sign-ins once they are known."""

    def __init__(self, address: str, sign_ins: Path) -> None:
        self.say: Say = str
        self._address = address
        self._sign_ins = sign_ins
        self._served = self._greeted = self._introduced = False

    def is_served(self) -> bool:
        """Whether the web server has sent any response."""
        site = http.client.HTTPConnection(self._address.removeprefix("http://"), timeout=2)
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
            self.say(f"Sign in with one of these names and passwords:\n{self._sign_ins.read_text(encoding='utf-8')}")
