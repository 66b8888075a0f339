"""A withdrawn training is polled for the bill and the proof, until it ends or its voice is gone; it is never ready."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from consent.services.review import withdraw_consent
from providers import registry
from providers.types import Handover, Tier
from tests.support.html import read_html
from tests.support.sandbox import poll_until
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.retry_policy import WITHDRAWN_POLL_LIMIT
from voices.models import Build, BuildStatus, Preview
from voices.services.builds import poll
from voices.services.builds.lifecycle import VOICE_PUBLIC
from voices.services.deletion import record_manual_deletion

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

PROVIDERS = [provider.slug for provider in registry.list_providers()]
WITHOUT_DELETION = ("audiostack", "resemble_v1")
MakeHarness = Callable[[str], BuildHarness]


def reload(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def start_training(harness: BuildHarness, seconds: float = 3600.0) -> Build:
    """Start a build that trains at the provider for this time."""
    harness.sandbox.call_control("POST", "settings", {"training_seconds": seconds})
    tier, capabilities = next(iter(registry.get_provider_class(harness.provider).tiers.items()))
    build = harness.start_build(harness.make_voice(), Tier(tier), Handover(capabilities.handover[0]))
    return harness.reach_status(build, BuildStatus.TRAINING)


def withdraw(build: Build, harness: BuildHarness) -> None:
    withdraw_consent(build.consent, harness.producer, "The talent changed their mind.")


def list_waiting_polls(build: Build) -> list[Task]:
    waiting = Task.objects.filter(kind="refresh_build", status=TaskStatus.WAITING)
    return list(waiting.filter(object_id=str(build.pk)))


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - set(WITHOUT_DELETION)))
def test_state_before_the_deletion_is_stored_once(make_harness: MakeHarness, provider: str) -> None:
    harness = make_harness(provider)
    build = start_training(harness)
    Build.objects.filter(pk=build.pk).update(raw_status="", raw_response={})
    Task.objects.filter(kind="refresh_build").delete()
    withdraw(build, harness)
    Task.objects.filter(kind="refresh_build").delete()
    harness.run_tasks(2)
    build = reload(build)
    assert build.remote_voice.deleted_at and build.remote_voice.alert == ""
    assert build.raw_status and build.raw_response, "the deletion stores the state that it ends"
    assert (build.status, build.scores) == (BuildStatus.WITHDRAWN, {})
    assert not Preview.objects.exists()


def test_deletion_is_sent_although_the_state_cannot_be_fetched(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = start_training(harness)
    harness.sandbox.set_faults({"operation": "get_voice", "do": "status:500", "nth": 1})
    Task.objects.filter(kind="refresh_build").delete()
    withdraw(build, harness)
    Task.objects.filter(kind="refresh_build").delete()
    harness.run_tasks()
    assert len(harness.list_requests("delete_voice")) == 1
    assert reload(build.remote_voice).deleted_at


@pytest.mark.parametrize("provider", WITHOUT_DELETION)
def test_withdrawn_training_is_polled_until_it_ends(make_harness: MakeHarness, provider: str) -> None:
    harness = make_harness(provider)
    build = start_training(harness, 0.0)
    withdraw(build, harness)
    assert list_waiting_polls(build)

    def is_final() -> bool:
        harness.run_tasks()
        return not list_waiting_polls(build)

    poll_until(is_final)
    build = reload(build)
    assert (build.status, build.scores) == (BuildStatus.WITHDRAWN, {})
    assert build.raw_response and build.finished_at
    harness.run_tasks(2)
    assert reload(build).status == BuildStatus.WITHDRAWN
    assert not Preview.objects.exists() and build.remote_voice.deletion_requested_at


def test_withdrawn_training_is_polled_slowly_until_a_person_confirms_the_deletion(make_harness: MakeHarness) -> None:
    harness = make_harness("audiostack")
    build = start_training(harness)
    withdraw(build, harness)
    harness.run_tasks()
    (task,) = list_waiting_polls(build)
    assert timedelta(minutes=9) < task.due_at - timezone.now() <= timedelta(minutes=10)
    record_manual_deletion(reload(build.remote_voice), harness.producer, "Deleted on the website.")
    requests = harness.count_requests()
    harness.run_tasks(2)
    assert not list_waiting_polls(build) and harness.count_requests() == requests


def test_training_that_never_ends_is_not_polled_for_ever(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v1")
    build = start_training(harness)
    withdraw(build, harness)
    Build.objects.filter(pk=build.pk).update(finished_at=timezone.now() - WITHDRAWN_POLL_LIMIT)
    since = len(harness.list_requests())
    harness.run_tasks()
    assert len(harness.list_requests()) == since and list_waiting_polls(build) == []


@pytest.mark.parametrize("fault", ["status:500", "status:401"])
def test_failed_poll_of_a_withdrawn_training_is_repeated(make_harness: MakeHarness, fault: str) -> None:
    harness = make_harness("audiostack")
    build = start_training(harness)
    withdraw(build, harness)
    harness.sandbox.set_faults({"operation": "get_clone", "do": fault})
    harness.run_tasks()
    assert len(list_waiting_polls(build)) == 1 and reload(build).status == BuildStatus.WITHDRAWN


def test_public_voice_of_a_withdrawn_training_raises_the_alert(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    harness.sandbox.set_faults(
        {"operation": "va_clone", "do": "public"}, {"operation": "va_delete_voice", "do": "status:500"}
    )
    build = start_training(harness)
    withdraw(build, harness)
    assert poll.refresh_build(str(build.pk))
    assert reload(build.remote_voice).alert == VOICE_PUBLIC
    assert reload(build).status == BuildStatus.WITHDRAWN


def test_poll_keeps_the_alert_about_the_deletion(make_harness: MakeHarness) -> None:
    harness = make_harness("voiceai")
    build = start_training(harness)
    withdraw(build, harness)
    type(build.remote_voice).objects.update(alert="VoiceHub has tried to delete this voice for more than a day.")
    poll.refresh_build(str(build.pk))
    assert "more than a day" in reload(build.remote_voice).alert


def test_unsent_build_is_not_polled(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = harness.start_build(harness.make_voice())
    withdraw(build, harness)
    requests = harness.count_requests()
    harness.run_tasks(2)
    assert not list_waiting_polls(build) and harness.count_requests() == requests


def test_callback_of_a_withdrawn_training_triggers_a_poll(make_harness: MakeHarness) -> None:
    harness = make_harness("audiostack")
    build = start_training(harness)
    withdraw(build, harness)
    Task.objects.filter(kind="refresh_build").delete()
    assert poll.receive_callback(reload(build), b"{}", None)
    assert len(list_waiting_polls(build)) == 1
    record_manual_deletion(reload(build.remote_voice), harness.producer, "Deleted on the website.")
    Task.objects.filter(kind="refresh_build").delete()
    assert poll.receive_callback(reload(build), b"{ }", None)
    assert not list_waiting_polls(build)


def test_page_says_what_the_training_cost(make_harness: MakeHarness, producer_client: Client) -> None:
    harness = make_harness("audiostack")
    build = start_training(harness)
    withdraw(build, harness)
    page = read_html(producer_client.get(build.get_absolute_url()))
    assert "AudioStack has not reported what it cost. Its price: 300 credits when the voice has succeeded." in page
    Build.objects.update(raw_response={"creditsUsed": 300})
    assert "AudioStack reports that it cost 300 credits." in read_html(producer_client.get(build.get_absolute_url()))
    Build.objects.update(submitted_at=None)
    assert "Nothing was sent" in read_html(producer_client.get(build.get_absolute_url()))


def test_repeated_deletion_fetches_the_state_before_it_once(make_harness: MakeHarness) -> None:
    harness = make_harness("resemble_v2")
    build = start_training(harness)
    harness.sandbox.set_faults({"operation": "delete_voice", "do": "status:500"})
    withdraw(build, harness)
    Task.objects.filter(kind="refresh_build").delete()
    fetched = len(harness.list_requests("get_voice"))
    harness.run_tasks(3)
    assert len(harness.list_requests("get_voice")) == fetched + 1
    assert reload(build.remote_voice).deleted_at is None
