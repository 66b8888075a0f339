"""Builds at Resemble v1: it returns each upload URL only once, and its list does not show the status of a voice."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers.resemble_v1.adapter import ResembleV1
from providers.types import Handover, Tier
from tests.support.sandbox import SandboxProcess
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import User
from voices.models import Build, BuildStatus
from voices.services.builds.reconcile import resolve_submit_manually, resolve_training_manually

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

BILLED_ONCE = {"v1_create_voice": 1, "v1_build": 1}
DOCUMENTED_FIELDS = ("name", "language", "id", "uuid")


@pytest.fixture
def harness(sandbox: SandboxProcess, producer: User) -> BuildHarness:
    return BuildHarness(producer, sandbox, "resemble_v1")


@pytest.fixture
def sparse_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reduce each voice in the provider's list to the fields that the vendor's own client shows."""
    original = ResembleV1.call

    def call_with_sparse_list(self: ResembleV1, *args: Any, **kwargs: Any) -> Any:
        data = original(self, *args, **kwargs)
        return (
            [{field: item[field] for field in DOCUMENTED_FIELDS} for item in data] if isinstance(data, list) else data
        )

    monkeypatch.setattr(ResembleV1, "call", call_with_sparse_list)


def start_new_build(harness: BuildHarness) -> Build:
    return harness.start_build(harness.make_voice(), Tier.PROFESSIONAL, Handover.SIGNED_PUT_TEXTS)


def test_interrupted_upload_is_repeated_at_the_same_url(harness: BuildHarness, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "v1_upload", "do": "drop", "nth": 1})
    assert harness.finish_build(start_new_build(harness)).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


@pytest.mark.usefixtures("sparse_list")
def test_build_call_with_lost_response_waits_for_staff(harness: BuildHarness, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "v1_build", "do": "drop", "phase": "after_commit", "nth": 1})
    build = harness.reach_status(start_new_build(harness), BuildStatus.UNCONFIRMED)
    for _ in range(4):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert harness.count_billed() == BILLED_ONCE
    resolve_submit_manually(build, harness.producer, build.remote_voice.remote_id, "It trains, as their site shows.")
    harness.reach_status(build, BuildStatus.TRAINING)
    assert harness.count_billed() == BILLED_ONCE


@pytest.mark.usefixtures("sparse_list")
def test_build_call_is_repeated_if_staff_find_no_training(harness: BuildHarness, sandbox: SandboxProcess) -> None:
    sandbox.set_faults({"operation": "v1_build", "do": "drop", "nth": 1})
    build = harness.reach_status(start_new_build(harness), BuildStatus.UNCONFIRMED)
    for _ in range(4):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert harness.count_billed() == {"v1_create_voice": 1}
    resolve_submit_manually(build, harness.producer, "", "Nothing trains there.")
    harness.reach_status(build, BuildStatus.TRAINING)
    assert harness.count_billed() == BILLED_ONCE


@pytest.mark.usefixtures("sparse_list")
def test_staff_are_asked_for_the_status_only_after_a_while(harness: BuildHarness) -> None:
    """The list never shows the status, so the first polls are no reason to ask staff."""
    build = harness.reach_status(start_new_build(harness), BuildStatus.TRAINING)
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
