"""A worker is killed (SIGKILL) during a call of a submit. Another worker continues, and nothing is created twice.

The sandbox holds the call, before or after it executes the call. Its request log shows when the call has arrived.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from providers.types import Handover, Tier
from tests.support.processes import MANAGE, StartedProcess, wait_for
from tests.support.sandbox import SandboxProcess
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, BuildHarness
from voices.models import Build, BuildStatus
from voices.services.builds.spec import make_clip_name
from voices.services.builds.start import start_build

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

StartProcess = Callable[..., StartedProcess]

# Starts a worker, and a new worker whenever one dies. It forks, because loading Django takes a second each time.
SPAWNER_SCRIPT = """
import os, django
django.setup()
from django.core.management import call_command
from voicehub.management.commands import worker
from providers.resemble_v2 import adapter as resemble_v2
while True:
    pid = os.fork()
    if not pid:
        call_command("worker")
        os._exit(0)
    print("spawned", pid, flush=True)
    os.waitpid(pid, 0)
"""


@dataclass(frozen=True, slots=True)
class KillPoint:
    """The call during which the worker is killed, and the fault that the sandbox applies to this call."""

    operation: str
    nth: int
    do: str
    phase: str

    @property
    def rule(self) -> dict[str, Any]:
        return {"operation": self.operation, "nth": self.nth, "do": self.do, "phase": self.phase}


CALLS_TO_KILL_AT = [
    ("create_voice", 1),
    ("list_recordings", 1),
    ("create_recording", 1),
    ("create_recording", 3),
    ("get_voice", 1),
    ("build_voice", 1),
    ("get_voice", 2),  # the poll after the callback
]
# A call held before its commit is never committed. A delayed call is committed long after the worker died.
KILL_POINTS = [
    *(KillPoint(*call, "hang", phase) for call in CALLS_TO_KILL_AT for phase in ("before_commit", "after_commit")),
    *(
        KillPoint(*call, "delay:1.5", "before_commit")
        for call in CALLS_TO_KILL_AT
        if call[0].startswith(("create", "build"))
    ),
]


def test_worker_killed_during_a_call_creates_nothing_twice(
    harness: BuildHarness, sandbox: SandboxProcess, start_process: StartProcess, live_server: Any
) -> None:
    environment = {"VOICEHUB_BASE_URL": live_server.url}
    voice = harness.make_voice()
    clip_names = {make_clip_name(row) for row in voice.recordings.all()}
    spawner = start_process(sys.executable, "-c", SPAWNER_SCRIPT, **environment)
    killed_builds: list[tuple[KillPoint, BuildHarness, Build]] = []
    for number, point in enumerate(KILL_POINTS, start=1):
        wait_for(partial(get_worker_pid, spawner, number), lambda: spawner.output)
        own_harness = BuildHarness(harness.producer, sandbox)
        sandbox.set_faults(point.rule)
        build = start_build(voice, own_harness.account, Tier.RAPID, Handover.RECORDINGS, harness.producer)
        wait_for(partial(has_received_call, own_harness, point), lambda: spawner.output)
        os.kill(get_worker_pid(spawner, number), signal.SIGKILL)
        sandbox.set_faults()
        killed_builds.append((point, own_harness, build))
    processes = [start_process(*MANAGE, "worker", **environment), start_process(*MANAGE, "sweep", "--every", "0.2")]
    wait_for(
        lambda: not Build.objects.filter(status__in=ACTIVE_STATUSES).exists(),
        lambda: (
            f"{list(Build.objects.filter(status__in=ACTIVE_STATUSES).values())} "
            f"{[process.output for process in processes]}"
        ),
        timeout_seconds=180,
    )
    for point, own_harness, build in killed_builds:
        build.refresh_from_db()
        build.remote_voice.refresh_from_db()
        assert build.status == BuildStatus.READY, (point, build.issue)
        assert own_harness.count_billed() == {"create_voice": 1, "build_voice": 1}, point
        assert set(own_harness.fetch_recordings(build)) == clip_names, point


def get_worker_pid(spawner: StartedProcess, number: int) -> int:
    """The process id of the worker with this number (from 1), or 0 if that worker has not started yet."""
    pids = [int(line.split()[1]) for line in spawner.lines if line.startswith("spawned ")]
    return pids[number - 1] if len(pids) >= number else 0


def has_received_call(harness: BuildHarness, point: KillPoint) -> bool:
    """Whether the sandbox has received the call at which the worker is to be killed."""
    calls = [
        request
        for request in harness.sandbox.list_requests()
        if request["number"] > harness.requests_before and request["operation"] == point.operation
    ]
    return len(calls) >= point.nth
