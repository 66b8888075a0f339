"""The actions of the admin's lists call the services, respect the permissions, and say what became of each row."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from consent.models import Contract
from tests.voices.rows import Studio
from voicehub.admin_base.rows import PRIVATE_PERMISSIONS
from voicehub.models import Task, TaskStatus, User
from voices.models import Build, RemoteVoice, Voice

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


@pytest.fixture
def staff(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def run_action(client: Client, name: str, *rows: Any) -> list[str]:
    """Run the action on these rows. Return the messages of the page that follows."""
    url = reverse(f"admin:{rows[0]._meta.app_label}_{rows[0]._meta.model_name}_changelist")
    response = client.post(url, {"action": name, "_selected_action": [str(row.pk) for row in rows]}, follow=True)
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


def make_task(object_id: str, status: TaskStatus = TaskStatus.FAILED) -> Task:
    return Task.objects.create(kind="send_invitation", object_id=object_id, status=status)


def test_failed_tasks_run_again_and_others_say_why_not(staff: Client) -> None:
    failed, done = make_task("1"), make_task("2", TaskStatus.DONE)
    messages = run_action(staff, "retry_tasks", failed, done)
    failed.refresh_from_db()
    assert failed.status == TaskStatus.WAITING
    assert any(str(failed) in text and "Runs again." in text for text in messages)
    assert any(str(done) in text and "it has not failed" in text for text in messages)


def test_failed_tasks_are_marked_as_seen(staff: Client, admin: User) -> None:
    failed, done = make_task("1"), make_task("2", TaskStatus.DONE)
    messages = run_action(staff, "mark_seen", failed, done)
    failed.refresh_from_db()
    done.refresh_from_db()
    assert (failed.seen_by, done.seen_by) == (admin, None)
    assert len(messages) == 2


def test_rows_with_the_same_result_share_a_message(staff: Client) -> None:
    tasks = [make_task(str(number)) for number in range(30)]
    (message,) = run_action(staff, "mark_seen", *tasks)
    assert "and 25 more: Marked as seen." in message


def test_only_builds_in_training_are_polled(staff: Client, studio: Studio) -> None:
    training, failed = studio.make_build(), studio.make_build(status="failed")
    messages = run_action(staff, "check_now", training, failed)
    assert set(Task.objects.filter(kind="refresh_build").values_list("object_id", flat=True)) == {str(training.pk)}
    assert any("not in training" in text for text in messages)


def test_only_failed_builds_are_marked_as_seen(staff: Client, studio: Studio, admin: User) -> None:
    training, failed = studio.make_build(), studio.make_build(status="failed")
    messages = run_action(staff, "mark_seen", training, failed)
    assert list(Build.objects.filter(seen_by=admin)) == [failed]
    assert any("Only a failed build" in text for text in messages)


@pytest.mark.parametrize("is_voice", [True, False])
def test_recordings_are_checked_again_once_for_each_voice(staff: Client, studio: Studio, is_voice: bool) -> None:
    voice = studio.make_voice()
    recordings = studio.make_recordings(voice, 3)
    Task.objects.all().delete()
    messages = run_action(staff, "check_recordings", *([voice] if is_voice else recordings))
    assert [task.object_id for task in Task.objects.all()] == [str(voice.pk)]
    assert messages == [f"{voice}: The recordings are checked in the background."]


def test_refresh_of_remote_voices_reports_each_refusal(staff: Client, studio: Studio) -> None:
    studio.make_build()
    RemoteVoice.objects.update(remote_id="")
    remote = RemoteVoice.objects.get()
    assert run_action(staff, "refresh", remote) == [f"{remote}: The provider does not have this voice."]


@pytest.mark.usefixtures("reads_names")
def test_contract_file_is_compared_with_its_hash(staff: Client, studio: Studio) -> None:
    whole, changed = studio.make_contract(studio.make_talent()), studio.make_contract(studio.make_talent("Bo"))
    Contract.objects.filter(pk=changed.pk).update(sha256="0" * 64)
    messages = run_action(staff, "check_files", whole, changed)
    assert f"{whole}: The file is the one that was filed." in messages
    assert f"{changed}: The file is not the one that was filed." in messages


@pytest.mark.parametrize(
    ("name", "codename"),
    [("check_now", "view_build"), ("refresh", "view_remotevoice"), ("check_recordings", "view_voice")],
)
def test_staff_without_the_permission_cannot_run_an_action(
    client: Client, studio: Studio, make_person: Callable[..., User], name: str, codename: str
) -> None:
    build = studio.make_build()
    person = make_person("some-staff", is_staff=True)
    private = [permission.partition(".")[2] for permission in PRIVATE_PERMISSIONS]
    person.user_permissions.set(Permission.objects.filter(codename__in=[codename, *private]))
    client.force_login(person)
    Task.objects.all().delete()
    rows = {"view_build": build, "view_remotevoice": build.remote_voice, "view_voice": Voice.objects.get()}
    run_action(client, name, rows[codename])
    assert not Task.objects.exists() and RemoteVoice.objects.get().checked_at is None
    url = reverse(f"admin:voices_{codename.removeprefix('view_')}_changelist")
    assert f'value="{name}"' not in client.get(url).content.decode()
