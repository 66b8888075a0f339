"""Runs due tasks in the test process, as a worker does in its own process."""

from typing import Any

from django.utils import timezone

from voicehub import outbox
from voicehub.models import Task, TaskStatus

# Tasks that analyze audio take a second per recording, and builds do not depend on them.
AUDIO_TASK_KINDS = ("check_take", "examine_recordings", "examine_share", "compare_recordings", "match_takes")


def list_due_tasks(*kinds: str) -> list[str]:
    """List the ids of due tasks of these kinds, the longest waiting first. Without `kinds`, skip audio tasks."""
    tasks = Task.objects.filter(status=TaskStatus.WAITING, lease__isnull=True, due_at__lte=timezone.now())
    tasks = tasks.filter(kind__in=kinds) if kinds else tasks.exclude(kind__in=AUDIO_TASK_KINDS)
    return [str(pk) for pk in tasks.order_by("due_at").values_list("pk", flat=True)]


def run_due_tasks(*kinds: str, rounds: int = 50, once: str = "") -> int:
    """Run due tasks, and tasks that become due meanwhile, until no task is due. Return the number of task runs.

    Without `kinds`, audio tasks are not run. Tasks of the kind `once` run only if they are due at the start, and only
    once: on a slow machine, a poll in one second becomes due while other tasks still run.
    Raise AssertionError if tasks are still due after all rounds.
    """
    completed = 0
    at_start = set(list_due_tasks(once)) if once else set()
    for _ in range(rounds):
        skipped = set(list_due_tasks(once)) - at_start if once else set()
        at_start = set()
        ids = [task_id for task_id in list_due_tasks(*kinds) if task_id not in skipped]
        if not ids:
            return completed
        for task_id in ids:
            outbox.run_task(task_id)
        completed += len(ids)
    raise AssertionError(f"Tasks are still due after {rounds} rounds: {list(Task.objects.values())}")


def refuse_single_file(*_arguments: Any) -> Any:
    """Stand in for the function that packs one file, in builds that must send their recordings one by one."""
    raise AssertionError("This build has no single file.")
