"""How long a refresh waits while builds are sent: `python -m tests.benchmarks.queues [BUILDS]` (60).

A provider that takes 0.2 s for each call, so many builds queued at once, and then one refresh of a build that trains
already. Once with all of it in one queue and one worker, as it was; once with the queues and workers of today. Prints
both waits and their ratio. Real Valkey, real workers, the sandbox with its answers slowed down.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from launcher import valkey
from tests.support.processes import MANAGE, wait_for
from tests.support.sandbox import Sandbox
from tests.support.session import environment

BUILDS = 60
SECONDS_A_CALL = 0.2
LONGEST = 900.0  # seconds that a wait may take before the benchmark gives up
SHARED = (("submit",),)
TODAY = (("urgent",), ("submit", "urgent"))


@contextmanager
def studio() -> Iterator[Sandbox]:
    """A migrated database, a queue and a slow sandbox, in a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="voicehub-queues-") as name:
        folder = Path(name)
        os.environ |= environment(folder) | {"REDIS_URL": valkey.build_url(folder), "VOICEHUB_LOG_LEVEL": "ERROR"}
        queue = subprocess.Popen(valkey.build_command(folder), stdout=subprocess.DEVNULL)
        sandbox = Sandbox(folder / "sandbox", training_seconds=1e6)
        os.environ["VOICEHUB_SANDBOX_URL"] = sandbox.address
        try:
            wait_for(lambda: valkey.is_answering(valkey.get_socket_path(folder)), "Valkey does not answer")
            import django

            django.setup()
            from django.core.management import call_command

            call_command("migrate", verbosity=0)
            yield sandbox
        finally:
            sandbox.stop()
            queue.kill()
            queue.wait()


@contextmanager
def workers(queues: Sequence[Sequence[str]]) -> Iterator[None]:
    """One worker for each, reading these queues."""
    options = [[word for name in names for word in ("--queue", name)] for names in queues]
    started = [subprocess.Popen([*MANAGE, "worker", *option]) for option in options]
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def seconds_until_refreshed(sandbox: Sandbox, builds: int, queues: Sequence[Sequence[str]]) -> float:
    """Queue the builds, then the refresh; how long the refresh took to be done."""
    from django.utils import timezone

    from tests.support.work import do_tasks
    from tests.voices.services.builds.build_harness import BuildHarness
    from voicehub import outbox
    from voicehub.models import Task, TaskStatus, User
    from voices.models import RemoteVoice

    sandbox.control("DELETE", "faults")
    person = User.objects.create_user(f"person-{timezone.now().timestamp()}")
    desk = BuildHarness(person, sandbox)
    training = desk.start_build(desk.make_voice())
    do_tasks("submit_build")
    for _ in range(builds):
        desk.start_build(desk.make_voice())
    sandbox.faults({"operation": "*", "do": f"delay:{SECONDS_A_CALL}", "times": 1_000_000})
    Task.objects.exclude(kind__in=("submit_build", "refresh_build")).delete()
    Task.objects.filter(status=TaskStatus.WAITING, kind="submit_build").update(due_at=timezone.now(), notified_at=None)
    remote = RemoteVoice.objects.filter(pk=training.remote_voice_id)
    before = remote.get().checked_at
    outbox.notify_due_tasks()
    outbox.enqueue_task("refresh_build", training.pk)
    began = time.monotonic()
    with workers(queues):
        wait_for(lambda: remote.get().checked_at != before, "The refresh was not done.", LONGEST)
    Task.objects.filter(status=TaskStatus.WAITING).delete()
    return time.monotonic() - began


def main(builds: int) -> None:
    with studio() as sandbox:
        from voicehub import outbox

        kinds = dict(outbox._queues)
        outbox._queues["refresh_build"] = outbox.SUBMIT
        shared = seconds_until_refreshed(sandbox, builds, SHARED)
        outbox._queues.update(kinds)
        today = seconds_until_refreshed(sandbox, builds, TODAY)
    print(f"A refresh behind {builds} builds, {SECONDS_A_CALL} s a call, start of the workers included:")
    print(f"  one queue, one worker   {shared:6.1f} s")
    print(f"  urgent before submit    {today:6.1f} s")
    print(f"  ratio                   {shared / today:6.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BUILDS)
