"""If the queue is killed, emptied or missing, tasks are delayed by seconds, but none is lost."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from tests.processes.conftest import QueueServer
from tests.support.processes import MANAGE, StartedProcess, wait_for
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, BuildHarness
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voices.models import Build, BuildStatus

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

StartProcess = Callable[..., StartedProcess]

# A worker with an additional kind of task, "note", which appends the object id of the task to a file.
WORKER_SCRIPT = """
import os, pathlib, time, django
django.setup()
from django.core.management import call_command
from voicehub import outbox

@outbox.register_handler("note")
def note(name, lease):
    time.sleep(0.02)
    with (pathlib.Path(os.environ["VOICEHUB_TEST_FOLDER"]) / "notes").open("a") as file:
        file.write(name + "\\n")

call_command("worker")
"""
TASK_COUNT = 40


def enqueue_notes(count: int, first_number: int = 0) -> None:
    for number in range(first_number, first_number + count):
        outbox.enqueue_task("note", number)


def test_task_runs_once_even_if_the_queue_is_killed_and_emptied(
    queue_server: QueueServer, start_process: StartProcess, tmp_path: Path
) -> None:
    """Each task runs exactly once, whether enqueued before the queue is killed, while it is down or afterwards."""
    notes = tmp_path / "notes"
    enqueue_notes(TASK_COUNT)
    worker = start_process(sys.executable, "-c", WORKER_SCRIPT, VOICEHUB_TEST_FOLDER=str(tmp_path))
    wait_for(lambda: notes.exists() and len(notes.read_text().splitlines()) >= 3, lambda: worker.output)
    queue_server.kill_and_erase()
    enqueue_notes(TASK_COUNT, TASK_COUNT)
    # The log message of VoiceHub, or that of RQ if the worker was just waiting for work.
    connection_errors = ("cannot be reached", "could not connect")
    wait_for(
        lambda: any(text in worker.output for text in connection_errors),
        lambda: f"no connection error: {worker.output}",
    )
    queue_server.start()
    sweeper = start_process(*MANAGE, "sweep", "--every", "0.2")
    enqueue_notes(TASK_COUNT, 2 * TASK_COUNT)
    finished = Task.objects.filter(kind="note", status=TaskStatus.DONE)
    wait_for(lambda: finished.count() == 3 * TASK_COUNT, lambda: worker.output + sweeper.output)
    assert sorted(map(int, notes.read_text().split())) == list(range(3 * TASK_COUNT))
    assert worker.process.poll() is None


def test_build_started_while_the_queue_is_down_is_completed(
    queue_server: QueueServer, harness: BuildHarness, start_process: StartProcess, live_server: Any
) -> None:
    """The commit succeeds, the notification fails, and the sweeper finds the task. The callback is not lost either."""
    queue_server.kill_and_erase()
    build = harness.start_build(harness.make_voice())
    assert Task.objects.get(kind="submit_build").status == TaskStatus.WAITING
    environment = {"VOICEHUB_BASE_URL": live_server.url}
    worker = start_process(*MANAGE, "worker", **environment)
    sweeper = start_process(*MANAGE, "sweep", "--every", "0.2", **environment)
    worker.wait_for_output("The queue cannot be reached")
    queue_server.start()
    wait_for(
        lambda: not Build.objects.filter(status__in=ACTIVE_STATUSES).exists(),
        lambda: worker.output + sweeper.output,
        timeout_seconds=180,
    )
    build.refresh_from_db()
    assert build.status == BuildStatus.READY
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_unresponsive_queue_does_not_block_notification(tmp_path: Path, settings: Any, db: None) -> None:
    """The queue accepts the connection and never responds. Saving a page must not wait for the queue forever."""
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent_socket:
        silent_socket.bind(str(path))
        silent_socket.listen()
        settings.RQ_QUEUES = {name: queue | {"URL": f"unix://{path}"} for name, queue in settings.RQ_QUEUES.items()}
        task = Task.objects.create(kind="note", object_id="1")

        def notify() -> None:
            outbox.notify_queue(task.pk)
            connection.close()

        notification = Thread(target=notify, daemon=True)
        notification.start()
        notification.join(20)
        assert not notification.is_alive()
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING
