"""Callbacks are hints: kept once, believed in nothing. What a build became is what the provider says when asked."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from providers import registry
from tests.support.sandbox import until
from tests.support.work import do_tasks
from tests.voices.services.builds.build_harness import SLT_CLIPS, BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.retry_policy import PREVIOUS_BUILD_GRACE
from voicehub.upload_limits import CALLBACKS_PER_BUILD
from voices.models import Build, BuildStatus, Callback
from voices.services.builds import poll
from voices.services.builds.poll import refresh_build
from voices.services.builds.spec import make_callback_url, make_clip_name

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]


def post(build: Build, body: Any, url: str = "") -> int:
    """Send a callback as a provider does: no session, no CSRF token."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    path = (url or make_callback_url(build)).partition("127.0.0.1:9")[2]
    return Client(enforce_csrf_checks=True).post(path, data, content_type="application/json").status_code


def said(build: Build, status: str = "finished", **more: Any) -> dict[str, Any]:
    """What the provider would send of this build."""
    return {"ok": True, "id": build.remote_voice.remote_id, "status": status, "recordings": [], "issue": None} | more


def marked(build: Build, **flags: Any) -> list[dict[str, Any]]:
    """The callback's line on the first recording of the build."""
    row = build.recordings.select_related("recording").first()
    assert row
    remote = build.remote_voice.recordings.get(recording=row.recording)
    return [{"uuid": remote.remote_id, "name": make_clip_name(row.recording)} | flags]


@pytest.fixture
def training(harness: BuildHarness, sandbox: Any) -> Build:
    """A build whose training does not end by itself."""
    sandbox.control("POST", "settings", {"training_seconds": 600.0})
    return harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)


def test_wrong_token_is_not_found_and_asks_nobody(harness: BuildHarness, training: Build) -> None:
    before, tasks = harness.count_requests(), Task.objects.count()
    good = make_callback_url(training)
    for wrong in (
        good[:-2] + "/",
        good.replace("resemble_v2", "other"),
        good.replace("hooks/resemble_v2/", "hooks/resemble_v2/x"),
    ):
        assert post(training, said(training), wrong) == 404
    assert not Callback.objects.exists()
    assert (harness.count_requests(), Task.objects.count()) == (before, tasks)


def test_forged_end_changes_nothing(harness: BuildHarness, training: Build) -> None:
    """With the right token even: the provider, asked with our key, says that it trains."""
    for status in ("finished", "ready", "dataset_issue", "consent_validation_failed", "failed"):
        forged = said(training, status, recordings=marked(training, is_silent=True), issue="Forged.")
        assert post(training, forged) == 204
    before = harness.count_requests()
    do_tasks()
    assert harness.count_requests("GET") == before - harness.count_requests("POST") + 1
    training.refresh_from_db()
    assert training.status == BuildStatus.TRAINING
    assert training.issue == ""
    assert not training.recordings.filter(has_report=True).exists()
    assert not training.recordings.filter(is_silent=True).exists()


def test_callback_only_causes_a_get(harness: BuildHarness, training: Build) -> None:
    before = harness.count_requests()
    assert post(training, said(training)) == 204
    assert harness.count_requests() == before
    do_tasks()
    assert [seen["operation"] for seen in harness.list_requests()][-1] == "get_voice"
    assert harness.count_requests() == before + 1


def test_callback_is_asked_about_at_once(training: Build) -> None:
    """Not when the next look was due anyway."""
    assert Task.objects.get(kind="refresh_build", status=TaskStatus.WAITING).due_at > timezone.now()
    post(training, said(training))
    assert Task.objects.get(kind="refresh_build", status=TaskStatus.WAITING).due_at <= timezone.now()


def test_same_callback_is_kept_once(harness: BuildHarness, training: Build) -> None:
    for _ in range(3):
        assert post(training, said(training)) == 204
    assert post(training, json.dumps(said(training), indent=1).encode()) == 204
    assert training.callbacks.count() == 2


def test_flood_is_answered_and_forgotten(harness: BuildHarness, training: Build) -> None:
    for number in range(CALLBACKS_PER_BUILD + 5):
        assert post(training, said(training, note=number)) == 204
    assert training.callbacks.count() == CALLBACKS_PER_BUILD


@pytest.mark.parametrize("body", [b"", b"null", b"\xff\0", b"[" * 60_000, b'{"id": "\\u0000", "issue": "\\ud800"}'])
def test_callback_that_nobody_can_read_stops_no_build(harness: BuildHarness, sandbox: Any, body: bytes) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    assert post(build, body) == 204
    assert harness.finish_build(build).status == BuildStatus.READY


