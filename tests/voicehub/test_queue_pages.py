"""The pages of the queues in the admin, in place of those of django-rq."""

import django_rq
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from rq.registry import DeferredJobRegistry, FailedJobRegistry, FinishedJobRegistry, ScheduledJobRegistry

from tests.support.html import read_html
from voicehub import outbox
from voicehub.models import Task, User
from voicehub.task_labels import describe_task

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

INDEX = list(settings.RQ_QUEUES).index(outbox.SUBMIT)
REGISTRIES = {
    "failed_jobs": FailedJobRegistry,
    "finished_jobs": FinishedJobRegistry,
    "scheduled_jobs": ScheduledJobRegistry,
    "deferred_jobs": DeferredJobRegistry,
}
HEADINGS = {
    "jobs": "Waiting: Builds and mails",
    "failed_jobs": "Failed: Builds and mails",
    "finished_jobs": "Done: Builds and mails",
    "scheduled_jobs": "Scheduled: Builds and mails",
    "deferred_jobs": "Deferred: Builds and mails",
    "started_jobs": "Running: Builds and mails",
}


@pytest.fixture
def admin_page(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def make_url(name: str) -> str:
    return reverse(f"admin:django_rq_{name}", args=[INDEX])


def add_jobs(count: int) -> list[Task]:
    first = Task.objects.count()
    tasks = [Task.objects.create(kind="submit_build", object_id=str(first + number)) for number in range(count)]
    for task in tasks:
        outbox.notify_queue(task.pk)
    return tasks


@pytest.mark.parametrize("name", HEADINGS)
def test_each_list_has_its_heading_and_no_script_of_its_own(admin_page: Client, name: str) -> None:
    page = read_html(admin_page.get(make_url(name)))
    assert f"<h1>{HEADINGS[name]}</h1>" in page and "0 jobs" in page
    assert "<script type=" not in page and "<table" not in page


@pytest.mark.parametrize("name", REGISTRIES)
def test_jobs_of_each_kind_lead_to_their_tasks(admin_page: Client, name: str) -> None:
    (task,) = add_jobs(1)
    queue = django_rq.get_queue(outbox.SUBMIT)
    (job,) = queue.jobs
    queue.remove(job)
    REGISTRIES[name](queue=queue).add(job, ttl=60)
    page = read_html(admin_page.get(make_url(name)))
    assert f'<a href="{reverse("admin:voicehub_task_change", args=[task.pk])}">{describe_task(task.kind)}</a>' in page
    assert "1 job<" in page and reverse("admin:django_rq_job_detail", args=[INDEX, job.id]) in page


def test_job_without_a_task_is_shown_as_such(admin_page: Client) -> None:
    tasks = add_jobs(2)
    tasks[0].delete()
    django_rq.get_queue(outbox.SUBMIT, commit_mode="auto").enqueue(outbox.notify_due_tasks)
    page = read_html(admin_page.get(make_url("jobs")))
    assert page.count("Deleted task") == 2 and page.count(describe_task("submit_build")) == 1
    assert "3 jobs" in page


def test_number_of_queries_does_not_grow_with_jobs(
    admin_page: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_jobs(1)
    admin_page.get(make_url("jobs"))
    with django_assert_max_num_queries(50) as few:
        admin_page.get(make_url("jobs"))
    add_jobs(9)
    with django_assert_max_num_queries(len(few)):
        assert read_html(admin_page.get(make_url("jobs"))).count(describe_task("submit_build")) == 10


def test_list_of_jobs_has_pages(admin_page: Client) -> None:
    add_jobs(101)
    page = read_html(admin_page.get(make_url("jobs")))
    assert '<a href="?page=2">2</a>' in page and "101 jobs" in page
    assert read_html(admin_page.get(make_url("jobs"), {"page": 2})).count(describe_task("submit_build")) == 1


def test_queue_without_workers_says_so(admin_page: Client) -> None:
    assert "No worker serves this queue" in read_html(admin_page.get(make_url("workers")))
