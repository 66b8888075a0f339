"""Reconciliation: after a lost response VoiceHub looks up the result before it sends the call again.

A call that was not sent is sent later, once.
"""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers import registry
from providers.http import HttpProvider
from tests.support.one_database import on_one_database
from tests.support.task_runner import run_due_tasks
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease, LeaseLost
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEASE, MAX_ATTEMPTS
from voices.models import Build, BuildStatus, RemoteVoice
from voices.services.accounts import change_key
from voices.services.builds import journal, reconcile, submit
from voices.services.builds.reconcile import resolve_submit_manually
from voices.services.builds.start import cancel_build
from voices.services.builds.submit import submit_build

pytestmark = pytest.mark.django_db

REASON = "I looked at the list on the provider's page."
BILLED_ONCE = {"create_voice": 1, "build_voice": 1}


def get_waiting_task(kind: str) -> Task:
    return Task.objects.get(kind=kind, status=TaskStatus.WAITING)


# --- lost responses: the voice was created or not, the build has begun or not ---------------------------------------


@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
@pytest.mark.parametrize("operation", ["create_voice", "build_voice"])
@pytest.mark.parametrize("fault", ["drop", *on_one_database("status:502", "garbage")])
def test_lost_response_is_resolved_by_a_look_up(
    harness: BuildHarness, sandbox: Any, operation: str, phase: str, fault: str
) -> None:
    sandbox.set_faults({"operation": operation, "do": fault, "phase": phase, "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    assert build.pending_call == operation.partition("_")[0]
    assert get_waiting_task("settle_build").due_at > timezone.now() + LEASE * 0.9
    billed = harness.count_billed()
    build = harness.finish_build(build)
    assert build.status == BuildStatus.READY, build.issue
    assert harness.count_billed() == BILLED_ONCE
    assert billed[operation] == (1 if phase == "after_commit" else 0)
    assert len(harness.list_requests("create_recording")) == 3
    assert (build.pending_call, build.progress_message, build.lookup_attempts) == ("", "", 0)


def test_voice_missing_in_the_first_list_is_looked_up_again(harness: BuildHarness, sandbox: Any) -> None:
    """The voice was created, but the first list does not show it yet."""
    sandbox.set_faults(
        {"operation": "create_voice", "do": "drop", "phase": "after_commit", "nth": 1},
        {"operation": "list_voices", "do": "hide:60", "nth": 1},
    )
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert build.lookup_attempts == 1
    assert get_waiting_task("settle_build").due_at > timezone.now() + LEASE * 0.9
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


def test_failed_look_up_leaves_the_build_unconfirmed(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.set_faults(
        {"operation": "create_voice", "do": "drop", "phase": "after_commit", "nth": 1},
        *({"operation": "list_voices", "do": do, "nth": n} for n, do in enumerate(
            ("status:500", "drop", "garbage", "html", "status:404", "status:429", "truncate"), start=1)),
    )  # fmt: skip
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    for _ in range(7):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
        assert build.lookup_attempts == 0
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


def test_unconfirmed_build_of_a_deleted_voice_fails(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.set_faults({"operation": "build_voice", "do": "drop", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(build.remote_voice.remote_id)
    assert harness.finish_build(build).status == BuildStatus.FAILED
    build.remote_voice.refresh_from_db()
    assert build.remote_voice.retired_at
    assert harness.finish_build(harness.start_build(build.voice)).status == BuildStatus.READY


def test_build_call_that_takes_effect_late_is_not_repeated(
    harness: BuildHarness, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two look-ups find no training, then the first build call takes effect. No second build call is made."""
    sandbox.call_control("POST", "settings", {"training_seconds": 600.0})
    sandbox.set_faults({"operation": "build_voice", "do": "drop", "phase": "after_commit", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    monkeypatch.setattr(reconcile, "look_up_call", lambda *_: (None, True))
    harness.reach_status(build, BuildStatus.UNCONFIRMED)
    harness.reach_status(build, BuildStatus.TRAINING)
    sandbox.forward_clock(600.0)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


# --- manual resolution ------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
def test_staff_resolve_a_call_that_cannot_be_looked_up(
    harness: BuildHarness, sandbox: Any, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tier in registry.get_provider_class("resemble_v2").tiers.values():
        monkeypatch.setattr(type(tier), "can_find", False)
        monkeypatch.setattr(type(tier), "can_list", False)
    sandbox.set_faults({"operation": "create_voice", "do": "drop", "phase": phase, "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    for _ in range(3):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert not harness.list_requests("list_voices")
    voices = harness.fetch_json("voices?page=1")["items"]
    resolve_submit_manually(
        build, harness.producer, f" {voices[0]['uuid']} " if phase == "after_commit" else "", REASON
    )
    assert (build.resolved_by, build.resolution_reason) == (harness.producer, REASON)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


def test_manual_resolution_is_refused_if_repeated_or_for_another_voice(harness: BuildHarness, sandbox: Any) -> None:
    other = harness.finish_build(harness.start_build(harness.make_voice()))
    sandbox.set_faults({"operation": "create_voice", "do": "drop", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    with pytest.raises(ActionRefused, match="another voice"):
        resolve_submit_manually(build, harness.producer, other.remote_voice.remote_id, REASON)
    build.refresh_from_db()
    assert build.status == BuildStatus.UNCONFIRMED
    resolve_submit_manually(Build.objects.get(pk=build.pk), harness.producer, "", REASON)
    with pytest.raises(ActionRefused, match="already resolved"):
        resolve_submit_manually(build, harness.producer, "", REASON)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_manual_resolution_cannot_change_a_known_remote_id(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.set_faults({"operation": "build_voice", "do": "drop", "phase": "after_commit", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    with pytest.raises(ActionRefused, match=build.remote_voice.remote_id):
        resolve_submit_manually(build, harness.producer, "something-else", REASON)
    assert harness.finish_build(build).status == BuildStatus.READY


# --- calls that were not sent -----------------------------------------------------------


@pytest.mark.parametrize(("operation", "retry_after", "wait"), [
    ("create_voice", "90", 90),
    ("build_voice", "90", 90),
    ("create_recording", "90", 90),
    ("get_voice", "90", 90),
    ("create_voice", None, 15),
    ("create_voice", "nonsense", 15),
    ("create_voice", "-5", 15),
])  # fmt: skip
def test_rate_limited_call_waits_and_is_sent_once(
    harness: BuildHarness, sandbox: Any, operation: str, retry_after: str | None, wait: int
) -> None:
    rule = {"operation": operation, "do": "status:429", "nth": 1}
    sandbox.set_faults(rule | ({"retry_after": retry_after} if retry_after else {}))
    build, start = harness.start_build(harness.make_voice()), timezone.now()
    harness.reach_status(build, BuildStatus.QUEUED)
    due = get_waiting_task("submit_build").due_at - timedelta(seconds=wait)
    assert start <= due <= timezone.now()
    assert "Trying again" in build.progress_message
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE
    assert len(harness.list_requests("create_recording")) == 3


def test_long_outage_of_the_provider_fails_no_build(harness: BuildHarness, settings: Any, sandbox: Any) -> None:
    settings.VOICEHUB_SANDBOX_URL = "http://127.0.0.1:9"
    build = harness.start_build(harness.make_voice())
    for _ in range(12):  # more attempts than a failing task gets
        harness.reach_status(build, BuildStatus.QUEUED)
    harness.account.refresh_from_db()
    assert "cannot be reached" in harness.account.last_error
    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE
    harness.account.refresh_from_db()
    assert harness.account.last_error == ""


def test_refusal_shows_the_text_of_the_provider(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.call_control("POST", "settings", {"rapid_recordings": 5})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.FAILED)
    assert "At least 5 active recordings are needed" in build.issue
    assert harness.key not in build.issue


def test_bad_key_pauses_the_account_and_the_build_waits(harness: BuildHarness, sandbox: Any) -> None:
    key = harness.key
    change_key(harness.account, "bad-key")
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.QUEUED)
    harness.account.refresh_from_db()
    assert harness.account.paused_at and harness.account.paused_by is None
    assert "key" in harness.account.last_error
    assert (
        "bad-key"
        not in build.progress_message + build.issue + harness.account.last_error + harness.account.pause_reason
    )
    requests = harness.count_requests()
    harness.run_tasks(2)
    assert harness.count_requests() == requests
    change_key(harness.account, key)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


def test_local_error_fails_the_build_after_five_attempts(harness: BuildHarness, monkeypatch: Any) -> None:
    """No build may wait forever, and its page must not show the text of an unexpected error."""

    def raise_error(*_: Any) -> None:
        raise RuntimeError("the folder /secret is full")

    build = harness.start_build(harness.make_voice())
    monkeypatch.setattr(submit, "make_build_spec", raise_error)
    for _ in range(MAX_ATTEMPTS):
        harness.run_tasks()
    build.refresh_from_db()
    assert build.status == BuildStatus.FAILED
    assert "VoiceHub could not send this build" in build.issue
    assert Task.objects.get(kind="submit_build").status == TaskStatus.FAILED
    assert "/secret" not in build.issue


def test_lost_recording_fails_the_build_at_once(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    build = harness.start_build(voice)
    file = voice.recordings.filter(file_name="slt-02.wav").get().file
    file.storage.delete(str(file.name))
    harness.run_tasks()
    build.refresh_from_db()
    assert build.status == BuildStatus.FAILED
    assert "slt-02" in build.issue and "Upload the recording again" in build.issue
    assert str(file.name) not in build.issue


def test_local_error_after_a_call_leads_to_a_look_up(harness: BuildHarness, monkeypatch: Any) -> None:
    original = journal.BuildJournal.record_voice

    def raise_error(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    build = harness.start_build(harness.make_voice())
    monkeypatch.setattr(journal.BuildJournal, "record_voice", raise_error)
    harness.run_tasks()
    monkeypatch.setattr(journal.BuildJournal, "record_voice", original)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


def test_poll_that_keeps_failing_is_rescheduled_later(harness: BuildHarness, monkeypatch: Any) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    with monkeypatch.context() as patch:
        patch.setattr("voices.services.builds.poll.record_observation", lambda *_: 1 / 0)
        for _ in range(MAX_ATTEMPTS):
            harness.run_tasks()
    assert Task.objects.filter(kind="refresh_build", status=TaskStatus.FAILED).exists()
    assert get_waiting_task("refresh_build").due_at > timezone.now() + timedelta(minutes=50)
    assert harness.finish_build(build).status == BuildStatus.READY


# --- cancellation -----------------------------------------------------------------------


def test_queued_build_can_be_canceled(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    cancel_build(build, harness.producer)
    harness.run_tasks(3)
    build.refresh_from_db()
    assert build.status == BuildStatus.CANCELED
    assert "Paula" in build.issue
    assert harness.count_requests() == 0
    assert harness.finish_build(harness.start_build(build.voice)).status == BuildStatus.READY


def test_rate_limited_build_can_be_canceled(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.set_faults({"operation": "create_voice", "do": "status:429"})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.QUEUED)
    cancel_build(build, harness.producer)
    sandbox.set_faults()
    harness.run_tasks(3)
    assert not harness.count_billed()


@pytest.mark.parametrize("status", ["submitting", "unconfirmed", "training", "ready", "failed", "cancelled"])
def test_submitted_or_finished_build_cannot_be_canceled(harness: BuildHarness, status: str) -> None:
    build = harness.start_build(harness.make_voice())
    Build.objects.filter(pk=build.pk).update(status=status, finished_at=timezone.now())
    with pytest.raises(ActionRefused):
        cancel_build(build, harness.producer)
    build.refresh_from_db()
    assert build.status == status


# --- workers that lost their lease --------------------------------------------------------


def make_stale_lease() -> Lease:
    """Return a lease on a task that another worker has claimed since."""
    task = Task.objects.create(kind="submit_build", object_id="x", lease=uuid.uuid4())
    return Lease(task.pk, uuid.uuid4(), task.due_at)


@pytest.mark.parametrize("rule", [
    {},
    {"operation": "create_voice", "do": "drop", "phase": "after_commit"},
    {"operation": "create_voice", "do": "status:429"},
    {"operation": "create_voice", "do": "status:400"},
    {"operation": "create_voice", "do": "status:401"},
    {"operation": "create_voice", "do": "status:404"},
])  # fmt: skip
def test_worker_that_lost_its_lease_writes_nothing(
    harness: BuildHarness, sandbox: Any, rule: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker sent a call and was suspended until another worker had claimed the build."""
    build = harness.start_build(harness.make_voice())
    lease = make_stale_lease()
    task = Task.objects.filter(pk=lease.task_id)
    current_lease = task.get().lease
    task.update(lease=lease.token)
    sandbox.set_faults(*([rule] if rule else []))
    original = HttpProvider.call

    def call_then_lose_lease(provider: Any, operation: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return original(provider, operation, *args, **kwargs)
        finally:
            if operation == "create voice":
                task.update(lease=current_lease)
                Build.objects.filter(pk=build.pk).update(progress_message="The other worker continues.")

    monkeypatch.setattr(HttpProvider, "call", call_then_lose_lease)
    with pytest.raises(LeaseLost):
        submit_build(str(build.pk), lease)
    build.refresh_from_db()
    assert (build.status, build.pending_call) == (BuildStatus.SUBMITTING, "create")
    assert build.progress_message == "The other worker continues."
    assert build.issue == ""
    remote = RemoteVoice.objects.get(pk=build.remote_voice_id)
    assert (remote.remote_id, remote.retired_at) == ("", None)


def test_worker_that_takes_over_looks_up_the_pending_call_first(harness: BuildHarness) -> None:
    """The build has a pending call whose result is unknown."""
    build = harness.start_build(harness.make_voice())
    Build.objects.filter(pk=build.pk).update(status=BuildStatus.SUBMITTING, pending_call="create")
    run_due_tasks()
    build.refresh_from_db()
    assert build.status == BuildStatus.UNCONFIRMED
    assert not harness.count_billed()
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == BILLED_ONCE


def test_call_deadline_is_shorter_than_the_lease(harness: BuildHarness, settings: Any) -> None:
    for seconds in (3, 60, 3600):
        settings.VOICEHUB_LEASE_SECONDS = seconds
        with registry.open_provider(harness.account) as provider:
            assert provider._deadline < seconds  # type: ignore[attr-defined]
