"""Process supervisor of the studio: starts the programs in order, restarts those that die, stops them all.

It does not know what the programs do. Every program has its own session, so that a Ctrl-C in the terminal reaches
only the supervisor. Every program dies with the supervisor (launcher.die_with_parent), so that killing it leaves none
behind. Linux ties this to the thread that starts the program, so only the main thread starts programs.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
TICK_SECONDS = 0.05  # seconds between two checks of the programs
GRACE_SECONDS = 10.0  # seconds that programs have to finish after a stop signal
FORCED_GRACE_SECONDS = 0.5  # the same after a second stop signal
MAX_RESTART_DELAY = 30.0  # seconds between two starts of a program that keeps dying
STEADY_SECONDS = 30.0  # seconds after which a program counts as stable


def _is_ready_immediately() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running.

    The next programs start when `is_ready` is true. If this program ends before that, the studio cannot be started.
    A program that `runs_once` is not restarted when it ends.
    Programs with `stops_last` are stopped after all others, one by one, in reverse order.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    is_ready: Callable[[], bool] = _is_ready_immediately
    runs_once: bool = False
    stops_last: bool = False


def _discard_buffer(stream: IO[str]) -> None:
    """Discard the stream's buffer. Otherwise Python would try in vain to write it at exit."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


class Output:
    """Lines from many programs on one terminal, each prefixed with the program's name."""

    def __init__(self, stream: IO[str], width: int) -> None:
        self._stream: IO[str] | None = stream
        self._width = width
        self._lock = threading.Lock()

    def write_line(self, text: str, name: str = "") -> None:
        """Write one line. If the terminal is gone, discard all output instead of stopping."""
        with self._lock:
            if self._stream is None:
                return
            try:
                self._stream.write(f"{name:<{self._width}} │ {text}\n" if name else f"{text}\n")
                self._stream.flush()
            except (OSError, ValueError):
                _discard_buffer(self._stream)
                self._stream = None

    def copy_lines(self, pipe: IO[bytes], name: str) -> None:
        with pipe:
            for raw in pipe:
                self.write_line(raw.decode(errors="replace").rstrip(), name)


class Child:
    """A program and its current process."""

    def __init__(self, program: Program, output: Output) -> None:
        self.program = program
        self.is_finished = False
        self.restart_due_at = 0.0
        self._was_ready = False
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._restart_delay = 0.5

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def has_been_ready(self) -> bool:
        """Whether the program was ever ready, even while it is being restarted."""
        self._was_ready = self._was_ready or (self.is_running and self.program.is_ready())
        return self._was_ready

    def start(self) -> None:
        self._started_at = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(DIE_WITH_PARENT), str(os.getpid()), *self.program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.program.environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        thread_arguments = (self._process.stdout, self.program.name)
        self._output_thread = threading.Thread(target=self._output.copy_lines, args=thread_arguments, daemon=True)
        self._output_thread.start()

    def send_signal(self, number: int) -> None:
        """Signal the program only, but SIGKILL its whole process group."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def poll_exit_code(self) -> int | None:
        """Return the exit code if the program ended since the last check, and kill the rest of its process group."""
        code = self._process.poll() if self._process else None
        if code is not None:
            self.send_signal(signal.SIGKILL)
            self._process = None
            self._output_thread.join(0.5)  # print its last lines before the message that it ended
        return code

    def handle_exit(self, code: int) -> None:
        """Handle and report an unexpected exit."""
        if self.program.runs_once:
            self.is_finished = True
            if code:
                self._output.write_line(f"{self.program.name} failed ({describe_exit_code(code)}).")
            return
        ran_seconds = time.monotonic() - self._started_at
        self._restart_delay = 0.5 if ran_seconds > STEADY_SECONDS else min(self._restart_delay * 2, MAX_RESTART_DELAY)
        self.restart_due_at = time.monotonic() + self._restart_delay
        self._output.write_line(
            f"{self.program.name} stopped ({describe_exit_code(code)}). It restarts in {self._restart_delay:.0f} s."
        )


def describe_exit_code(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


class Supervisor:
    """Runs programs until it is stopped, and calls `each_tick` about twenty times a second.

    After the first SIGINT, SIGTERM or SIGHUP the programs have ten seconds to finish; after a second one, half
    a second.
    """

    def __init__(self, programs: Sequence[Program], each_tick: Callable[[], None] = lambda: None) -> None:
        self.output = Output(sys.stdout, max(len(program.name) for program in programs))
        self._children = [Child(program, self.output) for program in programs]
        self._each_tick = each_tick
        self._stop_requests = 0
        self._failure = ""

    def run(self) -> int:
        """Start the programs and keep them running. Returns when all have ended.

        Returns 0 after a signal, 1 if a program that others wait for could not be started.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            while not self._stop_requests and not self._failure:
                self._check_programs()
                self._each_tick()
                time.sleep(TICK_SECONDS)
        finally:
            self._stop()
        return 1 if self._failure else 0

    def _on_signal(self, number: int, frame: object) -> None:
        self._stop_requests += 1

    def _check_programs(self) -> None:
        """Check every program in order, up to the first that is not ready."""
        for child in self._children:
            code = child.poll_exit_code()
            if code is not None and not child.has_been_ready():
                self._failure = f"{child.program.name} could not be started ({describe_exit_code(code)}); see above."
                return
            if code is not None:
                child.handle_exit(code)
            if not child.is_running and not child.is_finished and time.monotonic() >= child.restart_due_at:
                child.start()
            if not child.has_been_ready():
                return

    def _stop(self) -> None:
        self.output.write_line(self._failure or "Stopping …")
        self._stop_children([child for child in self._children if not child.program.stops_last])
        for child in reversed(self._children):
            if child.program.stops_last:
                self._stop_children([child])
        self.output.write_line("Stopped.")

    def _stop_children(self, children: Sequence[Child]) -> None:
        stopped_at = time.monotonic()
        for child in children:
            child.send_signal(signal.SIGTERM)
        while any(child.is_running for child in children):
            grace_seconds = FORCED_GRACE_SECONDS if self._stop_requests > 1 else GRACE_SECONDS
            for child in children:
                if time.monotonic() - stopped_at > grace_seconds:
                    child.send_signal(signal.SIGKILL)
                child.poll_exit_code()
            time.sleep(TICK_SECONDS)
