"""The tasks in the admin say what they work on, and stand in the order in which they need a person."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.support.html import read_html
from tests.voices.rows import Studio
from voicehub.admin_base.subjects import find_subjects, list_kinds
from voicehub.models import Task, TaskStatus, User
from voicehub.scheduler import RECURRING
from voicehub.task_labels import TASK_LABELS
from voices.models import Build

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
LIST = "admin:voicehub_task_changelist"


@pytest.fixture
def staff(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def add_task(kind: str, object_id: object, status: str = TaskStatus.DONE, **fields: object) -> Task:
    return Task.objects.create(kind=kind, object_id=str(object_id), status=status, **fields)


def test_every_kind_of_task_that_works_on_a_row_has_a_subject() -> None:
    assert set(list_kinds()) == set(TASK_LABELS) - set(RECURRING)


def test_list_names_the_voice_the_talent_and_the_account(staff: Client, studio: Studio, producer: User) -> None:
    build = studio.make_build()
    draft = f"{build.voice.talent_id.hex}{build.pk.hex}"
    tasks = [
        add_task("submit_build", build.pk),
        add_task("examine_recordings", build.voice_id),
        add_task("delete_remote_voice", build.remote_voice_id),
        add_task("delete_contract_draft_file", draft),
        add_task("send_pause_mail", f"{studio.account.pk}:{producer.pk}"),
        add_task("expire_consents", "all"),
        add_task("submit_build", "broken"),
    ]
    voice, talent = build.voice.name, build.voice.talent.name
    subjects = find_subjects(tasks, producer)
    assert [subjects.get(task.pk) for task in tasks] == [voice, voice, voice, talent, studio.account.name, None, None]
    assert f'class="field-about">{talent}</td>' in read_html(staff.get(reverse(LIST)))
    assert voice in read_html(staff.get(reverse("admin:voicehub_task_change", args=[tasks[0].pk])))
    assert find_subjects(tasks, AnonymousUser()) == {}


def test_query_count_does_not_grow_with_tasks(staff: Client, studio: Studio) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert staff.get(reverse(LIST)).status_code == 200
        return len(queries)

    studio.make_build()
    add_task("submit_build", Build.objects.get().pk)
    few = count_queries()
    for _number in range(10):
        add_task("submit_build", studio.make_build().pk)
    assert count_queries() == few


def test_failed_tasks_come_first_and_then_the_next_ones(staff: Client) -> None:
    now = timezone.now()
    for object_id, status, minutes in (
        ("done", TaskStatus.DONE, 0),
        ("later", TaskStatus.WAITING, 20),
        ("failed", TaskStatus.FAILED, 0),
        ("next", TaskStatus.WAITING, 10),
    ):
        add_task("k", object_id, status, due_at=now + timedelta(minutes=minutes))
    tasks = staff.get(reverse(LIST)).context["cl"].result_list
    assert [task.object_id for task in tasks] == ["failed", "next", "later", "done"]
