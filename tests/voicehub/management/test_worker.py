"""The worker and the sweeper as processes of their own, on the database and the queue of the tests."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from launcher import valkey
from tests.support.processes import MANAGE, Started, wait_for
from voicehub import outbox
from voicehub.models import Task, TaskStatus

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# A worker that knows one more kind of task: it says that it began, and ends when a file of its name is there.
WORKER = """
import os, pathlib, time, django
django.setup()
from django.core.management import call_command
from voicehub import outbox

@outbox.register_handler("wait_for_file")
def wait_for_file(name, lease):
    print("began", flush=True)
    while not (pathlib.Path(os.environ["VOICEHUB_TEST_FOLDER"]) / name).exists():
        time.sleep(0.02)

call_command("worker")
"""

Start = Callable[..., Started]


@pytest.fixture
def start(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    started: list[Started] = []
    given = process_environment | {"VOICEHUB_TEST_FOLDER": str(tmp_path)}

    def start_one(*command: str, **variables: str) -> Started:
        started.append(Started(command, given | variables))
        return started[-1]

    yield start_one
    for one in started:
        one.kill()


@pytest.fixture
def worker(start: Start) -> Started:
    return start(sys.executable, "-c", WORKER)


def is_done(path: Path) -> bool:
    return Task.objects.filter(object_id=path.name, status=TaskStatus.DONE).exists()


def test_worker_does_what_is_rung_for(worker: Started, tmp_path: Path) -> None:
    file = tmp_path / "go"
    file.touch()
    outbox.enqueue_task("wait_for_file", file.name)
    wait_for(lambda: is_done(file), lambda: worker.said)


def test_told_to_stop_it_finishes_what_it_does(worker: Started, tmp_path: Path) -> None:
    file = tmp_path / "go"
    outbox.enqueue_task("wait_for_file", file.name)
    worker.says("began")
    worker.process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.process.wait(0.5)
    file.touch()
    assert worker.process.wait(60) == 0
    assert is_done(file)


def test_idle_worker_stops_at_once(worker: Started, tmp_path: Path) -> None:
    file = tmp_path / "go"
    file.touch()
    outbox.enqueue_task("wait_for_file", file.name)
    wait_for(lambda: is_done(file), lambda: worker.said)
    assert worker.stop(signal.SIGTERM, patience=5) == 0


def test_worker_without_a_queue_waits_for_it(start: Start, tmp_path: Path) -> None:
    """It is started first, the queue after it; then the queue dies under it and comes back."""
    worker = start(sys.executable, "-c", WORKER, REDIS_URL=valkey.build_url(tmp_path))
    worker.says("The queue cannot be reached")
    for name in ("one", "two"):
        queue = subprocess.Popen(valkey.build_command(tmp_path), stdout=subprocess.DEVNULL)
        try:
            wait_for(lambda: valkey.is_answering(valkey.get_socket_path(tmp_path)), "Valkey")
            file = tmp_path / name
            file.touch()
            outbox.enqueue_task("wait_for_file", file.name)
            ring(tmp_path, file)
            wait_for(partial(is_done, file), lambda: worker.said)
        finally:
            queue.kill()
            queue.wait()
    assert worker.process.poll() is None


def ring(data_dir: Path, file: Path) -> None:
    """Ring at the queue under `data_dir` instead of the tests' own."""
    from redis import Redis
    from rq import Queue
    from rq.serializers import JSONSerializer

    task_id = str(Task.objects.get(object_id=file.name).pk)
    with Redis(unix_socket_path=str(valkey.get_socket_path(data_dir))) as connection:
        Queue(outbox.SUBMIT, connection=connection, serializer=JSONSerializer).enqueue(outbox.run_task, task_id)


def test_sweeper_rings_for_what_the_queue_forgot(worker: Started, start: Start, tmp_path: Path) -> None:
    file = tmp_path / "go"
    file.touch()
    Task.objects.create(kind="wait_for_file", object_id=file.name, due_at=timezone.now() - timedelta(minutes=1))
    sweeper = start(*MANAGE, "sweep", "--every", "0.2")
    wait_for(lambda: is_done(file), lambda: worker.said + sweeper.said)
    assert sweeper.stop(signal.SIGTERM, patience=5) == 0


def test_sweeper_begins_what_nobody_asks_for(start: Start) -> None:
    sweeper = start(*MANAGE, "sweep")
    wait_for(lambda: Task.objects.filter(kind="expire_consents").exists(), lambda: sweeper.said)


def test_sweeping_once_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    Task.objects.create(kind="wait_for_file", object_id="x", due_at=timezone.now())
    Task.objects.create(kind="wait_for_file", object_id="y", due_at=timezone.now() + timedelta(hours=1))
    call_command("sweep", "--once")
    assert "Due tasks enqueued: 1." in capsys.readouterr().out
