"""The jobs of a queue, in the admin."""

from collections.abc import Sequence
from uuid import UUID

from django import template
from rq.exceptions import DeserializationError
from rq.job import Job

from voicehub import outbox
from voicehub.models import Task
from voicehub.task_labels import describe_task

# The queues by what their tasks do.
QUEUE_NAMES = {
    outbox.URGENT: "Deletions and checks",
    outbox.SUBMIT: "Builds and mails",
    outbox.TAKES: "Consent recordings",
    outbox.ANALYSIS: "Analysis of recordings",
}

register = template.Library()


@register.filter
def name_queue(name: str) -> str:
    return QUEUE_NAMES.get(name, name.capitalize())


@register.simple_tag
def pair_with_tasks(jobs: Sequence[Job]) -> list[tuple[Job, str, str]]:
    """Each job with the id and the label of its task. Both are empty if the task does not exist anymore. One query."""
    ids = [_read_task_id(job) for job in jobs]
    kinds = Task.objects.filter(pk__in=[pk for pk in ids if pk]).values_list("pk", "kind")
    labels = {str(pk): describe_task(kind) for pk, kind in kinds}
    return [(job, pk if pk in labels else "", labels.get(pk, "")) for job, pk in zip(jobs, ids, strict=True)]


def _read_task_id(job: Job) -> str:
    try:
        return str(UUID(job.args[0]))
    except (AttributeError, DeserializationError, IndexError, TypeError, ValueError):
        return ""
