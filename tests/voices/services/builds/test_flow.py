"""Builds from start to report, with the real adapter and a real sandbox. Tasks run as in a worker."""

import hashlib
import json
from typing import Any

import pytest
import requests

from consent.models import Take
from providers import registry
from providers.types import Handover, Tier
from tests.support.sandbox import poll_until
from tests.support.task_runner import AUDIO_TASK_KINDS
from tests.voices.services.builds.build_harness import SLT_CLIPS, BuildHarness, load_sample, make_upload
from voicehub.models import Task
from voicehub.refusals import ActionRefused
from voicehub.tokens import derive_token
from voices.models import Build, BuildStatus, DatasetFetch, RemoteVoice, Voice
from voices.services.builds.dataset import URL_LIFETIME
from voices.services.builds.scores import order_worst_first
from voices.services.builds.spec import make_callback_url, make_clip_name, make_dataset_url
from voices.services.builds.start import BuildRefused
from voices.services.deletion import delete_remote_voice
from voices.services.recordings.store import delete_recording, set_active, set_transcript

pytestmark = [pytest.mark.django_db, pytest.mark.one_database]
SCORES = {"voice_similarity", "fluency", "pauses", "resemble_score"}


def replace_take(voice: Voice, name: str) -> None:
    """Replace the audio of the consent's take with another sample."""
    take = Take.objects.get(consent__talent=voice.talent)
    take.file.storage.delete(str(take.file.name))
    take.file.storage.save(str(take.file.name), make_upload(name))
    Take._base_manager.filter(pk=take.pk).update(sha256=hashlib.sha256(load_sample(name)).hexdigest())


def list_clip_names(build: Build) -> set[str]:
    return {make_clip_name(row.recording) for row in build.recordings.select_related("recording")}


@pytest.mark.parametrize("tier", list(Tier))
def test_build_from_recordings_becomes_ready_with_scores(harness: BuildHarness, tier: Tier) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice(), tier))
    assert build.status == BuildStatus.READY, build.issue
    assert set(build.scores) == SCORES
    assert all(0 <= score <= 1 for score in build.scores.values())
    assert build.raw_status == "finished"
    assert build.raw_response["uuid"] == build.remote_voice.remote_id
    assert build.finished_at
    assert build.training_at
    assert build.submitted_at
    assert build.finished_at >= build.training_at >= build.submitted_at
    assert (build.pending_call, build.progress_message) == ("", "")
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1}
    assert len(harness.list_requests("create_recording")) == 3
    assert harness.fetch_voice(build)["voice_type"] == tier
    assert set(harness.fetch_recordings(build)) == list_clip_names(build)
    assert not Task.objects.exclude(status="done").exclude(kind__in=AUDIO_TASK_KINDS).exists()


def test_remote_voice_does_not_name_the_talent(harness: BuildHarness) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    data = json.dumps(harness.fetch_voice(build))
    assert harness.fetch_voice(build)["name"] == build.remote_voice.reference
    assert "Tilda" not in data
    assert "Narrator" not in data


def test_dataset_issue_keeps_the_flags_of_the_callback(harness: BuildHarness, live_server: Any, settings: Any) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    build = harness.start_build(harness.make_voice("slt-01", "slt-02", "slt-03", "rms-wrong-speaker", "rms-silent"))
    harness.reach_status(build, BuildStatus.TRAINING)
    poll_until(build.callbacks.exists)
    build = harness.finish_build(build)
    assert build.status == BuildStatus.DATASET_ISSUE
    assert "no speech" in build.issue
    rows = {row.recording.title: row for row in order_worst_first(build)}
    assert list(rows)[:2] == ["rms-silent", "rms-wrong-speaker"]
    assert rows["rms-silent"].is_silent
    assert rows["rms-wrong-speaker"].is_outlier
    for title in ("rms-silent", "rms-wrong-speaker"):
        assert rows[title].from_callback
        assert rows[title].has_report
    for name in SLT_CLIPS:
        assert rows[name].has_report
        assert not rows[name].from_callback
        assert rows[name].stoi is None
        assert rows[name].sample_score is not None
    assert rows["rms-wrong-speaker"].stoi is not None
    assert rows["rms-wrong-speaker"].si_sdr is not None


def test_dataset_issue_without_a_callback_is_found_by_polling(harness: BuildHarness) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice(*SLT_CLIPS, "rms-silent")))
    assert build.status == BuildStatus.DATASET_ISSUE
    rows = list(build.recordings.all())
    assert all(row.has_report and not row.from_callback for row in rows)
    assert all(row.is_silent is None for row in rows)


