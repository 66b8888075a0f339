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

TETHER = Path(__file__).with_name("die_with_parent.py")
TICK = 0.05  # seconds between two checks of the programs
WARM = 10.0  # seconds that programs have to finish,
COLD = 0.5  # or after a second stop signal
LONGEST_DELAY = 30.0  # seconds between two starts of a program that keeps dying
STEADY = 30.0  # seconds after which a program counts as stable


def _at_once() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Program:
    """One program to keep running.

    The programs after it start when `is_ready` is true; if it ends before that, the whole start has failed.
    A program that `runs_once` is not restarted when it ends.
    Programs with `stops_last` are stopped after the others, one by one, in reverse order.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] = _at_once
    once: bool = False
    outlives: bool = False


def _give_up(stream: IO[str]) -> None:
    """Discard the stream's buffer. Otherwise Python would try in vain to write it at exit."""
    with suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


class Output:
    """Lines from many programs on one terminal, each prefixed with the program's name."""

    def __init__(self, stream: IO[str], width: int) -> None:
        self._stream: IO[str] | None = stream
        self._width = width
        self._lock = threading.Lock()

    def line(self, text: str, name: str = "") -> None:
        """Write one line. If the terminal is gone, discard output: that is no reason to stop."""
        with self._lock:
            if self._stream is None:
                return
            try:
                self._stream.write(f"{name:<{self._width}} │ {text}\n" if name else f"{text}\n")
                self._stream.flush()
            except (OSError, ValueError):
                _give_up(self._stream)
                self._stream = None

    def follow(self, pipe: IO[bytes], name: str) -> None:
        with pipe:
            for raw in pipe:
                self.line(raw.decode(errors="replace").rstrip(), name)


class Child:
    """A program and its current process."""

    def __init__(self, program: Program, output: Output) -> None:
        self.program = program
        self.finished = False
        self.due = 0.0
        self._was_ready = False
        self._output = output
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._delay = 0.5

    @property
    def running(self) -> bool:
        return self._process is not None

    def was_ready(self) -> bool:
        """Whether the program was ever ready, even while it is being restarted."""
        self._was_ready = self._was_ready or (self.running and self.program.ready())
        return self._was_ready

    def start(self) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *self.program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.program.environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        follower = (self._process.stdout, self.program.name)
        self._follower = threading.Thread(target=self._output.follow, args=follower, daemon=True)
        self._follower.start()

    def signal(self, number: int) -> None:
        """Signal the program only, but SIGKILL its whole process group."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)

    def look(self) -> int | None:
        """The exit code if it ended since the last check; its process group is then killed."""
        code = self._process.poll() if self._process else None
        if code is not None:
            self.signal(signal.SIGKILL)
            self._process = None
            self._follower.join(0.5)  # print its last lines before ours about it
        return code

    def ended(self, code: int) -> None:
        """Handle and report an unexpected exit."""
        if self.program.once:
            self.finished = True
            if code:
                self._output.line(f"{self.program.name} failed ({describe(code)}).")
            return
        ran = time.monotonic() - self._started
        self._delay = 0.5 if ran > STEADY else min(self._delay * 2, LONGEST_DELAY)
        self.due = time.monotonic() + self._delay
        self._output.line(f"{self.program.name} stopped ({describe(code)}). It restarts in {self._delay:.0f} s.")


def describe(code: int) -> str:
    """An exit code as text."""
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
        self._asked = 0
        self._failed = ""

    def run(self) -> int:
        """Start the programs and keep them running. Returns when all have ended.

        Returns 0 after a signal, 1 if a program that others wait for could not be started.
        """
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        try:
            while not self._asked and not self._failed:
                self._tend()
                self._each_tick()
                time.sleep(TICK)
        finally:
            self._stop()
        return 1 if self._failed else 0

    def _on_signal(self, number: int, frame: object) -> None:
        self._asked += 1

    def _tend(self) -> None:
        """Check every program in order, up to the first that is not ready."""
        for child in self._children:
            code = child.look()
            if code is not None and not child.was_ready():
                self._failed = f"{child.program.name} could not be started ({describe(code)}); see above."
                return
            if code is not None:
                child.ended(code)
            if not child.running and not child.finished and time.monotonic() >= child.due:
                child.start()
            if not child.was_ready():
                return

    def _stop(self) -> None:
        self.output.line(self._failed or "Stopping …")
        self._stop_these([child for child in self._children if not child.program.outlives])
        for child in reversed(self._children):
            if child.program.outlives:
                self._stop_these([child])
        self.output.line("Stopped.")

    def _stop_these(self, children: Sequence[Child]) -> None:
        stopped_at = time.monotonic()
        for child in children:
            child.signal(signal.SIGTERM)
        while any(child.running for child in children):
            grace_seconds = COLD if self._asked > 1 else WARM
            for child in children:
                if time.monotonic() - stopped_at > grace_seconds:
                    child.signal(signal.SIGKILL)
                child.look()
            time.sleep(TICK)
