"""Resemble's first API from the desk on: an address that is given once, and a list that does not tell how it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.resemble_v1.adapter import ResembleV1
from providers.types import Handover, Tier
from tests.support.sandbox import Sandbox
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import User
from voices.models import Build, BuildStatus
from voices.services.builds.reconcile import resolve_submit_manually, resolve_training_manually

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

ONCE = {"v1_create_voice": 1, "v1_build": 1}
ATTESTED = ("name", "language", "id", "uuid")


@pytest.fixture
def harness(sandbox: Sandbox, producer: User) -> BuildHarness:
    return BuildHarness(producer, sandbox, "resemble_v1")


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says no more than the vendor's own client shows."""
    loud = ResembleV1.call

    def call(self: ResembleV1, *args: Any, **more: Any) -> Any:
        answer = loud(self, *args, **more)
        return [{name: item[name] for name in ATTESTED} for item in answer] if isinstance(answer, list) else answer

    monkeypatch.setattr(ResembleV1, "call", call)


def started(harness: BuildHarness) -> Build:
    return harness.start_build(harness.make_voice(), Tier.PROFESSIONAL, Handover.SIGNED_PUT_TEXTS)


def test_upload_that_broke_off_is_made_again_at_the_same_address(harness: BuildHarness, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "v1_upload", "do": "drop", "nth": 1})
    assert harness.finish_build(started(harness)).status == BuildStatus.READY
    assert harness.count_billed() == ONCE


@pytest.mark.usefixtures("quiet")
def test_build_call_in_doubt_waits_for_a_person_where_no_look_can_tell(harness: BuildHarness, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "v1_build", "do": "drop", "phase": "after_commit", "nth": 1})
    build = harness.reach_status(started(harness), BuildStatus.UNCONFIRMED)
    for _ in range(4):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert harness.count_billed() == ONCE
    resolve_submit_manually(build, harness.producer, build.remote_voice.remote_id, "It trains, as their site shows.")
    harness.reach_status(build, BuildStatus.TRAINING)
    assert harness.count_billed() == ONCE


@pytest.mark.usefixtures("quiet")
def test_build_call_that_a_person_did_not_find_is_made(harness: BuildHarness, sandbox: Sandbox) -> None:
    sandbox.faults({"operation": "v1_build", "do": "drop", "nth": 1})
    build = harness.reach_status(started(harness), BuildStatus.UNCONFIRMED)
    for _ in range(4):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert harness.count_billed() == {"v1_create_voice": 1}
    resolve_submit_manually(build, harness.producer, "", "Nothing trains there.")
    harness.reach_status(build, BuildStatus.TRAINING)
    assert harness.count_billed() == ONCE


@pytest.mark.usefixtures("quiet")
def test_person_is_asked_how_it_stands_only_after_a_while(harness: BuildHarness) -> None:
    """The list never says it, so that the first looks tell nothing that a person should be asked about."""
    build = harness.reach_status(started(harness), BuildStatus.TRAINING)
    harness.run_tasks()
    build.refresh_from_db()
    assert not build.has_unknown_provider_status
    Build.objects.filter(pk=build.pk).update(training_at=timezone.now() - timedelta(hours=1))
    harness.run_tasks()
    build.refresh_from_db()
    assert build.has_unknown_provider_status
    resolve_training_manually(build, harness.producer, BuildStatus.READY, "It speaks on their site.")
    build.refresh_from_db()
    assert (build.status, build.resolved_by) == (BuildStatus.READY, harness.producer)
