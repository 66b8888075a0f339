"""The supervisor runs in a process of its own, with small test programs."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher.supervisor import describe_exit_code
from tests.support.processes import StartedProcess, find_processes, wait_for

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

TEST_VARIABLE = "VOICEHUB_TEST_SUPERVISED"

PRELUDE = '''
import os, pathlib, signal, sys, time
from launcher.supervisor import Program, Supervisor

def program(name, code, **options):
    return Program(name, [sys.executable, "-c", "import os, pathlib, signal, sys, time\\n" + code], **options)

folder = pathlib.Path(sys.argv[1])
WAIT = "print('up'); time.sleep(1000)"
GRACEFUL = """
def stop(*_):
    print('exiting')
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print('up')
time.sleep(1000)
"""
IGNORES_SIGTERM = "signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(1000)"
WITH_CHILD = """
import subprocess
subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)'])
print('up')
time.sleep(1000)
"""
'''

StartSupervisor = Callable[..., StartedProcess]


@pytest.fixture
def start_supervisor(tmp_path: Path) -> Iterator[StartSupervisor]:
    """A function that starts a supervisor. Both arguments are Python code: a list of programs, and what runs before."""
    supervisors: list[StartedProcess] = []

    def start(programs: str, setup: str = "") -> StartedProcess:
        code = f"{PRELUDE}\n{setup}\nsys.exit(Supervisor([{programs}]).run())"
        environment = {**os.environ, TEST_VARIABLE: str(tmp_path)}
        supervisors.append(StartedProcess([sys.executable, "-c", code, str(tmp_path)], environment))
        return supervisors[-1]

    yield start
    for supervisor in supervisors:
        supervisor.kill()
    wait_for(lambda: not find_processes(TEST_VARIABLE, str(tmp_path)), "every program to end")


def test_output_lines_start_with_program_name(start_supervisor: StartSupervisor) -> None:
    supervisor = start_supervisor("program('short', WAIT), program('much-longer', WAIT)")
    supervisor.wait_for_output("short       │ up")
    supervisor.wait_for_output("much-longer │ up")


def test_program_waits_until_previous_one_is_ready(start_supervisor: StartSupervisor, tmp_path: Path) -> None:
    programs = "program('first', WAIT, is_ready=lambda: (folder / 'go').exists()), program('second', WAIT)"
    supervisor = start_supervisor(programs)
    supervisor.wait_for_output("first  │ up")
    assert "second │" not in supervisor.output
    (tmp_path / "go").touch()
    supervisor.wait_for_output("second │ up")


def test_start_fails_if_program_exits_before_it_is_ready(start_supervisor: StartSupervisor) -> None:
    programs = "program('base', WAIT), program('failing', 'sys.exit(3)', is_ready=bool), program('next', WAIT)"
    supervisor = start_supervisor(programs)
    assert supervisor.process.wait(60) == 1
    supervisor.wait_for_output("failing could not be started (exit code 3)")
    assert "next    │" not in supervisor.output


def test_program_that_exits_after_it_was_ready_is_restarted(start_supervisor: StartSupervisor, tmp_path: Path) -> None:
    supervisor = start_supervisor("program('failing', 'time.sleep(0.3); sys.exit(3)', is_ready=(folder / 'go').exists)")
    (tmp_path / "go").touch()
    supervisor.wait_for_output("failing stopped (exit code 3). It restarts in 1 s.")


def test_restart_delay_doubles_for_repeated_exits(start_supervisor: StartSupervisor) -> None:
    supervisor = start_supervisor("program('failing', 'sys.exit(3)')")
    supervisor.wait_for_output("failing stopped (exit code 3). It restarts in 1 s.")
    supervisor.wait_for_output("It restarts in 2 s.")
    supervisor.wait_for_output("It restarts in 4 s.")


def test_failing_program_does_not_block_others(start_supervisor: StartSupervisor) -> None:
    supervisor = start_supervisor("program('failing', 'sys.exit(3)'), program('healthy', WAIT)")
    supervisor.wait_for_output("healthy │ up")


def test_one_time_program_runs_once(start_supervisor: StartSupervisor) -> None:
    supervisor = start_supervisor(
        "program('once', 'print(\"done\")', runs_once=True), program('failing', 'sys.exit(3)')"
    )
    supervisor.wait_for_output("It restarts in 2 s.")
    assert supervisor.lines.count("once    │ done") == 1


def test_failed_one_time_program_is_reported_and_not_restarted(start_supervisor: StartSupervisor) -> None:
    supervisor = start_supervisor("program('once', 'sys.exit(4)', runs_once=True), program('healthy', WAIT)")
    supervisor.wait_for_output("once failed (exit code 4).")
    supervisor.wait_for_output("healthy │ up")


def test_programs_marked_stops_last_are_stopped_last(start_supervisor: StartSupervisor) -> None:
    programs = {"base": True, "page": False, "next": True}
    calls = [f"program('{name}', GRACEFUL, stops_last={stops_last})" for name, stops_last in programs.items()]
    supervisor = start_supervisor(", ".join(calls))
    for name in ("base", "page", "next"):
        supervisor.wait_for_output(f"{name} │ up")
    assert supervisor.stop() == 0
    assert [line.split()[0] for line in supervisor.lines if line.endswith("exiting")] == ["page", "next", "base"]


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_programs_gracefully(
    start_supervisor: StartSupervisor, tmp_path: Path, signal_number: signal.Signals
) -> None:
    supervisor = start_supervisor("program('graceful', GRACEFUL), program('plain', WAIT)")
    supervisor.wait_for_output("plain    │ up")
    supervisor.wait_for_output("graceful │ up")
    assert supervisor.stop(signal_number) == 0
    assert "graceful │ exiting" in supervisor.lines
    assert supervisor.lines[-1] == "Stopped."
    assert not find_processes(TEST_VARIABLE, str(tmp_path))


def test_second_signal_kills_at_once(start_supervisor: StartSupervisor) -> None:
    """Programs get an hour to finish, so only the second signal can end a program that ignores the first."""
    setup = "import launcher.supervisor; launcher.supervisor.GRACE_SECONDS = 3600.0"
    supervisor = start_supervisor("program('stubborn', IGNORES_SIGTERM)", setup)
    supervisor.wait_for_output("stubborn │ up")
    supervisor.process.send_signal(signal.SIGINT)
    supervisor.wait_for_output("Stopping")
    assert supervisor.process.poll() is None
    assert supervisor.stop(signal.SIGINT) == 0


def test_children_of_killed_program_end_too(start_supervisor: StartSupervisor, tmp_path: Path) -> None:
    supervisor = start_supervisor("program('parent', WITH_CHILD)")
    supervisor.wait_for_output("parent │ up")
    pids = set(find_processes(TEST_VARIABLE, str(tmp_path))) - {supervisor.process.pid}
    assert len(pids) == 2
    os.kill(min(pids), signal.SIGKILL)
    wait_for(lambda: not pids & set(find_processes(TEST_VARIABLE, str(tmp_path))), "the program and its child to end")


def test_program_ends_if_supervisor_is_killed(start_supervisor: StartSupervisor, tmp_path: Path) -> None:
    supervisor = start_supervisor("program('stubborn', IGNORES_SIGTERM)")
    supervisor.wait_for_output("stubborn │ up")
    os.kill(supervisor.process.pid, signal.SIGKILL)
    supervisor.process.wait()
    wait_for(lambda: not find_processes(TEST_VARIABLE, str(tmp_path)), "the stubborn program to end", 5)


def test_exit_codes_are_described() -> None:
    assert describe_exit_code(-9) == "killed by SIGKILL"
    assert describe_exit_code(2) == "exit code 2"
