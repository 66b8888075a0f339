"""Callbacks are untrusted hints, stored once. Only a request to the provider decides the status of a build."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from providers import registry
from tests.support.sandbox import poll_until
from tests.support.task_runner import run_due_tasks
from tests.voices.services.builds.build_harness import SLT_CLIPS, BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.retry_policy import PREVIOUS_BUILD_GRACE
from voicehub.upload_limits import CALLBACKS_PER_BUILD
from voices.models import AccountMode, Build, BuildStatus, Callback
from voices.services.builds import poll
from voices.services.builds.lifecycle import compute_poll_interval
from voices.services.builds.poll import refresh_build
from voices.services.builds.spec import make_callback_url, make_clip_name, shorten_clip_names

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def post_callback(build: Build, body: Any, url: str = "") -> int:
    """Send a callback as a provider does: without session and CSRF token."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = (url or make_callback_url(build)).partition("127.0.0.1:9")[2]
    return Client(enforce_csrf_checks=True).post(path, data, content_type="application/json").status_code


def make_payload(build: Build, status: str = "finished", **fields: Any) -> dict[str, Any]:
    """Return the payload that the provider would send for this build."""
    return {"ok": True, "id": build.remote_voice.remote_id, "status": status, "recordings": [], "issue": None} | fields


def make_report_entries(build: Build, **flags: Any) -> list[dict[str, Any]]:
    """Return the callback's entry for the first recording of the build."""
    row = build.recordings.select_related("recording").first()
    assert row
    remote = build.remote_voice.recordings.get(recording=row.recording)
    return [{"uuid": remote.remote_id, "name": make_clip_name(row.recording)} | flags]


@pytest.fixture
def training(harness: BuildHarness, sandbox: Any) -> Build:
    """A build whose training does not end during the test."""
    sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    return harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)


def test_callback_with_a_wrong_token_gets_404_and_causes_no_request(harness: BuildHarness, training: Build) -> None:
    requests, tasks = harness.count_requests(), Task.objects.count()
    url = make_callback_url(training)
    for wrong_url in (
        url[:-2] + "/",
        url.replace("resemble_v2", "other"),
        url.replace("hooks/resemble_v2/", "hooks/resemble_v2/x"),
    ):
        assert post_callback(training, make_payload(training), wrong_url) == 404
    assert not Callback.objects.exists()
    assert (harness.count_requests(), Task.objects.count()) == (requests, tasks)


def test_callback_with_a_forged_final_status_changes_nothing(harness: BuildHarness, training: Build) -> None:
    """The callback has the right token, but the provider itself, asked with the account key, reports training."""
    for status in ("finished", "ready", "dataset_issue", "consent_validation_failed", "failed"):
        forged = make_payload(
            training, status, recordings=make_report_entries(training, is_silent=True), issue="Forged."
        )
        assert post_callback(training, forged) == 204
    requests = harness.count_requests()
    run_due_tasks()
    assert harness.count_requests("GET") == requests - harness.count_requests("POST") + 1
    training.refresh_from_db()
    assert training.status == BuildStatus.TRAINING
    assert training.issue == ""
    assert not training.recordings.filter(has_report=True).exists()
    assert not training.recordings.filter(is_silent=True).exists()


def test_callback_causes_one_get_request_to_the_provider(harness: BuildHarness, training: Build) -> None:
    requests = harness.count_requests()
    assert post_callback(training, make_payload(training)) == 204
    assert harness.count_requests() == requests
    run_due_tasks()
    assert [request["operation"] for request in harness.list_requests()][-1] == "get_voice"
    assert harness.count_requests() == requests + 1


def test_callback_makes_the_next_poll_due_at_once(training: Build) -> None:
    assert Task.objects.get(kind="refresh_build", status=TaskStatus.WAITING).due_at > timezone.now()
    post_callback(training, make_payload(training))
    assert Task.objects.get(kind="refresh_build", status=TaskStatus.WAITING).due_at <= timezone.now()


def test_callback_with_identical_bytes_is_stored_once(harness: BuildHarness, training: Build) -> None:
    for _ in range(3):
        assert post_callback(training, make_payload(training)) == 204
    assert post_callback(training, json.dumps(make_payload(training), indent=1).encode()) == 204
    assert training.callbacks.count() == 2


