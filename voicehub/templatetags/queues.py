"""The jobs of a queue, in the admin."""

from collections.abc import Sequence
from uuid import UUID

from django import template
from rq.exceptions import DeserializationError
from rq.job import Job

from voicehub.models import Task
from voicehub.task_labels import describe_task

register = template.Library()


@register.simple_tag
def pair_with_tasks(jobs: Sequence[Job]) -> list[tuple[Job, UUID | None, str]]:
    """Each job with the id and the label of its task: None and empty if it does not exist anymore. One query."""
    ids = [_read_task_id(job) for job in jobs]
    labels = {pk: describe_task(kind) for pk, kind in Task.objects.filter(pk__in=ids).values_list("pk", "kind")}
    return [(job, pk if pk in labels else None, labels.get(pk, "")) for job, pk in zip(jobs, ids, strict=True)]


def _read_task_id(job: Job) -> UUID | None:
    try:
        return UUID(job.args[0])
    except (AttributeError, DeserializationError, IndexError, TypeError, ValueError):
        return None
