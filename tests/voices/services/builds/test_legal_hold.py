"""A legal hold stops deletions at every stage; the sandbox is the witness. A withdrawal still stops all use at once."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consent.extension_points import list_deletions
from consent.models import Consent
from consent.services.legal_hold import release_hold, set_hold
from consent.services.review import withdraw_consent
from tests.voices.services.builds.build_harness import BuildHarness
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voices.models import Build, BuildStatus, Recording, RemoteVoice
from voices.services.deletion import delete_remote_voice, record_manual_deletion, request_deletion
from voices.services.recordings.store import delete_recording
from voices.services.scheduled_deletion import schedule_deletions

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]

MakeHarness = Callable[[str], BuildHarness]


@pytest.fixture
def harness(make_harness: MakeHarness) -> BuildHarness:
    return make_harness("resemble_v2")


def make_ready_build(harness: BuildHarness) -> Build:
    return harness.finish_build(harness.start_build(harness.make_voice()))


def hold(build: Build, harness: BuildHarness) -> None:
    set_hold(build.voice.talent, harness.producer, "A court order.")


def release(build: Build, harness: BuildHarness) -> None:
    release_hold(build.voice.talent, harness.producer, "The case is closed.")


def list_deletes(harness: BuildHarness) -> list[Any]:
    return [request for request in harness.list_requests() if request["method"] == "DELETE"]


def reload_remote(build: Build) -> RemoteVoice:
    return RemoteVoice.objects.get(pk=build.remote_voice_id)


def test_withdrawal_during_a_hold_stops_use_and_deletes_after_the_release(harness: BuildHarness) -> None:
    build = harness.start_build(harness.make_voice())
    harness.sandbox.call_control("POST", "settings", {"training_seconds": 3600.0})
    harness.reach_status(build, BuildStatus.TRAINING)
    hold(build, harness)
    withdraw_consent(build.consent, harness.producer, "The talent said so.")
    build.refresh_from_db()
    assert build.status == BuildStatus.WITHDRAWN
    since = len(harness.list_requests())
    harness.run_tasks(3)
    assert {request["method"] for request in harness.list_requests()[since:]} <= {"GET"}, "the training is only polled"
    consent = Consent.objects.get(pk=build.consent_id)
    assert [row.how for row in list_deletions(consent)] == ["Kept because of a legal hold"]
    release(build, harness)
    assert Task.objects.filter(kind="delete_remote_voice", status="waiting", due_at__lte=timezone.now()).count() == 1
    harness.run_tasks(2)
    assert reload_remote(build).deleted_at


def test_half_done_deletion_is_not_continued_during_a_hold(
    harness: BuildHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider accepted the deletion but still shows the voice. The next try must wait."""
    build = make_ready_build(harness)
    with monkeypatch.context() as patch:
        patch.setattr("providers.resemble_v2.adapter.ResembleV2.delete_voice", lambda *_arguments: {})
        request_deletion(build.remote_voice, harness.producer, "No longer used.")
        harness.run_tasks()
    remote = reload_remote(build)
    assert remote.is_still_visible
    hold(build, harness)
    since = len(harness.list_requests())
    harness.run_tasks(2)
    assert len(harness.list_requests()) == since
    assert delete_remote_voice(str(remote.pk)) == timedelta(hours=1)
    release(build, harness)
    harness.run_tasks(2)
    assert reload_remote(build).deleted_at and len(list_deletes(harness)) == 1


def test_deletions_by_a_person_are_refused_but_a_fact_is_recorded(harness: BuildHarness) -> None:
    build = make_ready_build(harness)
    recording = harness.add_recording(build.voice, "consent-slt")
    hold(build, harness)
    refusal = f"legal hold, set by {harness.producer} .“A court order.”"
    with pytest.raises(ActionRefused, match=refusal):
        request_deletion(build.remote_voice, harness.producer, "No longer used.")
    with pytest.raises(ActionRefused, match=refusal):
        delete_recording(recording)
    assert Recording.objects.filter(pk=recording.pk).exists() and recording.file.storage.exists(
        str(recording.file.name)
    )
    assert reload_remote(build).deletion_requested_at is None
    record_manual_deletion(build.remote_voice, harness.producer, "It is gone.")
    assert reload_remote(build).deleted_at
    release(build, harness)
    delete_recording(recording)
    assert not Recording.objects.filter(pk=recording.pk).exists()


def test_ended_consent_deletes_the_voice_at_the_provider(harness: BuildHarness) -> None:
    build = make_ready_build(harness)
    today = timezone.localdate()
    Consent.objects.filter(pk=build.consent_id).update(valid_until=today - timedelta(days=1))
    schedule_deletions()
    harness.run_tasks(2)
    assert list_deletes(harness) == []
    RemoteVoice.objects.update(deletion_due_on=today, deletion_planned_at=timezone.now() - timedelta(days=7))
    schedule_deletions()
    harness.run_tasks(2)
    assert reload_remote(build).deleted_at and len(list_deletes(harness)) == 1
    (row,) = list_deletions(Consent.objects.get(pk=build.consent_id))
    assert row.deleted_at and row.how == "Resemble AI no longer has it"


def test_time_of_a_hold_does_not_count_as_tries(harness: BuildHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The alert after a day of refusals says how long VoiceHub has tried, and it tried nothing during the hold."""
    build = make_ready_build(harness)
    hold(build, harness)
    withdraw_consent(build.consent, harness.producer, "The talent said so.")
    RemoteVoice.objects.update(deletion_requested_at=timezone.now() - timedelta(days=30))
    release(build, harness)
    harness.sandbox.set_faults({"operation": "delete_voice", "do": "status:500"})
    assert delete_remote_voice(str(build.remote_voice_id)) == timedelta(seconds=15)
    assert reload_remote(build).alert == ""
    later = timezone.now() + timedelta(days=2)
    monkeypatch.setattr(timezone, "now", lambda: later)
    delete_remote_voice(str(build.remote_voice_id))
    assert "more than a day" in reload_remote(build).alert
