"""When an answer is lost it is looked up, never sent again blindly; what was never sent is sent later, once."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from providers import registry
from providers.http import HttpProvider
from tests.support.work import do_tasks
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task, TaskStatus
from voicehub.outbox import Lease, LeaseLost
from voicehub.refusals import ActionRefused
from voicehub.retry_policy import LEASE, MAX_ATTEMPTS
from voices.models import Build, BuildStatus, RemoteVoice
from voices.services.accounts import change_key
from voices.services.builds import journal, reconcile
from voices.services.builds.reconcile import resolve_submit_manually
from voices.services.builds.start import cancel_build
from voices.services.builds.submit import submit_build

pytestmark = pytest.mark.django_db

WHY = "I looked at the list on its page."
READY = {"create_voice": 1, "build_voice": 1}


def waiting(kind: str) -> Task:
    return Task.objects.get(kind=kind, status=TaskStatus.WAITING)


# --- the four cases: the voice is there or not, the build has begun or not ------------------------------------------


@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
@pytest.mark.parametrize("operation", ["create_voice", "build_voice"])
@pytest.mark.parametrize("fault", ["drop", "status:502", "garbage"])
def test_lost_answer_is_settled_by_looking(
    harness: BuildHarness, sandbox: Any, operation: str, phase: str, fault: str
) -> None:
    sandbox.faults({"operation": operation, "do": fault, "phase": phase, "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    assert build.pending_call == operation.partition("_")[0]
    assert waiting("settle_build").due_at > timezone.now() + LEASE * 0.9
    made = harness.count_billed()
    build = harness.finish_build(build)
    assert build.status == BuildStatus.READY, build.issue
    assert harness.count_billed() == READY
    assert made[operation] == (1 if phase == "after_commit" else 0)
    assert len(harness.list_requests("create_recording")) == 3
    assert (build.pending_call, build.progress_message, build.lookup_attempts) == ("", "", 0)


def test_list_that_lags_is_looked_at_twice(harness: BuildHarness, sandbox: Any) -> None:
    """The voice was made, and the first list does not show it yet."""
    sandbox.faults(
        {"operation": "create_voice", "do": "drop", "phase": "after_commit", "nth": 1},
        {"operation": "list_voices", "do": "hide:60", "nth": 1},
    )
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert build.lookup_attempts == 1
    assert waiting("settle_build").due_at > timezone.now() + LEASE * 0.9
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY


def test_look_up_that_fails_settles_nothing(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.faults(
        {"operation": "create_voice", "do": "drop", "phase": "after_commit", "nth": 1},
        *({"operation": "list_voices", "do": do, "nth": n} for n, do in enumerate(
            ("status:500", "drop", "garbage", "html", "status:404", "status:429", "truncate"), start=1)),
    )  # fmt: skip
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    for _ in range(7):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
        assert build.lookup_attempts == 0
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY


def test_voice_that_is_gone_while_its_build_is_in_doubt(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.faults({"operation": "build_voice", "do": "drop", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(build.remote_voice.remote_id)
    assert harness.finish_build(build).status == BuildStatus.FAILED
    build.remote_voice.refresh_from_db()
    assert build.remote_voice.retired_at
    assert harness.finish_build(harness.start_build(build.voice)).status == BuildStatus.READY


def test_late_build_call_is_not_made_again(
    harness: BuildHarness, sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two look-ups find nothing, and then the first call arrives after all: the voice trains, and is left to it."""
    sandbox.control("POST", "settings", {"training_seconds": 600.0})
    sandbox.faults({"operation": "build_voice", "do": "drop", "phase": "after_commit", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    monkeypatch.setattr(reconcile, "_look_up_call", lambda *_: (None, True))
    harness.reach_status(build, BuildStatus.UNCONFIRMED)
    harness.reach_status(build, BuildStatus.TRAINING)
    sandbox.forward(600.0)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY


# --- by hand ----------------------------------------------------------------------------


@pytest.mark.parametrize("phase", ["before_commit", "after_commit"])
def test_person_settles_what_no_list_can(
    harness: BuildHarness, sandbox: Any, phase: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tier in registry.get_provider_class("resemble_v2").tiers.values():
        monkeypatch.setattr(type(tier), "can_find", False)
        monkeypatch.setattr(type(tier), "can_list", False)
    sandbox.faults({"operation": "create_voice", "do": "drop", "phase": phase, "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    for _ in range(3):
        harness.reach_status(build, BuildStatus.UNCONFIRMED)
    assert not harness.list_requests("list_voices")
    there = harness.fetch_json("voices?page=1")["items"]
    resolve_submit_manually(build, harness.producer, f" {there[0]['uuid']} " if phase == "after_commit" else "", WHY)
    assert (build.resolved_by, build.resolution_reason) == (harness.producer, WHY)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY


def test_person_is_told_when_it_is_settled_or_another_voice(harness: BuildHarness, sandbox: Any) -> None:
    other = harness.finish_build(harness.start_build(harness.make_voice()))
    sandbox.faults({"operation": "create_voice", "do": "drop", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    with pytest.raises(ActionRefused, match="another voice"):
        resolve_submit_manually(build, harness.producer, other.remote_voice.remote_id, WHY)
    build.refresh_from_db()
    assert build.status == BuildStatus.UNCONFIRMED
    resolve_submit_manually(Build.objects.get(pk=build.pk), harness.producer, "", WHY)
    with pytest.raises(ActionRefused, match="already resolved"):
        resolve_submit_manually(build, harness.producer, "", WHY)
    assert harness.finish_build(build).status == BuildStatus.READY


def test_person_cannot_put_a_known_voice_under_another_id(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.faults({"operation": "build_voice", "do": "drop", "phase": "after_commit", "nth": 1})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.UNCONFIRMED)
    with pytest.raises(ActionRefused, match=build.remote_voice.remote_id):
        resolve_submit_manually(build, harness.producer, "something-else", WHY)
    assert harness.finish_build(build).status == BuildStatus.READY


# --- not sent at all --------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["create_voice", "build_voice", "create_recording", "get_voice"])
@pytest.mark.parametrize(("retry_after", "wait"), [(None, 15), ("90", 90), ("nonsense", 15), ("-5", 15)])
def test_told_to_wait_it_waits_and_sends_once(
    harness: BuildHarness, sandbox: Any, operation: str, retry_after: str | None, wait: int
) -> None:
    rule = {"operation": operation, "do": "status:429", "nth": 1}
    sandbox.faults(rule | ({"retry_after": retry_after} if retry_after else {}))
    started, began = harness.start_build(harness.make_voice()), timezone.now()
    build = harness.reach_status(started, BuildStatus.QUEUED)
    due = waiting("submit_build").due_at - timedelta(seconds=wait)
    assert began <= due <= timezone.now()
    assert "Trying again" in build.progress_message
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY
    assert len(harness.list_requests("create_recording")) == 3


def test_provider_that_is_away_for_long(harness: BuildHarness, settings: Any, sandbox: Any) -> None:
    settings.VOICEHUB_SANDBOX_URL = "http://127.0.0.1:9"
    build = harness.start_build(harness.make_voice())
    for _ in range(12):  # more than any number of attempts after which a task is given up
        harness.reach_status(build, BuildStatus.QUEUED)
    harness.account.refresh_from_db()
    assert "cannot be reached" in harness.account.last_error
    settings.VOICEHUB_SANDBOX_URL = sandbox.address
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY
    harness.account.refresh_from_db()
    assert harness.account.last_error == ""


def test_refusal_is_shown_in_the_provider_s_words(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.control("POST", "settings", {"rapid_recordings": 5})
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
    asked = harness.count_requests()
    harness.run_tasks(2)
    assert harness.count_requests() == asked
    change_key(harness.account, key)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY


def test_what_fails_on_our_side_ends_after_five_tries(harness: BuildHarness) -> None:
    """A file that is gone from the disk: no build waits for ever to be sent."""
    voice = harness.make_voice()
    build = harness.start_build(voice)
    file = voice.recordings.filter(file_name="slt-02.wav").get().file
    file.storage.delete(str(file.name))
    for _ in range(MAX_ATTEMPTS):
        harness.run_tasks()
    build.refresh_from_db()
    assert build.status == BuildStatus.FAILED
    assert "VoiceHub could not send this build" in build.issue
    assert Task.objects.get(kind="submit_build").status == TaskStatus.FAILED
    assert str(file.name) not in build.issue


def test_what_fails_on_our_side_with_a_step_in_doubt_is_lookup_attempts(
    harness: BuildHarness, monkeypatch: Any
) -> None:
    written = journal.BuildJournal.record_voice

    def breaks(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    build = harness.start_build(harness.make_voice())
    monkeypatch.setattr(journal.BuildJournal, "record_voice", breaks)
    harness.run_tasks()
    monkeypatch.setattr(journal.BuildJournal, "record_voice", written)
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY


def test_question_that_breaks_again_and_again_is_asked_later(harness: BuildHarness, monkeypatch: Any) -> None:
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.TRAINING)
    with monkeypatch.context() as patch:
        patch.setattr("voices.services.builds.poll.record_observation", lambda *_: 1 / 0)
        for _ in range(MAX_ATTEMPTS):
            harness.run_tasks()
    assert Task.objects.filter(kind="refresh_build", status=TaskStatus.FAILED).exists()
    assert waiting("refresh_build").due_at > timezone.now() + timedelta(minutes=50)
    assert harness.finish_build(build).status == BuildStatus.READY


# --- calling it off ---------------------------------------------------------------------


def test_build_that_waits_can_be_cancelled(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    cancel_build(build, harness.producer)
    harness.run_tasks(3)
    build.refresh_from_db()
    assert build.status == BuildStatus.CANCELED
    assert "Paula" in build.issue
    assert harness.count_requests() == 0
    assert harness.finish_build(harness.start_build(build.voice)).status == BuildStatus.READY


def test_build_that_waits_for_a_busy_provider_can_be_cancelled(harness: BuildHarness, sandbox: Any) -> None:
    sandbox.faults({"operation": "create_voice", "do": "status:429"})
    build = harness.reach_status(harness.start_build(harness.make_voice()), BuildStatus.QUEUED)
    cancel_build(build, harness.producer)
    sandbox.faults()
    harness.run_tasks(3)
    assert not harness.count_billed()


@pytest.mark.parametrize("status", ["submitting", "unconfirmed", "training", "ready", "failed", "cancelled"])
def test_build_that_was_sent_cannot_be_cancelled(harness: BuildHarness, status: str) -> None:
    build = harness.start_build(harness.make_voice())
    Build.objects.filter(pk=build.pk).update(status=status, finished_at=timezone.now())
    with pytest.raises(ActionRefused):
        cancel_build(build, harness.producer)
    build.refresh_from_db()
    assert build.status == status


# --- the worker that lost its lease -----------------------------------------------------


def lost() -> Lease:
    """The lease of somebody whose task is another's by now."""
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
def test_worker_without_a_lease_writes_nothing(
    harness: BuildHarness, sandbox: Any, rule: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sent a call, was suspended for long, and wakes up: the build is another worker's."""
    build = harness.start_build(harness.make_voice())
    lease = lost()
    mine = Task.objects.filter(pk=lease.task_id)
    held = mine.get().lease
    mine.update(lease=lease.token)
    sandbox.faults(*([rule] if rule else []))
    called = HttpProvider.call

    def suspended(provider: Any, operation: str, *args: Any, **more: Any) -> Any:
        try:
            return called(provider, operation, *args, **more)
        finally:
            if operation == "create voice":
                mine.update(lease=held)
                Build.objects.filter(pk=build.pk).update(progress_message="The other worker is at it.")

    monkeypatch.setattr(HttpProvider, "call", suspended)
    with pytest.raises(LeaseLost):
        submit_build(str(build.pk), lease)
    build.refresh_from_db()
    assert (build.status, build.pending_call) == (BuildStatus.SUBMITTING, "create")
    assert build.progress_message == "The other worker is at it."
    assert build.issue == ""
    remote = RemoteVoice.objects.get(pk=build.remote_voice_id)
    assert (remote.remote_id, remote.retired_at) == ("", None)


def test_worker_that_takes_over_looks_before_it_sends(harness: BuildHarness) -> None:
    """A build found at a step in doubt, with no other trace of what became of it."""
    build = harness.start_build(harness.make_voice())
    Build.objects.filter(pk=build.pk).update(status=BuildStatus.SUBMITTING, pending_call="create")
    do_tasks()
    build.refresh_from_db()
    assert build.status == BuildStatus.UNCONFIRMED
    assert not harness.count_billed()
    assert harness.finish_build(build).status == BuildStatus.READY
    assert harness.count_billed() == READY


def test_a_call_ends_before_the_lease(harness: BuildHarness, settings: Any) -> None:
    for seconds in (3, 60, 3600):
        settings.VOICEHUB_LEASE_SECONDS = seconds
        with registry.open_provider(harness.account) as provider:
            assert provider._deadline < seconds  # type: ignore[attr-defined]
