"""`manage.py studio` as users start it: real processes, its own data folder, a real port."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import MANAGE, StartedProcess, find_free_port, find_processes, get_parent_pid, wait_for
from tests.support.session import build_environment

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]

STOP_SECONDS = 60.0  # maximum time for all processes to end, also on a busy machine


class StudioRunner:
    """Starts studios on one data folder and one port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = find_free_port()
        self.processes: list[StartedProcess] = []
        self.environment = build_environment(folder)
        # The studio must set these variables itself.
        for name in ("VOICEHUB_SECRET_KEY", "VOICEHUB_FIELD_KEYS", "VOICEHUB_BASE_URL"):
            del self.environment[name]

    def start(self, *arguments: str) -> StartedProcess:
        command = [*MANAGE, "studio", "--no-sample", "--port", str(self.port), *arguments]
        self.processes.append(StartedProcess(command, self.environment))
        return self.processes[-1]

    def run_to_exit(self, port: int, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Start a studio that is expected to exit at once, and wait for its end."""
        environment = self.environment | {"VOICEHUB_DATA_DIR": str(folder or self.folder)}
        command = [*MANAGE, "studio", "--no-sample", "--port", str(port)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    def fetch_status(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as response:  # noqa: S310 - http
            return int(response.status)

    def list_processes(self) -> dict[int, str]:
        return find_processes("VOICEHUB_DATA_DIR", str(self.folder))

    def find_pid(self, text: str) -> int:
        """The pid of the process with this text in its command line, or 0. If several processes have it, the parent."""
        pids = [pid for pid, line in self.list_processes().items() if text in line]
        return next((pid for pid in pids if get_parent_pid(pid) not in pids), 0)

    def has_no_processes(self) -> bool:
        return not self.list_processes()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StudioRunner]:
    """One folder for all tests of this module, set up by the first start."""
    runner = StudioRunner(tmp_path_factory.mktemp("studio"))
    try:
        yield runner
    finally:
        for process in runner.processes:
            process.kill()
        wait_for(runner.has_no_processes, lambda: f"still running: {runner.list_processes()}")


def start_studio(runner: StudioRunner) -> StartedProcess:
    """Start a studio. Wait until it has printed its address and its last process runs."""
    studio = runner.start()
    studio.wait_for_output("VoiceHub is at")
    wait_for(lambda: runner.find_pid("manage.py sweep"), lambda: studio.output)
    return studio


@pytest.fixture(scope="class")
def studio(runner: StudioRunner) -> Iterator[StartedProcess]:
    """One studio for all tests of a class; Ctrl-C stops it."""
    studio = start_studio(runner)
    yield studio
    assert studio.stop(signal.SIGINT, STOP_SECONDS) == 0
    assert "Stopped." in studio.output
    assert runner.list_processes() == {}


class TestRunning:
    """Tests of a running studio that started with an empty folder."""

    def test_first_start_serves_pages_and_starts_all_processes(
        self, runner: StudioRunner, studio: StartedProcess
    ) -> None:
        assert f"http://127.0.0.1:{runner.port}" in studio.output
        assert runner.fetch_status("/sign-in/") == 200
        lines = " ".join(runner.list_processes().values())
        for part in (
            "valkey-server",
            "gunicorn",
            "manage.py worker --queue urgent",
            "manage.py worker --queue submit --queue urgent",
            "manage.py worker --queue takes --queue analysis",
            "manage.py sweep",
            "manage.py sandbox",
        ):
            assert part in lines

    def test_start_without_the_sample_says_how_to_create_the_first_admin(
        self, runner: StudioRunner, studio: StartedProcess
    ) -> None:
        studio.wait_for_output("manage.py create_admin NAME EMAIL")
        assert f"VOICEHUB_BASE_URL=http://127.0.0.1:{runner.port} " in studio.output
        assert "names and passwords" not in studio.output

    def test_created_files_are_private_to_owner(self, runner: StudioRunner, studio: StartedProcess) -> None:
        assert runner.folder.stat().st_mode & 0o077 == 0
        for name in ("secret_key", "field_keys"):
            assert (runner.folder / "secrets" / name).stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("part", ["--queue submit", "--queue analysis", "manage.py sweep", "valkey-server"])
    def test_killed_process_is_restarted(self, runner: StudioRunner, studio: StartedProcess, part: str) -> None:
        pid = runner.find_pid(part)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: runner.find_pid(part) not in (0, pid), lambda: studio.output)
        studio.wait_for_output("stopped (killed by SIGKILL). It restarts in")

    def test_killed_web_server_is_restarted(self, runner: StudioRunner, studio: StartedProcess) -> None:
        os.kill(runner.find_pid("gunicorn"), signal.SIGKILL)
        studio.wait_for_output("web stopped (killed by SIGKILL)")

        def is_served() -> bool:
            try:
                return runner.fetch_status("/sign-in/") == 200
            except OSError:
                return False

        wait_for(is_served, lambda: studio.output)

    def test_second_studio_on_same_folder_is_refused(self, runner: StudioRunner, studio: StartedProcess) -> None:
        result = runner.run_to_exit(find_free_port())
        assert result.returncode == 1
        assert "already running" in result.stderr
        assert f"http://127.0.0.1:{runner.port}" in result.stderr
        assert "Traceback" not in result.stderr
        assert runner.fetch_status("/sign-in/") == 200


def test_second_start_reuses_setup_and_kill_ends_all_processes(runner: StudioRunner) -> None:
    start_studio(runner).stop()
    secret = (runner.folder / "secrets" / "field_keys").read_text()
    second_studio = start_studio(runner)
    assert "Preparing" not in second_studio.output
    assert "Collecting static files" not in second_studio.output
    assert (runner.folder / "secrets" / "field_keys").read_text() == secret
    os.kill(second_studio.process.pid, signal.SIGKILL)
    second_studio.process.wait()
    wait_for(runner.has_no_processes, lambda: f"all processes to end: {runner.list_processes()}", STOP_SECONDS)


def test_occupied_port_is_reported_before_start(runner: StudioRunner, tmp_path: Path) -> None:
    with closing(socket.socket()) as occupied_socket:
        occupied_socket.bind(("127.0.0.1", 0))
        occupied_socket.listen()
        port = occupied_socket.getsockname()[1]
        result = runner.run_to_exit(port, tmp_path / "other")
    assert result.returncode == 1
    assert f"Port {port} cannot be used" in result.stderr
    assert f"PORT={port + 1}" in result.stderr
    assert not (tmp_path / "other" / "db.sqlite3").exists()


def test_studio_with_invalid_setting_does_not_start(runner: StudioRunner, tmp_path: Path) -> None:
    environment = runner.environment | {"VOICEHUB_DATA_DIR": str(tmp_path / "other"), "VOICEHUB_DEBUG": "perhaps"}
    command = [*MANAGE, "studio", "--port", str(find_free_port())]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert result.returncode == 1
    assert "VOICEHUB_DEBUG='perhaps' is not a boolean" in result.stdout
    assert "web could not be started" in result.stdout


def test_closed_terminal_does_not_stop_studio(runner: StudioRunner) -> None:
    """After the terminal is closed, the studio writes its messages to a pipe without a reader."""
    command = [*MANAGE, "studio", "--no-sample", "--port", str(runner.port)]
    with subprocess.Popen(command, env=runner.environment, stdout=subprocess.PIPE, text=True) as studio:
        assert studio.stdout
        while "VoiceHub is at" not in studio.stdout.readline():
            assert studio.poll() is None
        studio.stdout.close()
        pid = wait_for(lambda: runner.find_pid("manage.py sweep"), "the sweeper")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: runner.find_pid("manage.py sweep") not in (0, pid), "the sweeper to restart")
        studio.send_signal(signal.SIGINT)
        assert studio.wait(STOP_SECONDS) == 0
    wait_for(runner.has_no_processes, "all processes to end", STOP_SECONDS)
