"""Fixtures that start real processes. They use the database and files of the tests, a queue server and a sandbox."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from launcher import valkey
from tests.support.processes import StartedProcess, wait_for
from tests.support.sandbox import SandboxProcess

if TYPE_CHECKING:
    from tests.voices.services.builds.build_harness import BuildHarness

LEASE_SECONDS = "3"


class QueueServer:
    """A Valkey server that a test can kill, erase and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = valkey.build_url(folder)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(valkey.build_command(self.folder), stdout=subprocess.DEVNULL)
        wait_for(lambda: valkey.is_answering(valkey.get_socket_path(self.folder)), "Valkey does not respond")

    def kill_and_erase(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        for file in (self.folder / "run" / "valkey").rglob("*"):
            if file.is_file():
                file.unlink()


@pytest.fixture
def queue_server(tmp_path: Path) -> Iterator[QueueServer]:
    server = QueueServer(tmp_path)
    server.start()
    yield server
    server.kill_and_erase()


@pytest.fixture
def sandbox(shared_sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    from tests.voices.services.builds.build_harness import QUICK_SETTINGS

    shared_sandbox.call_control("DELETE", "faults")
    shared_sandbox.call_control("POST", "settings", QUICK_SETTINGS)
    yield shared_sandbox
    shared_sandbox.call_control("DELETE", "faults")


@pytest.fixture
def harness(transactional_db: None, producer: Any, sandbox: SandboxProcess, settings: Any) -> "BuildHarness":
    from tests.voices.services.builds.build_harness import BuildHarness

    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    return BuildHarness(producer, sandbox)


@pytest.fixture
def start_process(
    process_environment: dict[str, str], queue_server: QueueServer, sandbox: SandboxProcess, settings: Any
) -> Iterator[Callable[..., StartedProcess]]:
    """A function that starts a process with a short lease. The process and the test use the same queue."""
    processes: list[StartedProcess] = []
    settings.RQ_QUEUES = {name: queue | {"URL": queue_server.url} for name, queue in settings.RQ_QUEUES.items()}
    environment = process_environment | {
        "REDIS_URL": queue_server.url,
        "VOICEHUB_LEASE_SECONDS": LEASE_SECONDS,
        "VOICEHUB_SANDBOX_URL": sandbox.address,
        "VOICEHUB_BASE_URL": settings.VOICEHUB_BASE_URL,
    }

    def start(*command: str, **variables: str) -> StartedProcess:
        processes.append(StartedProcess(command, environment | variables))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
