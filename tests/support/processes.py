"""Real processes of a test's own: started, watched, found again and always ended."""

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
PATIENCE = 120.0

T = TypeVar("T")


def wait_for(what: Callable[[], T], why: str | Callable[[], str], patience: float = PATIENCE) -> T:
    """The first true answer of `what`. Raises AssertionError with `why` when there is none in time."""
    until = time.monotonic() + patience
    while not (answer := what()):
        if time.monotonic() > until:
            raise AssertionError(f"Waited {patience:.0f} s in vain: {why if isinstance(why, str) else why()}")
        time.sleep(0.02)
    return answer


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_with(variable: str, value: str) -> dict[int, str]:
    """The command lines, by pid, of all processes with this in their environment.

    Valkey writes its title over its environment, so a title that names the value (as a folder) counts as well.
    """
    found = {}
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            given = f"{variable}={value}\0".encode() in (folder / "environ").read_bytes()
            if folder.name.isdigit() and (given or f":{value}/" in line):
                found[int(folder.name)] = line
    return found


def parent_of(pid: int) -> int:
    """The pid of its parent, 0 when the process is gone."""
    with suppress(OSError):
        return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    return 0


class Started:
    """A process and all that it has said so far."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # As from a terminal of its own: nothing that is sent to it reaches the tests.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(ValueError):
            self.lines.extend(line.rstrip("\n") for line in self.process.stdout or ())

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def says(self, words: str, patience: float = PATIENCE) -> None:
        """Wait until it has said these words."""
        wait_for(lambda: words in self.said or self.process.poll() is not None, lambda: self.said, patience)
        self._reader.join(0 if self.process.poll() is None else 5)
        assert words in self.said, self.said

    def stop(self, number: int = signal.SIGINT, patience: float = PATIENCE) -> int:
        """Send a signal and wait for the end; the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(patience)
        self._reader.join(5)
        return code

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
