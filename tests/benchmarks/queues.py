"""Measures how long a refresh waits while builds are sent: `python -m tests.benchmarks.queues [BUILDS]` (60).

The provider takes 0.2 s for each call. The benchmark queues BUILDS builds at once, then one refresh of a build in
training. It does so twice: with one queue and one worker, as in earlier versions, then with the current queues and
workers. It prints both waits and their ratio. Valkey and the workers are real; the sandbox delays its responses.
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
from tests.support.sandbox import SandboxProcess
from tests.support.session import build_environment

BUILDS = 60
SECONDS_A_CALL = 0.2
MAX_WAIT_SECONDS = 900.0  # after this wait the benchmark fails
SHARED = (("submit",),)
SEPARATE = (("urgent",), ("submit", "urgent"))


@contextmanager
def run_studio() -> Iterator[SandboxProcess]:
    """Set up a migrated database, a queue and a slow sandbox in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="voicehub-queues-") as folder_name:
        folder = Path(folder_name)
        os.environ |= build_environment(folder) | {"REDIS_URL": valkey.build_url(folder), "VOICEHUB_LOG_LEVEL": "ERROR"}
        queue = subprocess.Popen(valkey.build_command(folder), stdout=subprocess.DEVNULL)
        sandbox = SandboxProcess(folder / "sandbox", training_seconds=1e6)
        os.environ["VOICEHUB_SANDBOX_URL"] = sandbox.address
        try:
            wait_for(lambda: valkey.is_answering(valkey.get_socket_path(folder)), "Valkey does not respond")
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
def run_workers(queues: Sequence[Sequence[str]]) -> Iterator[None]:
    options = [[argument for name in names for argument in ("--queue", name)] for names in queues]
    processes = [subprocess.Popen([*MANAGE, "worker", *option]) for option in options]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure_refresh_delay(sandbox: SandboxProcess, builds: int, queues: Sequence[Sequence[str]]) -> float:
    """Queue the builds, then the refresh. Return the seconds until the refresh was done."""
    from django.utils import timezone

    from tests.support.task_runner import run_due_tasks
    from tests.voices.services.builds.build_harness import BuildHarness
    from voicehub import outbox
    from voicehub.models import Task, TaskStatus, User
    from voices.models import RemoteVoice

    sandbox.call_control("DELETE", "faults")
    user = User.objects.create_user(f"person-{timezone.now().timestamp()}")
    harness = BuildHarness(user, sandbox)
    training_build = harness.start_build(harness.make_voice())
    run_due_tasks("submit_build")
    for _ in range(builds):
        harness.start_build(harness.make_voice())
    sandbox.set_faults({"operation": "*", "do": f"delay:{SECONDS_A_CALL}", "times": 1_000_000})
    Task.objects.exclude(kind__in=("submit_build", "refresh_build")).delete()
    Task.objects.filter(status=TaskStatus.WAITING, kind="submit_build").update(due_at=timezone.now(), notified_at=None)
    remote_voices = RemoteVoice.objects.filter(pk=training_build.remote_voice_id)
    checked_at = remote_voices.get().checked_at
    outbox.notify_due_tasks()
    outbox.enqueue_task("refresh_build", training_build.pk)
    start = time.monotonic()
    with run_workers(queues):
        wait_for(lambda: remote_voices.get().checked_at != checked_at, "The refresh was not done.", MAX_WAIT_SECONDS)
    Task.objects.filter(status=TaskStatus.WAITING).delete()
    return time.monotonic() - start


def main(builds: int) -> None:
    with run_studio() as sandbox:
        from voicehub import outbox

        queues_by_kind = dict(outbox._queues)
        outbox._queues["refresh_build"] = outbox.SUBMIT
        shared_seconds = measure_refresh_delay(sandbox, builds, SHARED)
        outbox._queues.update(queues_by_kind)
        separate_seconds = measure_refresh_delay(sandbox, builds, SEPARATE)
    print(f"A refresh behind {builds} builds, {SECONDS_A_CALL} s a call, start of the workers included:")
    print(f"  one queue, one worker   {shared_seconds:6.1f} s")
    print(f"  urgent before submit    {separate_seconds:6.1f} s")
    print(f"  ratio                   {shared_seconds / separate_seconds:6.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BUILDS)