def test_rejected_consent_retires_and_deletes_the_remote_voice(harness: BuildHarness) -> None:
    """The next build creates another remote voice."""
    voice = harness.make_voice()
    replace_take(voice, "rms-silent")
    build = harness.finish_build(harness.start_build(voice))
    assert build.status == BuildStatus.CONSENT_REJECTED
    assert build.raw_status == "consent_validation_failed"
    harness.run_tasks()
    first = RemoteVoice.objects.get(pk=build.remote_voice_id)
    assert first.retired_at
    assert first.deleted_at
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 1, "delete_voice": 1}
    replace_take(voice, "consent-slt")
    second = harness.finish_build(harness.start_build(voice))
    assert second.status == BuildStatus.READY
    assert second.remote_voice_id != first.pk
    assert second.remote_voice.reference != first.reference
    assert harness.count_billed()["create_voice"] == 2


def test_deletion_is_retried_until_it_succeeds(harness: BuildHarness, sandbox: Any) -> None:
    build = harness.finish_build(harness.start_build(harness.make_voice()))
    remote = build.remote_voice
    sandbox.set_faults(*({"operation": "delete_voice", "do": "status:500", "nth": n} for n in (1, 2, 3)))
    for _ in range(3):
        assert delete_remote_voice(str(remote.pk)) is not None
        remote.refresh_from_db()
        assert remote.deleted_at is None
    assert delete_remote_voice(str(remote.pk)) is None
    remote.refresh_from_db()
    assert remote.deleted_at
    assert delete_remote_voice(str(remote.pk)) is None
    assert harness.count_requests("DELETE") == 4


# --- the dataset's URL --------------------------------------------------------------


