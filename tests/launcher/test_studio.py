"""`manage.py studio` as people meet it: real processes, a data folder of their own, a real port."""

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

from tests.support.processes import MANAGE, Started, free_port, parent_of, processes_with, wait_for
from tests.support.session import environment

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes by /proc"),
]

GONE = 60.0  # seconds within which everything must have ended, on a machine that is busy too


class Studio:
    """One data folder, one port, and the studios that a test starts on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.started: list[Started] = []
        given = environment(folder)
        # The studio has to make these itself.
        for name in ("VOICEHUB_SECRET_KEY", "VOICEHUB_FIELD_KEYS", "VOICEHUB_BASE_URL"):
            del given[name]
        self.environment = given

    def start(self, *arguments: str) -> Started:
        command = [*MANAGE, "studio", "--no-sample", "--port", str(self.port), *arguments]
        self.started.append(Started(command, self.environment))
        return self.started[-1]

    def refuse(self, port: int, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Start another one that is not expected to run."""
        given = self.environment | {"VOICEHUB_DATA_DIR": str(folder or self.folder)}
        command = [*MANAGE, "studio", "--no-sample", "--port", str(port)]
        return subprocess.run(command, env=given, capture_output=True, text=True, timeout=60)

    def get(self, path: str) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:  # noqa: S310 - http
            return int(answer.status)

    def processes(self) -> dict[int, str]:
        return processes_with("VOICEHUB_DATA_DIR", str(self.folder))

    def pid_of(self, words: str) -> int:
        """The pid of the one that has these words in its command line, 0 when there is none; of several, the parent."""
        found = [pid for pid, line in self.processes().items() if words in line]
        return next((pid for pid in found if parent_of(pid) not in found), 0)

    def is_gone(self) -> bool:
        return not self.processes()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio's folder that was set up once, for all tests here."""
    studio = Studio(tmp_path_factory.mktemp("studio"))
    try:
        yield studio
    finally:
        for started in studio.started:
            started.kill()
        wait_for(studio.is_gone, lambda: f"still there: {studio.processes()}")


def start(home: Studio) -> Started:
    """Start it, up to where it has greeted and all of its parts are there."""
    started = home.start()
    started.says("VoiceHub is at")
    wait_for(lambda: home.pid_of("manage.py sweep"), lambda: started.said)
    return started


@pytest.fixture(scope="class")
def running(home: Studio) -> Iterator[Started]:
    """One studio for all tests of a class, stopped by Ctrl-C."""
    started = start(home)
    yield started
    assert started.stop(signal.SIGINT, GONE) == 0
    assert "Stopped." in started.said
    assert home.processes() == {}


class TestRunning:
    """Started on an empty folder."""

    def test_first_start_sets_up_and_serves(self, home: Studio, running: Started) -> None:
        assert f"http://127.0.0.1:{home.port}" in running.said
        assert home.get("/sign-in/") == 200
        lines = " ".join(home.processes().values())
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

    def test_what_it_made_is_for_its_owner_alone(self, home: Studio, running: Started) -> None:
        assert home.folder.stat().st_mode & 0o077 == 0
        for name in ("secret_key", "field_keys"):
            assert (home.folder / "secrets" / name).stat().st_mode & 0o777 == 0o600

    @pytest.mark.parametrize("part", ["--queue submit", "--queue analysis", "manage.py sweep", "valkey-server"])
    def test_killed_part_is_back(self, home: Studio, running: Started, part: str) -> None:
        before = home.pid_of(part)
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: home.pid_of(part) not in (0, before), lambda: running.said)
        running.says("stopped (killed by SIGKILL). It starts again")

    def test_page_is_back_after_the_web_server_was_killed(self, home: Studio, running: Started) -> None:
        os.kill(home.pid_of("gunicorn"), signal.SIGKILL)
        running.says("web stopped (killed by SIGKILL)")

        def served() -> bool:
            try:
                return home.get("/sign-in/") == 200
            except OSError:
                return False

        wait_for(served, lambda: running.said)

    def test_second_studio_on_the_same_data_is_refused(self, home: Studio, running: Started) -> None:
        answer = home.refuse(free_port())
        assert answer.returncode == 1
        assert "already running" in answer.stderr
        assert f"http://127.0.0.1:{home.port}" in answer.stderr
        assert "Traceback" not in answer.stderr
        assert home.get("/sign-in/") == 200


def test_second_start_keeps_what_the_first_made_and_its_death_leaves_nothing(home: Studio) -> None:
    start(home).stop()
    secret = (home.folder / "secrets" / "field_keys").read_text()
    again = start(home)
    assert "Preparing" not in again.said
    assert "Collecting static files" not in again.said
    assert (home.folder / "secrets" / "field_keys").read_text() == secret
    os.kill(again.process.pid, signal.SIGKILL)
    again.process.wait()
    wait_for(home.is_gone, lambda: f"all to end: {home.processes()}", GONE)


def test_taken_port_is_said_before_anything_starts(home: Studio, tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = home.refuse(port, tmp_path / "other")
    assert answer.returncode == 1
    assert f"Port {port} cannot be used" in answer.stderr
    assert f"PORT={port + 1}" in answer.stderr
    assert not (tmp_path / "other" / "db.sqlite3").exists()


def test_settings_that_cannot_work_end_the_start(home: Studio, tmp_path: Path) -> None:
    given = home.environment | {"VOICEHUB_DATA_DIR": str(tmp_path / "other"), "VOICEHUB_DEBUG": "perhaps"}
    command = [*MANAGE, "studio", "--port", str(free_port())]
    answer = subprocess.run(command, env=given, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 1
    assert "VOICEHUB_DEBUG='perhaps' is not a boolean" in answer.stdout
    assert "web could not be started" in answer.stdout


def test_terminal_that_went_away_does_not_stop_it(home: Studio) -> None:
    """What it has to say next goes into a pipe that nobody reads any more."""
    command = [*MANAGE, "studio", "--no-sample", "--port", str(home.port)]
    with subprocess.Popen(command, env=home.environment, stdout=subprocess.PIPE, text=True) as studio:
        assert studio.stdout
        while "VoiceHub is at" not in studio.stdout.readline():
            assert studio.poll() is None
        studio.stdout.close()
        before = wait_for(lambda: home.pid_of("manage.py sweep"), "the sweeper")
        os.kill(before, signal.SIGKILL)
        wait_for(lambda: home.pid_of("manage.py sweep") not in (0, before), "the sweeper to be back")
        studio.send_signal(signal.SIGINT)
        assert studio.wait(GONE) == 0
    wait_for(home.is_gone, "all to end", GONE)
