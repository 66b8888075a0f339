"""Does in the test's own process what a worker does in its own."""

from typing import Any

from django.utils import timezone

from voicehub import outbox
from voicehub.models import Task, TaskStatus

# Takes a second for each recording, and changes nothing that a build waits for.
HEARING = ("check_take", "examine_recordings", "compare_recordings")


def due(*kinds: str) -> list[str]:
    """The ids of the tasks that a worker would find due now, the longest waiting first; of these kinds, if any."""
    waiting = Task.objects.filter(status=TaskStatus.WAITING, lease__isnull=True, due_at__lte=timezone.now())
    waiting = waiting.filter(kind__in=kinds) if kinds else waiting.exclude(kind__in=HEARING)
    return [str(pk) for pk in waiting.order_by("due_at").values_list("pk", flat=True)]


def do_tasks(*kinds: str, rounds: int = 50) -> int:
    """Do what is due, and what becomes due by that, until nothing is; returns how many were done.

    Without `kinds` all but the listening to recordings.

    Raises AssertionError when work keeps making work: something goes round in circles.
    """
    done = 0
    for _ in range(rounds):
        ids = due(*kinds)
        if not ids:
            return done
        for task_id in ids:
            outbox.run_task(task_id)
        done += len(ids)
    raise AssertionError(f"There is still work after {rounds} rounds: {list(Task.objects.values())}")


def no_file(*_told: Any) -> Any:
    """For builds that hand over no one file."""
    raise AssertionError("This build has no one file.")
