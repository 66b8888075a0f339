"""Workers are killed at random moments while the sandbox misbehaves by chance; then both stop, and nothing is amiss."""

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
from tests.support.processes import MANAGE, Started, wait_for
from tests.support.sandbox import Sandbox
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, BuildHarness
from voicehub.models import Task, TaskStatus
from voices.models import Build, BuildStatus
from voices.presenters import needs_staff_answer

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

StartProcess = Callable[..., Started]

BUILDS = 16
CHAOS_SECONDS = 60.0
SETTLE_SECONDS = 90.0
SHARE = 0.5
LIVES = (0.3, 2.5)
"""How many seconds a worker lives, at least and at most."""
# Most calls that go wrong are slow, so that a death often falls between what the sandbox does and what it answers.
ACTIONS = [*DEFAULT_ACTIONS, *["delay:1"] * len(DEFAULT_ACTIONS)]


@pytest.fixture
def chaotic(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A sandbox that behaves again after the test."""
    yield sandbox
    sandbox.control("DELETE", "chaos")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_fails_and_whenever_workers_die_no_build_is_lost_or_paid_twice(
    seed: int, harness: BuildHarness, chaotic: Sandbox, start_process: StartProcess, live_server: Any
) -> None:
    address = {"VOICEHUB_BASE_URL": live_server.url}
    voice = harness.make_voice()
    spawner = start_process(sys.executable, "-c", SPAWNER_SCRIPT, **address)
    sweep = start_process(*MANAGE, "sweep", "--every", "0.2")
    chaotic.control("POST", "chaos", {"seed": seed, "share": SHARE, "actions": ACTIONS})
    harnesses = [BuildHarness(harness.producer, chaotic) for _ in range(BUILDS)]
    builds: list[Build] = []
    chance = Random(seed)  # noqa: S311  # the same moments each time
    until = time.monotonic() + CHAOS_SECONDS
    deaths = 0
    while time.monotonic() < until:
        if len(builds) < BUILDS:
            builds.append(harnesses[len(builds)].start_build(voice))
        deaths += 1
        kill_worker(spawner, deaths, chance.uniform(*LIVES))
        make_waiting_work_due()
    done = chaotic.control("DELETE", "chaos")["chaos"]["done"]
    wait_for(partial(is_settled, builds), partial(describe, builds, spawner, sweep), patience=SETTLE_SECONDS)

    assert deaths > BUILDS
    assert done
    for build, harness in zip(builds, harnesses, strict=True):
        paid = Counter((line["operation"], line["name"]) for line in chaotic.ledger(account=harness.key_hash))
        assert max(paid.values(), default=0) <= 1, (build.pk, paid)
        assert paid or build.status != BuildStatus.READY, build.pk
    assert set(Build.objects.values_list("pk", flat=True)) == {build.pk for build in builds}


def kill_worker(spawner: Started, number: int, seconds: float) -> None:
    """Kill the worker of this number when it has lived for so long."""
    wait_for(partial(get_worker_pid, spawner, number), lambda: spawner.said)
    time.sleep(seconds)
    with suppress(ProcessLookupError):
        os.kill(get_worker_pid(spawner, number), signal.SIGKILL)


def make_waiting_work_due() -> None:
    """Let the time pass that a retry waits for. What a worker has claimed stays its own."""
    waiting = Task.objects.filter(status=TaskStatus.WAITING, due_at__gt=timezone.now(), lease_until=None)
    waiting.update(due_at=timezone.now(), notified_at=None)


def is_settled(builds: list[Build]) -> bool:
    """Whether each build has ended, or asks a person what became of it."""
    make_waiting_work_due()
    time.sleep(0.5)
    for build in builds:
        build.refresh_from_db()
    return all(build.status not in ACTIVE_STATUSES or needs_staff_answer(build) for build in builds)


def describe(builds: list[Build], *processes: Started) -> str:
    rows = [(one.pk, one.status, one.pending_call, one.raw_status, one.lookup_attempts) for one in builds]
    tasks = list(Task.objects.filter(status=TaskStatus.WAITING).values())
    said = [(one.process.poll(), one.said[-3000:]) for one in processes]
    return f"builds {rows}\ntasks {tasks}\nprocesses {said}"
