"""The worker and the sweeper run as separate processes, on the database and the queue of the tests."""

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
from tests.support.processes import MANAGE, StartedProcess, wait_for
from voicehub import outbox
from voicehub.models import Task, TaskStatus

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

# A worker with an additional kind of task, which prints "began" and ends when the file named by its object id exists.
WORKER_SCRIPT = """
import gc, os, pathlib, time, django
django.setup()
from django.core.management import call_command
from voicehub import outbox

@outbox.register_handler("wait_for_file")
def wait_for_file(name, lease):
    print("began", flush=True)
    while not (pathlib.Path(os.environ["VOICEHUB_TEST_FOLDER"]) / name).exists():
        time.sleep(0.02)

@outbox.register_handler("report_garbage_collector")
def report_garbage_collector(name, lease):
    print("frozen" if gc.get_freeze_count() > 10_000 and gc.get_threshold()[0] > 2000 else "not frozen", flush=True)

call_command("worker")
"""

StartProcess = Callable[..., StartedProcess]


@pytest.fixture
def start_process(process_environment: dict[str, str], tmp_path: Path) -> Iterator[StartProcess]:
    processes: list[StartedProcess] = []
    environment = process_environment | {"VOICEHUB_TEST_FOLDER": str(tmp_path)}

    def start(*command: str, **variables: str) -> StartedProcess:
        processes.append(StartedProcess(command, environment | variables))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()


@pytest.fixture
def worker(start_process: StartProcess) -> StartedProcess:
    return start_process(sys.executable, "-c", WORKER_SCRIPT)


def has_finished(path: Path) -> bool:
    return Task.objects.filter(object_id=path.name, status=TaskStatus.DONE).exists()


def test_worker_runs_enqueued_task(worker: StartedProcess, tmp_path: Path) -> None:
    awaited_file = tmp_path / "go"
    awaited_file.touch()
    outbox.enqueue_task("wait_for_file", awaited_file.name)
    wait_for(lambda: has_finished(awaited_file), lambda: worker.output)


def test_worker_spares_the_garbage_collector_what_it_loaded(worker: StartedProcess) -> None:
    outbox.enqueue_task("report_garbage_collector", "x")
    worker.wait_for_output("frozen")
    assert "not frozen" not in worker.output


def test_worker_that_receives_sigterm_finishes_its_task_first(worker: StartedProcess, tmp_path: Path) -> None:
    awaited_file = tmp_path / "go"
    outbox.enqueue_task("wait_for_file", awaited_file.name)
    worker.wait_for_output("began")
    worker.process.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.process.wait(0.5)
    awaited_file.touch()
    assert worker.process.wait(60) == 0
    assert has_finished(awaited_file)


def test_worker_that_receives_sigterm_while_idle_stops_at_once(worker: StartedProcess, tmp_path: Path) -> None:
    awaited_file = tmp_path / "go"
    awaited_file.touch()
    outbox.enqueue_task("wait_for_file", awaited_file.name)
    wait_for(lambda: has_finished(awaited_file), lambda: worker.output)
    assert worker.stop(signal.SIGTERM, timeout_seconds=5) == 0


def test_worker_without_a_queue_waits_for_it(start_process: StartProcess, tmp_path: Path) -> None:
    """The worker starts before the queue. Then the queue is killed and started again."""
    worker = start_process(sys.executable, "-c", WORKER_SCRIPT, REDIS_URL=valkey.build_url(tmp_path))
    worker.wait_for_output("The queue cannot be reached")
    for name in ("one", "two"):
        queue = subprocess.Popen(valkey.build_command(tmp_path), stdout=subprocess.DEVNULL)
        try:
            wait_for(lambda: valkey.is_answering(valkey.get_socket_path(tmp_path)), "Valkey")
            awaited_file = tmp_path / name
            awaited_file.touch()
            outbox.enqueue_task("wait_for_file", awaited_file.name)
            enqueue_in_queue_server(tmp_path, awaited_file)
            wait_for(partial(has_finished, awaited_file), lambda: worker.output)
        finally:
            queue.kill()
            queue.wait()
    assert worker.process.poll() is None


def enqueue_in_queue_server(data_dir: Path, awaited_file: Path) -> None:
    """Enqueue the task in the queue server under `data_dir`, instead of the queue of the tests."""
    from redis import Redis
    from rq import Queue
    from rq.serializers import JSONSerializer

    task_id = str(Task.objects.get(object_id=awaited_file.name).pk)
    with Redis(unix_socket_path=str(valkey.get_socket_path(data_dir))) as connection:
        Queue(outbox.SUBMIT, connection=connection, serializer=JSONSerializer).enqueue(outbox.run_task, task_id)


def test_sweeper_enqueues_due_task_missing_from_queue(
    worker: StartedProcess, start_process: StartProcess, tmp_path: Path
) -> None:
    awaited_file = tmp_path / "go"
    awaited_file.touch()
    Task.objects.create(kind="wait_for_file", object_id=awaited_file.name, due_at=timezone.now() - timedelta(minutes=1))
    sweeper = start_process(*MANAGE, "sweep", "--every", "0.2")
    wait_for(lambda: has_finished(awaited_file), lambda: worker.output + sweeper.output)
    assert sweeper.stop(signal.SIGTERM, timeout_seconds=5) == 0


def test_sweeper_starts_recurring_tasks(start_process: StartProcess) -> None:
    sweeper = start_process(*MANAGE, "sweep")
    wait_for(lambda: Task.objects.filter(kind="expire_consents").exists(), lambda: sweeper.output)


def test_single_sweep_prints_number_of_enqueued_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    Task.objects.create(kind="wait_for_file", object_id="x", due_at=timezone.now())
    Task.objects.create(kind="wait_for_file", object_id="y", due_at=timezone.now() + timedelta(hours=1))
    call_command("sweep", "--once")
    assert "Due tasks enqueued: 1." in capsys.readouterr().out
