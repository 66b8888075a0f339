"""The queue is a doorbell: killed, emptied or never there, it costs seconds and no work."""

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.db import connection

from tests.processes.conftest import Doorbell
from tests.support.processes import MANAGE, Started, wait_for
from tests.voices.services.builds.build_harness import ACTIVE_STATUSES, BuildHarness
from voicehub import outbox
from voicehub.models import Task, TaskStatus
from voices.models import Build, BuildStatus

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

Start = Callable[..., Started]

# A worker that knows one more kind of task: it writes down that it has done it.
WORKER = """
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
TASKS = 40


def add_notes(count: int, begin: int = 0) -> None:
    for number in range(begin, begin + count):
        outbox.enqueue_task("note", number)


def test_queue_killed_and_emptied_while_tasks_wait(doorbell: Doorbell, start: Start, tmp_path: Path) -> None:
    """Some are done before it dies, some are asked for while it is away, some after; each is done, and once."""
    notes = tmp_path / "notes"
    add_notes(TASKS)
    worker = start(sys.executable, "-c", WORKER, VOICEHUB_TEST_FOLDER=str(tmp_path))
    wait_for(lambda: notes.exists() and len(notes.read_text().splitlines()) >= 3, lambda: worker.said)
    doorbell.lose()
    add_notes(TASKS, TASKS)
    # Ours, or RQ's own words where it was waiting for work just then.
    missed = ("cannot be reached", "could not connect")
    wait_for(lambda: any(words in worker.said for words in missed), lambda: f"not missed: {worker.said}")
    doorbell.start()
    sweeper = start(*MANAGE, "sweep", "--every", "0.2")
    add_notes(TASKS, 2 * TASKS)
    done = Task.objects.filter(kind="note", status=TaskStatus.DONE)
    wait_for(lambda: done.count() == 3 * TASKS, lambda: worker.said + sweeper.said)
    assert sorted(map(int, notes.read_text().split())) == list(range(3 * TASKS))
    assert worker.process.poll() is None


def test_build_that_was_started_without_a_queue(
    doorbell: Doorbell, desk: BuildHarness, start: Start, live_server: Any
) -> None:
    """The commit succeeds, nobody is told, and the sweeper finds it. The provider's callback is kept as well."""
    doorbell.lose()
    build = desk.start_build(desk.make_voice())
    assert Task.objects.get(kind="submit_build").status == TaskStatus.WAITING
    address = {"VOICEHUB_BASE_URL": live_server.url}
    worker = start(*MANAGE, "worker", **address)
    sweeper = start(*MANAGE, "sweep", "--every", "0.2", **address)
    worker.says("The queue cannot be reached")
    doorbell.start()
    wait_for(
        lambda: not Build.objects.filter(status__in=ACTIVE_STATUSES).exists(),
        lambda: worker.said + sweeper.said,
        patience=180,
    )
    build.refresh_from_db()
    assert build.status == BuildStatus.READY
    assert desk.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_queue_that_does_not_answer_holds_nobody_up(tmp_path: Path, settings: Any, db: None) -> None:
    """It takes the connection and says nothing; who saves a page must not wait for it for ever."""
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as silent:
        silent.bind(str(path))
        silent.listen()
        settings.RQ_QUEUES = {name: queue | {"URL": f"unix://{path}"} for name, queue in settings.RQ_QUEUES.items()}
        task = Task.objects.create(kind="note", object_id="1")

        def ring() -> None:
            outbox.notify_queue(task.pk)
            connection.close()

        ringing = Thread(target=ring, daemon=True)
        ringing.start()
        ringing.join(20)
        assert not ringing.is_alive()
    task.refresh_from_db()
    assert task.status == TaskStatus.WAITING
