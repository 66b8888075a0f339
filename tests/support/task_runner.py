"""Runs due tasks in the test process, as a worker does in its own process."""

from typing import Any

from django.utils import timezone

from voicehub import outbox
from voicehub.models import Task, TaskStatus

# Tasks that analyze audio take a second per recording, and builds do not depend on them.
AUDIO_TASK_KINDS = ("check_take", "examine_recordings", "compare_recordings", "match_takes")


def list_due_tasks(*kinds: str) -> list[str]:
    """List the ids of due tasks of these kinds, the longest waiting first. Without `kinds`, skip audio tasks."""
    tasks = Task.objects.filter(status=TaskStatus.WAITING, lease__isnull=True, due_at__lte=timezone.now())
    tasks = tasks.filter(kind__in=kinds) if kinds else tasks.exclude(kind__in=AUDIO_TASK_KINDS)
    return [str(pk) for pk in tasks.order_by("due_at").values_list("pk", flat=True)]


def run_due_tasks(*kinds: str, rounds: int = 50) -> int:
    """Run due tasks, and tasks that become due meanwhile, until no task is due. Return the number of task runs.

    Without `kinds`, audio tasks are not run. Raise AssertionError if tasks are still due after all rounds.
    """
    completed = 0
    for _ in range(rounds):
        ids = list_due_tasks(*kinds)
        if not ids:
            return completed
        for task_id in ids:
            outbox.run_task(task_id)
        completed += len(ids)
    raise AssertionError(f"Tasks are still due after {rounds} rounds: {list(Task.objects.values())}")


def refuse_single_file(*_arguments: Any) -> Any:
    """Stand in for the function that packs one file, in builds that must send their recordings one by one."""
    raise AssertionError("This build has no single file.")
