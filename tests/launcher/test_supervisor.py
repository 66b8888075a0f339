"""The supervisor with small programs of the tests' own, in a process of its own."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher import supervisor
from tests.support.processes import Started, processes_with, wait_for

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes by /proc"),
]

MARK = "VOICEHUB_TEST_SUPERVISED"

BEGIN = '''
import os, pathlib, signal, sys, time
from launcher.supervisor import Program, Supervisor

def program(name, code, **how):
    return Program(name, [sys.executable, "-c", "import os, pathlib, signal, sys, time\\n" + code], **how)

folder = pathlib.Path(sys.argv[1])
WAIT = "print('up'); time.sleep(1000)"
FAREWELL = """
def bye(*_):
    print('bye')
    sys.exit()
signal.signal(signal.SIGTERM, bye)
print('up')
time.sleep(1000)
"""
STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(1000)"
FAMILY = """
import subprocess
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])
print('up')
time.sleep(1000)
"""
'''

Supervise = Callable[..., Started]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Run a supervisor with the programs that a Python expression lists, after the Python statement `first`."""
    started: list[Started] = []

    def start(programs: str, first: str = "") -> Started:
        code = f"{BEGIN}\n{first}\nsys.exit(Supervisor([{programs}]).run())"
        given = {**os.environ, MARK: str(tmp_path)}
        started.append(Started([sys.executable, "-c", code, str(tmp_path)], given))
        return started[-1]

    yield start
    for one in started:
        one.kill()
    wait_for(lambda: not processes_with(MARK, str(tmp_path)), "every program to end")


def test_lines_carry_the_name_of_their_program(supervise: Supervise) -> None:
    studio = supervise("program('short', WAIT), program('much-longer', WAIT)")
    studio.says("short       │ up")
    studio.says("much-longer │ up")


def test_programs_wait_for_the_one_before(supervise: Supervise, tmp_path: Path) -> None:
    studio = supervise("program('first', WAIT, ready=lambda: (folder / 'go').exists()), program('second', WAIT)")
    studio.says("first  │ up")
    assert "second │" not in studio.said
    (tmp_path / "go").touch()
    studio.says("second │ up")


def test_start_fails_when_one_that_others_wait_for_ends(supervise: Supervise) -> None:
    studio = supervise("program('base', WAIT), program('ill', 'sys.exit(3)', ready=bool), program('next', WAIT)")
    assert studio.process.wait(60) == 1
    studio.says("ill could not be started (exit code 3)")
    assert "next │" not in studio.said


def test_what_was_ready_once_is_brought_back(supervise: Supervise, tmp_path: Path) -> None:
    studio = supervise("program('ill', 'time.sleep(0.3); sys.exit(3)', ready=(folder / 'go').exists)")
    (tmp_path / "go").touch()
    studio.says("ill stopped (exit code 3). It restarts in 1 s.")


def test_what_keeps_dying_is_started_less_and_less_often(supervise: Supervise) -> None:
    studio = supervise("program('ill', 'sys.exit(3)')")
    studio.says("ill stopped (exit code 3). It restarts in 1 s.")
    studio.says("It restarts in 2 s.")
    studio.says("It restarts in 4 s.")


def test_one_that_dies_does_not_hold_up_the_others(supervise: Supervise) -> None:
    studio = supervise("program('ill', 'sys.exit(3)'), program('well', WAIT)")
    studio.says("well │ up")


def test_once_is_once(supervise: Supervise) -> None:
    studio = supervise("program('once', 'print(\"done\")', once=True), program('ill', 'sys.exit(3)')")
    studio.says("It restarts in 2 s.")
    assert studio.lines.count("once │ done") == 1


def test_failing_once_is_said_and_left(supervise: Supervise) -> None:
    studio = supervise("program('once', 'sys.exit(4)', once=True), program('well', WAIT)")
    studio.says("once did not succeed (exit code 4).")
    studio.says("well │ up")


def test_those_that_outlive_the_others_stop_last(supervise: Supervise) -> None:
    names = {"base": True, "page": False, "next": True}
    studio = supervise(", ".join(f"program('{name}', FAREWELL, outlives={last})" for name, last in names.items()))
    for name in ("base", "page", "next"):
        studio.says(f"{name} │ up")
    assert studio.stop() == 0
    assert [line.split()[0] for line in studio.lines if line.endswith("bye")] == ["page", "next", "base"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_it_well(supervise: Supervise, tmp_path: Path, number: signal.Signals) -> None:
    studio = supervise("program('polite', FAREWELL), program('plain', WAIT)")
    studio.says("plain  │ up")
    studio.says("polite │ up")
    assert studio.stop(number) == 0
    assert "polite │ bye" in studio.lines
    assert studio.lines[-1] == "Stopped."
    assert not processes_with(MARK, str(tmp_path))


def test_second_signal_does_not_wait(supervise: Supervise) -> None:
    """With an hour for programs to finish, only the second signal can end one that does not listen to the first."""
    studio = supervise("program('mule', STUBBORN)", "import launcher.supervisor; launcher.supervisor.WARM = 3600.0")
    studio.says("mule │ up")
    studio.process.send_signal(signal.SIGINT)
    studio.says("Stopping")
    assert studio.process.poll() is None
    assert studio.stop(signal.SIGINT) == 0


def test_children_of_a_killed_program_go_with_it(supervise: Supervise, tmp_path: Path) -> None:
    studio = supervise("program('family', FAMILY)")
    studio.says("family │ up")
    family = set(processes_with(MARK, str(tmp_path))) - {studio.process.pid}
    assert len(family) == 2
    os.kill(min(family), signal.SIGKILL)
    wait_for(lambda: not family & set(processes_with(MARK, str(tmp_path))), "the whole family to be gone")


def test_program_ends_with_a_killed_supervisor(supervise: Supervise, tmp_path: Path) -> None:
    studio = supervise("program('mule', STUBBORN)")
    studio.says("mule │ up")
    os.kill(studio.process.pid, signal.SIGKILL)
    studio.process.wait()
    wait_for(lambda: not processes_with(MARK, str(tmp_path)), "the mule to end", 5)


def test_exit_codes_in_words() -> None:
    assert supervisor.describe_exit_code(-9) == "killed by SIGKILL"
    assert supervisor.describe_exit_code(2) == "exit code 2"
