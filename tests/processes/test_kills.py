"""A worker is killed (SIGKILL) at every call of a submit; another one goes on, and nothing is made twice.

Where the worker is, the sandbox knows: it holds the call, before it is done or after it, and says that it has it.
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
from tests.support.processes import MANAGE, Started, wait_for
from tests.support.sandbox import Sandbox
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, BuildHarness
from voices.models import Build, BuildStatus
from voices.services.builds.spec import make_clip_name
from voices.services.builds.start import start_build

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., Started]

# Brings up a worker, and another one when it dies. Forked, since loading everything anew takes a second each time.
NURSERY = """
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
    print("born", pid, flush=True)
    os.waitpid(pid, 0)
"""


@dataclass(frozen=True, slots=True)
class Point:
    """The call during which the worker dies, and what becomes of that call."""

    operation: str
    nth: int
    do: str
    phase: str

    @property
    def rule(self) -> dict[str, Any]:
        return {"operation": self.operation, "nth": self.nth, "do": self.do, "phase": self.phase}


CALLS = [
    ("create_voice", 1),
    ("list_recordings", 1),
    ("create_recording", 1),
    ("create_recording", 3),
    ("get_voice", 1),
    ("build_voice", 1),
    ("get_voice", 2),  # the question after the callback
]
# What is held before it is done is never done; what is late is done when the worker has long been dead.
POINTS = [
    *(Point(*call, "hang", phase) for call in CALLS for phase in ("before_commit", "after_commit")),
    *(Point(*call, "delay:1.5", "before_commit") for call in CALLS if call[0].startswith(("create", "build"))),
]


def test_killed_at_every_call_nothing_is_made_twice(
    desk: BuildHarness, sandbox: Sandbox, start: Start, live_server: Any
) -> None:
    address = {"VOICEHUB_BASE_URL": live_server.url}
    voice = desk.make_voice()
    names = {make_clip_name(row) for row in voice.recordings.all()}
    nursery = start(sys.executable, "-c", NURSERY, **address)
    killed: list[tuple[Point, BuildHarness, Build]] = []
    for number, point in enumerate(POINTS, start=1):
        wait_for(partial(born, nursery, number), lambda: nursery.said)
        other = BuildHarness(desk.producer, sandbox)
        sandbox.faults(point.rule)
        build = start_build(voice, other.account, Tier.RAPID, Handover.RECORDINGS, desk.producer)
        wait_for(partial(holds, other, point), lambda: nursery.said)
        os.kill(born(nursery, number), signal.SIGKILL)
        sandbox.faults()
        killed.append((point, other, build))
    helpers = [start(*MANAGE, "worker", **address), start(*MANAGE, "sweep", "--every", "0.2")]
    wait_for(
        lambda: not Build.objects.filter(status__in=ACTIVE_STATUSES).exists(),
        lambda: f"{list(Build.objects.filter(status__in=ACTIVE_STATUSES).values())} {[one.said for one in helpers]}",
        patience=180,
    )
    for point, other, build in killed:
        build.refresh_from_db()
        build.remote_voice.refresh_from_db()
        assert build.status == BuildStatus.READY, (point, build.issue)
        assert other.count_billed() == {"create_voice": 1, "build_voice": 1}, point
        assert set(other.fetch_recordings(build)) == names, point


def born(nursery: Started, number: int) -> int:
    """The process id of the worker of this number, 0 as long as there is none."""
    pids = [int(line.split()[1]) for line in nursery.lines if line.startswith("born ")]
    return pids[number - 1] if len(pids) >= number else 0


def holds(desk: BuildHarness, point: Point) -> bool:
    """Whether the sandbox has got the call at which the worker shall die."""
    got = [
        seen
        for seen in desk.sandbox.requests()
        if seen["number"] > desk.requests_before and seen["operation"] == point.operation
    ]
    return len(got) >= point.nth
