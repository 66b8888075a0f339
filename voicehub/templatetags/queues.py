"""The jobs of a queue, in the admin."""

from collections.abc import Mapping, Sequence
from typing import Any
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

# What the list of queues counts: the name in django-rq, and the heading. The last two are rare.
JOB_COLUMNS = (
    ("workers", "Workers"),
    ("jobs", "Waiting"),
    ("started_jobs", "Running"),
    ("failed_jobs", "Failed"),
    ("finished_jobs", "Done"),
)
RARE_JOB_COLUMNS = (("scheduled_jobs", "Scheduled"), ("deferred_jobs", "Deferred"))

register = template.Library()


@register.simple_tag
def list_job_columns(queues: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The columns of the list of queues as (name, heading): a rare one only if a queue has such jobs."""
    return [*JOB_COLUMNS, *(column for column in RARE_JOB_COLUMNS if any(queue[column[0]] for queue in queues))]


@register.filter
def get_count(queue: Mapping[str, Any], name: str) -> Any:
    return queue[name]


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
