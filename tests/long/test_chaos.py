"""Kills workers at random moments while the sandbox fails at random, then checks every build and the ledger."""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from random import Random
from typing import Any

import pytest
from django.utils import timezone

from sandbox.faults import DEFAULT_ACTIONS
from tests.processes.test_kills import SPAWNER_SCRIPT, get_worker_pid
from tests.support.processes import MANAGE, StartedProcess, wait_for
from tests.support.sandbox import SandboxProcess
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, BuildHarness
from voicehub.models import Task, TaskStatus
from voices.models import Build, BuildStatus
from voices.work_progress import needs_staff_answer

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

StartProcess = Callable[..., StartedProcess]

BUILD_COUNT = 16
CHAOS_SECONDS = 60.0
SETTLE_SECONDS = 90.0
FAULT_SHARE = 0.5
WORKER_LIFETIMES = (0.3, 2.5)
"""Minimum and maximum seconds until a worker is killed."""
# Many faults are delays, so that a worker is often killed between the execution of a call and its response.
ACTIONS = [*DEFAULT_ACTIONS, *["delay:1"] * len(DEFAULT_ACTIONS)]


@pytest.fixture
def chaos_sandbox(sandbox: SandboxProcess) -> Iterator[SandboxProcess]:
    """A sandbox whose chaos (random faults) is turned off after the test."""
    yield sandbox
    sandbox.call_control("DELETE", "chaos")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_build_is_lost_or_billed_twice_under_chaos(
    seed: int, harness: BuildHarness, chaos_sandbox: SandboxProcess, start_process: StartProcess, live_server: Any
) -> None:
    address = {"VOICEHUB_BASE_URL": live_server.url}
    voice = harness.make_voice()
    spawner = start_process(sys.executable, "-c", SPAWNER_SCRIPT, **address)
    sweep = start_process(*MANAGE, "sweep", "--every", "0.2")
    chaos_sandbox.call_control("POST", "chaos", {"seed": seed, "share": FAULT_SHARE, "actions": ACTIONS})
    harnesses = [BuildHarness(harness.producer, chaos_sandbox) for _ in range(BUILD_COUNT)]
    builds: list[Build] = []
    rng = Random(seed)  # noqa: S311  # a fixed seed repeats the times
    deadline = time.monotonic() + CHAOS_SECONDS
    kill_count = 0
    while time.monotonic() < deadline:
        if len(builds) < BUILD_COUNT:
            builds.append(harnesses[len(builds)].start_build(voice))
        kill_count += 1
        kill_worker(spawner, kill_count, rng.uniform(*WORKER_LIFETIMES))
        make_waiting_tasks_due()
    applied_faults = chaos_sandbox.call_control("DELETE", "chaos")["chaos"]["done"]
    describe = partial(describe_state, builds, spawner, sweep)
    wait_for(partial(is_every_build_settled, builds), describe, timeout_seconds=SETTLE_SECONDS)

    assert kill_count > BUILD_COUNT
    assert applied_faults
    for build, own_harness in zip(builds, harnesses, strict=True):
        billed = Counter(
            (entry["operation"], entry["name"]) for entry in chaos_sandbox.read_ledger(account=own_harness.key_hash)
        )
        assert max(billed.values(), default=0) <= 1, (build.pk, billed)
        assert billed or build.status != BuildStatus.READY, build.pk
    assert set(Build.objects.values_list("pk", flat=True)) == {build.pk for build in builds}


def kill_worker(spawner: StartedProcess, number: int, seconds: float) -> None:
    """Kill worker `number` after it has run for `seconds`."""
    wait_for(partial(get_worker_pid, spawner, number), lambda: spawner.output)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(get_worker_pid(spawner, number), signal.SIGKILL)


def make_waiting_tasks_due() -> None:
    """Skip the waiting time of retries. Tasks that a worker has claimed are not changed."""
    tasks = Task.objects.filter(status=TaskStatus.WAITING, due_at__gt=timezone.now(), lease_until=None)
    tasks.update(due_at=timezone.now(), notified_at=None)


def is_every_build_settled(builds: list[Build]) -> bool:
    """Whether each build has ended or needs a staff answer."""
    make_waiting_tasks_due()
    time.sleep(0.5)
    for build in builds:
        build.refresh_from_db()
    return all(build.status not in ACTIVE_STATUSES or needs_staff_answer(build) for build in builds)


def describe_state(builds: list[Build], *processes: StartedProcess) -> str:
    rows = [(build.pk, build.status, build.pending_call, build.raw_status, build.lookup_attempts) for build in builds]
    tasks = list(Task.objects.filter(status=TaskStatus.WAITING).values())
    outputs = [(process.process.poll(), process.output[-3000:]) for process in processes]
    return f"builds {rows}\ntasks {tasks}\nprocesses {outputs}"
