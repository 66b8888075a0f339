"""What a person does about a deletion: steps, assignment, confirmation, and what Today shows of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from consent.models import Talent
from consent.services.legal_hold import release_hold, set_hold
from consent.services.review import withdraw_consent
from tests.support.html import read_html
from tests.support.task_runner import run_due_tasks
from tests.voices.rows import Studio
from voicehub.models import Task, User
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import MANUAL_DELETION_ALARM_AFTER
from voices.models import Account, RemoteFile, RemoteVoice
from voices.services.deletion_assignment import assign_deletion
from voices.views.next_step import NextStep

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakePerson = Callable[..., User]


@pytest.fixture
def remote(studio: Studio) -> RemoteVoice:
    """A voice at AudioStack whose consent is in force."""
    Account.objects.update(provider="audiostack")
    build = studio.make_build(status="ready")
    type(build.consent).objects.update(provider="audiostack")
    return build.remote_voice


def withdraw(remote: RemoteVoice, by: User) -> RemoteVoice:
    consent = remote.builds.get().consent
    withdraw_consent(consent, by, "The talent changed their mind.")
    return RemoteVoice.objects.get(pk=remote.pk)


def add_files(remote: RemoteVoice, count: int = 2) -> None:
    now = timezone.now()
    RemoteFile.objects.bulk_create(
        RemoteFile(
            account=remote.account, remote_voice=remote, kind="recording", remote_id=f"{remote.pk}-{n}",
            announced_at=now, deletion_requested_at=now,
        )
        for n in range(count)
    )  # fmt: skip


def read_page(client: Client, remote: RemoteVoice) -> str:
    response = client.get(remote.get_absolute_url())
    assert response.status_code == 200
    return read_html(response)


def list_steps(client: Client) -> list[NextStep]:
    steps: list[NextStep] = client.get(reverse("today")).context["steps"]
    return [step for step in steps if "remote-voices" in step.url]


def test_user_who_requested_the_consent_gets_the_task_and_one_mail(remote: RemoteVoice, producer: User) -> None:
    User.objects.filter(pk=producer.pk).update(email="paula@studio.test")
    remote = withdraw(remote, producer)
    assert remote.deletion_assigned_to == producer
    run_due_tasks("send_deletion_task", "delete_remote_voice")
    (message,) = mail.outbox
    assert message.to == ["paula@studio.test"] and message.subject == "Please delete a voice at AudioStack"
    assert remote.get_absolute_url() in message.body and "ask AudioStack's support" in message.body
    assert "The consent was withdrawn." in message.body and "&" not in message.body


def test_no_mail_is_sent_after_the_confirmation(remote: RemoteVoice, producer: User) -> None:
    User.objects.filter(pk=producer.pk).update(email="paula@studio.test")
    remote = withdraw(remote, producer)
    RemoteVoice.objects.update(deleted_at=timezone.now())
    run_due_tasks("send_deletion_task")
    assert mail.outbox == []


def test_no_one_is_asked_to_delete_a_voice_during_a_legal_hold(
    remote: RemoteVoice, producer: User, producer_client: Client
) -> None:
    talent = Talent.objects.get()
    User.objects.filter(pk=producer.pk).update(email="paula@studio.test")
    set_hold(talent, producer, "A court order.")
    remote = withdraw(remote, producer)
    run_due_tasks("send_deletion_task")
    assert mail.outbox == []
    text = read_page(producer_client, remote)
    assert "Kept because of a legal hold." in text and "Delete it on the" not in text and "Legal hold" in text
    release_hold(talent, producer, "The case is closed.")
    run_due_tasks("send_deletion_task")
    assert [message.to for message in mail.outbox] == [["paula@studio.test"]]
    assert "Delete it on the" in read_page(producer_client, remote)


@pytest.mark.parametrize("change", [{"is_active": False}, {"groups": []}])
def test_user_who_left_or_may_not_delete_is_not_assigned(
    remote: RemoteVoice, producer: User, make_person: MakePerson, change: dict[str, Any]
) -> None:
    other = make_person("otto", "producer")
    make_person("vera", "viewer")
    if "groups" in change:
        producer.groups.clear()
    else:
        User.objects.filter(pk=producer.pk).update(**change)
    assert withdraw(remote, other).deletion_assigned_to == other


def test_voice_is_assigned_to_no_one_if_no_one_may_delete(
    remote: RemoteVoice, producer: User, viewer_client: Client
) -> None:
    producer.groups.clear()
    remote = withdraw(remote, producer)
    assert remote.deletion_assigned_to is None
    assert "No one</span> is assigned" in read_page(viewer_client, remote)
    assert list_steps(viewer_client)[0].status == "To delete"


def test_page_shows_steps_and_source_beside_the_confirmation(
    remote: RemoteVoice, producer: User, producer_client: Client, viewer_client: Client
) -> None:
    remote = withdraw(remote, producer)
    text = read_page(producer_client, remote)
    assert "ask AudioStack&#x27;s support to delete it" in text or "ask AudioStack's support to delete it" in text
    assert "checked on 2026-11-21" in text and remote.reference in text
    assert "Paula deletes it." in text and "Confirm that the voice is deleted" in text and "Assign deletion" in text
    text = read_page(viewer_client, remote)
    assert "Paula deletes it." in text
    assert "Assign deletion" not in text and "Confirm that the voice is deleted" not in text


def test_deletion_can_be_passed_on_to_a_user_who_may_delete(
    remote: RemoteVoice, producer: User, producer_client: Client, make_person: MakePerson
) -> None:
    remote = withdraw(remote, producer)
    other, viewer = make_person("otto", "producer"), make_person("vera", "viewer")
    url = reverse("voices:remote_assign_deletion", args=[remote.pk])
    text = read_html(producer_client.post(url, {"user": str(viewer.pk)}, follow=True))
    assert "is not allowed to delete voices" in text
    with pytest.raises(ActionRefused):
        assign_deletion(remote, viewer)
    read_html(producer_client.post(url, {"user": str(other.pk)}, follow=True))
    assert RemoteVoice.objects.get().deletion_assigned_to == other
    RemoteVoice.objects.update(deleted_at=timezone.now())
    text = read_html(producer_client.post(url, {"user": str(producer.pk)}, follow=True))
    assert "does not wait for a deletion" in text
    assert RemoteVoice.objects.get().deletion_assigned_to == other


@pytest.mark.parametrize("url_name", ["remote_assign_deletion", "remote_confirm_files", "remote_confirm_deletion"])
def test_viewer_and_engineer_change_nothing(
    remote: RemoteVoice, producer: User, viewer_client: Client, engineer_client: Client, url_name: str
) -> None:
    remote = withdraw(remote, producer)
    for client in (viewer_client, engineer_client):
        fields = {"user": str(producer.pk), "reason": "I saw it."}
        assert client.post(reverse(f"voices:{url_name}", args=[remote.pk]), fields).status_code == 403
    assert RemoteVoice.objects.get().deleted_at is None


def test_today_names_the_person_and_becomes_an_alarm_after_seven_days(
    remote: RemoteVoice, producer: User, viewer_client: Client
) -> None:
    remote = withdraw(remote, producer)
    (step,) = list_steps(viewer_client)
    assert (step.status, step.severity) == ("To delete: Paula", "wait")
    assert step.url == f"{remote.get_absolute_url()}#deletion" and step.since == remote.deletion_requested_at
    RemoteVoice.objects.update(
        deletion_requested_at=timezone.now() - MANUAL_DELETION_ALARM_AFTER - timedelta(minutes=1)
    )
    assert list_steps(viewer_client)[0].severity == "bad"


def test_today_shows_files_also_of_a_deleted_voice(
    remote: RemoteVoice, viewer_client: Client, producer_client: Client
) -> None:
    add_files(remote)
    RemoteVoice.objects.update(deleted_at=timezone.now())
    (step,) = list_steps(viewer_client)
    assert (step.status, step.severity) == ("Files being deleted", "busy")
    RemoteVoice.objects.update(file_alert="The provider refuses.")
    (step,) = list_steps(viewer_client)
    assert (step.status, step.severity, step.reasons) == ("Not deleted", "bad", ("The provider refuses.",))
    assert "The provider refuses." in read_page(viewer_client, remote)
    assert "Confirm deletion of the files" not in read_page(viewer_client, remote)
    url = reverse("voices:remote_confirm_files", args=[remote.pk])
    assert "Enter a reason." in read_html(producer_client.post(url, {"reason": " "}, follow=True))
    assert "Saved." in read_html(producer_client.post(url, {"reason": "The support wrote."}, follow=True))
    assert list_steps(viewer_client) == []
    assert "Confirmed by Paula" in read_page(viewer_client, remote)


def test_today_needs_as_many_queries_for_many_deletions_as_for_few(
    remote: RemoteVoice, producer: User, viewer_client: Client, studio: Studio
) -> None:
    withdraw(remote, producer)
    add_files(remote)
    list_steps(viewer_client)
    with CaptureQueriesContext(connection) as few:
        list_steps(viewer_client)
    for _ in range(4):
        other = studio.make_build(remote.builds.get().voice, status="failed").remote_voice
        RemoteVoice.objects.filter(pk=other.pk).update(
            deletion_requested_at=timezone.now(), deletion_assigned_to=producer
        )
        add_files(other, 3)
    assert len(list_steps(viewer_client)) > 6
    with CaptureQueriesContext(connection) as many:
        list_steps(viewer_client)
    assert len(many) == len(few) < 33


def test_page_polls_while_files_are_deleted(remote: RemoteVoice, viewer_client: Client) -> None:
    assert "hx-trigger" not in read_page(viewer_client, remote)
    add_files(remote)
    text = read_page(viewer_client, remote)
    assert 'hx-trigger="every 2s"' in text
    seen = text.partition("?seen=")[2].partition('"')[0]
    url = reverse("voices:remote_progress", args=[remote.pk])
    assert viewer_client.get(url, {"seen": seen}).status_code == 204
    RemoteFile.objects.update(deleted_at=timezone.now())
    assert viewer_client.get(url, {"seen": seen}).status_code == 200


def test_assignment_without_address_enqueues_no_mail(remote: RemoteVoice, producer: User) -> None:
    User.objects.update(email="")
    withdraw(remote, producer)
    assert not Task.objects.filter(kind="send_deletion_task").exists()


def test_withdrawn_consent_leads_to_the_deletion_first(
    remote: RemoteVoice, producer: User, producer_client: Client
) -> None:
    withdraw(remote, producer)
    consent = remote.builds.get().consent
    page = read_html(producer_client.get(consent.get_absolute_url()))
    assert f'<a href="{remote.get_absolute_url()}">Voice' in page and "Table of deletions" not in page, "one row"
    assert "Not yet confirmed</span>" in page
    assert page.index(">Deletions</h2>") < page.index(">Statement</h2>")
    assert "Approved recording" not in page and "next next-plain" not in page
    assert f'href="{remote.get_absolute_url()}#deletion">Confirm the deletion</a>' in page, "a person must delete it"
