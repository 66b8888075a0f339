"""Real processes on the database and the files of the tests, with a queue and a sandbox of their own."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from launcher import valkey
from tests.support.processes import Started, wait_for
from tests.support.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.voices.services.builds.build_harness import BuildHarness

LEASE_SECONDS = "3"


class Doorbell:
    """A Valkey that can be killed, with all that it knows, and started empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = valkey.build_url(folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(valkey.build_command(self.folder), stdout=subprocess.DEVNULL)
        wait_for(lambda: valkey.is_answering(valkey.get_socket_path(self.folder)), "Valkey does not answer")

    def lose(self) -> None:
        """Kill it, and throw away what it kept."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        for file in (self.folder / "run" / "valkey").rglob("*"):
            if file.is_file():
                file.unlink()


@pytest.fixture
def doorbell(tmp_path: Path) -> Iterator[Doorbell]:
    bell = Doorbell(tmp_path)
    bell.start()
    yield bell
    bell.lose()


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    from tests.voices.services.builds.build_harness import QUICK_SETTINGS

    running.control("DELETE", "faults")
    running.control("POST", "settings", QUICK_SETTINGS)
    yield running
    running.control("DELETE", "faults")


@pytest.fixture
def desk(transactional_db: None, producer: Any, sandbox: Sandbox, settings: Any) -> "BuildHarness":
    from tests.voices.services.builds.build_harness import BuildHarness

    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    return BuildHarness(producer, sandbox)


@pytest.fixture
def start(
    process_environment: dict[str, str], doorbell: Doorbell, sandbox: Sandbox, settings: Any
) -> Iterator[Callable[..., Started]]:
    """Start a process of the studio, with a short lease, on the doorbell of the test, which the test rings too."""
    started: list[Started] = []
    settings.RQ_QUEUES = {name: queue | {"URL": doorbell.url} for name, queue in settings.RQ_QUEUES.items()}
    variables = process_environment | {
        "REDIS_URL": doorbell.url,
        "VOICEHUB_LEASE_SECONDS": LEASE_SECONDS,
        "VOICEHUB_SANDBOX_URL": sandbox.address,
        "VOICEHUB_BASE_URL": settings.VOICEHUB_BASE_URL,
    }

    def start_one(*command: str, **more: str) -> Started:
        started.append(Started(command, variables | more))
        return started[-1]

    yield start_one
    for one in started:
        one.kill()
