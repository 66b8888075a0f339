"""The whole studio on one machine: the programs that `manage.py studio` starts, and its checks before the start.

Nothing here imports Django, so the supervisor stays small. Before the first page, Django is loaded only once, by the
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
from launcher.environment import ROOT, get_data_dir, make_secrets
from launcher.supervisor import Program, Supervisor

HOST = "127.0.0.1"
MANAGE = [sys.executable, str(ROOT / "manage.py")]

PrintLine = Callable[[str], object]


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
    sys.exit(run_studio(options.port, options.workers, sample=not options.no_sample))


def run_studio(port: int, workers: int, *, sample: bool) -> int | str:
    """Run the studio until it is stopped. Returns the exit code (0 or 1), or why it was not started."""
    folder = get_data_dir()
    try:
        make_secrets(folder)
        with lock_data_folder(folder, f"http://{HOST}:{port}"):
            check_port(port)
            return run_programs(folder, port, workers, sample)
    except (StartRefused, valkey.ServerNotFound, OSError) as error:
        return str(error)


# --- Before anything starts -------------------------------------------------------------


@contextmanager
def lock_data_folder(folder: Path, address: str) -> Iterator[None]:
    """Lock the data folder for this studio. The lock ends with the process, however that ends."""
    valkey.make_private_folder(folder / "run")
    with (folder / "run" / "studio.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartRefused(_describe_running_studio(folder, file)) from None
        file.truncate(0)
        file.write(f"{address} (process {os.getpid()})")
        file.flush()
        yield


def _describe_running_studio(folder: Path, file: IO[str]) -> str:
    file.seek(0)
    address = file.read().strip()
    return (
        f"A studio is already running on {folder}{address and ' at '}{address}.\n"
        "Stop it first, or use another folder for this one: VOICEHUB_DATA_DIR=…"
    )


def check_port(port: int) -> None:
    """Raise StartRefused if the port cannot be used."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        # The web server sets this too, so that it can use a port whose last connections are still closing.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise StartRefused(
                f"Port {port} cannot be used: {(getattr(error, 'strerror', '') or str(error)).lower()}.\n"
                f"Stop the program that uses it, or choose another port: make run PORT={port + 1}"
            ) from error


def choose_port(port_file: Path) -> int:
    """Return the port of the last start if it is free, so that addresses stay the same, or else any free port."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(port_file.read_text(encoding="ascii"))))
        except (OSError, ValueError, OverflowError):
            probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    port_file.write_text(str(port), encoding="ascii")
    return port


# --- The programs -----------------------------------------------------------------------


def run_programs(folder: Path, port: int, workers: int, sample: bool) -> int:
    """Start the programs and keep them running. A queue or sandbox whose URL is set in a setting is not started."""
    address = f"http://{HOST}:{port}"
    environment = {"VOICEHUB_BASE_URL": os.environ.get("VOICEHUB_BASE_URL") or address}
    greeting = Greeting(address, folder / "sign-ins.txt", sample=sample)
    programs = [] if os.environ.get("REDIS_URL") else [build_queue_program(folder)]
    sandbox_programs = [] if os.environ.get("VOICEHUB_SANDBOX_URL") else [build_sandbox_program(folder, environment)]
    # The web server starts first: the user waits for it, and the other programs need the database that it prepares.
    programs += [build_web_program(port, environment, greeting.is_served), *sandbox_programs]
    programs += [
        build_manage_program(name, f"worker {queues}", environment)
        for name, queues in list_worker_queues(workers).items()
    ]
    # The studio has one machine and few tasks, so a task that is due need not wait for seconds.
    programs.append(build_manage_program("sweeper", "sweep --every 1", environment))
    if sample:
        programs.append(build_manage_program("sample", "sample_studio", environment, once=True))
    else:
        programs.append(build_manage_program("admin", "create_admin --hint", environment, once=True))
    supervisor = Supervisor(programs, greeting.print_when_ready)
    greeting.print_line = supervisor.output.write_line
    return supervisor.run()


def list_worker_queues(workers: int) -> dict[str, str]:
    """Return the queue options by worker name. One worker runs only urgent tasks: they never wait for a build upload.

    Numbered workers take `submit` first: a worker reads a queue only if the queues before it are empty, and many polls
    of a slow provider would delay builds and mails.
    """
    sending = {f"worker{number}": "--queue submit --queue urgent" for number in range(1, workers + 1)}
    return {"urgent": "--queue urgent", **sending, "analysis": "--queue takes --queue analysis"}


def build_manage_program(name: str, command: str, environment: dict[str, str], once: bool = False) -> Program:
    return Program(name, [*MANAGE, *command.split()], environment, runs_once=once)


def build_queue_program(folder: Path) -> Program:
    socket_path = valkey.get_socket_path(folder)
    return Program(
        "queue", valkey.build_command(folder), is_ready=lambda: valkey.is_answering(socket_path), stops_last=True
    )


def build_sandbox_program(folder: Path, environment: dict[str, str]) -> Program:
    """Return the simulator of the providers. Adds its URL to `environment`, for the programs that call it."""
    port = choose_port(folder / "run" / "sandbox.port")
    environment["VOICEHUB_SANDBOX_URL"] = f"http://{HOST}:{port}"
    command = [*MANAGE, "sandbox", "--port", str(port), "--data", str(folder / "sandbox")]
    return Program("sandbox", command, environment, stops_last=True)


def build_web_program(port: int, environment: dict[str, str], ready: Callable[[], bool]) -> Program:
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
    return Program("web", command, environment, is_ready=ready)


class Greeting:
    """Prints the studio's address once it is served. With the sample, also where its sign-ins stand.

    The sign-ins themselves are printed only by the start that creates them.
    """

    def __init__(self, address: str, sign_ins: Path, *, sample: bool) -> None:
        self.print_line: PrintLine = str
        self._address = address
        self._sign_ins = sign_ins
        self._are_old = sign_ins.is_file()
        self._was_served = self._has_shown_address = False
        self._has_shown_sign_ins = not sample

    def is_served(self) -> bool:
        """Whether the web server has sent any response."""
        connection = http.client.HTTPConnection(self._address.removeprefix("http://"), timeout=2)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            connection.getresponse()
            self._was_served = True
        return self._was_served

    def print_when_ready(self) -> None:
        if self._was_served and not self._has_shown_address:
            self._has_shown_address = True
            self.print_line(f"\nVoiceHub is at {self._address} – stop it with Ctrl-C.\n")
        if self._has_shown_address and not self._has_shown_sign_ins and self._sign_ins.is_file():
            self._has_shown_sign_ins = True
            self.print_line(self._describe_sign_ins())

    def _describe_sign_ins(self) -> str:
        if self._are_old:
            return f"The names and passwords of the sample studio are in {self._sign_ins}."
        names = self._sign_ins.read_text(encoding="utf-8")
        return f"Sign in with one of these names and passwords. They are also in {self._sign_ins}:\n{names}"