def test_flood_of_callbacks_is_accepted_and_not_stored(harness: BuildHarness, training: Build) -> None:
    for number in range(CALLBACKS_PER_BUILD + 5):
        assert post_callback(training, make_payload(training, note=number)) == 204
    assert training.callbacks.count() == CALLBACKS_PER_BUILD


@pytest.mark.parametrize("body", [b"", b"null", b"\xff\0", b"[" * 60_000, b'{"id": "\\u0000", "issue": "\\ud800"}'])
def test_callback_with_an_unreadable_body_stops_no_build(harness: BuildHarness, sandbox: Any, body: bytes) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    assert post_callback(build, body) == 204
    assert harness.finish_build(build).status == BuildStatus.READY


def test_callback_of_another_voice_is_ignored(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    post_callback(build, make_payload(build, recordings=make_report_entries(build, is_outlier=True)) | {"id": "other"})
    assert harness.finish_build(build).status == BuildStatus.READY
    assert not build.recordings.filter(is_outlier=True).exists()


def test_callback_during_submit_is_stored_and_stops_no_build(harness: BuildHarness, sandbox: Any) -> None:
    """The callback arrives during the submit and is stored. The status comes from the provider later."""
    build = harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent"))
    found = poll.find_build_by_callback_token("resemble_v2", make_callback_url(build).split("/")[-2])
    assert found == build
    Build.objects.filter(pk=build.pk).update(status=BuildStatus.SUBMITTING)
    assert post_callback(build, b'{"early": true}') == 204
    run_due_tasks()
    build = harness.finish_build(build)
    assert build.status == BuildStatus.DATASET_ISSUE
    assert build.callbacks.count() == 1


def test_callback_adds_its_fields_to_the_report_of_the_provider(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.reach_status(
        harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent")), BuildStatus.TRAINING
    )
    entries = make_report_entries(build, si_dr_score="12.5", stoi_score=0.9, is_outlier=None, is_silent="false")
    post_callback(
        build,
        make_payload(build, "dataset_issue", issue="From the callback.", recordings=[*entries, {"uuid": "unknown"}]),
    )
    build = harness.finish_build(build)
    row = build.recordings.get(from_callback=True)
    assert (row.si_sdr, row.stoi, row.is_outlier, row.is_silent) == (12.5, 0.9, None, False)
    assert row.sample_score is not None, "the callback erased a value of the look-up"
    assert build.issue == "From the callback."


def test_callback_after_the_end_of_a_build_changes_nothing(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    rows = list(build.recordings.values())
    requests = harness.count_requests()
    for status in ("dataset_issue", "finished", "consent_validation_failed"):
        assert (
            post_callback(build, make_payload(build, status, recordings=make_report_entries(build, is_silent=True)))
            == 204
        )
    harness.run_tasks(2)
    build.refresh_from_db()
    assert build.status == BuildStatus.READY
    assert list(build.recordings.values()) == rows
    assert harness.count_requests() == requests
    assert build.callbacks.count() == 3


def test_callback_of_the_previous_build_changes_nothing(harness: BuildHarness, sandbox: Any) -> None:
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice))
    assert first.status == BuildStatus.DATASET_ISSUE
    sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    second = harness.reach_status(harness.start_build(voice), BuildStatus.TRAINING)
    assert post_callback(first, make_payload(first, "dataset_issue", issue="Old.")) == 204
    harness.run_tasks(2)
    second.refresh_from_db()
    assert second.status == BuildStatus.TRAINING
    assert make_callback_url(first) != make_callback_url(second)


def test_report_of_the_previous_build_is_not_used_during_the_grace_period(
    harness: BuildHarness, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider may still report the previous build for a short time after the build call."""
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice))
    with registry.open_provider(harness.account) as provider:
        previous = provider.fetch_build(first.remote_voice.remote_id)
    second = harness.reach_status(harness.start_build(voice), BuildStatus.TRAINING)
    unchanged = replace(previous, version=second.previous_version)
    monkeypatch.setattr(type(provider), "fetch_build", lambda *_: unchanged)
    harness.reach_status(second, BuildStatus.TRAINING)
    # After the grace period the unchanged report counts, because the provider may never send another one.
    Build.objects.filter(pk=second.pk).update(training_at=timezone.now() - PREVIOUS_BUILD_GRACE - timedelta(seconds=1))
    harness.reach_status(second, BuildStatus.DATASET_ISSUE)


def test_lost_late_doubled_or_broken_callback_changes_no_result(
    harness: BuildHarness, live_server: Any, settings: Any, sandbox: Any
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    sandbox.call_control("POST", "settings", {"training_seconds": 0.5})  # long enough to observe the training
    for fault, stored in (
        ("lose", 0),
        ("duplicate:5", 1),
        ("broken", 1),
        ("delay:600", 0),
    ):
        sandbox.set_faults({"operation": "callback", "do": fault})
        build = harness.reach_status(
            harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent")), BuildStatus.TRAINING
        )
        if stored:
            poll_until(build.callbacks.exists)
        build = harness.finish_build(build)
        assert build.status == BuildStatus.DATASET_ISSUE
        assert build.callbacks.count() == stored
        assert build.recordings.filter(is_silent=True, from_callback=True).count() == stored
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(build.remote_voice.remote_id)  # the sandbox then never sends the delayed callback


# --- polling ----------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "seconds"), [(AccountMode.LIVE, 5), (AccountMode.SANDBOX, 1)])
def test_vendors_are_polled_at_the_interval_of_their_tier_and_the_sandbox_more_often(
    training: Build, mode: AccountMode, seconds: int
) -> None:
    training.remote_voice.account.mode = mode
    assert compute_poll_interval(training) == timedelta(seconds=seconds)
    training.training_at = timezone.now() - timedelta(hours=1)
    assert compute_poll_interval(training).total_seconds() == pytest.approx(180, abs=5)  # a twentieth of its age


def test_unknown_provider_status_is_stored_and_the_build_polled_again(
    harness: BuildHarness, training: Build, monkeypatch: Any
) -> None:
    response = {"uuid": training.remote_voice.remote_id, "status": "reticulating"}
    monkeypatch.setattr("providers.resemble_v2.adapter.ResembleV2._fetch_voice", lambda *_: response)
    harness.reach_status(training, BuildStatus.TRAINING)
    assert training.raw_status == "reticulating"
    assert training.raw_response == response
    assert Task.objects.filter(kind="refresh_build", status=TaskStatus.WAITING).exists()


@pytest.mark.parametrize(("rule", "seconds"), [
    ({"do": "status:429", "retry_after": "120"}, 120),
    ({"do": "status:503", "retry_after": "60"}, 60),
    ({"do": "status:503"}, 1),
    ({"do": "status:429", "retry_after": "1"}, 1),
    ({"do": "drop"}, 1),
    ({"do": "garbage"}, 1),
    ({"do": "status:401"}, 600),
])  # fmt: skip
def test_failed_poll_is_repeated_after_a_wait_that_fits_the_error(
    harness: BuildHarness, training: Build, sandbox: Any, rule: dict[str, Any], seconds: int
) -> None:
    sandbox.set_faults({"operation": "get_voice", **rule})
    start = timezone.now()
    harness.reach_status(training, BuildStatus.TRAINING)
    due = Task.objects.get(kind="refresh_build", status=TaskStatus.WAITING).due_at - timedelta(seconds=seconds)
    assert start <= due <= timezone.now()
    harness.account.refresh_from_db()
    assert harness.account.last_error


def test_voice_deleted_at_the_provider_fails_the_build(harness: BuildHarness, training: Build) -> None:
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(training.remote_voice.remote_id)
    harness.reach_status(training, BuildStatus.TRAINING)  # one 404 proves nothing: a look-up may be outdated
    harness.reach_status(training, BuildStatus.FAILED)
    training.remote_voice.refresh_from_db()
    assert training.remote_voice.retired_at


def test_second_poll_of_a_finished_build_changes_nothing(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    poll_until(lambda: harness.fetch_voice(build)["status"] == "finished")
    assert refresh_build(str(build.pk)) is None
    finished_at = Build.objects.get(pk=build.pk).finished_at
    assert refresh_build(str(build.pk)) is None
    assert Build.objects.get(pk=build.pk).finished_at == finished_at


def test_sentence_of_a_provider_names_clips_as_people_do() -> None:
    assert shorten_clip_names("There is no speech in: rms-silent-24c37e5b.") == "There is no speech in: rms-silent."
    assert shorten_clip_names("Error a-24c37e5, code -24c37e5b") == "Error a-24c37e5, code -24c37e5b"