def test_callback_of_another_voice_is_not_taken_for_ours(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    post(build, said(build, recordings=marked(build, is_outlier=True)) | {"id": "other"})
    assert harness.finish_build(build).status == BuildStatus.READY
    assert not build.recordings.filter(is_outlier=True).exists()


def test_early_callback_is_heard_later(harness: BuildHarness, sandbox: Any) -> None:
    """It comes while the build is being sent; its report is used once the provider confirms it."""
    build = harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent"))
    written = poll.find_build_by_callback_token("resemble_v2", make_callback_url(build).split("/")[-2])
    assert written == build
    Build.objects.filter(pk=build.pk).update(status=BuildStatus.SUBMITTING)
    assert post(build, b'{"early": true}') == 204
    do_tasks()
    build = harness.finish_build(build)
    assert build.status == BuildStatus.DATASET_ISSUE
    assert build.callbacks.count() == 1


def test_confirmed_callback_gives_what_only_it_carries(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.reach_status(
        harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent")), BuildStatus.TRAINING
    )
    lines = marked(build, si_dr_score="12.5", stoi_score=0.9, is_outlier=None, is_silent="false")
    post(build, said(build, "dataset_issue", issue="From the callback.", recordings=[*lines, {"uuid": "nobody"}]))
    build = harness.finish_build(build)
    row = build.recordings.get(from_callback=True)
    assert (row.si_sdr, row.stoi, row.is_outlier, row.is_silent) == (12.5, 0.9, None, False)
    assert row.sample_score is not None, "what the look-up said was wiped"
    assert build.issue == "From the callback."


def test_late_callback_changes_nothing(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    rows = list(build.recordings.values())
    before = harness.count_requests()
    for status in ("dataset_issue", "finished", "consent_validation_failed"):
        assert post(build, said(build, status, recordings=marked(build, is_silent=True))) == 204
    harness.run_tasks(2)
    build.refresh_from_db()
    assert build.status == BuildStatus.READY
    assert list(build.recordings.values()) == rows
    assert harness.count_requests() == before
    assert build.callbacks.count() == 3


def test_callback_of_the_build_before_says_nothing_of_this_one(harness: BuildHarness, sandbox: Any) -> None:
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice))
    assert first.status == BuildStatus.DATASET_ISSUE
    sandbox.control("POST", "settings", {"training_seconds": 600.0})
    second = harness.reach_status(harness.start_build(voice), BuildStatus.TRAINING)
    assert post(first, said(first, "dataset_issue", issue="Old.")) == 204
    harness.run_tasks(2)
    second.refresh_from_db()
    assert second.status == BuildStatus.TRAINING
    assert make_callback_url(first) != make_callback_url(second)


def test_report_of_the_build_before_is_not_taken_for_this_one(
    harness: BuildHarness, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider may go on for a moment to describe what came of the last build."""
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice))
    with registry.open_provider(harness.account) as provider:
        old = provider.fetch_build(first.remote_voice.remote_id)
    second = harness.reach_status(harness.start_build(voice), BuildStatus.TRAINING)
    unchanged = replace(old, version=second.previous_version)
    monkeypatch.setattr(type(provider), "fetch_build", lambda *_: unchanged)
    harness.reach_status(second, BuildStatus.TRAINING)
    # For ever would be wrong too: the provider may have nothing else to say.
    Build.objects.filter(pk=second.pk).update(training_at=timezone.now() - PREVIOUS_BUILD_GRACE - timedelta(seconds=1))
    harness.reach_status(second, BuildStatus.DATASET_ISSUE)


def test_real_callbacks_lost_late_doubled_or_broken(
    harness: BuildHarness, live_server: Any, settings: Any, sandbox: Any
) -> None:
    """Whatever becomes of the callback, the build ends, and ends the same."""
    settings.VOICEHUB_BASE_URL = live_server.url
    sandbox.control("POST", "settings", {"training_seconds": 0.5})  # so long that it is seen to train
    for do, kept in (
        ("lose", 0),
        ("duplicate:5", 1),
        ("broken", 1),
        ("delay:600", 0),
    ):
        sandbox.faults({"operation": "callback", "do": do})
        build = harness.reach_status(
            harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent")), BuildStatus.TRAINING
        )
        if kept:
            until(build.callbacks.exists)
        build = harness.finish_build(build)
        assert build.status == BuildStatus.DATASET_ISSUE
        assert build.callbacks.count() == kept
        assert build.recordings.filter(is_silent=True, from_callback=True).count() == kept
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(build.remote_voice.remote_id)  # and with it the callback that is still to come


# --- asking -----------------------------------------------------------------------------


def test_unknown_status_waits_and_keeps_its_words(harness: BuildHarness, training: Build, monkeypatch: Any) -> None:
    odd = {"uuid": training.remote_voice.remote_id, "status": "reticulating"}
    monkeypatch.setattr("providers.resemble_v2.adapter.ResembleV2._fetch_voice", lambda *_: odd)
    harness.reach_status(training, BuildStatus.TRAINING)
    assert training.raw_status == "reticulating"
    assert training.raw_response == odd
    assert Task.objects.filter(kind="refresh_build", status=TaskStatus.WAITING).exists()


@pytest.mark.parametrize(("rule", "seconds"), [
    ({"do": "status:429", "retry_after": "120"}, 120),
    ({"do": "status:503", "retry_after": "60"}, 60),
    ({"do": "status:503"}, 5),
    ({"do": "status:429", "retry_after": "1"}, 5),
    ({"do": "drop"}, 5),
    ({"do": "garbage"}, 5),
    ({"do": "status:401"}, 600),
])  # fmt: skip
def test_provider_that_does_not_answer_is_asked_again_in_time(
    harness: BuildHarness, training: Build, sandbox: Any, rule: dict[str, Any], seconds: int
) -> None:
    sandbox.faults({"operation": "get_voice", **rule})
    began = timezone.now()
    harness.reach_status(training, BuildStatus.TRAINING)
    due = Task.objects.get(kind="refresh_build", status=TaskStatus.WAITING).due_at - timedelta(seconds=seconds)
    assert began <= due <= timezone.now()
    harness.account.refresh_from_db()
    assert harness.account.last_error


def test_voice_that_is_gone_ends_the_build(harness: BuildHarness, training: Build) -> None:
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(training.remote_voice.remote_id)
    harness.reach_status(training, BuildStatus.TRAINING)  # a look-up may lag
    harness.reach_status(training, BuildStatus.FAILED)
    training.remote_voice.refresh_from_db()
    assert training.remote_voice.retired_at


def test_asking_twice_at_once_ends_once(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    until(lambda: harness.fetch_voice(build)["status"] == "finished")
    assert refresh_build(str(build.pk)) is None
    ended = Build.objects.get(pk=build.pk).finished_at
    assert refresh_build(str(build.pk)) is None
    assert Build.objects.get(pk=build.pk).finished_at == ended
