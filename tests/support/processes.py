"""Starts real processes for a test, reads their output, finds their children and always ends them."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parent.parent.parent
MANAGE = [sys.executable, str(ROOT / "manage.py")]
TIMEOUT_SECONDS = 120.0

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T], message: str | Callable[[], str], timeout_seconds: float = TIMEOUT_SECONDS
) -> T:
    """Call `condition` until it returns a true value, and return it. Raise AssertionError with `message` on timeout."""
    deadline = time.monotonic() + timeout_seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            detail = message if isinstance(message, str) else message()
            raise AssertionError(f"No result after {timeout_seconds:.0f} s: {detail}")
        time.sleep(0.02)
    return result


def find_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_processes(variable: str, value: str) -> dict[int, str]:
    """Return the command lines, by pid, of all processes with this value of an environment variable.

    Valkey overwrites its environment with its process title, so a title that contains the folder `value` counts too.
    """
    processes = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            command_line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            has_variable = f"{variable}={value}\0".encode() in (folder / "environ").read_bytes()
            if folder.name.isdigit() and (has_variable or f":{value}/" in command_line):
                processes[int(folder.name)] = command_line
    return processes


def get_parent_pid(pid: int) -> int:
    """Return the pid of the parent process, or 0 if the process has ended."""
    with suppress(OSError):
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    return 0


class StartedProcess:
    """A started process and its output so far."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A session of its own, so that signals to the process do not reach the tests.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(ValueError):
            self.lines.extend(line.rstrip("\n") for line in self.process.stdout or ())

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for_output(self, text: str, patience: float = TIMEOUT_SECONDS) -> None:
        wait_for(lambda: text in self.output or self.process.poll() is not None, lambda: self.output, patience)
        self._reader.join(0 if self.process.poll() is None else 5)
        assert text in self.output, self.output

    def stop(self, signal_number: int = signal.SIGINT, timeout_seconds: float = TIMEOUT_SECONDS) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.process.send_signal(signal_number)
        code = self.process.wait(timeout_seconds)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