@pytest.mark.parametrize("tier", list(Tier))
def test_dataset_is_downloaded_from_the_url_of_the_build(
    harness: BuildHarness, live_server: Any, settings: Any, tier: Tier
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice()
    voice.recordings.update(transcript="Two\nlines | and a bar.")
    build = harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    assert build.status == BuildStatus.READY, build.issue
    assert set(build.scores) == SCORES
    is_professional = tier is Tier.PROFESSIONAL
    assert harness.count_billed() == ({"create_voice": 1} if is_professional else {"create_voice": 1, "build_voice": 1})
    assert not harness.list_requests("create_recording")
    assert DatasetFetch.objects.filter(build=build).count() == 1
    if is_professional:
        assert harness.fetch_recordings(build) == dict.fromkeys(list_clip_names(build), "Two lines and a bar.")
    assert requests.get(make_dataset_url(build), timeout=60).status_code == 404


@pytest.mark.parametrize("tier", list(Tier))
def test_rebuild_from_a_dataset_bills_one_build_call(
    harness: BuildHarness, live_server: Any, settings: Any, tier: Tier
) -> None:
    """A professional voice trains by itself on the dataset that it is created with, but not on a later dataset."""
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    billed = harness.count_billed()
    set_active(voice.recordings.get(file_name="rms-silent.wav"), False)
    second = harness.finish_build(harness.start_build(voice, tier, Handover.DATASET_URL))
    assert second.status == BuildStatus.READY, second.issue
    assert second.remote_voice_id == first.remote_voice_id
    assert harness.count_billed() - billed == {"build_voice": 1}
    assert DatasetFetch.objects.filter(build=second).count() == 1


def test_wrong_or_expired_dataset_url_is_not_found(harness: BuildHarness, live_server: Any, settings: Any) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    build = harness.start_build(harness.make_voice(), Tier.PROFESSIONAL, Handover.DATASET_URL)
    url = make_dataset_url(build)
    assert requests.get(url, timeout=60).status_code == 200
    token = derive_token("dataset", build.pk)
    for wrong_url in (
        url.replace(token, token[:-1] + ("A" if token[-1] != "A" else "B")),
        url.replace(token, derive_token("callback", build.pk)),
        url.replace(token, build.dataset_digest),
        url.replace("dataset.zip", "dataset.wav"),
    ):
        assert requests.get(wrong_url, timeout=60).status_code == 404
    Build.objects.filter(pk=build.pk).update(created_at=build.created_at - URL_LIFETIME)
    assert requests.get(url, timeout=60).status_code == 404
    assert DatasetFetch.objects.filter(build=build).exists()


def test_build_with_an_expired_dataset_url_ends_in_a_dataset_issue(
    harness: BuildHarness, live_server: Any, settings: Any
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    build = harness.start_build(harness.make_voice(), Tier.PROFESSIONAL, Handover.DATASET_URL)
    Build.objects.filter(pk=build.pk).update(created_at=build.created_at - URL_LIFETIME)
    assert harness.finish_build(build).status == BuildStatus.DATASET_ISSUE
    assert not DatasetFetch.objects.filter(build=build).exists()


def test_build_from_recordings_has_no_dataset_url(harness: BuildHarness, client: Any) -> None:
    build = harness.start_build(harness.make_voice())
    assert build.dataset_digest == ""
    assert client.get(make_dataset_url(build)).status_code == 404


# --- rebuilds ---------------------------------------------------------------------


def test_rebuild_reuses_the_remote_voice_and_sends_only_changes(harness: BuildHarness) -> None:
    voice = harness.make_voice(*SLT_CLIPS, "rms-silent")
    first = harness.finish_build(harness.start_build(voice))
    assert first.status == BuildStatus.DATASET_ISSUE
    set_active(voice.recordings.get(file_name="rms-silent.wav"), False)
    set_transcript(voice.recordings.get(file_name="slt-02.wav"), "Other words.")
    harness.add_recording(voice, "slt-04")
    second = harness.finish_build(harness.start_build(voice))
    assert second.status == BuildStatus.READY, second.issue
    assert second.remote_voice_id == first.remote_voice_id
    assert harness.count_billed() == {"create_voice": 1, "build_voice": 2}
    assert len(harness.list_requests("create_recording")) == 5
    assert len(harness.list_requests("delete_recording")) == 1
    assert len(harness.list_requests("update_recording")) == 1
    recordings = harness.fetch_recordings(second)
    assert set(recordings) == list_clip_names(second)
    assert recordings[make_clip_name(voice.recordings.get(file_name="slt-02.wav"))] == "Other words."
    assert harness.fetch_voice(second)["callback_uri"] == make_callback_url(second) != make_callback_url(first)


def test_excluded_recording_can_be_included_again(harness: BuildHarness) -> None:
    voice = harness.make_voice(*SLT_CLIPS, "slt-04")
    recording = voice.recordings.get(file_name="slt-04.wav")
    for active in (True, False, True):
        set_active(recording, active)
        build = harness.finish_build(harness.start_build(voice))
        assert build.status == BuildStatus.READY
        assert set(harness.fetch_recordings(build)) == list_clip_names(build)
        assert (make_clip_name(recording) in list_clip_names(build)) == active


def test_build_of_a_deleted_voice_fails_and_the_next_creates_a_new_one(harness: BuildHarness) -> None:
    voice = harness.make_voice()
    first = harness.finish_build(harness.start_build(voice))
    with registry.open_provider(harness.account) as provider:
        provider.delete_voice(first.remote_voice.remote_id)
    second = harness.finish_build(harness.start_build(voice))
    assert second.status == BuildStatus.FAILED
    assert second.issue.startswith("The provider no longer has this voice under this account's key")
    third = harness.finish_build(harness.start_build(voice))
    assert third.status == BuildStatus.READY
    assert third.remote_voice_id != first.remote_voice_id


def test_voice_trained_on_a_dataset_is_not_rebuilt_from_recordings(
    harness: BuildHarness, live_server: Any, settings: Any
) -> None:
    """The provider would read the dataset of the previous build again, but its URL no longer works."""
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice()
    harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.DATASET_URL))
    with pytest.raises(BuildRefused) as refusal:
        harness.start_build(voice, Tier.RAPID, Handover.RECORDINGS)
    assert refusal.value.reasons == ("The provider trains this voice on a dataset. Send a new dataset instead.",)
    assert (
        harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.DATASET_URL)).status == BuildStatus.READY
    )


def test_dataset_of_a_rebuild_replaces_the_recordings_sent_earlier(
    harness: BuildHarness, live_server: Any, settings: Any
) -> None:
    settings.VOICEHUB_BASE_URL = live_server.url
    voice = harness.make_voice()
    harness.finish_build(harness.start_build(voice))
    build = harness.finish_build(harness.start_build(voice, Tier.RAPID, Handover.DATASET_URL))
    assert build.status == BuildStatus.READY
    assert set(harness.fetch_recordings(build)) == {"dataset"}


def test_changes_after_start_do_not_affect_the_build(harness: BuildHarness) -> None:
    """Changes that staff make between start and submit go into the next build."""
    voice = harness.make_voice()
    build = harness.start_build(voice)
    clip_names = list_clip_names(build)
    recording = voice.recordings.get(file_name="slt-01.wav")
    set_transcript(recording, "Changed.")
    set_active(voice.recordings.get(file_name="slt-02.wav"), False)
    harness.add_recording(voice, "slt-05")
    with pytest.raises(ActionRefused):
        delete_recording(recording)
    build = harness.finish_build(build)
    assert build.status == BuildStatus.READY
    assert build.progress_total == 3
    recordings = harness.fetch_recordings(build)
    assert set(recordings) == clip_names
    assert recordings[make_clip_name(recording)] == "Words of slt-01."
    for row in build.recordings.select_related("recording"):
        assert row.sha256 == row.recording.sha256
