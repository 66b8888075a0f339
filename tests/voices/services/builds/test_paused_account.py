"""A refused key pauses its account once. Builds wait, pages show the pause, and a new key resumes the builds."""

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

KEY_REFUSED = "The provider does not accept this account's key for this."


def read_page(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return read_html(response).replace("&#x27;", "'")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("operation", ["create_voice", "create_recording", "build_voice"])
def test_refused_key_pauses_once_and_new_key_resumes_the_build(
    harness: BuildHarness, sandbox: Any, superuser_client: Client, operation: str, status: int
) -> None:
    sandbox.set_faults({"operation": operation, "do": f"status:{status}"})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.QUEUED)
    harness.account.refresh_from_db()
    paused_at = harness.account.paused_at
    assert paused_at
    assert harness.account.pause_reason.startswith(KEY_REFUSED)
    requests = harness.count_requests()
    for _ in range(3):
        harness.reach_status(build, BuildStatus.QUEUED)
    harness.account.refresh_from_db()
    assert harness.account.paused_at == paused_at
    assert harness.count_requests() == requests  # a refused key is not used again
    sandbox.call_control("DELETE", "faults")
    # The new key belongs to the same provider account, which has everything created with the old key.
    superuser_client.post(reverse("voices:account_key", args=[harness.account.pk]), {"key": harness.key})
    harness.account.refresh_from_db()
    assert harness.account.paused_at is None
    assert harness.finish_build(build).status == BuildStatus.READY, build.issue
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}


def test_pages_show_the_pause_and_link_to_the_account_by_role(
    harness: BuildHarness, sandbox: Any, superuser_client: Client, viewer_client: Client, producer_client: Client
) -> None:
    sandbox.set_faults({"operation": "create_voice", "do": "status:401"})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.QUEUED)
    account_url = reverse("voices:account", args=[harness.account.pk])
    rows = [row for row in superuser_client.get(reverse("today")).context["steps"] if row.status == "Paused"]
    (row,) = rows
    assert (row.subject, row.action, row.url) == (harness.account.name, "Enter a new key", f"{account_url}#new-key")
    assert row.reasons[0].startswith(KEY_REFUSED)
    assert row.reasons[1] == "1 build waits for a working key."
    for url in (build.get_absolute_url(), build.voice.get_readiness_url()):
        text = read_page(superuser_client, url)
        assert f"{harness.account.name} is paused" in text
        assert KEY_REFUSED in text
        assert account_url in text
    assert "Enter a new key" in read_page(superuser_client, build.get_absolute_url())
    # Users who may not see accounts see the pause, but no link.
    assert account_url not in read_page(viewer_client, reverse("today"))
    assert harness.account.name in read_page(viewer_client, reverse("today"))
    assert account_url not in read_page(viewer_client, build.get_absolute_url())
    # Users who may see but not change accounts get a link to the account.
    assert f'<a href="{account_url}">' in read_page(producer_client, reverse("today"))
    assert "Enter a new key" not in read_page(producer_client, reverse("today"))


def test_pause_during_training_ends_when_the_key_works_again(
    harness: BuildHarness, sandbox: Any, superuser_client: Client
) -> None:
    """The provider refused a good key for a while. A successful key test ends the pause, and polling resumes."""
    sandbox.call_control("POST", "settings", {"training_seconds": 3600.0})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    sandbox.set_faults({"operation": "get_voice", "do": "status:403", "nth": 1})
    harness.reach_status(build, BuildStatus.TRAINING)
    assert Account.objects.get().paused_at
    assert "is paused" in read_page(superuser_client, build.get_absolute_url())
    token = superuser_client.get(reverse("voices:build_progress", args=[build.pk])).context["change_token"]
    response = superuser_client.post(reverse("voices:account_test", args=[harness.account.pk]), follow=True)
    assert f"The key of {harness.account.name} works." in response.content.decode()
    assert Account.objects.get().paused_at is None
    progress = superuser_client.get(reverse("voices:build_progress", args=[build.pk]), {"seen": token})
    assert "is paused" not in progress.content.decode()
    sandbox.forward_clock(3600)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_manual_pause_ends_only_manually(harness: BuildHarness, superuser_client: Client, producer: Any) -> None:
    build = harness.start_build(harness.make_voice())
    pause_account(harness.account, "The invoice is disputed.", producer)
    harness.reach_status(build, BuildStatus.QUEUED)
    account_url = reverse("voices:account", args=[harness.account.pk])
    assert "1 build waits for it." in " ".join(read_page(superuser_client, account_url).split())
    superuser_client.post(reverse("voices:account_key", args=[harness.account.pk]), {"key": harness.key})
    superuser_client.post(reverse("voices:account_test", args=[harness.account.pk]))
    assert Account.objects.get().paused_at
    text = read_page(superuser_client, reverse("today"))
    assert "Paused by Paula: The invoice is disputed." in text
    assert "Resume account" in text
    superuser_client.post(reverse("voices:account_resume", args=[harness.account.pk]))
    assert Task.objects.get(kind="submit_build", status=TaskStatus.WAITING)
    assert harness.finish_build(build).status == BuildStatus.READY
