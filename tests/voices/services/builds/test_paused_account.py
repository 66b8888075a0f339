"""A key that is refused pauses its account, once: builds wait, everybody is told, and a new key sets them going."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.support.html import read_html
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus
from voices.models import Account, BuildStatus
from voices.services.accounts import pause_account

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

REFUSED = "The provider does not accept this account's key for this."


def text_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return read_html(response).replace("&#x27;", "'")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("operation", ["create_voice", "create_recording", "build_voice"])
def test_a_refused_key_pauses_once_and_a_new_one_sets_the_build_going(
    harness: BuildHarness, sandbox: Any, as_admin: Client, operation: str, status: int
) -> None:
    sandbox.faults({"operation": operation, "do": f"status:{status}"})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.QUEUED)
    harness.account.refresh_from_db()
    paused_at = harness.account.paused_at
    assert paused_at
    assert harness.account.pause_reason.startswith(REFUSED)
    asked = harness.count_requests()
    for _ in range(3):
        harness.reach_status(build, BuildStatus.QUEUED)
    harness.account.refresh_from_db()
    assert harness.account.paused_at == paused_at
    assert harness.count_requests() == asked  # nothing is asked with a key that was refused
    sandbox.control("DELETE", "faults")
    # A key of the same account over there: what has been made with the old one is there.
    as_admin.post(reverse("voices:account_key", args=[harness.account.pk]), {"key": harness.key})
    harness.account.refresh_from_db()
    assert harness.account.paused_at is None
    assert harness.finish_build(build).status == BuildStatus.READY, build.issue
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_the_pause_is_told_where_it_is_felt_and_mended_where_it_is_told(
    harness: BuildHarness, sandbox: Any, as_admin: Client, as_viewer: Client, as_producer: Client
) -> None:
    sandbox.faults({"operation": "create_voice", "do": "status:401"})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.QUEUED)
    account = reverse("voices:account", args=[harness.account.pk])
    rows = [row for row in as_admin.get(reverse("today")).context["steps"] if row.status == "Paused"]
    (row,) = rows
    assert (row.subject, row.action, row.url) == (harness.account.name, "Enter a new key", account)
    assert row.reasons[0].startswith(REFUSED)
    assert row.reasons[1] == "1 build waits for a working key."
    for place in (build.get_absolute_url(), build.voice.get_absolute_url()):
        text = text_of(as_admin, place)
        assert f"{harness.account.name} is paused" in text
        assert REFUSED in text
        assert account in text
    assert "Enter a new key" in text_of(as_admin, build.get_absolute_url())
    # Who may not see accounts is told, and led nowhere.
    assert account not in text_of(as_viewer, reverse("today"))
    assert harness.account.name in text_of(as_viewer, reverse("today"))
    assert account not in text_of(as_viewer, build.get_absolute_url())
    # Who may see them and not change them opens the account.
    assert f'<a href="{account}">' in text_of(as_producer, reverse("today"))
    assert "Enter a new key" not in text_of(as_producer, reverse("today"))


def test_a_pause_while_it_trains_ends_with_a_key_that_works_again(
    harness: BuildHarness, sandbox: Any, as_admin: Client
) -> None:
    """The provider was wrong for a while: to test the key ends the pause, and the build is asked about again."""
    sandbox.control("POST", "settings", {"training_seconds": 3600.0})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    sandbox.faults({"operation": "get_voice", "do": "status:403", "nth": 1})
    harness.reach_status(build, BuildStatus.TRAINING)
    assert Account.objects.get().paused_at
    assert "is paused" in text_of(as_admin, build.get_absolute_url())
    seen = as_admin.get(reverse("voices:build_progress", args=[build.pk])).context["stamp"]
    answer = as_admin.post(reverse("voices:account_test", args=[harness.account.pk]), follow=True)
    assert f"The key of {harness.account.name} works." in answer.content.decode()
    assert Account.objects.get().paused_at is None
    moved = as_admin.get(reverse("voices:build_progress", args=[build.pk]), {"seen": seen})
    assert "is paused" not in moved.content.decode()
    sandbox.forward(3600)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_a_pause_by_a_person_is_ended_by_a_person(harness: BuildHarness, as_admin: Client, producer: Any) -> None:
    build = harness.start_build(harness.make_voice())
    pause_account(harness.account, "The invoice is disputed.", producer)
    harness.reach_status(build, BuildStatus.QUEUED)
    account = reverse("voices:account", args=[harness.account.pk])
    assert "1 build waits for it." in " ".join(text_of(as_admin, account).split())
    as_admin.post(reverse("voices:account_key", args=[harness.account.pk]), {"key": harness.key})
    as_admin.post(reverse("voices:account_test", args=[harness.account.pk]))
    assert Account.objects.get().paused_at
    text = text_of(as_admin, reverse("today"))
    assert "Paused by Paula: The invoice is disputed." in text
    assert "Resume account" in text
    as_admin.post(reverse("voices:account_resume", args=[harness.account.pk]))
    assert Task.objects.get(kind="submit_build", status=TaskStatus.WAITING)
    assert harness.finish_build(build).status == BuildStatus.READY
